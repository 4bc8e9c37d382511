/** Values derived from a meeting. A component that uses one redraws only when that value changes. */
import type { Meeting, MeetingEvents } from '../../client/client.ts'

/** Calls `onChange` after each change. Returns a function that stops it. */
export type Subscribe = (onChange: () => void) => () => void

export interface View<T> {
  /** Returns the same object as long as the value is equal. */
  get: () => T
  /** Calls back only if `get` returns another value. */
  subscribe: Subscribe
}

/**
 * @param read computes the current value; keep it cheap, because it runs on every signal
 * @param signals when to compute it again
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

/** A signal for each of these events. */
export function onEvents(meeting: Pick<Meeting, 'on'>, ...events: (keyof MeetingEvents)[]): Subscribe {
  return (onChange) => {
    const stops = events.map((event) => meeting.on(event, () => onChange()))
    return () => stops.forEach((stop) => stop())
  }
}

/** Compares lists and plain objects by their entries, everything else by identity. */
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
