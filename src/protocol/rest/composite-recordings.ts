/** Shapes of composite recordings in REST (contract, outputs §3.1). */
import { Type, type Static } from 'typebox'
import { optional } from '../outputs.ts'
import { pageFields, ParticipantId, RoomId, Words } from '../rest.ts'
import { OutputFileShape, outputFields, UploadAddress, WebhookUrl } from './outputs.ts'
import { TrackKind } from './participant-recordings.ts'

const MAX_PARTICIPANTS = 16

const Watermark = Type.Object(
  {
    type: Type.Union([Type.Literal('custom'), Type.Literal('pubsub')]),
    imageUrl: optional(Type.String({ minLength: 1, maxLength: 2048 })),
    imageBase64: optional(Type.String({ minLength: 1, maxLength: 262_144 })),
    text: optional(Type.String({ minLength: 1, maxLength: 200 })),
    timezone: optional(Type.String({ minLength: 1, maxLength: 64, description: "IANA's name of it." })),
    topic: optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  {
    description:
      '`custom`: an image (PNG, JPEG or WebP), or `text` and, with `timezone`, the time there. `pubsub`: the newest public message of `topic`.',
  },
)
export type CompositeWatermark = Static<typeof Watermark>

export const StartCompositeBody = Type.Object({
  roomId: RoomId,
  participants: optional(
    Type.Array(
      Type.Object({
        participantId: ParticipantId,
        kind: optional(
          Type.Union([TrackKind, Type.Array(TrackKind, { minItems: 1, maxItems: 4 })], {
            description: 'Default: microphone and camera.',
          }),
        ),
      }),
      {
        minItems: 1,
        maxItems: MAX_PARTICIPANTS,
        description: 'Default: the first 16 who send something, also those who join later.',
      },
    ),
  ),
  watermarks: optional(Type.Array(Watermark, { maxItems: 3 })),
  fileFormat: optional(Type.Union([Type.Literal('mp4'), Type.Literal('webm')])),
  webhookUrl: WebhookUrl,
  bucketDirPath: optional(Type.String({ maxLength: 512 })),
  preSignedURL: UploadAddress,
})
export type StartCompositeBody = Static<typeof StartCompositeBody>

export const CompositeStarted = Type.Object({
  recordingId: Type.String(),
  sessionId: Type.String(),
  roomId: Type.String(),
})

export const StopCompositeBody = Type.Object({ roomId: RoomId, recordingId: Words })

export const CompositesQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
})

export const CompositeRecording = Type.Object({
  ...outputFields,
  meetingId: Type.String(),
  participants: Type.Array(Type.Object({ participantId: Type.String(), kind: Type.Array(TrackKind) }), {
    description: 'As they were named at the start; empty if nobody was.',
  }),
  fileFormat: Type.String(),
  fileId: Type.Union([Type.String(), Type.Null()]),
  file: Type.Union([OutputFileShape, Type.Null()], { description: 'Null until it has ended.' }),
})
export type CompositeRecording = Static<typeof CompositeRecording>
