/** Sends messages no faster than the server accepts them: one undo may bring back thousands of shapes. */
import type { ClientMessage } from '../../protocol/whiteboard.ts'

export interface OutboxOptions {
  send: (text: string) => void
  now: () => number
}

/** A little below the server's limits (`api/whiteboard/sockets.ts`), because messages may arrive closer together than they were sent. */
const PER_SECOND = 50
const BURST = 500
const BYTES_OF_ONE = 16_384
const LOOK_EVERY_MS = 100

export class Outbox {
  readonly #options: OutboxOptions
  readonly #waiting: string[] = []
  #left = BURST
  #countedAt: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#countedAt = options.now()
  }

  push(message: ClientMessage): void {
    this.#waiting.push(JSON.stringify(message))
    this.#letOut()
  }

  /** Discards the messages that wait. */
  close(): void {
    this.#waiting.length = 0
    clearTimeout(this.#timer)
  }

  #letOut(): void {
    const { send, now } = this.#options
    const at = now()
    this.#left = Math.min(BURST, this.#left + ((at - this.#countedAt) / 1000) * PER_SECOND)
    this.#countedAt = at
    for (let next; (next = this.#waiting[0]) !== undefined;) {
      const cost = 1 + Math.floor(next.length / BYTES_OF_ONE)
      if (this.#left < cost) break
      this.#left -= cost
      this.#waiting.shift()
      send(next)
    }
    if (this.#waiting.length === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#letOut()
    }, LOOK_EVERY_MS)
  }
}
