/** What follows from an answer to an upload (docs/files.md). Pure. */
import type { UploadAnswer } from '../../output/files/files.ts'

export interface TriedUpload {
  answer: UploadAnswer
  /** How often it was tried, this time included. */
  tries: number
  /** When the recording ended, ms since the epoch. */
  endedAt: number
  now: number
}

/** `again` after `waitMs`; `given-up`: no further try can succeed, or it is too late. */
export type AfterUpload = { next: 'done' } | { next: 'again'; waitMs: number } | { next: 'given-up' }

const FIRST_RETRY_MS = 5000
const LAST_RETRY_MS = 15 * 60_000
/** Addresses that are signed for S3 end after at most seven days, most of them after hours. */
const LAST_TRY_MS = 24 * 60 * 60_000
/** The receiver says itself that another try may succeed. */
const PASSING = new Set([408, 425, 429])

export function afterUpload({ answer, tries, endedAt, now }: TriedUpload): AfterUpload {
  const { status, problem } = answer
  if (problem === undefined) return { next: 'done' }
  const isFinal = status !== undefined && status < 500 && !PASSING.has(status)
  if (isFinal || now - endedAt > LAST_TRY_MS) return { next: 'given-up' }
  return { next: 'again', waitMs: Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS) }
}
