/** Formats figures, times and reasons in the reader's time zone and language. Pure functions. */

const dateSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const clockSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: 'numeric',
  minute: '2-digit',
})
const yearAndClock = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
})

export type Instant = number | string

/** An instant in either notation, as ms since the epoch. */
export const ms = (instant: Instant): number => (typeof instant === 'number' ? instant : Date.parse(instant))

/** To the minute; with the year only if it is not the current one. */
export const formatInstant = (instant: Instant): string => {
  const at = new Date(ms(instant))
  return (at.getFullYear() === new Date().getFullYear() ? dayAndClock : yearAndClock).format(at)
}
export const formatExactInstant = (instant: Instant): string => dateSeconds.format(ms(instant))
export const formatTime = (instant: Instant): string => clock.format(ms(instant))
export const formatExactTime = (instant: Instant): string => clockSeconds.format(ms(instant))

/** For an axis: the hour if the axis shows one day, otherwise the day too. */
export const formatOnAxis = (at: number, spanMs: number): string =>
  spanMs > 86_400_000 ? dayAndClock.format(at) : spanMs < 600_000 ? clockSeconds.format(at) : clock.format(at)

/** `45 s`, `12 min`, `3 h 05 min`, `4 days`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60)
    return minutes < 10 && seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} days`
}

/** `3 min ago`, `in 2 h 10 min`. */
export function formatDistance(instant: Instant, now: number): string {
  const away = ms(instant) - now
  return Math.abs(away) < 5000 ? 'just now' : away < 0 ? `${formatSpan(-away)} ago` : `in ${formatSpan(away)}`
}

/** Bits per second. */
export function formatBitrate(value: number): string {
  if (value < 1000) return `${Math.round(value)} b/s`
  if (value < 1e6) return `${formatNumber(value / 1000)} kb/s`
  return value < 1e9 ? `${formatNumber(value / 1e6)} Mb/s` : `${formatNumber(value / 1e9)} Gb/s`
}

export function formatBytes(value: number): string {
  if (value < 1_048_576) return `${Math.round(value / 1024)} KiB`
  return value < 1_073_741_824
    ? `${formatNumber(value / 1_048_576)} MiB`
    : `${formatNumber(value / 1_073_741_824)} GiB`
}

export const formatNumber = (value: number): string =>
  value >= 100 || Number.isInteger(value)
    ? Math.round(value).toLocaleString()
    : value.toFixed(value < 10 ? 1 : 0)

/** `1 use`, `3 uses`. */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${value.toLocaleString()} ${value === 1 ? one : many}`

const REASONS: Record<string, string> = {
  WEBSOCKET_DISCONNECTED: 'Connection lost',
  REMOVE_PEER: 'Removed by somebody inside',
  REMOVE_PEER_MEDIA_RELAY_STOP: 'Media relay stopped',
  SWITCH_ROOM: 'Went to another meeting',
  ROOM_CLOSE: 'Meeting closed',
  UNKNOWN: 'Unknown',
  REMOVE_ALL: 'Ended for all by somebody inside',
  MEETING_END_API: 'Ended by the operator',
  REMOVE_PEER_API: 'Removed by the operator',
  DUPLICATE_PARTICIPANT: 'Joined from another place',
  MANUAL_LEAVE_CALLED: 'Left',
}

/** Why somebody left, or a session ended. */
export const formatReason = (reason: string | null | undefined): string =>
  reason === null || reason === undefined || reason === '' ? '–' : (REASONS[reason] ?? inWords(reason))

const inWords = (name: string): string => {
  const words = name.toLowerCase().replaceAll(/[_-]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
