import type { Page, PageOf } from './pages.ts'

/** An event on its way to a webhook, written with the fact that it tells. */
export interface NewDelivery {
  /** Ours, unique; receivers drop doubles by it. */
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

/** `waiting`: to be tried at `nextAt`, or after the one before it; `parked`: given up until somebody replays it. */
export type DeliveryState = 'waiting' | 'delivered' | 'parked'

export interface DeliveryRecord extends NewDelivery {
  state: DeliveryState
  attempts: number
  /** Null while it stands in line behind another of the same meeting and receiver. */
  nextAt: number | null
  lastStatus: number | null
  lastError: string | null
  settledAt: number | null
}

/** One attempt to deliver, when its answer or failure was known. */
export interface DeliveryTry {
  at: number
  tookMs: number
  /** Of the answer; null when none came. */
  status: number | null
  /** One plain sentence; null when it was taken. */
  error: string | null
}

export interface DeliveryOutcome extends DeliveryTry {
  state: DeliveryState
  /** With `waiting`: when it is tried again. */
  nextAt?: number
}

export interface DeliveryFilter {
  state?: DeliveryState
  meetingId?: string
  event?: string
}

/** Events on their way to webhooks: in order for each meeting and receiver, leased so that several processes may work on it. */
export interface OutboxStore {
  /** The first of each line that is due and not leased; leased until then by this call. */
  lease(now: number, leasedUntil: number, limit: number): Promise<DeliveryRecord[]>
  /** What came of a leased one. Delivered or parked, the next of its line is due at once. */
  settle(deliveryId: string, outcome: DeliveryOutcome): Promise<void>
  get(projectId: string, deliveryId: string): Promise<DeliveryRecord | undefined>
  /** The latest ones, in the order in which they were made, those before a replay included. */
  tries(deliveryId: string): Promise<DeliveryTry[]>
  /** Newest first. */
  list(projectId: string, page: Page, filter?: DeliveryFilter): Promise<PageOf<DeliveryRecord>>
  /** Lets leased ones go untried, to be leased again from then on. */
  defer(deliveries: readonly { deliveryId: string; until: number }[]): Promise<void>
  /**
   * Makes due at `now` what is due only after `dueBy`, and takes back leases beyond `leasedBy`: both were written by a
   * clock that was ahead.
   */
  repairAfterClockSkew(now: number, dueBy: number, leasedBy: number): Promise<void>
  /** Told when this process wrote what is to be delivered; what others wrote is found by `lease`. */
  onWritten(listener: () => void): void
  /** Tries a parked or delivered one again, with its id and at the end of its line. False when there is none such. */
  replay(projectId: string, deliveryId: string, at: number): Promise<boolean>
  /** Replays what was parked until `at`, oldest first, at most `limit`. Answers how many. */
  replayParked(projectId: string, at: number, limit: number): Promise<number>
  backlog(): Promise<{ waiting: number; parked: number; oldestAt: number | null }>
  /** Deletes what was settled before, at most `limit`. Answers how many. */
  dropSettledBefore(at: number, limit: number): Promise<number>
}
