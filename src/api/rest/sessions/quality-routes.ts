/** Routes of the media quality of sessions: measurements over time, and what was the cause of bad ones. */
import type { Static } from 'typebox'
import type { SessionRecord, StatsQuery, StatsRecord } from '../../../store/store.ts'
import type { Routes } from '../../context.ts'
import { diagnose, isSuspicious, type Measurement } from '../../../meeting/media/diagnosis.ts'
import { meanOf, qualityFrom } from '../../../meeting/media/quality.ts'
import { Diagnosis, ParticipantMedia, StatsPageQuery } from '../../../protocol/rest/quality.ts'
import {
  ParticipantStats,
  SessionParams,
  SessionParticipantParams,
  SessionStats,
} from '../../../protocol/rest/sessions.ts'
import { sessionFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { deviceOf, iso, toMediaSample, toResolution, toSample } from './present.ts'
import { ofSession, staysOf, tag } from './session-calls.ts'

/** Eight hours of a session of seven, measured every 10 s. Reading more at once would block other work. */
const MOST_STATS = 20_000
const OF_PAGES = `An answer has at most ${MOST_STATS} measurements of participants; \`nextFrom\` says where the next one begins.`

export const qualityRoutes: Routes = (app, { store }) => {
  /** Reads whole instants; `nextFrom` is the first one left out. */
  const pageOf = async (
    query: Omit<StatsQuery, 'limit'>,
  ): Promise<{ records: StatsRecord[]; nextFrom: string | null }> => {
    const records = await store.figures.stats({ ...query, limit: MOST_STATS })
    const last = records.at(-1)?.at
    if (records.length < MOST_STATS || last === undefined || last === records[0]!.at)
      return { records, nextFrom: null }
    return { records: records.filter(({ at }) => at < last), nextFrom: iso(last) }
  }

  app.get(
    '/v2/sessions/:sessionId/stats',
    describe({
      summary: 'Get the media quality of a session, over all participants',
      description: OF_PAGES,
      tag,
      ...ofSession,
      params: SessionParams,
      query: StatsPageQuery,
      answer: SessionStats,
    }),
    async (request) => {
      const { sessionId, meetingId } = sessionFor(request)
      const { records, nextFrom } = await pageOf({ sessionId, ...request.query })
      // All participants of a meeting are measured at the same time.
      const stats = [...Map.groupBy(records, ({ at }) => at)].map(([at, together]) =>
        toSample(at, meanOf(together.map(({ figures }) => qualityFrom(figures)))),
      )
      return { sessionId, meetingId, stats, nextFrom }
    },
  )
  app.get(
    '/v2/sessions/:sessionId/participant/:participantId/stats',
    describe({
      summary: 'Get the media quality of one participant',
      description: OF_PAGES,
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      query: StatsPageQuery,
      answer: ParticipantStats,
    }),
    async (request) => {
      const { whose, device, records, nextFrom } = await ofParticipant(
        sessionFor(request),
        request.params.participantId,
        request.query,
      )
      return {
        ...whose,
        ...deviceOf(device),
        stats: records.map(({ at, figures }) => toSample(at, qualityFrom(figures))),
        resolutionUsage: records.flatMap(toResolution),
        nextFrom,
      }
    },
  )
  app.get(
    '/v2/sessions/:sessionId/participants/:participantId/media',
    describe({
      summary: 'Get everything that was measured of the media of one participant',
      description: OF_PAGES,
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      query: StatsPageQuery,
      answer: ParticipantMedia,
    }),
    async (request) => {
      const { whose, records, nextFrom } = await ofParticipant(
        sessionFor(request),
        request.params.participantId,
        request.query,
      )
      const samples = records.map(({ at, figures }) => toMediaSample(at, qualityFrom(figures)))
      return { ...whose, samples, nextFrom }
    },
  )
  app.get(
    '/v2/sessions/:sessionId/participants/:participantId/diagnosis',
    describe({
      summary: 'Get why media was bad for a participant, one sentence for each stretch of time',
      description: `Looks at the server first, then at the lines of those who send, then at the participant’s own line, then at devices. ${OF_PAGES}`,
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      query: StatsPageQuery,
      answer: Diagnosis,
    }),
    async (request) => {
      const { participantId } = request.params
      const { whose, records, nextFrom } = await ofParticipant(
        sessionFor(request),
        participantId,
        request.query,
      )
      const { sessionId } = whose
      const own = records.map(toMeasurement)
      const suspicious = own.filter(({ quality }) => isSuspicious(quality)).map(({ at }) => at)
      const together = await store.figures.statsAt(sessionId, suspicious)
      const others = together.map(toMeasurement).filter((one) => one.participantId !== participantId)
      const names = await namesOf(sessionId)
      const stretches = diagnose(own, others, (id) => names.get(id) || id)
      return {
        ...whose,
        measurements: own.length,
        stretches: stretches.map(({ from, to, cause, participantId: at, evidence, sentence }) => ({
          from: iso(from),
          to: iso(to),
          cause,
          participantId: at,
          name: at === null ? null : names.get(at) || at,
          figures: evidence,
          sentence,
        })),
        nextFrom,
      }
    },
  )

  /** A page of what was measured of one participant, and who that is. */
  const ofParticipant = async (
    session: SessionRecord,
    participantId: string,
    asked: Static<typeof StatsPageQuery>,
  ) => {
    const { sessionId, meetingId } = session
    const { name: participantName, device } = (await staysOf(store, session, participantId)).at(-1)!
    const whose = { sessionId, meetingId, participantId, participantName }
    return { whose, device, ...(await pageOf({ sessionId, participantId, ...asked })) }
  }

  /** The last names of all who were there. */
  const namesOf = async (sessionId: string): Promise<Map<string, string>> =>
    new Map((await store.sessions.stays(sessionId)).map(({ participantId, name }) => [participantId, name]))
}

function toMeasurement({ participantId, at, figures }: StatsRecord): Measurement {
  return { participantId, at, quality: qualityFrom(figures) }
}
