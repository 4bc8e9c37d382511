/** HLS of a meeting (contract, outputs §3.3). */
import type { Routes } from '../../context.ts'
import { fileAddress } from '../../../meeting/outputs/addresses.ts'
import { hlsOrder } from '../../../meeting/outputs/orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { ActiveHls, Capture, CaptureBody, Hls, StartHlsBody } from '../../../protocol/rest/broadcasts.ts'
import { OutputParams, OutputsQuery } from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { meetingFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { refuseWithoutStore } from './files.ts'
import { refusalsOf, startOutput } from './acts.ts'
import { toHls } from './present.ts'
import { addDelete, addFind, addList, addStop, byBody } from './shared-routes.ts'

const ofKind = { kind: 'hls', tag: 'HLS', path: '/v2/hls' } as const
const shown = { shape: Hls, present: toHls }

export const hlsRoutes: Routes = (app, context) => {
  const { settings } = context
  const { kind, tag } = ofKind

  app.post(
    '/v2/hls/start',
    describe({
      summary: 'Start HLS of a meeting',
      audit: 'hls.start',
      description: 'The answer comes at once; notifications and webhooks report when it can be watched.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: refusalsOf(kind),
      body: StartHlsBody,
      answer: Hls,
    }),
    async (request) => {
      const { recording, config, ...body } = request.body
      const asked = {
        ...body,
        ...((config || recording) && { config: { ...config, ...(recording && { recording }) } }),
      }
      const baseUrl = baseUrlOf(request, settings)
      return toHls(await startOutput(request, context, hlsOrder(asked, baseUrl)), baseUrl)
    },
  )
  addStop(app, context, { ...ofKind, summary: 'Stop HLS of a meeting', text: 'HLS ended successfully' })
  app.post(
    '/v2/hls/capture',
    describe({
      summary: 'Take a picture of a meeting’s HLS stream',
      audit: 'hls.capture',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: ['NOT_FOUND', 'ADD_ON_SERVICES_DISABLED', 'STORE_UNAVAILABLE'],
      body: CaptureBody,
      answer: Capture,
    }),
    async (request) => {
      const { unavailable } = context.hls
      if (unavailable !== undefined) throw new Refusal('ADD_ON_SERVICES_DISABLED', { message: unavailable })
      const { meetingId, projectId } = meetingFor(request)
      const { time, width, height, format: asked } = request.body
      const format = asked ?? 'jpg'
      const { items } = await context.store.outputs.list(
        projectId,
        { kind: 'hls', meetingId },
        { page: 1, perPage: 1 },
      )
      const [output] = items
      const { newId, log } = context
      const picture = {
        name: newId(),
        format,
        time: time ?? undefined,
        width: width ?? undefined,
        height: height ?? undefined,
      }
      const taken =
        output &&
        (await context
          .captureHls(output, picture)
          .catch((error: unknown) => refuseWithoutStore(error, { log, outputId: output.outputId })))
      if (!taken) throw new Refusal('NOT_FOUND', { message: 'Nothing was streamed by then.' })
      return {
        message: 'captured thumbnail successfully',
        roomId: meetingId,
        meta: {
          createdAt: new Date(context.now()).toISOString(),
          width: taken.width,
          height: taken.height,
          format,
        },
        filePath: fileAddress({ ...output, baseUrl: baseUrlOf(request, settings) }, taken.path),
        fileSize: taken.size,
        fileName: taken.path.slice(taken.path.lastIndexOf('/') + 1),
      }
    },
  )
  addList(app, context, {
    ...ofKind,
    ...shown,
    summary: 'List HLS outputs, newest first',
    query: OutputsQuery,
  })
  app.get(
    '/v2/hls/:id/active',
    describe({
      summary: 'Get the current HLS output of a meeting',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ params }) => params.id },
      refusals: ['NOT_FOUND'],
      params: OutputParams,
      answer: ActiveHls,
    }),
    async (request) => {
      const { meetingId } = meetingFor(request)
      const active = (await context.meetings.outputs(meetingId)).find((output) => output.kind === kind)
      if (!active) throw new Refusal('NOT_FOUND', { message: 'The meeting has no HLS that goes on.' })
      return { code: 200 as const, data: toHls(active, baseUrlOf(request, settings)) }
    },
  )
  addFind(app, context, { ...ofKind, ...shown, summary: 'Get an HLS output' })
  addDelete(app, context, {
    ...ofKind,
    summary: 'Delete an HLS output and its files',
    text: 'Room Hls Recording deleted successfully !',
  })
}
