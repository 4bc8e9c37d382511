/** Recordings of a whole meeting (contract, outputs §3.1). */
import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Routes } from '../../context.ts'
import type { OutputRecord } from '../../../store/store.ts'
import { recordingOrder } from '../../../meeting/outputs/orders.ts'
import { Acknowledgement, StartRecordingBody } from '../../../protocol/rest/outputs.ts'
import {
  RecordingQuery,
  RecordingsQuery,
  RecordingWithText,
} from '../../../protocol/rest/post-transcriptions.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { acknowledge, refusalsOf, startOutput, textOf } from './acts.ts'
import { toPostTranscription } from './present-jobs.ts'
import { toRecording } from './present.ts'
import { addDelete, addFind, addList, addStop, byBody } from './shared-routes.ts'

const ofKind = { kind: 'recording', tag: 'Recordings', path: '/v2/recordings' } as const

export const recordingRoutes: Routes = (app, context) => {
  const { kind, tag, path } = ofKind

  app.post(
    `${path}/start`,
    describe({
      summary: 'Start recording a meeting',
      audit: 'recording.start',
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
  const shown = {
    shape: RecordingWithText,
    present: async (output: OutputRecord, baseUrl: string, request: FastifyRequest) => {
      const { withTranscription } = request.query as Static<typeof RecordingQuery>
      const recording = toRecording(output, baseUrl)
      if (withTranscription !== 'true') return recording
      const job = await textOf(output, context)
      return { ...recording, transcription: job ? toPostTranscription(job, baseUrl) : null }
    },
  }
  addList(app, context, {
    ...ofKind,
    ...shown,
    summary: 'List recordings, newest first',
    query: RecordingsQuery,
  })
  addFind(app, context, { ...ofKind, ...shown, summary: 'Get a recording', query: RecordingQuery })
  addDelete(app, context, {
    ...ofKind,
    summary: 'Delete a recording, its file and its text',
    text: 'Room recording deleted successfully',
  })
}
