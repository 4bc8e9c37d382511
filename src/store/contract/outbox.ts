import type { Page, PageOf } from './pages.ts'

/** An event to be sent to a webhook, written in the same transaction as the fact that it reports. */
export interface NewDelivery {
  /** Chosen by the server; unique. Receivers use it to drop duplicates. */
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

/** `waiting`: tried at `nextAt`, or after the delivery before it. `parked`: not retried until somebody replays it. */
export type DeliveryState = 'waiting' | 'delivered' | 'parked'

export interface DeliveryRecord extends NewDelivery {
  state: DeliveryState
  attempts: number
  /** Null while another delivery of the same queue (meeting and endpoint) is ahead of it. */
  nextAt: number | null
  lastStatus: number | null
  lastError: string | null
  settledAt: number | null
}

/** A delivery that reports an output or a job. */
export type ReportingDelivery = Pick<DeliveryRecord, 'event' | 'state'> & { about: string }

/** One attempt to deliver. */
export interface DeliveryTry {
  /** When the answer or the failure was known. */
  at: number
  tookMs: number
  /** HTTP status of the answer; null if there was no answer. */
  status: number | null
  /** One plain sentence; null if the receiver accepted it. */
  error: string | null
  /** How the body of the answer begins; null if there was none, or in records of older versions. */
  answer: string | null
}

export interface DeliveryOutcome extends DeliveryTry {
  state: DeliveryState
  /** When to try again, if `waiting`. */
  nextAt?: number
}

export interface DeliveryFilter {
  state?: DeliveryState
  meetingId?: string
  event?: string
}

/**
 * Queues of webhook deliveries, one queue per meeting and endpoint. A process leases a delivery before it sends it, so that
 * several processes can work on the same outbox.
 */
export interface OutboxStore {
  /** Leases the head of each queue that is due and not leased, until `leasedUntil`; at most `limit`. */
  lease(now: number, leasedUntil: number, limit: number): Promise<DeliveryRecord[]>
  /** Records the outcome of an attempt. If it was delivered or parked, the next delivery of its queue is due at once. */
  settle(deliveryId: string, outcome: DeliveryOutcome): Promise<void>
  /** What reports these outputs or jobs, oldest first; without those that retention has dropped. */
  reporting(ids: readonly string[]): Promise<ReportingDelivery[]>
  get(projectId: string, deliveryId: string): Promise<DeliveryRecord | undefined>
  /** The latest attempts, oldest first, including those before a replay. */
  tries(deliveryId: string): Promise<DeliveryTry[]>
  /** Newest first. */
  list(projectId: string, page: Page, filter?: DeliveryFilter): Promise<PageOf<DeliveryRecord>>
  /** Releases leased deliveries without an attempt; each is due again at its `until`. */
  defer(deliveries: readonly { deliveryId: string; until: number }[]): Promise<void>
  /**
   * Makes deliveries scheduled after `dueBy` due at `now`, and releases leases that expire after `leasedBy`. Both can only
   * come from a clock that ran ahead.
   */
  repairAfterClockSkew(now: number, dueBy: number, leasedBy: number): Promise<void>
  /** Calls the listener when this process has written deliveries. `lease` finds what other processes wrote. */
  onWritten(listener: () => void): void
  /** Puts a parked or delivered one at the end of its queue again, under the same id. Returns false if there is none. */
  replay(projectId: string, deliveryId: string, at: number): Promise<boolean>
  /** Replays deliveries that were parked until `at`, oldest first, at most `limit`. Returns how many. */
  replayParked(projectId: string, at: number, limit: number): Promise<number>
  backlog(): Promise<{ waiting: number; parked: number; oldestAt: number | null }>
  /** Deletes deliveries that were settled before `at`, at most `limit`. Returns how many it deleted. */
  dropSettledBefore(at: number, limit: number): Promise<number>
}
