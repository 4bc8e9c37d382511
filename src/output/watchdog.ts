/** Notices that a program no longer does anything. */
import { readdirSync, readFileSync } from 'node:fs'

const LOOK_MS = 250

export interface WatchdogOptions {
  /** So long without a sign of life means that it hangs. */
  limitMs: number
  /** Asked at each look. */
  isAlive?: () => boolean
  /** Called once. */
  onHung: () => void
}

export class Watchdog {
  readonly #timer: ReturnType<typeof setInterval>
  #quietMs = 0

  /** It counts looks instead of reading a clock: while this process got no processor, it could not see a sign of life either. */
  constructor({ limitMs, isAlive, onHung }: WatchdogOptions) {
    this.#timer = setInterval(() => {
      this.#quietMs = isAlive?.() ? 0 : this.#quietMs + LOOK_MS
      if (this.#quietMs <= limitMs) return
      this.close()
      onHung()
    }, LOOK_MS)
  }

  /** There was a sign of life. */
  hear(): void {
    this.#quietMs = 0
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

/**
 * Whether one of its threads runs, or waits for a processor or the disk: on a busy machine it is slow then, and does not hang.
 * Only Linux tells; elsewhere the answer is no.
 */
export function isRunnable(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  try {
    return readdirSync(tasks).some((task) => {
      // The name of the program, in brackets, may contain anything.
      const state = /.*\) (\w)/s.exec(readFileSync(`${tasks}/${task}/stat`, 'latin1'))?.[1]
      return state === 'R' || state === 'D'
    })
  } catch {
    return false
  }
}
