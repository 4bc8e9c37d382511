import type { AutoClose as Config } from '../../store/store.ts'

export interface AutoCloseOptions {
  now: () => number
  /** Called again while it rejects. */
  close: (type: Config['type']) => Promise<void>
  onError: (error: unknown, message: string) => void
}

const RETRY_MS = 5000
const MINUTE_MS = 60_000
/** The longest delay of a timer in the runtime. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Closes a session after the duration in its meeting's `autoCloseConfig`. */
export class AutoClose {
  readonly #options: AutoCloseOptions
  #timer: NodeJS.Timeout | undefined
  #isArmed = false

  constructor(options: AutoCloseOptions) {
    this.#options = options
  }

  arm(startedAt: number, config: Config): void {
    this.#isArmed = true
    const leftMs = startedAt + config.duration * MINUTE_MS - this.#options.now()
    const wait = Math.min(Math.max(leftMs, 0), MAX_TIMER_MS)
    this.#after(wait, () => {
      if (leftMs > MAX_TIMER_MS) this.arm(startedAt, config)
      else this.#close(config.type)
    })
  }

  cancel(): void {
    this.#isArmed = false
    clearTimeout(this.#timer)
  }

  #close(type: Config['type']): void {
    const { close, onError } = this.#options
    close(type).catch((error: unknown) => {
      onError(error, 'failed to close a session at its time limit')
      if (this.#isArmed) this.#after(RETRY_MS, () => this.#close(type))
    })
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, ms).unref()
  }
}
