/**
 * The rows of usage. One is about a day, a month or all days, and about a key, a project or the server: whatever is shown is read from few
 * rows, however long the server has run.
 */
import type { UsageSums } from '../../store.ts'
import type { Schema } from '../schema.ts'

/** As a day: of all days. As a project or a key: of all of them. */
export const ALL = '*'
/** The name of a month as the day of a row. It comes after all days, so a range of days has no months. */
export const monthRow = (month: string): string => `m${month}`

export const columns = {
  participants: 'participants',
  participantMs: 'participant_ms',
  receivedBytes: 'received_bytes',
  sentBytes: 'sent_bytes',
  recordingMs: 'recording_ms',
  broadcastMs: 'broadcast_ms',
  transcriptionMs: 'transcription_ms',
  storedBytes: 'stored_bytes',
} as const satisfies Record<keyof UsageSums, keyof Schema['usage_days']>
export type Column = (typeof columns)[keyof UsageSums]
export const names = Object.keys(columns) as (keyof UsageSums)[]

export const toSums = (row: Record<Column, number>): UsageSums =>
  Object.fromEntries(names.map((name) => [name, row[columns[name]]])) as Record<keyof UsageSums, number>
