import type { NewDelivery } from './outbox.ts'
import type { Page, PageOf } from './pages.ts'

export type OutputKind =
  'recording' | 'hls' | 'livestream' | 'transcription' | 'participant' | 'track' | 'composite'

/** `failed`: it ended by itself; `files` has what was saved until then. */
export type OutputState = 'starting' | 'started' | 'stopping' | 'stopped' | 'failed'

/** A file of an output. It is found at the output's folder and `path`. */
export interface OutputFileRecord {
  fileId: string
  path: string
  type: 'video' | 'audio' | 'text' | 'image' | 'playlist'
  contentType: string
  size: number
  startedAt: number
  endedAt: number
  meta?: { resolution?: { width: number; height: number }; format?: string; duration?: number } | undefined
  /** For an earlier piece: the node that has it on its disk. */
  heldBy?: string
  /** For an earlier piece: whether it is in the file store. */
  isStored?: true
}

/** An output of a session, running or ended. */
export interface OutputRecord {
  /** 24 hex digits. */
  outputId: string
  kind: OutputKind
  projectId: string
  meetingId: string
  sessionId: string
  /** The recorded participant; null if it is of the whole meeting. */
  participantId: string | null
  /** The options of the start, without secrets. */
  config: Readonly<Record<string, unknown>>
  /** The random part of its addresses. */
  secret: string
  /** The base URL at which its starter reached this server. */
  baseUrl: string
  webhookUrl: string | null
  /** The API key of whoever started it; null if the meeting's settings did. */
  apiKey: string | null
  state: OutputState
  createdAt: number
  /** When media began to flow; null before that. */
  startedAt: number | null
  endedAt: number | null
  /** In the order of their creation; those of earlier pieces first. */
  files: readonly OutputFileRecord[]
  /** When its files were moved to the file store; null: they are in its folder. */
  storedAt: number | null
}

export type OutputChange = Partial<
  Pick<OutputRecord, 'state' | 'startedAt' | 'endedAt' | 'files' | 'storedAt'>
>

export interface OutputFilter {
  kind: OutputKind
  meetingId?: string | undefined
  sessionId?: string | undefined
  participantId?: string | undefined
  /** Of a track recording. */
  trackKind?: string | undefined
  /** Only those that have ended. */
  hasEnded?: true | undefined
}

export interface OutputStore {
  /** @param uploadTo a secret address to which its file is uploaded; kept sealed */
  create(output: OutputRecord, deliveries?: readonly NewDelivery[], uploadTo?: string): Promise<void>
  /** An empty change writes only the deliveries. */
  change(outputId: string, change: OutputChange, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Without those that are marked as deleted. */
  get(outputId: string): Promise<OutputRecord | undefined>
  /** Newest first. */
  list(projectId: string, filter: OutputFilter, page: Page): Promise<PageOf<OutputRecord>>
  /** Those that neither stopped nor failed, apart from those with which the next home of a meeting goes on. */
  unfinished(): Promise<OutputRecord[]>
  /** Those that ended before `at`, oldest first, at most `limit`: transcriptions alone, or all others. */
  endedBefore(at: number, limit: number, isTranscription: boolean): Promise<OutputRecord[]>
  /** Hides the output; its files are deleted later. */
  markDeleted(outputId: string, at: number): Promise<void>
  /** Those that are marked as deleted, oldest first, at most `limit`. */
  deleted(limit: number): Promise<OutputRecord[]>
  /** Those that ended, whose files are still in their folders, oldest first, at most `limit`. */
  unstored(limit: number): Promise<OutputRecord[]>
  /** Those that ended, whose file is still to be uploaded to an address of the caller, oldest first, at most `limit`. */
  awaitingUpload(limit: number): Promise<{ output: OutputRecord; uploadTo: string }[]>
  /** The file has been uploaded, or never will be: forgets the address. */
  endUpload(outputId: string): Promise<void>
  /** Returns whether it was there. */
  delete(outputId: string, at: number): Promise<boolean>
  /** The node that has the files of an output or a job on its disk; undefined if it is this one or the only one. */
  elsewhere(id: string): Promise<string | undefined>
  pieces: OutputPieceStore
}

/** What a node made, or makes, of an output that goes on at several nodes, one after the other. Numbered from 1. */
export interface OutputPiece {
  output: OutputRecord
  piece: number
}

/** Pieces of outputs that moved between nodes. A server that is alone has none. */
export interface OutputPieceStore {
  /**
   * Moves the running outputs of a session to this node, and begins a piece of each. Only the home of the meeting may call this.
   * The former node can no longer change them.
   */
  takeOver(meetingId: string, sessionId: string): Promise<OutputPiece[]>
  /** Hands in the files of a piece of this node, whose output moved to another node. Idempotent. */
  handIn(outputId: string, piece: number, files: readonly OutputFileRecord[]): Promise<void>
  /** The pieces of this node that were not handed in. */
  unfinished(): Promise<OutputPiece[]>
  /** The pieces of this node that were handed in and are not in the file store, at most `limit`. */
  unstored(limit: number): Promise<(OutputPiece & { files: OutputFileRecord[] })[]>
  stored(outputId: string, piece: number, at: number): Promise<void>
  /** The nodes that still have to hand in a piece of this output. */
  missing(outputId: string): Promise<string[]>
  /** Deleted outputs of which this node has a piece. */
  ofDropped(): Promise<string[]>
  /** Forgets the pieces that this node has of an output. */
  drop(outputId: string): Promise<void>
}
