/** Recordings of a whole meeting (contract, outputs §3.1). */
import { Type } from 'typebox'
import type { Routes } from '../../context.ts'
import { recordingOrder } from '../../../meeting/outputs/orders.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import {
  Acknowledgement,
  OutputParams,
  OutputsQuery,
  Recording,
  StartRecordingBody,
  StopOutputBody,
} from '../../../protocol/rest/outputs.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { outputFor } from '../authorise.ts'
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
import { toRecording } from './present.ts'

const tag = 'Recordings'
const refusals = refusalsOf('recording')
const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }
const byId = {
  output: ({ params }: { params: { id: string } }) => ({ kind: 'recording', outputId: params.id }) as const,
}

export const recordingRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    '/v2/recordings/start',
    describe({
      summary: 'Start to record a meeting',
      description: 'It answers at once; notifications and webhooks tell when recording begins.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals,
      body: StartRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      await startOutput(request, context, recordingOrder(request.body, baseUrlOf(request, settings)))
      return acknowledge(reply, 'Recording started successfully')
    },
  )
  for (const path of ['/v2/recordings/end', '/v2/recordings/stop'])
    app.post(
      path,
      describe({
        summary: 'Stop recording a meeting',
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
        await stopOutput(request, context, 'recording', ({ outputId }) => id == null || id === outputId)
        return acknowledge(reply, 'Recording ended successfully')
      },
    )
  app.get(
    '/v2/recordings',
    describe({
      summary: 'Recordings, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => namedIn(query), unnamed: 'project', missing: 'nothing' },
      query: OutputsQuery,
      answer: pageOf(Recording),
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listOutputs(request, context, 'recording', request.query)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        data: items.map((one) => toRecording(one, baseUrl)),
      }
    },
  )
  app.get(
    '/v2/recordings/:id',
    describe({
      summary: 'A recording',
      tag,
      access: 'token',
      action: 'watch',
      about: byId,
      params: OutputParams,
      answer: Recording,
    }),
    (request) => Promise.resolve(toRecording(outputFor(request), baseUrlOf(request, settings))),
  )
  app.delete(
    '/v2/recordings/:id',
    describe({
      summary: 'Delete a recording and its file',
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
      return acknowledge(reply, 'Room recording deleted successfully')
    },
  )
}
