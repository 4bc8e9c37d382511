/** Rows of usage as series of a plot. Pure. */
import type { UsageRow } from '../../../protocol/rest/usage.ts'

/** The instant at which a day or month in UTC begins. */
export const startOf = (period: string): number =>
  Date.parse(period.length === 7 ? `${period}-01T00:00:00Z` : `${period}T00:00:00Z`)

const day = new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', dateStyle: 'medium' })
const shortDay = new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', day: 'numeric', month: 'short' })
const month = new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', month: 'long', year: 'numeric' })
const shortMonth = new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', month: 'short', year: '2-digit' })

export const formatPeriod = (period: string): string =>
  (period.length === 7 ? month : day).format(startOf(period))
export const formatStart = (at: number, by: 'day' | 'month'): string =>
  (by === 'month' ? month : day).format(at)
export const formatStartOnAxis = (at: number, by: 'day' | 'month'): string =>
  (by === 'month' ? shortMonth : shortDay).format(at)

/** The period before this one. */
export function before(period: string): string {
  const at = new Date(startOf(period))
  if (period.length === 7) at.setUTCMonth(at.getUTCMonth() - 1)
  else at.setUTCDate(at.getUTCDate() - 1)
  return at.toISOString().slice(0, period.length)
}

const nothing = {
  participants: 0,
  participantMinutes: 0,
  peakParticipants: 0,
  receivedBytes: 0,
  sentBytes: 0,
  recordingMinutes: 0,
  broadcastMinutes: 0,
  transcriptionMinutes: 0,
}

/**
 * One row for each of the last `most` periods up to `last`, oldest first. On a day without a row nothing happened, but what was stored
 * before is stored still.
 * @param rows newest first, one for each period
 */
export function everyPeriod(rows: readonly UsageRow[], last: string, most: number): UsageRow[] {
  const oldest = rows.at(-1)
  if (!oldest) return []
  const there = new Map(rows.map((row) => [row.period, row]))
  const periods: string[] = []
  for (let at = last; periods.length < most && at >= oldest.period; at = before(at)) periods.unshift(at)
  let storedBytes = rows.find(({ period }) => period <= periods[0]!)?.storedBytes ?? 0
  return periods.map((period) => {
    const row = there.get(period)
    if (row) storedBytes = row.storedBytes
    return row ?? { ...nothing, period, projectId: oldest.projectId, apiKey: oldest.apiKey, storedBytes }
  })
}
