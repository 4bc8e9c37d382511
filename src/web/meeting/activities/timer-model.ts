/** What the page shows of the timer. Pure functions, and a view. */
import type { Meeting, Timer } from '../../../client/client.ts'
import { onEvents, viewOf, type View } from '../view.ts'

/** As the server limits it, in `protocol/requests.ts`. */
export const MAX_MINUTES = 24 * 60

/** What is left of the timer, in ms; 0 when it has run out. @param now `performance.now()` */
export function leftOf({ endsAt, pausedLeftMs }: Timer, now: number): number {
  return pausedLeftMs ?? Math.max(0, endsAt - now)
}

/** A time that is left as `1:05` or `1:00:05`. A second that has begun counts, so that `0:00` is the end. */
export function clockOf(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000)
  const pad = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${hours > 0 ? `${hours}:${pad(minutes)}` : minutes}:${pad(seconds % 60)}`
}

/** When the shown time changes next, in ms from now; undefined if it does not. */
export function nextTickIn(timer: Timer, now: number): number | undefined {
  const leftMs = leftOf(timer, now)
  if (timer.pausedLeftMs !== undefined || leftMs <= 0) return undefined
  return leftMs - (Math.ceil(leftMs / 1000) - 1) * 1000
}

/** The seconds that a moderator wrote as minutes; undefined if that is no time for a timer. */
export function secondsOf(minutes: string): number | undefined {
  const seconds = Math.round(Number(minutes.replace(',', '.')) * 60)
  return seconds >= 1 && seconds <= MAX_MINUTES * 60 ? seconds : undefined
}

/** The timer of the session. */
export function timerView(meeting: Meeting): View<Timer | undefined> {
  return viewOf(() => meeting.timer, onEvents(meeting, 'timerChanged'))
}
