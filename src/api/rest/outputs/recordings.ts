/** Recordings of a whole meeting (contract, outputs §3.1). */
import type { Routes } from '../../context.ts'
import { recordingOrder } from '../../../meeting/outputs/orders.ts'
import {
  Acknowledgement,
  OutputsQuery,
  Recording,
  StartRecordingBody,
} from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { acknowledge, refusalsOf, startOutput } from './acts.ts'
import { toRecording } from './present.ts'
import { addDelete, addFind, addList, addStop, byBody } from './shared-routes.ts'

const ofKind = { kind: 'recording', tag: 'Recordings', path: '/v2/recordings' } as const
const shown = { shape: Recording, present: toRecording }

export const recordingRoutes: Routes = (app, context) => {
  const { kind, tag, path } = ofKind

  app.post(
    `${path}/start`,
    describe({
      summary: 'Start recording a meeting',
      description: 'The answer comes at once; notifications and webhooks report the start.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: refusalsOf(kind),
      body: StartRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      await startOutput(request, context, recordingOrder(request.body, baseUrlOf(request, context.settings)))
      return acknowledge(reply, 'Recording started successfully')
    },
  )
  addStop(app, context, {
    ...ofKind,
    summary: 'Stop recording a meeting',
    text: 'Recording ended successfully',
  })
  addList(app, context, {
    ...ofKind,
    ...shown,
    summary: 'List recordings, newest first',
    query: OutputsQuery,
  })
  addFind(app, context, { ...ofKind, ...shown, summary: 'Get a recording' })
  addDelete(app, context, {
    ...ofKind,
    summary: 'Delete a recording and its file',
    text: 'Room recording deleted successfully',
  })
}
