/** Several participants in one picture, drawn when the recording has stopped (contract, outputs §3.1). */
import type { Routes } from '../../context.ts'
import type { Mark } from '../../../output/output.ts'
import { compositeMarkOf, compositeOrder } from '../../../meeting/outputs/composite-orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  CompositeRecording,
  CompositesQuery,
  CompositeStarted,
  StartCompositeBody,
  StopCompositeBody,
} from '../../../protocol/rest/composite-recordings.ts'
import { Acknowledgement } from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { acknowledge, refusalsOf, startOutput, stopOutput } from './acts.ts'
import { readImage } from './images.ts'
import { toCompositeRecording } from './present.ts'
import { addDelete, addFind, addList, byBody } from './shared-routes.ts'

const tag = 'Recordings'
const ofComposite = {
  kind: 'composite',
  tag,
  path: '/v2/recordings/composite',
  shape: CompositeRecording,
  present: toCompositeRecording,
} as const

export const compositeRecordingRoutes: Routes = (app, context) => {
  app.post(
    '/v2/recordings/composite/start',
    describe({
      summary: 'Start recording several participants in one picture',
      audit: 'composite-recording.start',
      description:
        'Their streams are recorded as they come, and laid out in one file when the recording has stopped. Webhooks tell when the file is there.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: [...refusalsOf('composite'), 'INVALID_REQUEST'],
      body: StartCompositeBody,
      answer: CompositeStarted,
    }),
    async (request) => {
      const { watermarks } = request.body
      const marks: Mark[] = []
      for (const watermark of watermarks ?? []) {
        const { type, imageUrl, imageBase64 } = watermark
        const image = imageUrl ?? imageBase64
        const hasImage = type === 'custom' && image != null
        // What is given as base64 must not be read as an address.
        if (hasImage && imageUrl != null && !/^https?:/i.test(imageUrl))
          throw new Refusal('INVALID_REQUEST', { message: 'imageUrl must be an http or https address.' })
        marks.push(compositeMarkOf(watermark, hasImage ? await readImage(context, image) : undefined))
      }
      const order = compositeOrder(request.body, marks, baseUrlOf(request, context.settings))
      const { outputId, sessionId, meetingId } = await startOutput(request, context, order)
      return { recordingId: outputId, sessionId, roomId: meetingId }
    },
  )
  app.post(
    '/v2/recordings/composite/stop',
    describe({
      summary: 'Stop a composite recording',
      audit: 'composite-recording.stop',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: refusalsOf('composite'),
      body: StopCompositeBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      const { recordingId } = request.body
      await stopOutput(request, context, 'composite', ({ outputId }) => outputId === recordingId)
      return acknowledge(reply, 'Composite recording stopped successfully')
    },
  )
  addList(app, context, {
    ...ofComposite,
    summary: 'List composite recordings, newest first',
    query: CompositesQuery,
  })
  addFind(app, context, { ...ofComposite, summary: 'Get a composite recording' })
  addDelete(app, context, {
    ...ofComposite,
    summary: 'Delete a composite recording and its file',
    text: 'Composite recording deleted successfully',
  })
}
