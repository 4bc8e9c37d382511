import type { NewDelivery } from './outbox.ts'
import type { Page, PageOf } from './pages.ts'

export type OutputKind =
  'recording' | 'hls' | 'livestream' | 'transcription' | 'participant' | 'track' | 'composite'

/** `failed`: it ended by itself. What it had saved by then is in `files`. */
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
  /** Of an earlier piece: the node on whose disk it is. */
  heldBy?: string
  /** Of an earlier piece: it is in the store of files. */
  isStored?: true
}

/** Something that left, or leaves, a session. */
export interface OutputRecord {
  /** 24 hex digits. */
  outputId: string
  kind: OutputKind
  projectId: string
  meetingId: string
  sessionId: string
  /** Whose recording it is; null if it is of the whole meeting. */
  participantId: string | null
  /** What was asked for, without secrets. */
  config: Readonly<Record<string, unknown>>
  /** The part of its addresses that nobody can guess. */
  secret: string
  /** The address of this server as its starter knows it. */
  baseUrl: string
  webhookUrl: string | null
  /** The API key of whoever started it; null if the meeting's settings did. */
  apiKey: string | null
  state: OutputState
  createdAt: number
  /** When media began to flow; null before that. */
  startedAt: number | null
  endedAt: number | null
  /** In the order in which they were made; those of earlier pieces first. */
  files: readonly OutputFileRecord[]
  /** Since when its files are in the store of files; null: they are in its folder. */
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
  /** Those that have ended alone. */
  hasEnded?: true | undefined
}

export interface OutputStore {
  /** @param uploadTo a secret address to which its file is uploaded; kept sealed */
  create(output: OutputRecord, deliveries?: readonly NewDelivery[], uploadTo?: string): Promise<void>
  /** An empty change writes the deliveries alone. */
  change(outputId: string, change: OutputChange, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Not of those that are marked as deleted. */
  get(outputId: string): Promise<OutputRecord | undefined>
  /** Newest first. */
  list(projectId: string, filter: OutputFilter, page: Page): Promise<PageOf<OutputRecord>>
  /** Those that neither stopped nor failed, apart from those with which the next home of a meeting goes on. */
  unfinished(): Promise<OutputRecord[]>
  /** Those that ended before `at`, oldest first, at most `limit`. */
  endedBefore(at: number, limit: number): Promise<OutputRecord[]>
  /** Nobody sees it any more, but its files are still to be deleted. */
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

/** A server alone has none. */
export interface OutputPieceStore {
  /**
   * What is on in this session is from now on made by this node, which begins a piece of each. Only the home of the meeting may call this.
   * The node that made it until now writes no more about it.
   */
  takeOver(meetingId: string, sessionId: string): Promise<OutputPiece[]>
  /** What this node made of a piece; its output goes on, or went on, at another node. Idempotent. */
  handIn(outputId: string, piece: number, files: readonly OutputFileRecord[]): Promise<void>
  /** Those of this node that were not handed in. */
  unfinished(): Promise<OutputPiece[]>
  /** Those of this node that were handed in and are not in the store of files, at most `limit`. */
  unstored(limit: number): Promise<(OutputPiece & { files: OutputFileRecord[] })[]>
  stored(outputId: string, piece: number, at: number): Promise<void>
  /** The nodes that still have to hand in a piece of this output. */
  missing(outputId: string): Promise<string[]>
  /** Outputs that are gone, of which this node has a piece. */
  ofDropped(): Promise<string[]>
  /** Forgets the pieces that this node has of an output. */
  drop(outputId: string): Promise<void>
}
