/** Limits how often something may be tried, per caller and in total. Remembers a bounded number of callers. */
import { Refusal } from '../../protocol/errors.ts'
import { TokenBucket } from './token-bucket.ts'

export interface Rate {
  perSecond: number
  burst: number
}

export interface AttemptsOptions {
  each: Rate
  /** Default: no limit. */
  overall?: Rate
  now: () => number
}

/** A number of attempts per minute, at once or spread out. */
export const perMinute = (times: number): Rate => ({ perSecond: times / 60, burst: times })

const MAX_REMEMBERED = 10_000

export class Attempts {
  readonly #options: AttemptsOptions
  readonly #overall: TokenBucket | undefined
  readonly #buckets = new Map<string, TokenBucket>()
  /** The caller who tried last. */
  #latest: string | undefined

  constructor(options: AttemptsOptions) {
    const { overall, now } = options
    this.#options = options
    this.#overall = overall && new TokenBucket(overall.perSecond, overall.burst, now)
  }

  /** Returns false if the limit is reached. `who` is a caller's network, or another key. */
  take(who: string): boolean {
    const {
      each: { perSecond, burst },
      now,
    } = this.#options
    const bucket = this.#buckets.get(who) ?? new TokenBucket(perSecond, burst, now)
    // The map is ordered by the last attempt; usually the same caller tries again.
    if (who !== this.#latest) {
      this.#buckets.delete(who)
      if (this.#buckets.size >= MAX_REMEMBERED) {
        const [longestAgo] = this.#buckets.keys()
        this.#buckets.delete(longestAgo!)
      }
      this.#buckets.set(who, bucket)
      this.#latest = who
    }
    // A caller over its own limit uses nothing of the total.
    return bucket.take() && (this.#overall?.take() ?? true)
  }

  /** Whether `take` would fail because of the caller's own limit. */
  isSpent(who: string): boolean {
    return this.#buckets.get(who)?.isSpent ?? false
  }

  /** @throws {Refusal} RATE_LIMITED if the limit is reached, with the time to wait */
  takeOrThrow(who: string, message?: string): void {
    if (!this.take(who)) throw this.refusal(message)
  }

  refusal(message?: string): Refusal {
    const retryAfterSeconds = Math.ceil(1 / this.#options.each.perSecond)
    return new Refusal('RATE_LIMITED', { retryAfterSeconds, ...(message !== undefined && { message }) })
  }
}
