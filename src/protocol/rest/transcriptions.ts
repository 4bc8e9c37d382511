/** Shapes of transcriptions in REST (contract, outputs §3.5). */
import { Type, type Static } from 'typebox'
import { optional, TranscriptOfRecording } from '../outputs.ts'
import { WebhookUrl } from './outputs.ts'
import { Instant, pageFields, PageInfo, RoomId, Words } from '../rest.ts'

export const StartTranscriptionBody = Type.Object({
  roomId: RoomId,
  webhookUrl: WebhookUrl,
  modelId: optional(
    Type.String({
      maxLength: 200,
      description: 'A model of the recogniser, instead of TRANSCRIPTION_MODEL.',
    }),
  ),
  language: optional(Type.String({ maxLength: 35, description: 'BCP 47.' })),
  summary: TranscriptOfRecording.properties.summary,
})

export const StopTranscriptionBody = Type.Object({ roomId: RoomId })

export const TranscriptionsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
})

export const TextFile = Type.Optional(
  Type.String({
    description: 'Everybody with this address may fetch the file. Missing until the file exists.',
  }),
)

/** Addresses of the text, by format. */
export const TranscriptionFiles = Type.Object({
  txt: TextFile,
  json: TextFile,
  srt: TextFile,
  tsv: TextFile,
  vtt: TextFile,
})

export const Transcription = Type.Object({
  id: Type.String(),
  status: Type.String({ description: '`starting`, `started`, `stopping`, `stopped` or `failed`.' }),
  roomId: Type.String(),
  sessionId: Type.String(),
  start: Type.Union([Instant, Type.Null()]),
  end: Type.Union([Instant, Type.Null()]),
  transcriptionFilePaths: TranscriptionFiles,
  summarizedFilePaths: Type.Object({ txt: TextFile }),
  extension: Type.Object({
    enabled: Type.Boolean(),
    provider: Type.String(),
    extensionConfig: Type.Object({ roomId: Type.String(), sessionId: Type.String() }),
  }),
})
export type Transcription = Static<typeof Transcription>

export const TranscriptionList = Type.Object({
  pageInfo: PageInfo,
  transcriptions: Type.Array(Transcription),
})
