/** HLS of a meeting (contract, outputs §3.3). */
import { join } from 'node:path'
import { Type } from 'typebox'
import type { Routes } from '../../context.ts'
import { fileAddress } from '../../../meeting/outputs/addresses.ts'
import { hlsOrder } from '../../../meeting/outputs/orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import { ActiveHls, Capture, CaptureBody, Hls, StartHlsBody } from '../../../protocol/rest/broadcasts.ts'
import {
  Acknowledgement,
  OutputParams,
  OutputsQuery,
  StopOutputBody,
} from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { meetingFor, outputFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import {
  acknowledge,
  deleteOutput,
  listOutputs,
  namedIn,
  refusalsOf,
  startOutput,
  stopOutput,
} from './acts.ts'
import { toHls } from './present.ts'

const tag = 'HLS'
const refusals = refusalsOf('hls')
const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }
const byId = {
  output: ({ params }: { params: { id: string } }) => ({ kind: 'hls', outputId: params.id }) as const,
}

export const hlsRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    '/v2/hls/start',
    describe({
      summary: 'Start HLS of a meeting',
      description: 'It answers at once; notifications and webhooks tell when it can be watched.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals,
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
  for (const path of ['/v2/hls/end', '/v2/hls/stop'])
    app.post(
      path,
      describe({
        summary: 'Stop HLS of a meeting',
        tag,
        access: 'token',
        action: 'output',
        about: byBody,
        refusals,
        body: StopOutputBody,
        answer: Acknowledgement,
      }),
      async (request, reply) => {
        const { id } = request.body
        await stopOutput(request, context, 'hls', ({ outputId }) => id == null || id === outputId)
        return acknowledge(reply, 'HLS ended successfully')
      },
    )
  app.post(
    '/v2/hls/capture',
    describe({
      summary: 'A picture of the HLS of a meeting',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: ['NOT_FOUND', 'ADD_ON_SERVICES_DISABLED'],
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
      const taken =
        output &&
        (await context.hls.takeThumbnail({
          folder: join(context.outputsFolder, output.outputId),
          name: context.newId(),
          format,
          time: time ?? undefined,
          width: width ?? undefined,
          height: height ?? undefined,
        }))
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
  app.get(
    '/v2/hls',
    describe({
      summary: 'HLS outputs, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => namedIn(query), unnamed: 'project', missing: 'nothing' },
      query: OutputsQuery,
      answer: pageOf(Hls),
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listOutputs(request, context, 'hls', request.query)
      const baseUrl = baseUrlOf(request, settings)
      return { pageInfo: pageInfoOf(page, perPage, total), data: items.map((one) => toHls(one, baseUrl)) }
    },
  )
  app.get(
    '/v2/hls/:id/active',
    describe({
      summary: 'The HLS of a meeting that goes on',
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
      const active = (await context.live.outputs(meetingId)).find(({ kind }) => kind === 'hls')
      if (!active) throw new Refusal('NOT_FOUND', { message: 'The meeting has no HLS that goes on.' })
      return { code: 200 as const, data: toHls(active, baseUrlOf(request, settings)) }
    },
  )
  app.get(
    '/v2/hls/:id',
    describe({
      summary: 'An HLS output',
      tag,
      access: 'token',
      action: 'watch',
      about: byId,
      params: OutputParams,
      answer: Hls,
    }),
    (request) => Promise.resolve(toHls(outputFor(request), baseUrlOf(request, settings))),
  )
  app.delete(
    '/v2/hls/:id',
    describe({
      summary: 'Delete an HLS output and its files',
      tag,
      access: 'token',
      action: 'output',
      about: byId,
      refusals: ['INVALID_STATE'],
      params: OutputParams,
      answer: Type.String(),
    }),
    async (request, reply) => {
      await deleteOutput(outputFor(request), context)
      return acknowledge(reply, 'Room Hls Recording deleted successfully !')
    },
  )
}
