/** Counts how much of something each key has; forgets keys that have nothing. */
export class Tally {
  readonly #amounts = new Map<string, number>()

  of(who: string): number {
    return this.#amounts.get(who) ?? 0
  }

  add(who: string, amount: number): void {
    const there = this.of(who) + amount
    if (there > 0) this.#amounts.set(who, there)
    else this.#amounts.delete(who)
  }
}
