import { Unwrapped, type RtpPacket } from './packet.ts'

export interface Ordered {
  packet: RtpPacket
  /** When it arrived, in ms. */
  arrivedAt: number
  /** Whether packets before it are lost. */
  isAfterLoss: boolean
}

/** How long to wait for a missing packet: the media server requests it again, so it arrives late. */
const WAIT_MS = 300
/** The most packets that wait: some seconds of video. */
const LIMIT = 1024
/** A jump this large is a new numbering, not a loss. */
const JUMP = 3000

/** Puts packets into the order of sending, and drops duplicates and late ones. */
export class ReorderBuffer {
  readonly #waiting = new Map<number, { packet: RtpPacket; arrivedAt: number }>()
  #sequences = new Unwrapped(16)
  #next: number | undefined
  readonly #waitMs: number

  /** @param waitMs how long to wait for a missing packet */
  constructor(waitMs = WAIT_MS) {
    this.#waitMs = waitMs
  }

  /** Calls `take` for each packet that is in order now. */
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

  /** Gives up on packets after the waiting time. Call it regularly. */
  tick(now: number, take: (ordered: Ordered) => void): void {
    while (this.#waiting.size > 0) {
      // The map keeps the order of arrival.
      const [oldest] = this.#waiting.values()
      if (now - oldest!.arrivedAt < this.#waitMs) return
      this.#skip(take)
    }
  }

  /** Stops waiting and returns all packets. */
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
