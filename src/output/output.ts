/**
 * What leaves a meeting, as a file, a broadcast or a text. An engine makes one kind of output from an ongoing session. It sees
 * the session through an `OutputSource`, and knows nothing of sockets, REST or the store. Types only.
 */
import type { BorrowedFile } from './files/files.ts'
import type { Tap, TapOptions } from '../media/sfu.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { Notification } from '../protocol/notifications.ts'
import type { Composition } from '../protocol/outputs.ts'

/** What is written over a picture. */
export type Mark =
  | { type: 'image'; format: 'png' | 'jpeg' | 'webp'; base64: string }
  | { type: 'text'; text: string }
  /** The time of the day after a text, counted on from `startAt`; null: when the recording began. `timeZone` is IANA's name of one. */
  | { type: 'time'; startAt: number | null; timeZone?: string | undefined; text?: string | undefined }
  /** The latest message of a topic of the chat. */
  | { type: 'topic'; topic: string }

/** A session, as an output sees it. */
export interface OutputSource {
  readonly projectId: string
  readonly meetingId: string
  readonly sessionId: string
  /** Who is inside now. Later changes are notifications (`newPeer`, `peerClosed`, `peerDisplayNameChanged`). */
  participants(): { participantId: string; name: string }[]
  /** Watches the session as a hidden member, which nobody sees or counts. Offers what is there at once. Call the result to end it. */
  watch(watcher: OutputWatcher): () => void
  /** Hears what is said to everybody in a topic of the chat. Call the result to end it. */
  listen(topic: string, hear: (message: { at: number; text: string }) => void): () => void
  /** Opens a hidden seat, for a program that joins over a socket of its own. */
  openSeat(name: string): Promise<OutputSeat>
}

/** Its methods must not throw. */
export interface OutputWatcher {
  /** Receives every notification that goes to all participants. */
  tell(notification: Notification): void
  offer(stream: SourceStream): void
  /** An offered stream has left this meeting. */
  withdraw(producerId: string): void
  /** The session ended, or the server is stopping. No call follows; `OutputRun.stop` is called as well. */
  close(): void
}

/** A stream of a participant. Muting ends it; unmuting begins another. */
export interface SourceStream {
  readonly producerId: string
  readonly ownerId: string
  readonly ownerName: string
  readonly kind: StreamKind
  /** As the sender described it; `isEncrypted: true` marks what only its receivers can decode. */
  readonly appData: Readonly<Record<string, unknown>>
  /** Receives the stream; see `Router.openTap`. Resume the tap, and ask for a key frame. It closes with the stream. */
  open(options?: Pick<TapOptions, 'to' | 'rtpCapabilities'>): Promise<Tap>
}

/** Whoever joins with this id and this token takes the seat, which nobody else sees or counts. */
export interface OutputSeat {
  readonly participantId: string
  readonly token: string
  /** Removes whoever has it. */
  close(): void
}

export interface OutputOrder<Config> {
  /** 24 hex digits. */
  outputId: string
  /** An existing folder of this output alone, for all that it writes. What is left in it survives a restart. */
  folder: string
  source: OutputSource
  config: Config
}

/** A file that can be given out. */
export interface OutputFile {
  /** Relative to the output's folder; its last part is the name. */
  path: string
  /** `video`, `audio`, `text`, `image` or `playlist`. */
  type: 'video' | 'audio' | 'text' | 'image' | 'playlist'
  contentType: string
  size: number
  /** Ms since the epoch. */
  startedAt: number
  endedAt: number
  /** What ffprobe says: `resolution`, `format`, `duration` in seconds. */
  meta?: { resolution?: { width: number; height: number }; format?: string; duration?: number } | undefined
  /** Whose, and which of its streams, where the output is of one participant. */
  participantId?: string | undefined
}

/** A piece of speech. */
export interface Transcript {
  /** Counted within the output, so that the final text replaces the partial one. */
  id: string
  participantId: string
  participantName: string
  text: string
  /** When it was said, in ms since the epoch. */
  timestamp: number
  type: 'partial' | 'final'
}

export interface OutputProblem {
  reason: 'failed' | 'disk-full'
  /** One plain sentence. */
  message: string
  cause?: unknown
}

/** Hears what becomes of an output, in order. */
export interface OutputListener {
  /** Media flow, since so many ms. Called once. */
  started(sinceMs?: number): void
  /** The first segments of HLS can be fetched. Called at most once. */
  playable(): void
  transcribed(transcript: Transcript): void
  /** The output ended by itself, with the files that it saved. No call follows, and `stop` does nothing any more. */
  ended(problem: OutputProblem, files: OutputFile[]): void
}

