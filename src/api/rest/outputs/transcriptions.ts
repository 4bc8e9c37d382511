/** Transcriptions of meetings while they go on (contract, outputs §3.5). */
import type { OutputRecord } from '../../../store/store.ts'
import type { Routes } from '../../context.ts'
import { fileAddress } from '../../../meeting/outputs/addresses.ts'
import { transcriptionOrder } from '../../../meeting/outputs/orders.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import { OutputParams } from '../../../protocol/rest/outputs.ts'
import {
  StartTranscriptionBody,
  StopTranscriptionBody,
  Transcription,
  TranscriptionList,
  TranscriptionsQuery,
} from '../../../protocol/rest/transcriptions.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { outputFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { listOutputs, refusalsOf, startOutput, stopOutput } from './acts.ts'

const tag = 'Transcriptions'
const refusals = refusalsOf('transcription')
const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }
const PATH = '/ai/v1/realtime-transcriptions'

export const transcriptionRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    `${PATH}/start`,
    describe({
      summary: 'Start to transcribe a meeting',
      description: 'It answers at once; notifications and webhooks tell when it begins.',
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
      summary: 'Transcriptions, newest first',
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
  app.get(
    `${PATH}/:id`,
    describe({
      summary: 'A transcription',
      tag,
      access: 'token',
      action: 'watch',
      about: { output: ({ params }) => ({ kind: 'transcription', outputId: params.id }) as const },
      params: OutputParams,
      answer: Transcription,
    }),
    (request) => Promise.resolve(toTranscription(outputFor(request), baseUrlOf(request, settings))),
  )
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

function toTranscription(output: OutputRecord, baseUrl: string): Transcription {
  const { outputId, state, meetingId: roomId, sessionId, createdAt, startedAt, endedAt, files } = output
  const addresses = (name: string) =>
    Object.fromEntries(
      files
        .map(({ path }) => path)
        .filter((path) => path.startsWith(`${name}.`))
        .map((path) => [path.slice(name.length + 1), fileAddress({ ...output, baseUrl }, path)]),
    )
  return {
    id: outputId,
    status: state,
    roomId,
    sessionId,
    start: iso(startedAt ?? createdAt),
    end: iso(endedAt),
    transcriptionFilePaths: addresses('transcription'),
    summarizedFilePaths: addresses('summary'),
    extension: { enabled: true, provider: 'anteroom', extensionConfig: { roomId, sessionId } },
  }
}
