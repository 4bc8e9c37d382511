/** Shapes of jobs in REST: merged, joined and converted files (contract, outputs §3.1, §3.2). */
import { Type, type Static } from 'typebox'
import { optional } from '../outputs.ts'
import { Instant, pageFields, PageInfo, Words } from '../rest.ts'
import { OutputFileShape, WebhookCounts, WebhookUrl } from './outputs.ts'

const MAX_RECORDINGS = 50

const RecordingId = Type.String({ minLength: 1, maxLength: 64 })
const Link = Type.String({ minLength: 1, maxLength: 2048 })

const Watermark = Type.Object({
  type: Type.Union([Type.Literal('image'), Type.Literal('timestamp'), Type.Literal('lat_long')]),
  image: optional(
    Type.String({
      minLength: 1,
      maxLength: 262_144,
      description: 'A PNG, JPEG or WebP: its http(s) address, or its bytes in base64, also as a data URL.',
    }),
  ),
  startTime: optional(
    Type.String({ maxLength: 64, description: 'ISO 8601: what the clock of a `timestamp` shows first.' }),
  ),
  lat: optional(Type.Number({ minimum: -90, maximum: 90 })),
  long: optional(Type.Number({ minimum: -180, maximum: 180 })),
})
export type Watermark = Static<typeof Watermark>

/** Where the caller wants the file: it must be where this server puts files anyway. */
const Storage = Type.Object(
  {
    type: Type.Union([Type.Literal('s3'), Type.Literal('blob'), Type.Literal('gcp')]),
    bucket: optional(Words),
    container: optional(Words),
    dirPath: optional(
      Type.String({ maxLength: 512, description: 'The folder, below the prefix of `FILES_URL`.' }),
    ),
  },
  { description: 'Must be the store of `FILES_URL`: the type `s3`, and its bucket, if one is named.' },
)
export type Storage = Static<typeof Storage>

export const MergeBody = Type.Object({
  recordingIds: Type.Array(RecordingId, {
    minItems: 1,
    maxItems: MAX_RECORDINGS,
    description: 'Recordings of participants or tracks of one meeting.',
  }),
  task: optional(Type.Literal('composite-merge')),
  webhookUrl: WebhookUrl,
  storage: optional(Storage),
  watermark: optional(Watermark),
})

export const HlsToMp4Body = Type.Object({
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  hlsId: Type.Optional(Words),
  webhookUrl: WebhookUrl,
  storage: optional(Storage),
})

export const MeetingRecordingMergeBody = Type.Object({
  recordingIds: Type.Array(
    Type.Union([RecordingId, Type.Object({ id: RecordingId, presignedUrl: optional(Link) })]),
    {
      minItems: 1,
      maxItems: MAX_RECORDINGS,
      description: 'Recordings of one meeting. They are joined in the order in which they were made.',
    },
  ),
  webhookUrl: WebhookUrl,
  storage: optional(Storage),
  presignedOutputUrl: optional(Link),
})

export const JobState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('processing'),
  Type.Literal('completed'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
])

export const TranscodingsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  hlsId: Type.Optional(Words),
  status: Type.Optional(JobState),
})

const OrNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const jobFields = {
  id: Type.String(),
  roomId: Type.String(),
  sessionId: Type.String(),
  status: JobState,
  message: OrNull(Type.String({ description: 'Why it failed.' })),
  file: OrNull(OutputFileShape),
  webhook: WebhookCounts,
}

export const Transcoding = Type.Object({
  ...jobFields,
  task: Type.Union([
    Type.Literal('composite-merge'),
    Type.Literal('hls-to-mp4'),
    Type.Literal('meeting-recording-merge'),
  ]),
  recordingIds: Type.Array(Type.String()),
  hlsId: OrNull(Type.String()),
  createdAt: Instant,
  startedAt: OrNull(Instant),
  stoppedAt: OrNull(Instant),
})
export type Transcoding = Static<typeof Transcoding>

const ChannelType = Type.Union([Type.Literal('participant'), Type.Literal('track')])

const ChannelEntry = Type.Object({
  participantId: Words,
  recordingId: optional(RecordingId),
  type: optional(ChannelType),
})
export type ChannelEntry = Static<typeof ChannelEntry>

const Channel = Type.Array(ChannelEntry, { minItems: 1, maxItems: MAX_RECORDINGS })

export const ParticipantMergeBody = Type.Object({
  sessionId: Words,
  channel1: Channel,
  channel2: Channel,
  type: optional(ChannelType),
  webhookUrl: WebhookUrl,
  dirPath: optional(Type.String({ maxLength: 512 })),
})
export type ParticipantMergeBody = Static<typeof ParticipantMergeBody>

export const ParticipantMergesQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  id: Type.Optional(Words),
  status: Type.Optional(JobState),
})

const MergedChannel = Type.Array(Type.Object({ recordingId: Type.String(), participantId: Type.String() }))

export const MergeRecording = Type.Object({
  ...jobFields,
  meetingId: Type.String(),
  channel1: MergedChannel,
  channel2: MergedChannel,
  start: Instant,
  end: OrNull(Instant),
})
export type MergeRecording = Static<typeof MergeRecording>

export const MergeStarted = Type.Object({ message: Type.String(), recording: MergeRecording })

export const MergeRecordingList = Type.Object({
  pageInfo: PageInfo,
  recordings: Type.Array(MergeRecording),
})
