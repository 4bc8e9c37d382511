import type { OutputKind } from './outputs.ts'
import type { Page, PageOf } from './pages.ts'

/** Amounts of usage. Each can be added up over days, keys and projects. */
export interface UsageSums {
  /** People who joined a session; one who returns to it counts once. */
  participants: number
  participantMs: number
  /** Bytes of media from and to participants, as far as they were measured. */
  receivedBytes: number
  sentBytes: number
  recordingMs: number
  /** HLS and livestreams. */
  broadcastMs: number
  transcriptionMs: number
  /** How much the stored files grew; negative if more was deleted. */
  storedBytes: number
}

/** Amounts to add to the sums of a day, a project and a key. */
export interface UsageAddition extends Partial<UsageSums> {
  /** In UTC: `2026-01-31`. */
  day: string
  projectId: string
  /** Null if it is unknown, or if no key was involved. */
  apiKey: string | null
}

/** The most participants at once on a day. */
export interface UsagePeak {
  day: string
  /** Null: all projects together. */
  projectId: string | null
  /** Null: all keys together. Empty: no known key. */
  apiKey: string | null
  participants: number
}

export interface UncountedStay {
  projectId: string
  apiKey: string | null
  joinedAt: number
  leftAt: number | null
  /** The participant had been in this session before. */
  isReturn: boolean
}

/** An output or a job that has ended. */
export interface UncountedOutput {
  id: string
  /** Null: it is a job. */
  kind: OutputKind | null
  projectId: string
  apiKey: string | null
  startedAt: number | null
  endedAt: number
  bytes: number
}

export interface CountedUse {
  /** Counts the stays that began and ended by this instant. */
  upTo: number
  /** The number of these stays. */
  stays: number
  /** The new value of `countedUpTo`. */
  countedUpTo: number
  outputs: readonly UncountedOutput[]
  additions: readonly UsageAddition[]
  peaks: readonly UsagePeak[]
}

export interface UsageQuery {
  by: 'day' | 'month'
  /** Days, both inclusive. */
  from: string
  to: string
  /** What a row is about. */
  per: 'server' | 'project' | 'key'
  projectId?: string | undefined
  apiKey?: string | undefined
}

/** Of a period. */
export interface UsageRow extends UsageSums {
  /** `2026-01-31`, or `2026-01`. */
  period: string
  /** Null: all. */
  projectId: string | null
  /** Null: all. Empty: no known key. */
  apiKey: string | null
  /** The most participants at once. */
  peak: number
}

/** Usage per day. It outlives the records of sessions and outputs from which it is counted. */
export interface UsageStore {
  /** The stays that are open or not counted yet, in the order of joining. */
  uncountedStays(limit: number): Promise<UncountedStay[]>
  /** The outputs and jobs that have ended and are not counted yet, oldest first. */
  uncountedOutputs(limit: number): Promise<UncountedOutput[]>
  /** The instant up to which peaks have been counted; 0 before the first time. */
  countedUpTo(): Promise<number>
  /** Counts in one transaction. Returns false, and counts nothing, if other rows are to be counted by now. */
  count(use: CountedUse): Promise<boolean>
  add(additions: readonly UsageAddition[]): Promise<void>
  /** The newest period first. `storedBytes` is what was stored at its end. */
  list(query: UsageQuery, page: Page): Promise<PageOf<UsageRow>>
  /** Deletes what was kept of earlier days, and of months that ended before, at most `limit` rows of each. The sums of all days stay. Returns how many it deleted. */
  dropBefore(day: string, limit: number): Promise<number>
  /** Sums of all days, for each project and key. `storedBytes` is what is stored. */
  totals(): Promise<(UsageSums & { projectId: string; apiKey: string })[]>
  /** The peaks of a day, for each project and key. */
  peaksOf(day: string): Promise<{ projectId: string; apiKey: string; participants: number }[]>
}
