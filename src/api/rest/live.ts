/** Routes for a backend to see and control a live meeting, beyond the contract. */
import type { Routes } from '../context.ts'
import { Removals as Removed, type RemovalView } from '../../meeting/door/removals.ts'
import { mayRead, refusalFromOutside } from '../../meeting/roster/permissions.ts'
import { Refusal } from '../../protocol/errors.ts'
import { cleanName } from '../../protocol/ids.ts'
import { pageInfoOf, pageOf } from '../../protocol/rest.ts'
import {
  Done,
  LetInAlways,
  LiftRemovalBody,
  Live,
  Message,
  MessageBody,
  MessagesQuery,
  Removals,
  RemovalsQuery,
  RespondEntryBody,
  RoomParams,
  SwitchStreamBody,
  Value,
  ValueBody,
  ValueParams,
} from '../../protocol/rest/sessions.ts'
import { Type } from 'typebox'
import { messagesAsJson, ofPrivateMessages } from './chat-log.ts'
import { grantFor, meetingFor } from './authorise.ts'
import { describe } from './describe.ts'

const tag = 'Live meetings'
/** The sender id of messages from outside, which no participant can have. */
const SERVER_ID = 'server'
const refusals = [
  'NOT_FOUND',
  'RESPOND_ENTRY_FAILED',
  'MAX_PARTCIPANT_REACHED',
  'STORE_SET_FAILED',
  'RATE_LIMITED',
] as const
const done = { done: true } as const

