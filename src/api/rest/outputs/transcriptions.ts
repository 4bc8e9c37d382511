/** Live transcriptions of meetings (contract, outputs §3.5). */
import type { Routes } from '../../context.ts'
import { transcriptionOrder } from '../../../meeting/outputs/orders.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import {
  StartTranscriptionBody,
  StopTranscriptionBody,
  Transcription,
  TranscriptionList,
  TranscriptionsQuery,
} from '../../../protocol/rest/transcriptions.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { listOutputs, refusalsOf, startOutput, stopOutput } from './acts.ts'
import { toTranscription } from './present.ts'
import { addFind, byBody } from './shared-routes.ts'

const tag = 'Transcriptions'
const refusals = refusalsOf('transcription')
const PATH = '/ai/v1/realtime-transcriptions'

export const transcriptionRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    `${PATH}/start`,
    describe({
      summary: 'Start transcribing a meeting',
      audit: 'transcription.start',
      description: 'The answer comes at once; notifications and webhooks report the start.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals,
      body: StartTranscriptionBody,
      answer: Transcription,
    }),
    async (request) => {
      const { modelId, language, summary, webhookUrl } = request.body
      const baseUrl = baseUrlOf(request, settings)
      const config = {
        language: language ?? null,
        summary: summary ?? null,
        webhookUrl: webhookUrl ?? null,
        modelConfig: { modelId },
      }
      return toTranscription(
        await startOutput(request, context, transcriptionOrder({ config }, baseUrl)),
        baseUrl,
      )
    },
  )
  app.post(
    `${PATH}/end`,
    describe({
      summary: 'Stop transcribing a meeting',
      audit: 'transcription.stop',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals,
      body: StopTranscriptionBody,
      answer: Transcription,
    }),
    async (request) =>
      toTranscription(await stopOutput(request, context, 'transcription'), baseUrlOf(request, settings)),
  )
  app.get(
    PATH,
    describe({
      summary: 'List transcriptions, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => query.roomId, unnamed: 'project', missing: 'nothing' },
      query: TranscriptionsQuery,
      answer: TranscriptionList,
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listOutputs(request, context, 'transcription', request.query)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        transcriptions: items.map((one) => toTranscription(one, baseUrl)),
      }
    },
  )
  addFind(app, context, {
    kind: 'transcription',
    tag,
    path: PATH,
    summary: 'Get a transcription',
    shape: Transcription,
    present: toTranscription,
  })
}
