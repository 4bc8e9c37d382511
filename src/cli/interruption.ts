/** How the program ends when the system or a person tells it to: on the first signal, at any moment. */
import { constants } from 'node:os'

/** An orderly stop that takes longer is cut short. */
const STOP_LIMIT_MS = 4500
/** npm passes on the Ctrl-C that the terminal has sent already: two signals so soon are one wish. */
const SAME_WISH_MS = 500

/**
 * Takes over SIGINT and SIGTERM. Process 1 of a container would else not end on them, and a server could not stop in order.
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
   * From here on a signal does not end the process at once: whoever calls this stops by itself when `signal` is aborted,
   * and has so long for it.
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
    // Whoever asks a second time does not want to wait.
    setTimeout(() => {
      process.on('SIGINT', leave)
      process.on('SIGTERM', leave)
    }, SAME_WISH_MS).unref()
  }
}

/** Why what was going on was given up. */
class Stopped extends Error {
  override readonly name = 'Stopped'

  constructor() {
    super('The program was told to stop.')
  }
}