export const liveRoutes: Routes = (app, context) => {
  const { meetings, store, gate, settings } = context

  const removedFrom = async (meetingId: string, sessionId: string): Promise<RemovalView[]> => {
    const session = await store.sessions.get(sessionId)
    if (session?.meetingId !== meetingId)
      throw new Refusal('NOT_FOUND', { message: 'The meeting has had no session with this id.' })
    return new Removed(await store.sessions.removals(sessionId)).list()
  }

  app.get(
    '/v2/rooms/:roomId/live',
    describe({
      summary: 'List the participants of a meeting, and who waits',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      answer: Live,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      return meetings.view(meetingId)
    },
  )
  app.post(
    '/v2/rooms/:roomId/entry-requests/respond',
    describe({
      summary: 'Answer an entry request',
      audit: { action: 'meeting.respond', facts: ({ body }) => ({ decision: body.decision }) },
      tag,
      access: 'token',
      action: 'respondEntry',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      body: RespondEntryBody,
      answer: Done,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      const { participantId, decision, always = false } = request.body
      const refusal = always && refusalFromOutside(grantFor(request), 'admitAlways', settings.moderation)
      if (refusal) throw refusal
      await meetings.respondEntry(meetingId, participantId, decision, always)
      return done
    },
  )
  for (const { path, summary, action, audit, act } of [
    {
      path: '/v2/sessions/participants/mute',
      summary: 'Switch off a participant’s microphone, camera or screen',
      action: 'switchOff',
      audit: 'participant.mute',
      act: 'stopStream',
    },
    {
      path: '/v2/sessions/participants/ask',
      summary: 'Ask a participant to switch on a microphone, camera or screen; the person may decline',
      action: 'askFor',
      audit: 'participant.ask',
      act: 'askForStream',
    },
  ] as const) {
    app.post(
      path,
      describe({
        summary,
        audit,
        tag,
        access: 'token',
        action,
        about: { meeting: ({ body }) => body.roomId },
        refusals,
        body: SwitchStreamBody,
        answer: Done,
      }),
      async (request) => {
        const { participantId, kind } = request.body
        await meetings[act](meetingFor(request).meetingId, participantId, kind)
        return done
      },
    )
  }

  app.post(
    '/v2/rooms/:roomId/messages',
    describe({
      summary: 'Send a message to a chat topic of the current session',
      audit: 'meeting.message',
      tag,
      access: 'token',
      action: 'speak',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      body: MessageBody,
      answer: Type.Object({ id: Type.String() }),
    }),
    async (request) => {
      const [grant, { meetingId }] = [grantFor(request), meetingFor(request)]
      gate.countMessage(meetingId, grant.tokenId)
      const { topic, message, payload, persist, sendOnly = [], senderName } = request.body
      const id = await meetings.publish(
        meetingId,
        {
          id: SERVER_ID,
          name: cleanName(senderName) || SERVER_ID,
          authority: {
            canAdmit: true,
            canModerate: refusalFromOutside(grant, 'remove', settings.moderation) === undefined,
          },
          holder: grant,
        },
        {
          topic,
          message,
          payload: payload ? Buffer.from(JSON.stringify(payload)) : new Uint8Array(),
          persist,
          sendOnly: [...sendOnly],
          messageId: '',
        },
      )
      return { id }
    },
  )
  app.get(
    '/v2/rooms/:roomId/messages',
    describe({
      summary: 'List the kept messages of the current session, oldest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      query: MessagesQuery,
      answer: pageOf(Message),
      description: ofPrivateMessages,
    }),
    async (request, reply) => {
      const [grant, { meetingId }] = [grantFor(request), meetingFor(request)]
      const { page, perPage, topic } = request.query
      const session = await store.sessions.ongoing(meetingId)
      if (!session) throw new Refusal('NOT_FOUND', { message: 'The meeting has no ongoing session.' })
      const filter = { ...(topic !== undefined && { topic }), ...mayRead(grant) }
      const { sessionId } = session
      const { total, stretch } = await store.chat.page(sessionId, { page, perPage }, filter)
      return reply
        .type('application/json; charset=utf-8')
        .send(
          messagesAsJson({ chat: store.chat, sessionId, stretch, filter }, pageInfoOf(page, perPage, total)),
        )
    },
  )

  app.get(
    '/v2/rooms/:roomId/values/:key',
    describe({
      summary: 'Get a value of the current session’s realtime store',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: ValueParams,
      answer: Value,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      const { key } = request.params
      return { key, value: await meetings.value(meetingId, key) }
    },
  )
  app.put(
    '/v2/rooms/:roomId/values/:key',
    describe({
      summary: 'Set a value of the realtime store; null deletes it',
      audit: 'meeting.value',
      tag,
      access: 'token',
      action: 'speak',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: ValueParams,
      body: ValueBody,
      answer: Value,
    }),
    async (request) => {
      const [grant, { meetingId }] = [grantFor(request), meetingFor(request)]
      gate.countValue(meetingId, grant.tokenId)
      const { key } = request.params
      await meetings.setValue(meetingId, key, request.body.value, SERVER_ID, grant)
      return { key, value: request.body.value }
    },
  )

  app.get(
    '/v2/rooms/:roomId/removals',
    describe({
      summary: 'List who was removed from a session, and by whom',
      description:
        'Of the current session, or of the earlier one that `sessionId` names. Lifted removals are not listed; the audit log has those that were lifted over REST.',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      query: RemovalsQuery,
      answer: Removals,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      const { sessionId } = request.query
      const removals =
        sessionId === undefined ? await meetings.removals(meetingId) : await removedFrom(meetingId, sessionId)
      return {
        data: removals.map(({ at, by, byName, ...removal }) => ({
          ...removal,
          removedAt: at,
          removedBy: by,
          removedByName: byName,
        })),
      }
    },
  )
  app.post(
    '/v2/rooms/:roomId/removals/lift',
    describe({
      summary: 'Lift a removal, so that the participant can come back',
      audit: 'participant.readmit',
      description:
        'A removal by a moderator is lifted by a moderator alone, and none by the token that the participant came with.',
      tag,
      access: 'token',
      action: 'liftRemoval',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      body: LiftRemovalBody,
      answer: Done,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      await meetings.liftRemoval(meetingId, request.body.participantId, grantFor(request))
      return done
    },
  )

  app.get(
    '/v2/rooms/:roomId/let-in-always',
    describe({
      summary: 'List who is always let in',
      description: 'These people asked once, and a moderator let them in for good.',
      tag,
      access: 'token',
      action: 'admitAlways',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      answer: LetInAlways,
    }),
    async (request) => {
      const all = await store.standing.list(meetingFor(request).meetingId)
      return {
        data: all.map(({ participantId, name, at, by, bound }) => ({
          participantId,
          name,
          since: at,
          admittedBy: by,
          bound,
        })),
      }
    },
  )
  app.post(
    '/v2/rooms/:roomId/let-in-always/lift',
    describe({
      summary: 'Have somebody who is always let in ask again',
      description:
        'Whoever is inside stays, and an answer of the current session stays valid until the session ends. After that, the person has to ask. To put somebody out now, remove the participant.',
      audit: 'participant.ask-again',
      tag,
      access: 'token',
      action: 'admitAlways',
      about: { meeting: ({ params }) => params.roomId },
      refusals,
      params: RoomParams,
      body: LiftRemovalBody,
      answer: Done,
    }),
    async (request) => {
      if (!(await store.standing.lift(meetingFor(request).meetingId, request.body.participantId)))
        throw new Refusal('NOT_FOUND', { message: 'Nobody with this id is always let in.' })
      return done
    },
  )
}
