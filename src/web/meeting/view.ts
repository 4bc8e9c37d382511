/** Parts of a meeting that change alone. A component that shows one redraws when that part changes, and not otherwise. */
import type { Meeting, MeetingEvents } from '../../client/client.ts'

/** Calls back on each change. Returns the way to stop. */
export type Subscribe = (onChange: () => void) => () => void

export interface View<T> {
  /** The same value, by identity, for as long as nothing in it differs. */
  get: () => T
  /** Calls back only when `get` returns another value. */
  subscribe: Subscribe
}

/**
 * @param read works the value out of what is there now; it is small, since it runs on every signal
 * @param signals when to read again
 */
export function viewOf<T>(read: () => T, ...signals: Subscribe[]): View<T> {
  let last: { value: T } | undefined
  const get = (): T => {
    const value = read()
    if (!last || !isSame(last.value, value)) last = { value }
    return last.value
  }
  return {
    get,
    subscribe: (onChange) => {
      let told = get()
      const check = (): void => {
        const now = get()
        if (now === told) return
        told = now
        onChange()
      }
      const stops = signals.map((signal) => signal(check))
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** Whenever the meeting emits one of these. */
export function onEvents(meeting: Pick<Meeting, 'on'>, ...events: (keyof MeetingEvents)[]): Subscribe {
  return (onChange) => {
    const stops = events.map((event) => meeting.on(event, () => onChange()))
    return () => stops.forEach((stop) => stop())
  }
}

/** Lists and plain objects are compared by what they hold, everything else by identity. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, at) => isSame(value, other[at]))
  if (!isPlain(one) || !isPlain(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  )
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
