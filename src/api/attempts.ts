/** How often something may be tried: by those of one address, and by all together. Holds a bounded number of addresses. */
import { isIPv6 } from 'node:net'
import { TokenBucket } from './token-bucket.ts'

export interface Rate {
  perSecond: number
  burst: number
}

export interface AttemptsOptions {
  perAddress: Rate
  /** Default: no limit. */
  overall?: Rate
  now: () => number
}

const MAX_ADDRESSES = 10_000

export class Attempts {
  readonly #options: AttemptsOptions
  readonly #overall: TokenBucket | undefined
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(options: AttemptsOptions) {
    const { overall, now } = options
    this.#options = options
    this.#overall = overall && new TokenBucket(overall.perSecond, overall.burst, now)
  }

  /** False when the limit is reached. */
  take(address: string): boolean {
    const {
      perAddress: { perSecond, burst },
      now,
    } = this.#options
    const from = networkOf(address)
    const bucket = this.#buckets.get(from) ?? new TokenBucket(perSecond, burst, now)
    this.#buckets.delete(from)
    if (this.#buckets.size >= MAX_ADDRESSES) {
      const [longestAgo] = this.#buckets.keys()
      this.#buckets.delete(longestAgo!)
    }
    this.#buckets.set(from, bucket)
    // An address over its own limit takes nothing from the others.
    return bucket.take() && (this.#overall?.take() ?? true)
  }
}

/** An IPv6 address stands for its /64: whoever has one has all of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [left = '', right] = address.split('%')[0]!.split('::')
  const groups = left.split(':').filter((group) => group !== '')
  const after = right?.split(':').filter((group) => group !== '') ?? []
  const zeros = Array.from({ length: Math.max(8 - groups.length - after.length, 0) }, () => '0')
  return [...groups, ...zeros, ...after].slice(0, 4).join(':')
}
