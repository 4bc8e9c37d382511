/** How many may be under way to one receiver, so that one that is slow or dead does not take the places of the others. */

/** Of one origin, whatever the paths of its webhooks. */
interface Receiver {
  busy: number
  /** How long it takes, on the late average. */
  tookMs: number
  /** When those that were sent away will have had their turn. */
  lineEndsAt: number
}

/** A request may be under way for as long as this is not given back. */
export interface Place {
  /** With how long the receiver took, if it was asked. */
  leave: (tookMs: number | undefined) => void
}

/** What is thought of a receiver that nothing is known of. */
const USUAL_MS = 100
/** The longest that somebody is sent away for, by an estimate that may be wrong by now. */
const MAX_POSTPONED_MS = 60_000

export class Receivers {
  readonly #atOnce: number
  readonly #random: () => number
  readonly #known = new Map<string, Receiver>()

  constructor(atOnce: number, random: () => number) {
    this.#atOnce = atOnce
    this.#random = random
  }

  /** A place, to be given back; or until when to stand aside, which is about as long as those before it will take. */
  enter(endPoint: string, now: number): Place | { until: number } {
    const origin = URL.canParse(endPoint) ? new URL(endPoint).origin : endPoint
    const receiver = this.#known.get(origin) ?? { busy: 0, tookMs: USUAL_MS, lineEndsAt: 0 }
    this.#known.set(origin, receiver)
    if (receiver.busy >= this.#atOnce) {
      receiver.lineEndsAt = Math.max(receiver.lineEndsAt, now) + receiver.tookMs / this.#atOnce
      const most = now + MAX_POSTPONED_MS * (0.5 + this.#random() / 2)
      return { until: Math.ceil(Math.min(receiver.lineEndsAt, most)) }
    }
    receiver.busy++
    return {
      leave: (tookMs) => {
        receiver.busy--
        if (tookMs !== undefined) receiver.tookMs = (receiver.tookMs + Math.max(1, tookMs)) / 2
      },
    }
  }

  /** Forgets those with nobody under way and nobody in line. */
  sweep(now: number): void {
    for (const [origin, { busy, lineEndsAt }] of this.#known)
      if (busy === 0 && lineEndsAt <= now) this.#known.delete(origin)
  }
}
