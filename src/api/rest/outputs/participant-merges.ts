/** Voices of participants in one stereo file (contract, outputs §3.1). */
import type { FastifyRequest } from 'fastify'
import type { HttpContext, Routes } from '../../context.ts'
import type { JobKind, OutputRecord } from '../../../store/store.ts'
import { isMeant, participantMergeOrder } from '../../../meeting/jobs/orders.ts'
import { dirPathOf } from '../../../meeting/outputs/orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import { OutputParams } from '../../../protocol/rest/outputs.ts'
import {
  MergeRecording,
  MergeRecordingList,
  MergeStarted,
  ParticipantMergeBody,
  ParticipantMergesQuery,
  type ChannelEntry,
} from '../../../protocol/rest/transcodings.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { jobFor, sessionFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { apiKeyOf } from './acts.ts'
import { jobRefusals, listJobs, recordingsOf } from './job-acts.ts'
import { toMergeRecording } from './present-jobs.ts'
import { withWebhookCount, withWebhookCounts } from './webhook-counts.ts'

const tag = 'Recordings'
const PATH = '/v2/recordings/participant/merge'
const kinds: readonly JobKind[] = ['participant-merge']
/** Of one participant in one session. */
const MAX_RECORDINGS = 100

export const participantMergeRoutes: Routes = (app, context) => {
  const { settings, jobs, store } = context

  app.post(
    PATH,
    describe({
      summary: 'Merge voices into a stereo file: group 1 left, group 2 right',
      audit: 'transcoding.start',
      description:
        'It answers at once; webhooks tell when the file is there. Each voice is heard at the time at which it was recorded.',
      tag,
      access: 'token',
      action: 'output',
      about: { session: ({ body }) => body.sessionId },
      refusals: jobRefusals,
      body: ParticipantMergeBody,
      answer: MergeStarted,
    }),
    async (request) => {
      const { channel1, channel2, type, webhookUrl, dirPath: asked } = request.body
      const dirPath = dirPathOf('dirPath', asked)
      const channels: OutputRecord[][] = []
      for (const entries of [channel1, channel2]) {
        const found = new Map<string, OutputRecord>()
        for (const entry of entries)
          for (const output of await meantBy(request, context, entry, type))
            found.set(output.outputId, output)
        channels.push([...found.values()])
      }
      const baseUrl = baseUrlOf(request, settings)
      const job = await jobs.start(
        participantMergeOrder(channels, { baseUrl, webhookUrl, apiKey: apiKeyOf(request), dirPath }),
      )
      return { message: 'Merge recording started successfully', recording: toMergeRecording(job, baseUrl) }
    },
  )
  app.get(
    PATH,
    describe({
      summary: 'Merged voices, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => query.roomId, unnamed: 'project', missing: 'nothing' },
      query: ParticipantMergesQuery,
      answer: MergeRecordingList,
    }),
    async (request) => {
      const { page, perPage } = request.query
      const { items, total } = await listJobs(request, context, kinds, request.query)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        recordings: await withWebhookCounts(
          store,
          items.map((job) => toMergeRecording(job, baseUrl)),
        ),
      }
    },
  )
  app.get(
    `${PATH}/:id`,
    describe({
      summary: 'A merge of voices',
      tag,
      access: 'token',
      action: 'watch',
      about: { job: ({ params }) => ({ kinds, jobId: params.id }) },
      params: OutputParams,
      answer: MergeRecording,
    }),
    (request) => withWebhookCount(store, toMergeRecording(jobFor(request), baseUrlOf(request, settings))),
  )
}

/** The recordings of the session that an entry means. @throws {Refusal} NOT_FOUND if there is none */
async function meantBy(
  request: FastifyRequest,
  context: HttpContext,
  entry: ChannelEntry,
  forAll: ParticipantMergeBody['type'],
): Promise<OutputRecord[]> {
  const { projectId, sessionId } = sessionFor(request)
  const { participantId, recordingId } = entry
  const missing = new Refusal('NOT_FOUND', {
    message: `There is no such recording of ${participantId} in this session.`,
  })
  if (recordingId != null) {
    const [output] = await recordingsOf(request, context, [recordingId], ['participant', 'track'])
    if (output!.sessionId !== sessionId || !isMeant(entry, forAll, output!)) throw missing
    return [output!]
  }
  const kind = forAll ?? entry.type ?? 'participant'
  const filter = { kind, sessionId, participantId }
  const { items } = await context.store.outputs.list(projectId, filter, { page: 1, perPage: MAX_RECORDINGS })
  // One that failed has nothing to be heard.
  const meant = items.filter(
    (output) => isMeant(entry, forAll, output) && (output.endedAt === null || output.files.length > 0),
  )
  if (meant.length === 0) throw missing
  return recordingsOf(
    request,
    context,
    meant.map(({ outputId }) => outputId),
    [kind],
  )
}
