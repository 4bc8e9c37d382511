import type { NewDelivery } from './outbox.ts'
import type { OutputFileRecord } from './outputs.ts'
import type { Page, PageOf } from './pages.ts'

/** The kinds of work on outputs that have ended. */
export type JobKind =
  'composite-merge' | 'hls-to-mp4' | 'meeting-recording-merge' | 'participant-merge' | 'post-transcription'

export type JobState = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled'

/** A file of an output that a job reads, with the facts that its kind needs. */
export interface JobInput {
  outputId: string
  file: OutputFileRecord
  /** The participant and the display name; null if it is of a whole meeting. */
  participantId: string | null
  participantName: string | null
  /** The group of the file, for kinds with groups. */
  group: number
}

export interface JobRecord {
  /** 24 hex digits. */
  jobId: string
  kind: JobKind
  projectId: string
  meetingId: string
  sessionId: string
  /** The output that it processes, if there is a single one. */
  outputId: string | null
  /** The options of the order, without secrets. */
  config: Readonly<Record<string, unknown>>
  inputs: readonly JobInput[]
  /** The random part of its addresses. */
  secret: string
  /** The base URL at which its starter reached this server. */
  baseUrl: string
  webhookUrl: string | null
  /** The API key of whoever ordered it; null if it is not known. */
  apiKey: string | null
  state: JobState
  createdAt: number
  /** When the last attempt began; null while it waits. */
  startedAt: number | null
  endedAt: number | null
  files: readonly OutputFileRecord[]
  /** Why it failed: one sentence. */
  problem: string | null
  /** When its files were moved to the file store; null: they are in its folder. */
  storedAt: number | null
}

export type JobChange = Partial<
  Pick<JobRecord, 'state' | 'startedAt' | 'endedAt' | 'files' | 'problem' | 'storedAt'>
>

export interface JobFilter {
  kinds: readonly JobKind[]
  jobId?: string | undefined
  meetingId?: string | undefined
  sessionId?: string | undefined
  outputId?: string | undefined
  state?: JobState | undefined
}

export interface JobStore {
  /** @param uploadTo a secret address to which its file is uploaded; kept sealed */
  create(job: JobRecord, uploadTo?: string): Promise<void>
  change(jobId: string, change: JobChange, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Without those that are marked as deleted. */
  get(jobId: string): Promise<JobRecord | undefined>
  /** Newest first. */
  list(projectId: string, filter: JobFilter, page: Page): Promise<PageOf<JobRecord>>
  /** Those that wait or are being done, oldest first. */
  unfinished(): Promise<JobRecord[]>
  /** Those that ended, whose file is still to be uploaded to an address of the caller, oldest first, at most `limit`. */
  awaitingUpload(limit: number): Promise<{ job: JobRecord; uploadTo: string }[]>
  /** The file has been uploaded, or never will be: forgets the address. */
  endUpload(jobId: string): Promise<void>
  /** Those that ended before `at`, oldest first, at most `limit`: transcriptions alone, or all others. */
  endedBefore(at: number, limit: number, isTranscription: boolean): Promise<JobRecord[]>
  /** Hides the job; its files are deleted later. */
  markDeleted(jobId: string, at: number): Promise<void>
  /** Those that are marked as deleted, oldest first, at most `limit`. */
  deleted(limit: number): Promise<JobRecord[]>
  /** Those that ended, whose files are still in their folders, oldest first, at most `limit`. */
  unstored(limit: number): Promise<JobRecord[]>
  /** Returns whether it was there. */
  delete(jobId: string, at: number): Promise<boolean>
}
