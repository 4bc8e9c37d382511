/**
 * Tells the customer's backend what happened in a meeting. What it needs of an outbox and of a place for a secret is
 * said here; `store/` has both.
 */

/** Where events are told, and which (contract, rest-and-tokens §3.2). */
export interface Webhook {
  endPoint: string
  events: readonly string[]
}

/** A meeting, as far as its webhook goes. */
export interface ToldMeeting {
  meetingId: string
  projectId: string
  settings: { webhook?: Webhook }
}

/** An event on its way. */
export interface Delivery {
  /** Receivers drop doubles by it. */
  deliveryId: string
  projectId: string
  meetingId: string
  sessionId: string
  event: string
  endPoint: string
  /** The exact bytes to send, as text in UTF-8. */
  body: string
  occurredAt: number
}

/** One that is to be tried now. */
export interface LeasedDelivery extends Delivery {
  /** How often it was tried before. */
  attempts: number
}

export interface Outcome {
  state: 'waiting' | 'delivered' | 'parked'
  at: number
  /** From the request to the answer or the failure. */
  tookMs: number
  /** With `waiting`: when it is tried again. */
  nextAt?: number
  status: number | null
  error: string | null
}

/** Lines of deliveries, one for each meeting and receiver; only the first of a line is ever due. */
export interface Outbox {
  lease(now: number, leasedUntil: number, limit: number): Promise<LeasedDelivery[]>
  settle(deliveryId: string, outcome: Outcome): Promise<void>
  repairAfterClockSkew(now: number, dueBy: number, leasedBy: number): Promise<void>
  defer(deliveries: readonly { deliveryId: string; until: number }[]): Promise<void>
  onWritten(listener: () => void): void
}

/** Where the signing key is kept, sealed. */
export interface Secrets {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
}
