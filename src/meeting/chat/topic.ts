import { FLUSH_BYTES } from './limits.ts'
import { mayHear, newMessages, type Encoded } from './message.ts'
import type { Subscription } from './subscription.ts'

/** One topic of a session: the order of its messages, and its subscribers. */
export class Topic {
  readonly name: string
  /** The number of the last message that was stored and sent; later ones are not history yet. */
  #heardTo: number
  readonly subscriptions = new Set<Subscription>()
  #seq = 0
  #turn: Promise<void> | undefined
  #pending: Uint8Array[] = []
  #pendingBytes = 0

  constructor(name: string, heardTo: number) {
    this.name = name
    this.#heardTo = heardTo
  }

  get unused(): boolean {
    return this.subscriptions.size === 0 && !this.#turn
  }

  get heardTo(): number {
    return this.#heardTo
  }

  /** Numbers public messages, so that clients notice gaps; private messages have no number. */
  nextSeq(): number {
    return ++this.#seq
  }

  /**
   * Runs `then` with the result of `before`, after it and after all earlier calls; at once if there is nothing
   * to wait for.
   */
  async inTurn(
    before: (() => Promise<number>) | undefined,
    then: (number: number | undefined) => void,
  ): Promise<void> {
    if (!before && !this.#turn) {
      then(undefined)
      return
    }
    const earlier = this.#turn
    const turn = (async () => {
      // Start both at once: the store orders its writes itself.
      const [own] = await Promise.allSettled([before?.(), earlier])
      if (own.status === 'rejected') throw own.reason
      then(own.value)
    })()
    const settled = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#turn = settled
    void settled.then(() => {
      if (this.#turn === settled) this.#turn = undefined
    })
    await turn
  }

  /** `number`: of a stored message. */
  deliver(said: Encoded, number: number | undefined): void {
    if (number !== undefined) this.#heardTo = number
    if (this.subscriptions.size === 0) return
    if (said.sendOnly.length > 0) {
      this.flush()
      const frame = newMessages(this.name, [said.bytes])
      for (const subscription of this.subscriptions) {
        if (mayHear(subscription.participantId, said)) subscription.offer(frame, [said.bytes])
      }
      return
    }
    // Messages of one turn of the event loop are sent together, encoded once for all recipients.
    if (this.#pending.length === 0) setImmediate(() => this.flush())
    this.#pending.push(said.bytes)
    this.#pendingBytes += said.bytes.length
    if (this.#pendingBytes >= FLUSH_BYTES) this.flush()
  }

  flush(): void {
    if (this.#pending.length === 0) return
    const payloads = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    const frame = newMessages(this.name, payloads)
    for (const subscription of this.subscriptions) subscription.offer(frame, payloads)
  }
}
