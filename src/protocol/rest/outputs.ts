/** Shapes of outputs in REST (contract, outputs §3). */
import { Type, type Static } from 'typebox'
import { CompositionConfig, optional, TranscriptOfRecording } from '../outputs.ts'
import { Instant, pageFields, RoomId, Words } from '../rest.ts'

export const WebhookUrl = optional(
  Type.String({
    maxLength: 512,
    description: 'Gets the events of this one, in addition to the webhook of the room.',
  }),
)

export const TemplateUrl = optional(
  Type.String({
    maxLength: 2048,
    description: 'An https page of your own to record instead of the built-in one.',
  }),
)

/** The answer to a start or a stop; published clients read a bare text. */
export const Acknowledgement = Type.String()

/** Ends the meeting where its recording cannot be kept up. */
const OnFailure = Type.Object({
  action: Type.Literal('close-room'),
  waitTime: optional(
    Type.Number({
      minimum: 0,
      maximum: 150,
      description: 'seconds for which the recorder is started again before the session is ended; default: 30',
    }),
  ),
})

export const UploadAddress = optional(
  Type.String({
    maxLength: 2048,
    description:
      'The file is sent here by PUT as well when the recording has ended, for 24 hours after failures.',
  }),
)

export const StartRecordingBody = Type.Object({
  roomId: RoomId,
  config: optional(CompositionConfig),
  templateUrl: TemplateUrl,
  transcription: optional(TranscriptOfRecording),
  onFailure: optional(OnFailure),
  fileFormat: optional(Type.Union([Type.Literal('mp4'), Type.Literal('webm')])),
  webhookUrl: WebhookUrl,
  awsDirPath: optional(Type.String({ maxLength: 512 })),
  resourceId: optional(Words),
  preSignedUrl: UploadAddress,
})

export const StopOutputBody = Type.Object({ roomId: RoomId, id: optional(Words) })

export const OutputsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  query: Type.Optional(Words),
})

export const OutputParams = Type.Object({ id: Words })

export const OutputFileShape = Type.Object({
  id: Type.String(),
  type: Type.String(),
  size: Type.Integer({ description: 'Bytes.' }),
  filePath: Type.String(),
  fileUrl: Type.String({
    description:
      'Everybody with this address may fetch the file; supports Range. Works until the recording is deleted.',
  }),
  userStorage: Type.Null(),
  meta: Type.Object({
    resolution: Type.Optional(Type.Object({ width: Type.Number(), height: Type.Number() })),
    format: Type.Optional(Type.String()),
    duration: Type.Optional(Type.Number({ description: 'Seconds.' })),
  }),
  ratio: Type.Record(Type.String(), Type.Number()),
  createdAt: Instant,
  updatedAt: Instant,
})
export type OutputFileShape = Static<typeof OutputFileShape>

/** How many webhooks reported an output or a job, and how many of them were accepted (contract, outputs §3.1). */
export const WebhookCounts = Type.Object(
  {
    totalCount: Type.Integer(),
    successCount: Type.Integer(),
    data: Type.Array(Type.Object({ type: Type.String(), success: Type.Boolean() })),
  },
  { description: 'The webhooks that reported it, as long as deliveries are kept.' },
)
export type WebhookCounts = Static<typeof WebhookCounts>

/** Fields of every output. */
export const outputFields = {
  id: Type.String(),
  roomId: Type.String(),
  sessionId: Type.String(),
  userId: Type.String(),
  createdAt: Instant,
  updatedAt: Instant,
  start: Type.Union([Instant, Type.Null()]),
  end: Type.Union([Instant, Type.Null()]),
  webhook: WebhookCounts,
  links: Type.Object({ get_room: Type.String(), get_session: Type.String() }),
}

export const Recording = Type.Object({
  ...outputFields,
  fileId: Type.Union([Type.String(), Type.Null()]),
  file: Type.Union([OutputFileShape, Type.Null()], { description: 'Null until it has ended.' }),
  files: Type.Optional(
    Type.Array(OutputFileShape, {
      description:
        'All parts in order, if there are several: with several nodes, one for each node that the meeting was at. The first is `file`.',
    }),
  ),
})
export type Recording = Static<typeof Recording>
