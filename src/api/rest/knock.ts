/** What the page asks before a join: who is inside; and knocking at a bare address (docs/decisions/0023). */
import type { preValidationHookHandler } from 'fastify'
import type { Routes } from '../context.ts'
import { Inside, KnockBody, KnockSetting, KnockSettingBody, KnockedPass } from '../../protocol/rest/knock.ts'
import { RoomParams } from '../../protocol/rest/sessions.ts'
import { createKnocks } from '../../project/knocks.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertOrigin } from '../context.ts'
import { Attempts } from '../limits/attempts.ts'
import { meetingFor } from './authorise.ts'
import { describe } from './describe.ts'

/** Per address. The server stores nothing about a knock; the lobby has its own limits. */
const KNOCKS = { perSecond: 2, burst: 30 }
const MAX_NAMES = 20

export const knockRoutes: Routes = (app, context) => {
  const { catalogue, gate, meetings, settings, now, newId } = context
  const knocks = createKnocks(context)
  const attempts = new Attempts({ each: KNOCKS, now })

  const limited: preValidationHookHandler = (request, _reply, done) => {
    done(attempts.take(gate.callerOf(request.raw)) ? undefined : attempts.refusal())
  }

  app.post(
    '/page/knock',
    {
      ...describe({
        summary: 'A token that asks to join, for somebody who has a meeting’s bare address',
        audit: null,
        description:
          'Only for a meeting with `knock: true`. The token lets one new participant wait in the lobby of this meeting, until somebody inside answers. A meeting that may not be knocked at is answered like one that does not exist.',
        tag: 'Page',
        access: 'open',
        pages: 'own',
        body: KnockBody,
        answer: KnockedPass,
        refusals: ['NOT_FOUND', 'MEETING_ID_DISABLED', 'UNAUTHORIZED_REQUEST'],
      }),
      preValidation: limited,
    },
    async (request) => {
      const { meeting, key } = await knocks.find(request.body.meetingId)
      assertOrigin(request, key, settings)
      return { ...knocks.mint(meeting, key, newId()), entry: 'ask' as const }
    },
  )

  app.get(
    '/v2/rooms/:roomId/knock',
    describe({
      summary: 'Whether people with a meeting’s bare address may ask to join',
      tag: 'Rooms',
      access: 'token',
      action: 'invite',
      about: { meeting: ({ params }) => params.roomId },
      params: RoomParams,
      answer: KnockSetting,
    }),
    (request) => {
      const { meetingId, settings: its } = meetingFor(request)
      return { roomId: meetingId, knock: its.knock ?? false }
    },
  )
  app.put(
    '/v2/rooms/:roomId/knock',
    describe({
      summary: 'Allow or forbid asking to join at a meeting’s bare address',
      audit: 'meeting.knock',
      description: 'Once forbidden, nobody else asks there; those who were let in stay, and may come back.',
      tag: 'Rooms',
      access: 'token',
      action: 'configure',
      about: { meeting: ({ params }) => params.roomId },
      params: RoomParams,
      body: KnockSettingBody,
      answer: KnockSetting,
    }),
    async (request) => {
      const { projectId, meetingId } = meetingFor(request)
      const { knock } = request.body
      if (!(await catalogue.configure(projectId, meetingId, { knock })))
        throw new Refusal('INVALID_MEETING_ID', { message: 'Room not found.' })
      return { roomId: meetingId, knock }
    },
  )

  app.get(
    '/v2/rooms/:roomId/inside',
    describe({
      summary: 'Who is inside, for somebody who may join directly',
      tag: 'Joining',
      access: 'token',
      action: 'invite',
      about: { meeting: ({ params }) => params.roomId },
      params: RoomParams,
      answer: Inside,
    }),
    async (request) => {
      const { participants } = await meetings.view(meetingFor(request).meetingId)
      return {
        count: participants.length,
        names: participants.slice(0, MAX_NAMES).map(({ name }) => name),
      }
    },
  )
}
