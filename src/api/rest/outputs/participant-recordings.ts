/** Recordings of participants and of their tracks (contract, outputs §3.1). */
import type { FastifyRequest } from 'fastify'
import type { OutputRecord } from '../../../store/store.ts'
import type { HttpContext, Routes } from '../../context.ts'
import { participantOrder, trackOrder } from '../../../meeting/outputs/participant-orders.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { Acknowledgement } from '../../../protocol/rest/outputs.ts'
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
import { meetingFor } from '../authorise.ts'
import { describe } from '../describe.ts'
import { acknowledge, refusalsOf, startOutput, stopOutput } from './acts.ts'
import { toParticipantRecording, toTrackRecording } from './present.ts'
import { addDelete, addFind, addList, byBody } from './shared-routes.ts'

const tag = 'Recordings'
const ofParticipant = {
  kind: 'participant',
  tag,
  path: '/v2/recordings/participant',
  shape: ParticipantRecording,
  present: toParticipantRecording,
} as const
const ofTrack = {
  kind: 'track',
  tag,
  path: '/v2/recordings/participant/track',
  shape: TrackRecording,
  present: toTrackRecording,
} as const

export const participantRecordingRoutes: Routes = (app, context) => {
  app.post(
    '/v2/recordings/participant/start',
    describe({
      summary: 'Start recording a participant',
      audit: 'participant-recording.start',
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
      audit: 'participant-recording.stop',
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
      summary: 'Start recording a track',
      audit: 'track-recording.start',
      description: 'One kind of stream of a participant, with a file for each time that it is on.',
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
      audit: 'track-recording.stop',
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

  addList(app, context, {
    ...ofParticipant,
    summary: 'List recordings of participants, newest first',
    query: ParticipantRecordingsQuery,
  })
  addList(app, context, {
    ...ofTrack,
    summary: 'List recordings of tracks, newest first',
    query: TrackRecordingsQuery,
  })
  addFind(app, context, { ...ofParticipant, summary: 'Get a recording of a participant' })
  addFind(app, context, { ...ofTrack, summary: 'Get a recording of a track' })
  addDelete(app, context, {
    ...ofParticipant,
    summary: 'Delete a recording of a participant and its files',
    text: 'Participant recording deleted successfully',
  })
  addDelete(app, context, {
    ...ofTrack,
    summary: 'Delete a recording of a track and its files',
    text: 'Track recording deleted successfully',
  })
}

/** @throws {Refusal} NOT_FOUND if nobody with this id is in the meeting */
async function callerOf(request: FastifyRequest, { meetings, settings }: HttpContext, participantId: string) {
  const { participants } = await meetings.view(meetingFor(request).meetingId)
  const participant = participants.find((one) => one.participantId === participantId)
  if (!participant) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
  return { baseUrl: baseUrlOf(request, settings), participantName: participant.name }
}
