/** A rate limit: `perSecond` on average, up to `burst` at once. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #now: () => number
  #level: number
  #at: number

  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#now = now
    this.#level = burst
    this.#at = now()
  }

  /** Returns false, and takes nothing, if the limit is reached. */
  take(amount = 1): boolean {
    this.#fill()
    if (this.#level < amount) return false
    this.#level -= amount
    return true
  }

  /** Whether `take` would fail. */
  get isSpent(): boolean {
    this.#fill()
    return this.#level < 1
  }

  #fill(): void {
    const now = this.#now()
    this.#level = Math.min(this.#burst, this.#level + (Math.max(0, now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
  }
}
