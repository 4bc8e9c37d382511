/** Shows the state of a meeting's media to the operator, for debugging. */
import type { Routes } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { InspectedMeeting, MeetingInspection } from '../../../protocol/rest/debug.ts'
import { describe } from '../describe.ts'

export const debugRoutes: Routes = (app, { meetings, store }) => {
  app.get(
    '/v2/admin/debug/meetings/:id',
    describe({
      summary: 'Get the state of a meeting’s media, member by member',
      tag: 'Watching',
      access: 'admin',
      role: 'viewer',
      description:
        'Each member with its transports (ICE, DTLS, the selected pair), what it sends and what it receives. The `docs/operating.md` of the server says how to read it.',
      params: InspectedMeeting,
      answer: MeetingInspection,
      refusals: ['NOT_FOUND'],
    }),
    async (request) => {
      const { id } = request.params
      if (!(await store.meetings.get(id)))
        throw new Refusal('NOT_FOUND', { message: 'There is no meeting with this id.' })
      return meetings.inspect(id)
    },
  )
}
