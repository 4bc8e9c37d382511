/**
 * Reports what happened in a meeting to the customer's backend. The interfaces that it needs for its outbox and its secret are
 * declared here; `store/` implements both.
 */

/** Where events are sent, and which (contract, rest-and-tokens §3.2). */
export interface Webhook {
  endPoint: string
  events: readonly string[]
}

/** The parts of a meeting that a webhook needs. */
export interface AnnouncedMeeting {
  meetingId: string
  projectId: string
  settings: { webhook?: Webhook }
}

/** An event to be sent. */
export interface Delivery {
  /** Receivers use it to drop duplicates. */
  deliveryId: string
  projectId: string
  meetingId: string
  sessionId: string
  event: string
  endPoint: string
  /** The exact bytes to send, as text in UTF-8. */
  body: string
  occurredAt: number
  /** The output or job that it reports; null for other events. */
  about: string | null
}

/** A delivery that this process has leased and should attempt now. */
export interface LeasedDelivery extends Delivery {
  /** Number of earlier attempts. */
  attempts: number
}

export interface Outcome {
  state: 'waiting' | 'delivered' | 'parked'
  at: number
  /** Time from the request to the answer or failure. */
  tookMs: number
  /** When to try again, if `waiting`. */
  nextAt?: number
  status: number | null
  error: string | null
  /** How the body of the answer begins; null if there was none. */
  answer: string | null
}

/** Queues of deliveries, one per meeting and receiver; only the head of a queue is ever due. */
export interface Outbox {
  lease(now: number, leasedUntil: number, limit: number): Promise<LeasedDelivery[]>
  settle(deliveryId: string, outcome: Outcome): Promise<void>
  repairAfterClockSkew(now: number, dueBy: number, leasedBy: number): Promise<void>
  defer(deliveries: readonly { deliveryId: string; until: number }[]): Promise<void>
  onWritten(listener: () => void): void
}

/** Stores the signing key, sealed. */
export interface Secrets {
  get(name: string): Promise<string | undefined>
  /** Returns the value that is there then. */
  setIfAbsent(name: string, value: string): Promise<string>
}
