/** What happened in meetings, and what goes on in them, over REST (contract, rest-and-tokens §3.1, §3.3). */
import { createHash } from 'node:crypto'
import type { Static } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type {
  IntervalRecord,
  MeetingRecord,
  Page,
  SessionRecord,
  StatsRecord,
  StayRecord,
} from '../../store/store.ts'
import type { Routes } from '../context.ts'
import { mayRead } from '../../meeting/roster/permissions.ts'
import { qualityFrom, type Quality } from '../../meeting/media/quality.ts'
import { Refusal } from '../../protocol/errors.ts'
import { PageInfo, pageInfoOf, pageOf } from '../../protocol/rest.ts'
import {
  EndSessionBody,
  PageOnlyQuery,
  ParticipantStats,
  RemoveFromSessionBody,
  RemoveParticipantBody,
  resolutions,
  Session,
  SessionParams,
  SessionParticipantInFull,
  SessionParticipantParams,
  SessionsQuery,
  SessionStats,
  SessionWithParticipants,
  type StatsSample,
} from '../../protocol/rest/sessions.ts'
import { grantFor, meetingFor, meetingIfAny, sessionFor } from './authorise.ts'
import { baseUrlOf } from '../http/base-url.ts'
import { messagesAsCsv, ofPrivateMessages, WHOLE_LOG } from './chat-log.ts'
import { describe } from './describe.ts'
import { Type } from 'typebox'

const tag = 'Sessions'

type ListQuery = Static<typeof SessionsQuery>
const namedIn = ({ roomId, customRoomId, meetingId, query }: ListQuery): string | undefined =>
  roomId ?? customRoomId ?? meetingId ?? query

/** What a route is about, and what it needs for that. */
const ofList = {
  access: 'token',
  action: 'watch',
  about: {
    meeting: ({ query }: { query: ListQuery }) => namedIn(query),
    unnamed: 'project',
    missing: 'nothing',
  },
} as const
const bySession = { session: ({ params }: { params: { sessionId: string } }) => params.sessionId }
const ofSession = { access: 'token', action: 'watch', about: bySession } as const
const byBody = {
  meeting: ({ body: { roomId, customRoomId, meetingId } }: { body: Static<typeof EndSessionBody> }) =>
    roomId ?? customRoomId ?? meetingId,
  session: ({ body }: { body: Static<typeof EndSessionBody> }) => body.sessionId,
}
const endsIt = { access: 'token', action: 'end' } as const
const removes = { access: 'token', action: 'remove', refusals: ['REMOVE_PARTICIPANT_FAILED'] } as const

