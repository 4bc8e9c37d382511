/** The kinds of outputs, and how their rows appear in one table. Pure functions. */
import { ms } from '../format.ts'
import type { Hls, Livestream } from '../../../protocol/rest/broadcasts.ts'
import type { CompositeRecording } from '../../../protocol/rest/composite-recordings.ts'
import type { OutputFileShape, Recording } from '../../../protocol/rest/outputs.ts'
import type { ParticipantRecording, TrackRecording } from '../../../protocol/rest/participant-recordings.ts'
import type { Transcription } from '../../../protocol/rest/transcriptions.ts'

export interface OutputRow {
  id: string
  roomId: string
  start: string | null
  end: string | null
  /** The participant of a participant's recording, or the servers that a livestream goes to. */
  who: string
  /** Bytes of all files; undefined if unknown. */
  size: number | undefined
  lastedMs: number | undefined
  plays: Playable | undefined
  files: { name: string; address: string }[]
}

export interface Playable {
  address: string
  type: 'video' | 'audio' | 'hls'
}

export interface OutputKind {
  /** The kind in the address of the screen. */
  name: string
  title: string
  /** The singular, for sentences. */
  one: string
  path: string
  /** The field of the answer with the rows. */
  field: 'data' | 'transcriptions'
  canDelete: boolean
  toRow: (output: never) => OutputRow
}

const TRACKS: Record<string, string> = {
  audio: 'microphone',
  video: 'camera',
  screen_audio: 'sound of the screen',
  screen_video: 'screen',
}

export const outputKinds: readonly OutputKind[] = [
  {
    name: 'recordings',
    title: 'Recordings',
    one: 'recording',
    path: '/v2/recordings',
    field: 'data',
    canDelete: true,
    toRow: ({ file, ...recording }: Recording) => rowOf(recording, file ? [file] : []),
  },
  {
    name: 'hls',
    title: 'HLS',
    one: 'HLS output',
    path: '/v2/hls',
    field: 'data',
    canDelete: true,
    toRow: (hls: Hls) => ({
      ...rowOf(hls, []),
      plays: { address: hls.playbackHlsUrl, type: 'hls' },
      ...(hls.duration !== null && { lastedMs: hls.duration * 1000 }),
    }),
  },
  {
    name: 'livestreams',
    title: 'Livestreams',
    one: 'livestream',
    path: '/v2/livestreams',
    field: 'data',
    canDelete: false,
    // A livestream leaves no file here.
    toRow: ({ outputs, ...livestream }: Livestream) => ({
      ...rowOf(livestream, []),
      who: outputs.map(({ url }) => url).join(', '),
    }),
  },
  {
    name: 'participants',
    title: 'Participants',
    one: 'recording of a participant',
    path: '/v2/recordings/participant',
    field: 'data',
    canDelete: true,
    toRow: (recording: ParticipantRecording) => ({
      ...rowOf(recording, recording.files),
      who: nameOf(recording),
    }),
  },
  {
    name: 'composites',
    title: 'Composites',
    one: 'composite recording',
    path: '/v2/recordings/composite',
    field: 'data',
    canDelete: true,
    toRow: ({ file, ...recording }: CompositeRecording) => rowOf(recording, file ? [file] : []),
  },
  {
    name: 'tracks',
    title: 'Tracks',
    one: 'recording of a track',
    path: '/v2/recordings/participant/track',
    field: 'data',
    canDelete: true,
    toRow: (recording: TrackRecording) => ({
      ...rowOf(recording, recording.files),
      who: `${nameOf(recording)}, ${TRACKS[recording.kind] ?? recording.kind}`,
    }),
  },
  {
    name: 'transcripts',
    title: 'Transcripts',
    one: 'transcript',
    path: '/ai/v1/realtime-transcriptions',
    field: 'transcriptions',
    canDelete: false,
    toRow: ({ transcriptionFilePaths, summarizedFilePaths, ...transcription }: Transcription) => ({
      ...rowOf(transcription, []),
      files: [
        ...Object.entries(transcriptionFilePaths).map(([name, address]) => ({ name, address })),
        ...Object.values(summarizedFilePaths).map((address) => ({ name: 'summary', address })),
      ],
    }),
  },
]

const nameOf = ({ participantName, participantId }: ParticipantRecording): string =>
  participantName || participantId

function rowOf(
  { id, roomId, start, end }: Pick<Recording, 'id' | 'roomId' | 'start' | 'end'>,
  files: readonly OutputFileShape[],
): OutputRow {
  const [first] = files
  return {
    id,
    roomId,
    start,
    end,
    who: '',
    size: files.length > 0 ? files.reduce((sum, { size }) => sum + size, 0) : undefined,
    lastedMs:
      first?.meta.duration === undefined || files.length > 1
        ? start === null || end === null
          ? undefined
          : ms(end) - ms(start)
        : first.meta.duration * 1000,
    plays: first && { address: first.fileUrl, type: first.type === 'audio' ? 'audio' : 'video' },
    files: files.map(({ fileUrl, filePath }) => ({ name: fileNameOf(filePath), address: fileUrl })),
  }
}

const fileNameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
