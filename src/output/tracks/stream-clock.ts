import { Unwrapped } from '../../rtp/packet.ts'

/** The window of arrivals that are compared: the fastest packet shows the offset of the sender's clock. */
const WINDOW_MS = 30_000
const BUCKET_MS = 1000
/** The speed of corrections, in ms per second: faster than clocks drift, and too slow to be heard. */
const SLEW_PER_S = 1
/** Up to this age, the offset may be corrected at once, because nothing has been written yet. */
const SETTLE_MS = 600
/** A larger difference is no drift: the sender's time has jumped. */
const JUMP_MS = 2500

/**
 * Places the frames of a stream on our timeline. Their timestamps give the distances between them, and their arrivals
 * the position on our clock. The network delays packets unevenly but never speeds one up, so the fastest arrival
 * counts. Drift between the clocks is followed slowly.
 */
export class StreamClock {
  readonly #ticksPerMs: number
  readonly #timestamps = new Unwrapped(32)
  /** The smallest difference of arrival and timestamp in each second. */
  #buckets: { at: number; least: number }[] = []
  #offset: number | undefined
  #settledAt = 0
  #slewedAt = 0

  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1000
  }

  /** Takes a packet, in the order of sending. Returns its time on the sender's clock, in ms. */
  hear(timestamp: number, arrivedAt: number): number {
    const sentAt = this.#timestamps.of(timestamp) / this.#ticksPerMs
    const difference = arrivedAt - sentAt
    if (this.#offset === undefined || Math.abs(difference - this.#offset) > JUMP_MS) {
      this.#buckets = []
      this.#offset = difference
      this.#settledAt = arrivedAt + SETTLE_MS
      this.#slewedAt = arrivedAt
    }
    const last = this.#buckets.at(-1)
    if (last && arrivedAt - last.at < BUCKET_MS) last.least = Math.min(last.least, difference)
    else {
      this.#buckets.push({ at: arrivedAt, least: difference })
      while (arrivedAt - this.#buckets[0]!.at > WINDOW_MS) this.#buckets.shift()
    }
    this.#follow(arrivedAt)
    return sentAt
  }

  /** Converts a time to our clock. */
  timeOf(sentAt: number): number {
    return sentAt + (this.#offset ?? 0)
  }

  #follow(now: number): void {
    const target = this.#buckets.reduce((least, bucket) => Math.min(least, bucket.least), Infinity)
    if (now <= this.#settledAt) this.#offset = target
    else {
      const step = (Math.max(0, now - this.#slewedAt) / 1000) * SLEW_PER_S
      this.#offset! += Math.max(-step, Math.min(step, target - this.#offset!))
    }
    this.#slewedAt = now
  }
}
