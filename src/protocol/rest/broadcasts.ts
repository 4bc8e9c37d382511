/** Shapes of HLS and livestreams in REST (contract, outputs §3.3, §3.4). */
import { Type, type Static } from 'typebox'
import { CompositionConfig, LivestreamOutput, optional, TranscriptOfRecording } from '../outputs.ts'
import { Instant, RoomId, Words } from '../rest.ts'
import { outputFields, TemplateUrl, WebhookUrl } from './outputs.ts'

const common = {
  roomId: RoomId,
  config: optional(CompositionConfig),
  templateUrl: TemplateUrl,
  transcription: optional(TranscriptOfRecording),
  webhookUrl: WebhookUrl,
  resourceId: optional(Words),
}

export const StartHlsBody = Type.Object({
  ...common,
  recording: optional(Type.Object({ enabled: optional(Type.Boolean()) })),
})

const Url = Type.String({ description: 'Everybody with this address may watch.' })

export const Hls = Type.Object({
  ...outputFields,
  playbackHlsUrl: Url,
  livestreamUrl: Url,
  downstreamUrl: Url,
  duration: Type.Union([Type.Number({ description: 'Seconds.' }), Type.Null()]),
  quality: Type.String(),
  orientation: Type.String(),
  mode: Type.String(),
  composerId: Type.String(),
  captureLog: Type.Array(Type.Unknown()),
})
export type Hls = Static<typeof Hls>

export const ActiveHls = Type.Object({ code: Type.Literal(200), data: Hls })

const Side = Type.Integer({
  minimum: 16,
  maximum: 4096,
  description: 'In px; with only one of them, the aspect ratio is kept.',
})

export const CaptureBody = Type.Object({
  roomId: RoomId,
  time: optional(Type.Number({ minimum: 0, description: 'Seconds into the stream; default: now.' })),
  width: optional(Side),
  height: optional(Side),
  format: optional(Type.Union([Type.Literal('jpg'), Type.Literal('png'), Type.Literal('webp')])),
})

export const Capture = Type.Object({
  message: Type.String(),
  roomId: Type.String(),
  meta: Type.Object({
    createdAt: Instant,
    width: Type.Integer(),
    height: Type.Integer(),
    format: Type.String(),
  }),
  filePath: Type.String({ description: 'Its address.' }),
  fileSize: Type.Integer(),
  fileName: Type.String(),
})

export const StartLivestreamBody = Type.Object({
  ...common,
  outputs: Type.Array(LivestreamOutput, { minItems: 1, maxItems: 10 }),
})

export const Livestream = Type.Object({
  ...outputFields,
  composerId: Type.String(),
  outputs: Type.Array(Type.Object({ url: Type.String() }), { description: 'Without their keys.' }),
})
export type Livestream = Static<typeof Livestream>
