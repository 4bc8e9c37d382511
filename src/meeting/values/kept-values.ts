/** Writes the shared values of a session a moment after they are set, so that the next home of the meeting has them. */
import { Refusal } from '../../protocol/errors.ts'
import type { SessionValue, Store } from '../../store/store.ts'

export interface KeptValuesOptions {
  sessionId: string
  store: NonNullable<Store['sessionValues']>
  onError: (error: unknown, doing: string) => void
}

/** At most this much is lost when a home dies. */
const BEHIND_MS = 1000

export class KeptValues {
  readonly #options: KeptValuesOptions
  readonly #changed = new Map<string, SessionValue>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #dropped = false
  #stopped = false

  constructor(options: KeptValuesOptions) {
    this.#options = options
  }

  readonly set = (value: SessionValue): void => {
    if (this.#dropped || this.#stopped) return
    this.#changed.set(value.key, value)
    this.#timer ??= setTimeout(() => void this.flush(), BEHIND_MS).unref()
  }

  /** Writes what has changed. A failed write is repeated a moment later. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const values = [...this.#changed.values()]
    this.#changed.clear()
    if (values.length === 0) return this.#writing
    const { sessionId, store, onError } = this.#options
    this.#writing = this.#writing.then(async () => {
      try {
        if (!this.#dropped) await store.put(sessionId, values)
      } catch (error) {
        // Another node is the home now: its values count.
        if (error instanceof Refusal && error.reason === 'fenced') {
          this.#stopped = true
          return
        }
        if (!this.#stopped) {
          for (const value of values) if (!this.#changed.has(value.key)) this.#changed.set(value.key, value)
          this.#timer ??= setTimeout(() => void this.flush(), BEHIND_MS).unref()
        }
        onError(error, 'failed to write shared values')
      }
    })
    return this.#writing
  }

  /** The session is to go on elsewhere: writes what is left, and nothing after that. */
  stop(): Promise<void> {
    const written = this.flush()
    this.#stopped = true
    return written
  }

  /** The session has ended. */
  async drop(): Promise<void> {
    this.#dropped = true
    clearTimeout(this.#timer)
    await this.#writing
    await this.#options.store.drop(this.#options.sessionId)
  }
}
