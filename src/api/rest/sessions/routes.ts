/** Routes of past and ongoing sessions (contract, rest-and-tokens §3.1, §3.3). */
import { Type, type Static } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { MeetingRecord, Page, SessionRecord, StayRecord } from '../../../store/store.ts'
import type { Routes } from '../../context.ts'
import { mayRead } from '../../../meeting/roster/permissions.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { PageInfo, pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import {
  EndSessionBody,
  PageOnlyQuery,
  RemoveFromSessionBody,
  RemoveParticipantBody,
  Session,
  SessionParams,
  SessionParticipantInFull,
  SessionParticipantParams,
  SessionsQuery,
  SessionWithParticipants,
} from '../../../protocol/rest/sessions.ts'
import { grantFor, meetingFor, meetingIfAny, sessionFor } from '../authorise.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { messagesAsCsv, ofPrivateMessages, WHOLE_LOG } from '../chat-log.ts'
import { describe } from '../describe.ts'
import { qualityRoutes } from './quality-routes.ts'
import { bySession, ofSession, staysOf, tag } from './session-calls.ts'
import { inFull, toSession } from './present.ts'

type ListQuery = Static<typeof SessionsQuery>
const namedIn = ({ roomId, customRoomId, meetingId, query }: ListQuery): string | undefined =>
  roomId ?? customRoomId ?? meetingId ?? query

/** What each route is about, and what its token must allow. */
const ofList = {
  access: 'token',
  action: 'watch',
  about: {
    meeting: ({ query }: { query: ListQuery }) => namedIn(query),
    unnamed: 'project',
    missing: 'nothing',
  },
} as const
const byBody = {
  meeting: ({ body: { roomId, customRoomId, meetingId } }: { body: Static<typeof EndSessionBody> }) =>
    roomId ?? customRoomId ?? meetingId,
  session: ({ body }: { body: Static<typeof EndSessionBody> }) => body.sessionId,
}
const endsIt = { access: 'token', action: 'end' } as const
const removes = { access: 'token', action: 'remove', refusals: ['REMOVE_PARTICIPANT_FAILED'] } as const

export const sessionRoutes: Routes = (app, context) => {
  qualityRoutes(app, context)
  const { store, meetings, catalogue } = context

  /** Returns a page of sessions, newest first. */
  const list = async (request: FastifyRequest, query: ListQuery) => {
    const { projectId } = grantFor(request)
    const meeting = meetingIfAny(request)
    const { page, perPage, status, startDate, endDate, userId } = query
    // A meeting that does not exist or belongs to another account gives an empty page, not an error.
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
    const ended = !other && (await meetings.endSession(meeting.meetingId, 'MEETING_END_API'))
    if (!ended && body.ignoreClosed !== true)
      throw new Refusal('NOT_FOUND', { message: 'The meeting has no ongoing session.' })
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
      throw new Refusal('NOT_FOUND', { message: 'The meeting has had no session.' })
    return (await shown(request, [record]))[0]!
  }

  const remove = (request: FastifyRequest, participantId: string): Promise<void> =>
    meetings.removeParticipant(
      meetingFor(request).meetingId,
      participantId,
      'REMOVE_PEER_API',
      grantFor(request),
      request.operator?.by === 'sign-in' ? request.operator.operator.name : null,
    )

  app.get(
    '/v2/sessions',
    describe({
      summary: 'List sessions, newest first',
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
      summary: 'Get a session',
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
      summary: 'End the current session of a meeting',
      audit: { action: 'session.end', tokens: true },
      description: 'Everybody inside is notified and leaves; entry requests are denied.',
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
      summary: 'Remove a participant, who cannot come back to this session',
      audit: { action: 'participant.remove', tokens: true },
      tag,
      ...removes,
      about: byBody,
      body: RemoveParticipantBody,
      answer: Type.String(),
    }),
    async (request, reply) => {
      await remove(request, request.body.participantId)
      // Fastify would send a bare string without quotes.
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

  /** Returns a page of participants, in the order of their first join. */
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
      summary: 'Get a participant of a session',
      tag,
      ...ofSession,
      params: SessionParticipantParams,
      answer: SessionParticipantInFull,
    }),
    async (request) => {
      const { sessionId, participantId } = request.params
      const session = sessionFor(request)
      const stays = await staysOf(store, session, participantId)
      return inFull(stays, await store.sessions.intervals(sessionId, [participantId]))
    },
  )

  app.get(
    '/v2/sessions/:sessionId/chat-log',
    describe({
      summary: 'Get the kept chat of a session as CSV',
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

  app.post(
    '/v1/meeting-sessions/:sessionId/end',
    describe({
      summary: 'End a session',
      audit: { action: 'session.end', tokens: true },
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
      summary: 'Remove a participant from a session',
      audit: { action: 'participant.remove', tokens: true },
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
