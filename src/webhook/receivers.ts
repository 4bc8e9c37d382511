/** Limits the deliveries in flight per receiver, so that a slow or dead receiver does not use up the slots of the others. */

/** A receiver is an origin, whatever the paths of its webhooks. */
interface Receiver {
  busy: number
  /** Moving average of its response time. */
  tookMs: number
  /** Estimated time at which the deferred deliveries will have been sent. */
  lineEndsAt: number
}

/** A slot for one request in flight. */
export interface Place {
  /** Returns the slot, with the response time if a request was sent. */
  leave: (tookMs: number | undefined) => void
}

/** The assumed response time of an unknown receiver. */
const USUAL_MS = 100
/** The longest deferral, because the estimate may be wrong by then. */
const MAX_POSTPONED_MS = 60_000

export class Receivers {
  readonly #atOnce: number
  readonly #random: () => number
  readonly #known = new Map<string, Receiver>()

  constructor(atOnce: number, random: () => number) {
    this.#atOnce = atOnce
    this.#random = random
  }

  /** A slot that must be returned; or the time until which to defer, about when those ahead will have been sent. */
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

  /** Forgets receivers with nothing in flight and nothing deferred. */
  sweep(now: number): void {
    for (const [origin, { busy, lineEndsAt }] of this.#known)
      if (busy === 0 && lineEndsAt <= now) this.#known.delete(origin)
  }
}
