/** Files made of recordings and HLS after they ended (contract, outputs §3.2). */
import type { FastifyRequest } from 'fastify'
import type { Routes } from '../../context.ts'
import type { JobKind } from '../../../store/store.ts'
import {
  compositeMergeOrder,
  dirPathOfStorage,
  hlsToMp4Order,
  markOf,
  meetingRecordingMergeOrder,
} from '../../../meeting/jobs/orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import { OutputParams } from '../../../protocol/rest/outputs.ts'
import {
  HlsToMp4Body,
  MeetingRecordingMergeBody,
  MergeBody,
  type Storage,
  Transcoding,
  TranscodingsQuery,
} from '../../../protocol/rest/transcodings.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { jobFor, meetingFor, sessionIfAny } from '../authorise.ts'
import { describe } from '../describe.ts'
import { readImage } from './images.ts'
import { apiKeyOf } from './acts.ts'
import { jobRefusals, listJobs, recordingsOf } from './job-acts.ts'
import { toTranscoding } from './present-jobs.ts'
import { withWebhookCount, withWebhookCounts } from './webhook-counts.ts'

const tag = 'Transcodings'
const PATH = '/v2/transcodings'
const kinds: readonly JobKind[] = ['composite-merge', 'hls-to-mp4', 'meeting-recording-merge']
const byId = { job: ({ params }: { params: { id: string } }) => ({ kinds, jobId: params.id }) }
const idOf = (recording: string | { id: string }): string =>
  typeof recording === 'string' ? recording : recording.id

export const transcodingRoutes: Routes = (app, context) => {
  const { settings, jobs, store } = context
  const callerOf = (
    request: FastifyRequest,
    { webhookUrl, storage }: { webhookUrl?: string | null | undefined; storage?: Storage | null | undefined },
  ) => ({
    baseUrl: baseUrlOf(request, settings),
    webhookUrl,
    apiKey: apiKeyOf(request),
    dirPath: dirPathOfStorage(storage, settings.filesUrl),
  })

  app.post(
    `${PATH}/merge`,
    describe({
      summary: 'Lay out recordings of participants and tracks in one picture',
      audit: 'transcoding.start',
      description:
        'It answers at once; webhooks tell when the file is there. Each recording is seen and heard at the time at which it was made.',
      tag,
      access: 'token',
      action: 'output',
      about: { output: ({ body }) => ({ outputId: body.recordingIds[0]! }) },
      refusals: jobRefusals,
      body: MergeBody,
      answer: Transcoding,
    }),
    async (request) => {
      const { recordingIds, watermark } = request.body
      const caller = callerOf(request, request.body)
      const outputs = await recordingsOf(request, context, recordingIds, ['participant', 'track'])
      const image = watermark?.image == null ? undefined : await readImage(context, watermark.image)
      const mark = watermark ? markOf(watermark, image) : null
      const job = await jobs.start(compositeMergeOrder(outputs, mark, caller))
      return toTranscoding(job, caller.baseUrl)
    },
  )
  app.post(
    `${PATH}/hls-to-mp4`,
    describe({
      summary: 'Make an MP4 file of HLS',
      audit: 'transcoding.start',
      description: 'Of the output that is named, or of the newest that has ended in the session or the room.',
      tag,
      access: 'token',
      action: 'output',
      about: {
        output: ({ body }) => (body.hlsId === undefined ? undefined : { kind: 'hls', outputId: body.hlsId }),
        session: ({ body }) => body.sessionId,
        meeting: ({ body }) =>
          body.hlsId === undefined && body.sessionId === undefined ? body.roomId : undefined,
      },
      refusals: jobRefusals,
      body: HlsToMp4Body,
      answer: Transcoding,
    }),
    async (request) => {
      const { hlsId } = request.body
      const caller = callerOf(request, request.body)
      const { projectId, meetingId } = meetingFor(request)
      const filter = {
        kind: 'hls',
        meetingId,
        sessionId: sessionIfAny(request)?.sessionId,
        hasEnded: true,
      } as const
      const newest =
        hlsId ?? (await store.outputs.list(projectId, filter, { page: 1, perPage: 1 })).items[0]?.outputId
      if (newest === undefined)
        throw new Refusal('NOT_FOUND', { message: 'There is no HLS of it that has ended.' })
      const [hls] = await recordingsOf(request, context, [newest], ['hls'])
      return toTranscoding(await jobs.start(hlsToMp4Order(hls!, caller)), caller.baseUrl)
    },
  )
  app.post(
    `${PATH}/meeting-recording-merge`,
    describe({
      summary: 'Join recordings of a meeting end to end',
      audit: 'transcoding.start',
      tag,
      access: 'token',
      action: 'output',
      about: { output: ({ body }) => ({ outputId: idOf(body.recordingIds[0]!) }) },
      refusals: jobRefusals,
      body: MeetingRecordingMergeBody,
      answer: Transcoding,
    }),
    async (request) => {
      const { recordingIds, presignedOutputUrl } = request.body
      const caller = callerOf(request, request.body)
      const outputs = await recordingsOf(request, context, recordingIds.map(idOf), ['recording'])
      const order = meetingRecordingMergeOrder(outputs, presignedOutputUrl, caller)
      return toTranscoding(await jobs.start(order), caller.baseUrl)
    },
  )
  app.get(
    PATH,
    describe({
      summary: 'Transcodings, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => query.roomId, unnamed: 'project', missing: 'nothing' },
      query: TranscodingsQuery,
      answer: pageOf(Transcoding),
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listJobs(request, context, kinds, request.query)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        data: await withWebhookCounts(
          store,
          items.map((job) => toTranscoding(job, baseUrl)),
        ),
      }
    },
  )
  app.get(
    `${PATH}/:id`,
    describe({
      summary: 'A transcoding',
      tag,
      access: 'token',
      action: 'watch',
      about: byId,
      params: OutputParams,
      answer: Transcoding,
    }),
    (request) => withWebhookCount(store, toTranscoding(jobFor(request), baseUrlOf(request, settings))),
  )
  app.post(
    `${PATH}/:id/cancel`,
    describe({
      summary: 'Cancel a transcoding',
      audit: 'transcoding.cancel',
      description: 'One that waits or is being done; it leaves no file.',
      tag,
      access: 'token',
      action: 'output',
      about: byId,
      refusals: ['INVALID_STATE'],
      params: OutputParams,
      answer: Transcoding,
    }),
    async (request) => {
      const job = await jobs.cancel(jobFor(request).jobId)
      return withWebhookCount(store, toTranscoding(job, baseUrlOf(request, settings)))
    },
  )
}
