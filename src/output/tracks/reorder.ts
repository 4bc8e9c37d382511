import { Unwrapped, type RtpPacket } from '../rtp.ts'

export interface Ordered {
  packet: RtpPacket
  /** When it came, in ms. */
  arrivedAt: number
  /** Packets before it are lost. */
  isAfterLoss: boolean
}

/** How long a missing packet is waited for: it is asked for again by the media server, and comes late. */
const WAIT_MS = 300
/** More would not be waited for: some seconds of video. */
const LIMIT = 1024
/** A jump this far is another stream of numbers, not a loss. */
const JUMP = 3000

/** Puts packets in the order in which they were sent, and leaves out what comes twice or too late. */
export class ReorderBuffer {
  readonly #waiting = new Map<number, { packet: RtpPacket; arrivedAt: number }>()
  #sequences = new Unwrapped(16)
  #next: number | undefined

  /** Calls `take` for each packet that is now in order. */
  push(packet: RtpPacket, now: number, take: (ordered: Ordered) => void): void {
    let sequence = this.#sequences.of(packet.sequence)
    if (this.#next !== undefined && Math.abs(sequence - this.#next) > JUMP) {
      this.flush(take)
      this.#sequences = new Unwrapped(16)
      sequence = this.#sequences.of(packet.sequence)
      this.#next = sequence
      this.#deliver(sequence, { packet, arrivedAt: now }, true, take)
      return
    }
    this.#next ??= sequence
    if (sequence < this.#next || this.#waiting.has(sequence)) return
    if (sequence === this.#next) {
      this.#deliver(sequence, { packet, arrivedAt: now }, false, take)
      this.#deliverReady(take)
      return
    }
    this.#waiting.set(sequence, { packet, arrivedAt: now })
    if (this.#waiting.size > LIMIT) this.#skip(take)
  }

  /** Gives up on packets that were waited for long enough. To be called from time to time. */
  tick(now: number, take: (ordered: Ordered) => void): void {
    while (this.#waiting.size > 0) {
      // They are kept in the order in which they came.
      const [oldest] = this.#waiting.values()
      if (now - oldest!.arrivedAt < WAIT_MS) return
      this.#skip(take)
    }
  }

  /** Waits no longer. */
  flush(take: (ordered: Ordered) => void): void {
    while (this.#waiting.size > 0) this.#skip(take)
  }

  #skip(take: (ordered: Ordered) => void): void {
    const lowest = Math.min(...this.#waiting.keys())
    const waiting = this.#waiting.get(lowest)!
    this.#waiting.delete(lowest)
    this.#deliver(lowest, waiting, true, take)
    this.#deliverReady(take)
  }

  #deliverReady(take: (ordered: Ordered) => void): void {
    for (let waiting; (waiting = this.#waiting.get(this.#next!));) {
      this.#waiting.delete(this.#next!)
      this.#deliver(this.#next!, waiting, false, take)
    }
  }

  #deliver(
    sequence: number,
    waiting: { packet: RtpPacket; arrivedAt: number },
    isAfterLoss: boolean,
    take: (ordered: Ordered) => void,
  ): void {
    this.#next = sequence + 1
    take({ ...waiting, isAfterLoss })
  }
}
