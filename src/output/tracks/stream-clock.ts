import { Unwrapped } from '../rtp.ts'

/** Arrivals of this long are compared: the quickest of them tells how the sender's clock stands to ours. */
const WINDOW_MS = 30_000
const BUCKET_MS = 1000
/** How fast a difference is taken up, in ms for each second: quicker than clocks drift, too slow to be heard. */
const SLEW_PER_S = 1
/** Until then the first difference may be corrected at once: nothing has been written yet. */
const SETTLE_MS = 600
/** A difference this large is no drift; the sender's time jumped. */
const JUMP_MS = 2500

/**
 * Tells when the frames of a stream belong on our timeline. The timestamps of its packets say how far apart they are; arrivals say
 * where that is on our clock. The network delays packets unevenly but never makes one early, so the quickest arrival counts.
 * What two clocks drift apart is followed slowly.
 */
export class StreamClock {
  readonly #ticksPerMs: number
  readonly #timestamps = new Unwrapped(32)
  /** The smallest of arrival less timestamp, for each second. */
  #buckets: { at: number; least: number }[] = []
  #offset: number | undefined
  #settledAt = 0
  #slewedAt = 0

  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1000
  }

  /** Hears of a packet in the order of sending. Answers its time on the sender's clock, in ms. */
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

  /** On our clock. */
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
