import type { Subscribe } from '../../protocol/chat.ts'
import { DEFAULT_QUEUE_SIZE, LIMIT_WINDOW_MS, MAX_BACKLOG_BYTES, MAX_QUEUE_SIZE, TOO_SLOW } from './limits.ts'
import type { ChatLink } from './link.ts'
import { newMessages } from './message.ts'

/** One participant's subscription to one topic, shared by all its listeners. */
export class Subscription {
  readonly participantId: string
  readonly #topic: string
  readonly #link: ChatLink
  #limit: number
  #queueSize: number
  #drops: boolean
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Messages that arrive during a replay; sent after it. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #replays = 0
  #sentInWindow = 0
  #window: NodeJS.Timeout | undefined

  constructor(participantId: string, topic: string, link: ChatLink, asked: Subscribe) {
    this.participantId = participantId
    this.#topic = topic
    this.#link = link
    this.#limit = Math.max(asked.newMessageLimit, 0)
    this.#queueSize = queueSizeOf(asked)
    this.#drops = asked.realtimeOverflow === 'drop'
  }

  /** Adds another listener of the same participant; the more generous limits win. */
  widen(asked: Subscribe): void {
    this.#limit =
      asked.newMessageLimit <= 0 ? 0 : this.#limit === 0 ? 0 : Math.max(this.#limit, asked.newMessageLimit)
    this.#queueSize = Math.max(this.#queueSize, queueSizeOf(asked))
    this.#drops &&= asked.realtimeOverflow === 'drop'
  }

  /** `frame` holds all of `payloads`. */
  offer(frame: Uint8Array, payloads: readonly Uint8Array[]): void {
    if (this.#limit === 0) this.#send(frame)
    else for (const payload of payloads) this.#offerOne(payload)
  }

  close(): void {
    clearInterval(this.#window)
    this.#queue = []
    this.#held = []
  }

  /** Holds messages back until `release` has been called as often. */
  hold(): void {
    this.#replays++
  }

  release(): void {
    if (--this.#replays > 0) return
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const frame of held) this.#link.send(frame)
  }

  #offerOne(payload: Uint8Array): void {
    this.#window ??= setInterval(() => this.#nextWindow(), LIMIT_WINDOW_MS).unref()
    if (this.#sentInWindow < this.#limit && this.#queue.length === 0) {
      this.#sentInWindow++
      this.#send(newMessages(this.#topic, [payload]))
    } else if (!this.#drops) {
      this.#queue.push(payload)
      this.#queuedBytes += payload.length
      // Drop the oldest; the client sees the gap in the numbers.
      while (this.#queue.length > this.#queueSize || this.#queuedBytes > MAX_BACKLOG_BYTES)
        this.#queuedBytes -= this.#queue.shift()!.length
    }
  }

  #nextWindow(): void {
    const due = this.#queue.splice(0, this.#limit)
    for (const payload of due) this.#queuedBytes -= payload.length
    this.#sentInWindow = due.length
    if (due.length > 0) this.#send(newMessages(this.#topic, due))
    else {
      clearInterval(this.#window)
      this.#window = undefined
    }
  }

  #send(frame: Uint8Array): void {
    const backlogBytes = this.#replays > 0 ? this.#heldBytes : this.#link.backlogBytes
    if (backlogBytes > MAX_BACKLOG_BYTES) {
      if (!this.#drops) this.#link.close(TOO_SLOW, 'too slow')
    } else if (this.#replays > 0) {
      this.#held.push(frame)
      this.#heldBytes += frame.length
    } else this.#link.send(frame)
  }
}

function queueSizeOf({ queueSize }: Subscribe): number {
  return queueSize > 0 ? Math.min(queueSize, MAX_QUEUE_SIZE) : DEFAULT_QUEUE_SIZE
}