export const sessionRoutes: Routes = (app, context) => {
  const { store, live, catalogue } = context

  /** A page of sessions, newest first. */
  const list = async (request: FastifyRequest, query: ListQuery) => {
    const { projectId } = grantFor(request)
    const meeting = meetingIfAny(request)
    const { page, perPage, status, startDate, endDate, userId } = query
    // What is of another account, or of no meeting, is an empty page and no failure.
    if ((!meeting && namedIn(query) !== undefined) || (userId !== undefined && userId !== projectId)) {
      return { pageInfo: pageInfoOf(page, perPage, 0), data: [] }
    }
    const { items, total } = await store.sessions.list(
      projectId,
      { page, perPage },
      {
        ...(meeting && { meetingId: meeting.meetingId }),
        ...(status !== undefined && { ongoing: status === 'ongoing' }),
        ...(startDate !== undefined && { startedFrom: startDate }),
        ...(endDate !== undefined && { startedTo: endDate }),
      },
    )
    return {
      pageInfo: pageInfoOf(page, perPage, total),
      data: await shown(request, items),
    }
  }

  const shown = async (
    request: FastifyRequest,
    sessions: readonly SessionRecord[],
    given?: readonly StayRecord[],
  ) => {
    const stays = given ?? (await store.sessions.staysOf(sessions.map(({ sessionId }) => sessionId)))
    const bySession = Map.groupBy(stays, ({ sessionId }) => sessionId)
    const meetings = new Map<string, MeetingRecord | undefined>()
    for (const { meetingId, projectId } of sessions) {
      if (!meetings.has(meetingId)) meetings.set(meetingId, await catalogue.find(projectId, meetingId))
    }
    return sessions.map((session) =>
      toSession(
        session,
        meetings.get(session.meetingId),
        bySession.get(session.sessionId) ?? [],
        baseUrlOf(request, context.settings),
        context.now(),
      ),
    )
  }

  const one = async (request: FastifyRequest) => (await shown(request, [sessionFor(request)]))[0]!

  const end = async (
    request: FastifyRequest,
    body: Pick<Static<typeof EndSessionBody>, 'sessionId' | 'ignoreClosed'>,
  ) => {
    const meeting = meetingFor(request)
    const ongoing = await store.sessions.ongoing(meeting.meetingId)
    const other = body.sessionId !== undefined && ongoing?.sessionId !== body.sessionId
    const ended = !other && (await live.endSession(meeting.meetingId, 'MEETING_END_API'))
    if (!ended && body.ignoreClosed !== true)
      throw new Refusal('NOT_FOUND', { message: 'No session goes on in this meeting.' })
    const sessionId = body.sessionId ?? ongoing?.sessionId
    const record =
      sessionId === undefined
        ? (
            await store.sessions.list(
              meeting.projectId,
              { page: 1, perPage: 1 },
              { meetingId: meeting.meetingId },
            )
          ).items[0]
        : await store.sessions.get(sessionId)
    if (record?.meetingId !== meeting.meetingId)
      throw new Refusal('NOT_FOUND', { message: 'No session was ever held in this meeting.' })
    return (await shown(request, [record]))[0]!
  }

  const remove = (request: FastifyRequest, participantId: string): Promise<void> =>
    live.removeParticipant(meetingFor(request).meetingId, participantId, 'REMOVE_PEER_API', grantFor(request))

  app.get(
    '/v2/sessions',
    describe({
      summary: 'Sessions, newest first',
      tag,
      ...ofList,
      query: SessionsQuery,
      answer: pageOf(Session),
    }),
    (request) => list(request, request.query),
  )
  app.get(
    '/v2/sessions/:sessionId',
    describe({
      summary: 'One session',
      tag,
      ...ofSession,
      params: SessionParams,
      answer: Session,
    }),
    one,
  )
  app.post(
    '/v2/sessions/end',
    describe({
      summary: 'Ends the session that goes on in a meeting',
      description: 'Everybody inside is told and goes; those who wait are turned away.',
      tag,
      ...endsIt,
      about: byBody,
      body: EndSessionBody,
      answer: Session,
    }),
    (request) => end(request, request.body),
  )
  app.post(
    '/v2/sessions/participants/remove',
    describe({
      summary: 'Removes a participant, who cannot come back to this session',
      tag,
      ...removes,
      about: byBody,
      body: RemoveParticipantBody,
      answer: Type.String(),
    }),
    async (request, reply) => {
      await remove(request, request.body.participantId)
      // A bare string, which the framework would send as it is.
      return reply.type('application/json').send(JSON.stringify('Participant removed successfully'))
    },
  )

  for (const which of ['all', 'active'] as const) {
    app.get(
      which === 'all'
        ? '/v2/sessions/:sessionId/participants'
        : '/v2/sessions/:sessionId/participants/active',
      describe({
        summary: which === 'all' ? 'Who was in a session' : 'Who is in a session now',
        tag,
        ...ofSession,
        params: SessionParams,
        query: PageOnlyQuery,
        answer: Type.Object({
          pageInfo: PageInfo,
          data: which === 'all' ? SessionWithParticipants : Type.Array(SessionWithParticipants),
        }),
      }),
      async (request) => {
        const { page, perPage } = request.query
        const session = sessionFor(request)
        const stays = await store.sessions.stays(session.sessionId)
        const base = (await shown(request, [session], stays))[0]!
        const { total, participants } = await participantsOf(session, stays, { page, perPage }, which)
        const data = {
          ...base,
          links: { ...base.links, get_all_participants: `${base.links.get_session}/participants` },
          participants,
        }
        return { pageInfo: pageInfoOf(page, perPage, total), data: which === 'all' ? data : [data] }
      },
    )
  }

  /** A page of participants, in the order of their first join. */
  const participantsOf = async (
    { sessionId }: SessionRecord,
    stays: readonly StayRecord[],
    { page, perPage }: Page,
    which: 'all' | 'active',
  ) => {
    const all = [...Map.groupBy(stays, ({ participantId }) => participantId)].filter(
      ([, own]) => which === 'all' || own.some(({ leftAt }) => leftAt === null),
    )
    const shownOnes = all.slice((page - 1) * perPage, page * perPage)
    const intervals = await store.sessions.intervals(
      sessionId,
      shownOnes.map(([participantId]) => participantId),
    )
    const byParticipant = Map.groupBy(intervals, ({ participantId }) => participantId)
    return {
      total: all.length,
      participants: shownOnes.map(([id, own]) => inFull(own, byParticipant.get(id) ?? [])),
    }
  }

  app.get(
    '/v2/sessions/:sessionId/participants/:participantId',
    describe({
      summary: 'One participant of a session',
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      answer: SessionParticipantInFull,
    }),
    async (request) => {
      const { sessionId, participantId } = request.params
      const session = sessionFor(request)
      const stays = await staysOf(session, participantId)
      return inFull(stays, await store.sessions.intervals(sessionId, [participantId]))
    },
  )

  const staysOf = async (session: SessionRecord, participantId: string): Promise<StayRecord[]> => {
    const own = await store.sessions.stays(session.sessionId, participantId)
    if (own.length === 0) throw new Refusal('NOT_FOUND', { message: 'Participant not found.' })
    return own
  }

  app.get(
    '/v2/sessions/:sessionId/stats',
    describe({
      summary: 'How well media flowed in a session, over all participants',
      tag,
      ...ofSession,
      params: SessionParams,
      answer: SessionStats,
    }),
    async (request) => {
      const session = sessionFor(request)
      const records = await store.figures.stats(session.sessionId)
      // All participants of a meeting are measured at one instant.
      const stats = [...Map.groupBy(records, ({ at }) => at)].map(([at, together]) =>
        toSample(at, meanOf(together.map(({ figures }) => qualityFrom(figures)))),
      )
      return { sessionId: session.sessionId, meetingId: session.meetingId, stats }
    },
  )
  app.get(
    '/v2/sessions/:sessionId/participant/:participantId/stats',
    describe({
      summary: 'How well media flowed to and from one participant',
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      answer: ParticipantStats,
    }),
    async (request) => {
      const { sessionId, participantId } = request.params
      const session = sessionFor(request)
      const last = (await staysOf(session, participantId)).at(-1)!
      const records = await store.figures.stats(sessionId, participantId)
      return {
        sessionId,
        meetingId: session.meetingId,
        participantId,
        participantName: last.name,
        ...deviceOf(last.device),
        stats: records.map(({ at, figures }) => toSample(at, qualityFrom(figures))),
        resolutionUsage: records.flatMap(toResolution),
      }
    },
  )
  app.get(
    '/v2/sessions/:sessionId/chat-log',
    describe({
      summary: 'The chat of a session that was kept, as CSV',
      tag,
      ...ofSession,
      params: SessionParams,
      answer: Type.String(),
      answerType: 'text/csv',
      description: ofPrivateMessages,
    }),
    async (request, reply) => {
      const session = sessionFor(request)
      const part = {
        chat: store.chat,
        sessionId: session.sessionId,
        stretch: WHOLE_LOG,
        filter: mayRead(grantFor(request)),
      }
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="chat-${session.sessionId}.csv"`)
        .header('x-content-type-options', 'nosniff')
        .send(messagesAsCsv(part))
    },
  )

  app.get(
    '/v1/meeting-sessions',
    describe({
      summary: 'Sessions, newest first',
      tag,
      ...ofList,
      deprecated: true,
      query: SessionsQuery,
      answer: pageOf(Session),
    }),
    (request) => list(request, request.query),
  )
  app.get(
    '/v1/meeting-sessions/:sessionId',
    describe({
      summary: 'One session',
      tag,
      ...ofSession,
      deprecated: true,
      params: SessionParams,
      answer: Session,
    }),
    one,
  )
  app.post(
    '/v1/meeting-sessions/:sessionId/end',
    describe({
      summary: 'Ends a session',
      tag,
      ...endsIt,
      about: bySession,
      deprecated: true,
      params: SessionParams,
      answer: Session,
    }),
    (request) => end(request, { sessionId: request.params.sessionId }),
  )
  app.post(
    '/v1/meeting-sessions/:sessionId/remove-participant',
    describe({
      summary: 'Removes a participant from a session',
      tag,
      ...removes,
      about: bySession,
      deprecated: true,
      params: SessionParams,
      body: RemoveFromSessionBody,
      answer: Session,
    }),
    async (request) => {
      await remove(request, request.body.participantId)
      return one(request)
    },
  )
}

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))
const span = (start: number, end: number | null) => ({ start: iso(start), end: isoOrNull(end) })

function toSession(
  session: SessionRecord,
  meeting: MeetingRecord | undefined,
  stays: readonly StayRecord[],
  baseUrl: string,
  now: number,
): Session {
  const { sessionId, meetingId, projectId, startedAt, endedAt, endReason } = session
  const customId = meeting?.customId ?? null
  const link = `${baseUrl}/v2/sessions/${sessionId}`
  return {
    id: sessionId,
    sessionId,
    roomId: meetingId,
    meetingId,
    ...(customId !== null && { customRoomId: customId, userMeetingId: customId }),
    userId: projectId,
    ...span(startedAt, endedAt),
    status: endedAt === null ? 'ongoing' : 'ended',
    endReason,
    activeDuration: Math.round(occupiedMs(stays, endedAt ?? now) / 1000),
    chatLink: `${link}/chat-log`,
    participants: [...Map.groupBy(stays, ({ participantId }) => participantId)].map(
      ([participantId, own]) => ({
        participantId,
        name: own.at(-1)!.name,
        timelog: own.map(({ joinedAt, leftAt }) => span(joinedAt, leftAt)),
      }),
    ),
    links: { get_room: `${baseUrl}/v2/rooms/${meetingId}`, get_session: link },
  }
}

/** How long at least one was inside. Stays come in the order of joining. */
function occupiedMs(stays: readonly StayRecord[], until: number): number {
  let [total, coveredTo] = [0, 0]
  for (const { joinedAt, leftAt } of stays) {
    const end = leftAt ?? until
    total += Math.max(0, end - Math.max(joinedAt, coveredTo))
    coveredTo = Math.max(coveredTo, end)
  }
  return total
}

const streamEvents = {
  mic: 'audio',
  webcam: 'video',
  screenShare: 'share',
  screenShareAudio: 'shareAudio',
} as const

function inFull(
  stays: readonly StayRecord[],
  intervals: readonly IntervalRecord[],
): Static<typeof SessionParticipantInFull> {
  const last = stays.at(-1)!
  const of = (kind: IntervalRecord['kind']) =>
    intervals.filter((one) => one.kind === kind).map(({ startedAt, endedAt }) => span(startedAt, endedAt))
  const modes = intervals.filter(({ kind }) => kind === 'mode')
  return {
    _id: stableId(last.sessionId, last.participantId),
    participantId: last.participantId,
    name: last.name,
    timelog: stays.map(({ joinedAt, leftAt, leaveReason }) => ({ ...span(joinedAt, leftAt), leaveReason })),
    initTime: iso(stays[0]!.joinedAt),
    mode: modes.at(-1)?.value ?? 'SEND_AND_RECV',
    changeModeHistory: modes.map(({ value, startedAt, endedAt }) => ({
      _id: stableId(last.sessionId, last.participantId, value, String(startedAt)),
      mode: value,
      timelog: [span(startedAt, endedAt)],
    })),
    events: {
      mic: of(streamEvents.mic),
      webcam: of(streamEvents.webcam),
      screenShare: of(streamEvents.screenShare),
      screenShareAudio: of(streamEvents.screenShareAudio),
    },
    deviceInfo: last.device,
    leaveReason: last.leaveReason,
  }
}

/** 24 hex digits, as upstream has them, for what has no id of its own here. */
function stableId(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 24)
}

function toSample(at: number, quality: Quality): StatsSample {
  return {
    time: iso(at),
    sendAudioPacketLost: quality.sendAudioLost,
    sendVideoPacketLost: quality.sendVideoLost,
    recvAudioPacketLost: quality.receiveAudioLost,
    recvVideoPacketLost: quality.receiveVideoLost,
    averageAudioRtt: quality.audioRoundTripMs,
    averageVideoRtt: quality.videoRoundTripMs,
    averageAudioJitter: quality.sendAudioJitterMs,
    averageVideoJitter: quality.sendVideoJitterMs,
    averageSendAudioBitrate: quality.sendAudioBitrate,
    averageSendVideoBitrate: quality.sendVideoBitrate,
    averageRecvAudioBitrate: quality.receiveAudioBitrate,
    averageRecvVideoBitrate: quality.receiveVideoBitrate,
    qualityScore: { audio: quality.audioScore, video: quality.videoScore },
  }
}

function meanOf(all: readonly Quality[]): Quality {
  const mean = { ...all[0]! }
  for (const name of Object.keys(mean) as (keyof Quality)[]) {
    const known = all.map((one) => one[name]).filter((value) => value !== null)
    mean[name] =
      known.length === 0
        ? null
        : Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 100) / 100
  }
  return mean
}

function toResolution({ at, figures }: StatsRecord): Static<typeof ParticipantStats>['resolutionUsage'] {
  const height = qualityFrom(figures).sendVideoHeight
  if (height === null) return []
  const nearest = resolutions.reduce((best, one) =>
    Math.abs(Number(one) - height) < Math.abs(Number(best) - height) ? one : best,
  )
  const shares = Object.fromEntries(resolutions.map((one) => [one, one === nearest ? 1 : 0]))
  return [{ time: iso(at), ...(shares as Record<(typeof resolutions)[number], number>) }]
}

/** From what the client said of itself; whatever it said. */
function deviceOf(device: Record<string, unknown> | null) {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const inside = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const browser = inside(inside(device?.browserUserAgent).browser)
  return {
    deviceInfo: { deviceName: text(browser.name), deviceVersion: text(browser.version) },
    sdkInfo: { sdkName: text(device?.sdkType), sdkVersion: text(device?.sdkVersion) },
  }
}
