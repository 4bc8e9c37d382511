/** The texts of recordings, which a start of a recording asks for (contract, outputs §3.5). */
import type { Routes } from '../../context.ts'
import type { JobKind } from '../../../store/store.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import { OutputParams } from '../../../protocol/rest/outputs.ts'
import {
  PostTranscription,
  PostTranscriptionList,
  PostTranscriptionsQuery,
} from '../../../protocol/rest/post-transcriptions.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { jobFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { listJobs } from './job-acts.ts'
import { toPostTranscription } from './present-jobs.ts'

const tag = 'Transcriptions'
const PATH = '/ai/v1/post-transcriptions'
const kinds: readonly JobKind[] = ['post-transcription']

export const postTranscriptionRoutes: Routes = (app, context) => {
  const { settings } = context

  app.get(
    PATH,
    describe({
      summary: 'Texts of recordings, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: { meeting: ({ query }) => query.roomId, unnamed: 'project', missing: 'nothing' },
      query: PostTranscriptionsQuery,
      answer: PostTranscriptionList,
    }),
    async (request) => {
      const { page, perPage, recordingId, ...query } = request.query
      const asked = { page, perPage, hlsId: recordingId, ...query }
      const { items, total } = await listJobs(request, context, kinds, asked)
      const baseUrl = baseUrlOf(request, settings)
      return {
        pageInfo: pageInfoOf(page, perPage, total),
        transcriptions: items.map((job) => toPostTranscription(job, baseUrl)),
      }
    },
  )
  app.get(
    `${PATH}/:id`,
    describe({
      summary: 'The text of a recording',
      tag,
      access: 'token',
      action: 'watch',
      about: { job: ({ params }) => ({ kinds, jobId: params.id }) },
      params: OutputParams,
      answer: PostTranscription,
    }),
    (request) => Promise.resolve(toPostTranscription(jobFor(request), baseUrlOf(request, settings))),
  )
}