export interface OutputRun {
  /** Resolves with the files, all closed and playable. Idempotent; may be called before `started`. */
  stop(): Promise<OutputFile[]>
}

export interface OutputEngine<Config> {
  /** Why it cannot work on this machine, and what to do about it: one sentence. */
  readonly unavailable: string | undefined
  /**
   * Starts at once and reports to the listener.
   * @throws {Refusal} before anything is started: RECORDING_LIMIT, HLS_LIMIT or LIVESTREAM_LIMIT if this machine carries no more;
   * ADD_ON_SERVICES_DISABLED if it lacks what this configuration needs
   */
  start(order: OutputOrder<Config>, listener: OutputListener): OutputRun
  /** Makes the files of an output that a stopped or killed process left behind, from what is in its folder. */
  recover(order: Omit<OutputOrder<Config>, 'source'>): Promise<OutputFile[]>
  /** Ends everything, as the server is stopping: no child process is left. */
  close(): Promise<void>
}

/** What a picture of an HLS output is to be. */
export interface Picture {
  /** Of the file, without its ending. */
  name: string
  /** Seconds into the stream; default: now. */
  time?: number | undefined
  /** One alone keeps the shape of the picture. */
  width?: number | undefined
  height?: number | undefined
  format: 'jpg' | 'png' | 'webp'
}

export interface ThumbnailOrder extends Picture {
  /** Where it is written. */
  folder: string
  /** A file of the output; undefined if there is none. */
  borrow: (path: string) => Promise<BorrowedFile | undefined>
}

export interface Thumbnail {
  /** Relative to the folder. */
  path: string
  width: number
  height: number
  size: number
}

export interface HlsEngine extends OutputEngine<HlsConfig> {
  /** A picture, while it goes on and afterwards. Undefined: nothing was streamed by then. */
  takeThumbnail(order: ThumbnailOrder): Promise<Thumbnail | undefined>
}

/** A recording that has ended. */
export interface RecordedSpeech {
  /** The file, or the playlist of HLS. */
  path: string
  /** Ms since the epoch. */
  startedAt: number
  endedAt: number
  /** An existing folder for what is made. */
  folder: string
  config: TranscriptionConfig
  signal: AbortSignal
}

export interface TranscriptionEngine extends OutputEngine<TranscriptionConfig> {
  /** Why it cannot transcribe recordings: one sentence. */
  readonly recordedUnavailable: string | undefined
  /** Makes the files of a transcription. @throws {Error} it failed; `RecogniserError` if whoever asked may know why */
  transcribeRecorded(speech: RecordedSpeech): Promise<OutputFile[]>
}

/** Recording, HLS and livestreams are made from compositions; those that look alike share one. */
export interface RecordingConfig extends Composition {
  fileFormat: 'mp4' | 'webm'
  /** For so long, a recorder that fails is started again; by default it is after its first failures. */
  patienceMs?: number | undefined
}
export interface HlsConfig extends Composition {
  /** Keeps an MP4 file too. */
  record: boolean
}
export interface LivestreamConfig extends Composition {
  targets: { url: string; streamKey: string }[]
  record: boolean
}
export interface TranscriptionConfig {
  /** BCP 47; undefined lets the recogniser decide. */
  language?: string | undefined
  modelId?: string | undefined
  summary?: { prompt?: string | undefined } | undefined
}
/** One continuous file of a participant's microphone and camera. */
export interface ParticipantRecordingConfig {
  participantId: string
  fileFormat: 'webm' | 'mp4'
}
/** A file for each time that one kind of stream is on. */
export interface TrackRecordingConfig {
  participantId: string
  kind: 'audio' | 'video' | 'screen_audio' | 'screen_video'
  fileFormat: 'webm' | 'mp4' | 'mp3'
}

/** Several participants in one picture, drawn when the recording has stopped. */
export interface CompositeConfig {
  /** Who and which of their streams; null: the first who send something, also those who come later. */
  participants: { participantId: string; kinds: TrackRecordingConfig['kind'][] }[] | null
  marks: Mark[]
  fileFormat: 'mp4' | 'webm'
}

/** The engines of this process. */
export interface Outputs {
  recording: OutputEngine<RecordingConfig>
  hls: HlsEngine
  livestream: OutputEngine<LivestreamConfig>
  transcription: TranscriptionEngine
  participant: OutputEngine<ParticipantRecordingConfig>
  track: OutputEngine<TrackRecordingConfig>
  composite: OutputEngine<CompositeConfig>
}
