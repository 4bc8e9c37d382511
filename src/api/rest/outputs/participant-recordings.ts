/** Recordings of participants and of their tracks (contract, outputs §3.1). */
import type { FastifyRequest } from 'fastify'
import type { OutputRecord } from '../../../store/store.ts'
import type { HttpContext, Routes } from '../../context.ts'
import { participantOrder, trackOrder } from '../../../meeting/outputs/participant-orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { pageInfoOf, pageOf } from '../../../protocol/rest.ts'
import { Acknowledgement, OutputParams } from '../../../protocol/rest/outputs.ts'
import {
  ParticipantRecording,
  ParticipantRecordingsQuery,
  StartParticipantRecordingBody,
  StartTrackRecordingBody,
  StopParticipantRecordingBody,
  StopTrackRecordingBody,
  TrackRecording,
  TrackRecordingsQuery,
} from '../../../protocol/rest/participant-recordings.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { meetingFor, outputFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import {
  acknowledge,
  deleteOutput,
  listOutputs,
  refusalsOf,
  startOutput,
  stopOutput,
  type ListQuery,
} from './acts.ts'
import { toParticipantRecording, toTrackRecording } from './present.ts'

const tag = 'Recordings'
const byBody = { meeting: ({ body }: { body: { roomId: string } }) => body.roomId }
const byQuery = {
  meeting: ({ query }: { query: { roomId?: string } }) => query.roomId,
  unnamed: 'project',
  missing: 'nothing',
} as const
const byId = (kind: 'participant' | 'track') => ({
  output: ({ params }: { params: { id: string } }) => ({ kind, outputId: params.id }),
})

export const participantRecordingRoutes: Routes = (app, context) => {
  const { settings } = context

  app.post(
    '/v2/recordings/participant/start',
    describe({
      summary: 'Start to record a participant',
      description:
        'Microphone and camera in one continuous file: a muted microphone is silent, a camera that is off is black. Webhooks tell when it begins.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: [...refusalsOf('participant'), 'INVALID_REQUEST'],
      body: StartParticipantRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      const caller = await callerOf(request, context, request.body.participantId)
      await startOutput(request, context, participantOrder(request.body, caller))
      return acknowledge(reply, 'participant recording started successfully.')
    },
  )
  app.post(
    '/v2/recordings/participant/stop',
    describe({
      summary: 'Stop recording a participant',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: refusalsOf('participant'),
      body: StopParticipantRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      const { participantId } = request.body
      await stopOutput(request, context, 'participant', (output) => output.participantId === participantId)
      return acknowledge(reply, 'participant recording stopped successfully.')
    },
  )
  app.post(
    '/v2/recordings/participant/track/start',
    describe({
      summary: 'Start to record a track',
      description: 'One kind of stream of a participant: a file for each time that it is on.',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: [...refusalsOf('track'), 'INVALID_REQUEST'],
      body: StartTrackRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      const caller = await callerOf(request, context, request.body.participantId)
      await startOutput(request, context, trackOrder(request.body, caller))
      return acknowledge(reply, 'track recording started successfully.')
    },
  )
  app.post(
    '/v2/recordings/participant/track/stop',
    describe({
      summary: 'Stop recording a track',
      tag,
      access: 'token',
      action: 'output',
      about: byBody,
      refusals: refusalsOf('track'),
      body: StopTrackRecordingBody,
      answer: Acknowledgement,
    }),
    async (request, reply) => {
      const { participantId, kind } = request.body
      const matches = ({ config, ...output }: OutputRecord): boolean =>
        output.participantId === participantId && config.kind === kind
      await stopOutput(request, context, 'track', matches)
      return acknowledge(reply, 'track recording stopped successfully.')
    },
  )

  app.get(
    '/v2/recordings/participant',
    describe({
      summary: 'Recordings of participants, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: byQuery,
      query: ParticipantRecordingsQuery,
      answer: pageOf(ParticipantRecording),
    }),
    (request) => list(request, request.query, 'participant', toParticipantRecording),
  )
  app.get(
    '/v2/recordings/participant/track',
    describe({
      summary: 'Recordings of tracks, newest first',
      tag,
      access: 'token',
      action: 'watch',
      about: byQuery,
      query: TrackRecordingsQuery,
      answer: pageOf(TrackRecording),
    }),
    (request) => list(request, request.query, 'track', toTrackRecording),
  )
  app.get(
    '/v2/recordings/participant/:id',
    describe({
      summary: 'A recording of a participant',
      tag,
      access: 'token',
      action: 'watch',
      about: byId('participant'),
      params: OutputParams,
      answer: ParticipantRecording,
    }),
    (request) => Promise.resolve(toParticipantRecording(outputFor(request), baseUrlOf(request, settings))),
  )
  app.get(
    '/v2/recordings/participant/track/:id',
    describe({
      summary: 'A recording of a track',
      tag,
      access: 'token',
      action: 'watch',
      about: byId('track'),
      params: OutputParams,
      answer: TrackRecording,
    }),
    (request) => Promise.resolve(toTrackRecording(outputFor(request), baseUrlOf(request, settings))),
  )
  for (const [path, kind, text] of [
    ['/v2/recordings/participant/:id', 'participant', 'Participant recording deleted successfully'],
    ['/v2/recordings/participant/track/:id', 'track', 'Track recording deleted successfully'],
  ] as const)
    app.delete(
      path,
      describe({
        summary: `Delete a recording of a ${kind} and its files`,
        tag,
        access: 'token',
        action: 'output',
        about: byId(kind),
        refusals: ['INVALID_STATE'],
        params: OutputParams,
        answer: Acknowledgement,
      }),
      async (request, reply) => {
        await deleteOutput(outputFor(request), context)
        return acknowledge(reply, text)
      },
    )

  async function list<Shape>(
    request: FastifyRequest,
    query: ListQuery,
    kind: 'participant' | 'track',
    present: (output: OutputRecord, baseUrl: string) => Shape,
  ) {
    const { items, total } = await listOutputs(request, context, kind, query)
    const baseUrl = baseUrlOf(request, settings)
    return {
      pageInfo: pageInfoOf(query.page, query.perPage, total),
      data: items.map((one) => present(one, baseUrl)),
    }
  }
}

/** @throws {Refusal} NOT_FOUND if nobody with this id is in the meeting */
async function callerOf(request: FastifyRequest, { live, settings }: HttpContext, participantId: string) {
  const { participants } = await live.view(meetingFor(request).meetingId)
  const participant = participants.find((one) => one.participantId === participantId)
  if (!participant) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
  return { baseUrl: baseUrlOf(request, settings), participantName: participant.name }
}
