import type { OutputKind } from './outputs.ts'
import type { Page, PageOf } from './pages.ts'

/** What was used. Each is a sum; amounts of several days, keys or projects are added up. */
export interface UsageSums {
  /** People who joined a session; one who returns to it counts once. */
  participants: number
  participantMs: number
  /** Media from participants and to them, as far as it was measured. */
  receivedBytes: number
  sentBytes: number
  recordingMs: number
  /** HLS and livestreams. */
  broadcastMs: number
  transcriptionMs: number
  /** How much the stored files grew; negative if more was deleted. */
  storedBytes: number
}

/** What is to be added to the sums of a day, a project and a key. */
export interface UsageAddition extends Partial<UsageSums> {
  /** In UTC: `2026-01-31`. */
  day: string
  projectId: string
  /** Null if it is not known, or if it was not a key that asked. */
  apiKey: string | null
}

/** The most participants at once on a day. */
export interface UsagePeak {
  day: string
  /** Null: in all projects together. */
  projectId: string | null
  /** Null: with all keys together. The empty text: with none that is known. */
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
  /** Stays that began and ended by this instant are counted now. */
  upTo: number
  /** How many those are. */
  stays: number
  /** What `countedUpTo` returns from now on. */
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
  /** Null: all. The empty text: none that is known. */
  apiKey: string | null
  /** The most participants at once. */
  peak: number
}

/** What was used on each day. It outlives the records of sessions and outputs from which it is counted. */
export interface UsageStore {
  /** Those that go on or are not counted yet, in the order of joining. */
  uncountedStays(limit: number): Promise<UncountedStay[]>
  /** Those that have ended and are not counted yet, oldest first. */
  uncountedOutputs(limit: number): Promise<UncountedOutput[]>
  /** The instant up to which peaks have been counted; 0 before the first time. */
  countedUpTo(): Promise<number>
  /** Counts in one step. Returns false, and counts nothing, if there are others to be counted than these by now. */
  count(use: CountedUse): Promise<boolean>
  add(additions: readonly UsageAddition[]): Promise<void>
  /** The newest period first. `storedBytes` is what was stored at its end. */
  list(query: UsageQuery, page: Page): Promise<PageOf<UsageRow>>
  /** Sums of all days, for each project and key. `storedBytes` is what is stored. */
  totals(): Promise<(UsageSums & { projectId: string; apiKey: string })[]>
  /** The peaks of a day, for each project and key. */
  peaksOf(day: string): Promise<{ projectId: string; apiKey: string; participants: number }[]>
}
