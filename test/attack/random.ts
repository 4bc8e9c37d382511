/** Reproducible randomness: everything in a run follows from its seed. */
export class Random {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#state = this.seed
  }

  /** From 0 to 1, excluding 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to `below` − 1. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** Some elements of a list, in random order. */
  some<T>(from: readonly T[], atMost = from.length): T[] {
    return [...from]
      .map((value) => ({ value, at: this.next() }))
      .sort((one, other) => one.at - other.at)
      .slice(0, this.below(atMost + 1))
      .map(({ value }) => value)
  }
}

/** `ATTACK_SEED`, or a new seed each time; printed, so that a failed run can be repeated. */
export function seedOf(what: string): number {
  const given = process.env.ATTACK_SEED
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
  console.log(`${what}: ATTACK_SEED=${seed}`)
  return seed
}
