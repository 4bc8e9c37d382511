/** How often something may be tried: by each of many, and by all together. Holds a bounded number of them. */
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

/** So many in a minute, at once or spread over it. */
export const perMinute = (times: number): Rate => ({ perSecond: times / 60, burst: times })

const MAX_REMEMBERED = 10_000

export class Attempts {
  readonly #options: AttemptsOptions
  readonly #overall: TokenBucket | undefined
  readonly #buckets = new Map<string, TokenBucket>()
  /** Who tried last. */
  #latest: string | undefined

  constructor(options: AttemptsOptions) {
    const { overall, now } = options
    this.#options = options
    this.#overall = overall && new TokenBucket(overall.perSecond, overall.burst, now)
  }

  /** False when the limit is reached. `who` is a caller's network, or whatever else is limited. */
  take(who: string): boolean {
    const {
      each: { perSecond, burst },
      now,
    } = this.#options
    const bucket = this.#buckets.get(who) ?? new TokenBucket(perSecond, burst, now)
    // The map is in the order of the last try; most often the same one tries again.
    if (who !== this.#latest) {
      this.#buckets.delete(who)
      if (this.#buckets.size >= MAX_REMEMBERED) {
        const [longestAgo] = this.#buckets.keys()
        this.#buckets.delete(longestAgo!)
      }
      this.#buckets.set(who, bucket)
      this.#latest = who
    }
    // One over its own limit takes nothing from the others.
    return bucket.take() && (this.#overall?.take() ?? true)
  }

  /** Whether `take` would be refused for its own limit. */
  isSpent(who: string): boolean {
    return this.#buckets.get(who)?.isSpent ?? false
  }

  /** @throws {Refusal} RATE_LIMITED when the limit is reached, with the time until it is not */
  demand(who: string, message?: string): void {
    if (!this.take(who)) throw this.refusal(message)
  }

  refusal(message?: string): Refusal {
    const retryAfterSeconds = Math.ceil(1 / this.#options.each.perSecond)
    return new Refusal('RATE_LIMITED', { retryAfterSeconds, ...(message !== undefined && { message }) })
  }
}
