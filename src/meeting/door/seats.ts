/**
 * Seats of admitted applicants who have not joined. Nobody inside sees such a seat, so it expires after a while.
 */
import type { Participant } from '../roster/participant.ts'

export interface SeatsOptions {
  /** The time from admission to join. */
  timeoutMs: number
  now: () => number
  onTimeout: (participant: Participant) => void
}

export class Seats {
  readonly #options: SeatsOptions
  readonly #entering = new Map<Participant, { admittedAt: number; timer: NodeJS.Timeout }>()

  constructor(options: SeatsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entering.size
  }

  /** The number of seats with this token. */
  countOf(tokenId: string): number {
    let count = 0
    for (const participant of this.#entering.keys()) if (participant.tokenId === tokenId) count++
    return count
  }

  entries(): { participant: Participant; admittedAt: number }[] {
    return [...this.#entering].map(([participant, { admittedAt }]) => ({ participant, admittedAt }))
  }

  take(participant: Participant): void {
    const { now } = this.#options
    this.#entering.set(participant, { admittedAt: now(), timer: this.#timer(participant) })
  }

  /** The applicant has joined or left. */
  release(participant: Participant): void {
    clearTimeout(this.#entering.get(participant)?.timer)
    this.#entering.delete(participant)
  }

  #timer(participant: Participant): NodeJS.Timeout {
    const { timeoutMs, onTimeout } = this.#options
    return setTimeout(() => {
      const seat = this.#entering.get(participant)!
      // Its join is being written, so the delay is not the client's.
      if (participant.enrolled) seat.timer = this.#timer(participant)
      else onTimeout(participant)
    }, timeoutMs).unref()
  }
}
