/** Ends the program on the first signal, at any moment. */
import { constants } from 'node:os'

/** How long an orderly stop may take. */
export const STOP_LIMIT_MS = 4500
/** npm repeats a Ctrl-C that the terminal has already sent; two signals within this time count as one. */
const SAME_WISH_MS = 500

/**
 * Handles SIGINT and SIGTERM. Without this, process 1 of a container would ignore them, and a server could not stop in order.
 */
export class Interruption {
  readonly #controller = new AbortController()
  #limitMs: number | undefined

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#hear(signal))
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * From here on a signal does not end the process at once. The caller must stop by itself when `signal` is aborted,
   * within the time given.
   */
  takeTime(limitMs = STOP_LIMIT_MS): void {
    this.#limitMs = limitMs
  }

  #hear(signal: 'SIGINT' | 'SIGTERM'): void {
    if (this.#limitMs === undefined) process.exit(128 + constants.signals[signal])
    if (this.signal.aborted) return
    this.#controller.abort(new Stopped())
    const leave = (): never => process.exit(0)
    setTimeout(leave, this.#limitMs).unref()
    // A second signal means that the user does not want to wait.
    setTimeout(() => {
      process.on('SIGINT', leave)
      process.on('SIGTERM', leave)
    }, SAME_WISH_MS).unref()
  }
}

/** Why the work was abandoned. */
class Stopped extends Error {
  override readonly name = 'Stopped'

  constructor() {
    super('The program was told to stop.')
  }
}
