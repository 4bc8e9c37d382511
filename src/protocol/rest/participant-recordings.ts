/** Shapes of the recordings of participants and of their tracks in REST (contract, outputs §3.1). */
import { Type, type Static } from 'typebox'
import { optional } from '../outputs.ts'
import { pageFields, ParticipantId, RoomId, Words } from '../rest.ts'
import { OutputFileShape, outputFields, WebhookUrl } from './outputs.ts'

export const TrackKind = Type.Union([
  Type.Literal('audio'),
  Type.Literal('video'),
  Type.Literal('screen_audio'),
  Type.Literal('screen_video'),
])

const startFields = {
  roomId: RoomId,
  participantId: ParticipantId,
  webhookUrl: WebhookUrl,
  bucketDirPath: optional(Type.String({ maxLength: 512 })),
  metadata: optional(Type.Unknown()),
}

export const StartParticipantRecordingBody = Type.Object({
  ...startFields,
  fileFormat: optional(Type.Union([Type.Literal('webm'), Type.Literal('mp4')])),
})
export type StartParticipantRecordingBody = Static<typeof StartParticipantRecordingBody>

export const StartTrackRecordingBody = Type.Object({
  ...startFields,
  kind: TrackKind,
  fileFormat: optional(
    Type.Union([Type.Literal('webm'), Type.Literal('mp4'), Type.Literal('mp3')], {
      description: '`mp3` only for sound.',
    }),
  ),
})
export type StartTrackRecordingBody = Static<typeof StartTrackRecordingBody>

export const StopParticipantRecordingBody = Type.Object({ roomId: RoomId, participantId: ParticipantId })
export const StopTrackRecordingBody = Type.Object({
  roomId: RoomId,
  participantId: ParticipantId,
  kind: TrackKind,
})

export const ParticipantRecordingsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  participantId: Type.Optional(Words),
})
export const TrackRecordingsQuery = Type.Object({
  ...ParticipantRecordingsQuery.properties,
  kind: Type.Optional(TrackKind),
})

export const ParticipantRecording = Type.Object({
  ...outputFields,
  participantId: Type.String(),
  participantName: Type.String(),
  fileFormat: Type.String(),
  files: Type.Array(OutputFileShape, {
    description:
      'Empty until it has ended. One file of the participant, and another after each change of codec.',
  }),
})
export type ParticipantRecording = Static<typeof ParticipantRecording>

export const TrackRecording = Type.Object({
  ...ParticipantRecording.properties,
  kind: Type.String(),
  files: Type.Array(OutputFileShape, {
    description: 'Empty until it has ended. One file for each time that the stream was on.',
  }),
})
export type TrackRecording = Static<typeof TrackRecording>
