/** Shapes of the texts of recordings in REST (contract, outputs §3.5). */
import { Type, type Static } from 'typebox'
import { Instant, pageFields, PageInfo, Words } from '../rest.ts'
import { OutputsQuery, Recording } from './outputs.ts'
import { JobState } from './transcodings.ts'
import { TextFile, TranscriptionFiles } from './transcriptions.ts'

export const PostTranscriptionsQuery = Type.Object({
  ...pageFields,
  roomId: Type.Optional(Words),
  sessionId: Type.Optional(Words),
  recordingId: Type.Optional(Words),
  status: Type.Optional(JobState),
})

/** The text of a recording. */
export const PostTranscription = Type.Object({
  id: Type.String(),
  status: JobState,
  message: Type.Union([Type.String(), Type.Null()], { description: 'Why it failed.' }),
  roomId: Type.String(),
  sessionId: Type.String(),
  recordingId: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the recording, HLS or livestream.',
  }),
  filePath: Type.Union([Type.String(), Type.Null()], { description: 'Of the file that was heard.' }),
  start: Type.Union([Instant, Type.Null()], { description: 'Null while it waits.' }),
  end: Type.Union([Instant, Type.Null()]),
  transcriptionFilePaths: TranscriptionFiles,
  summarizedFilePaths: Type.Object({ txt: TextFile }),
})
export type PostTranscription = Static<typeof PostTranscription>

export const PostTranscriptionList = Type.Object({
  pageInfo: PageInfo,
  transcriptions: Type.Array(PostTranscription),
})

const withTranscription = Type.Optional(
  Type.Union([Type.Literal('true'), Type.Literal('false')], {
    description: 'Adds the text that was asked for at the start.',
  }),
)

export const RecordingQuery = Type.Object({ withTranscription })
export const RecordingsQuery = Type.Object({ ...OutputsQuery.properties, withTranscription })

export const RecordingWithText = Type.Object({
  ...Recording.properties,
  transcription: Type.Optional(
    Type.Union([PostTranscription, Type.Null()], { description: 'Where `withTranscription` asked for it.' }),
  ),
})
