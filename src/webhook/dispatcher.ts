/** Sends due deliveries from the outbox to their receivers: in order per meeting, at least once, a bounded number at a time. */
import { traced, type Span } from '../tracing/tracing.ts'
import { Receivers, type Place } from './receivers.ts'
import { outcomeOf, type DeliveryPolicy } from './schedule.ts'
import type { Sender } from './sender.ts'
import type { Signer } from './signer.ts'
import { steadyClock } from './steady-clock.ts'
import type { LeasedDelivery, Outbox, Outcome } from './webhook.ts'

export interface DispatcherOptions {
  outbox: Outbox
  signer: Signer
  sender: Sender
  policy: DeliveryPolicy
  now: () => number
  /** From 0 to 1. */
  random: () => number
  /** Called with the outcome of each attempt. */
  onSettled: (delivery: LeasedDelivery, outcome: Outcome) => void
  onError: (error: unknown, message: string) => void
}

/** Deliveries in flight at the same time, to all receivers and to one. */
const AT_ONCE = 256
const AT_ONCE_TO_ONE = 8
/** How often to look for deliveries that another process wrote or that have become due. */
const POLL_MS = 1000
/** A lease outlives an attempt by this, for signing before and settling after it. */
const LEASE_MARGIN_MS = 5000
/** How long deliveries in flight may take when the server stops. */
const STOP_MS = 1000

export class Dispatcher {
  readonly #options: DispatcherOptions
  /** The clock that decides what is due. */
  readonly #now: () => number
  readonly #receivers: Receivers
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #cut = new AbortController()
  #running: Promise<void> | undefined
  #stopped = false
  #woken = false
  #wakeUp: (() => void) | undefined
  /** When the first deferred delivery is due. */
  #expectedAt = Infinity

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#now = steadyClock(options.now)
    this.#receivers = new Receivers(AT_ONCE_TO_ONE, options.random)
  }

  start(): void {
    this.#options.outbox.onWritten(() => this.#wake())
    this.#running = this.#run()
  }

  /** Lets deliveries in flight complete, or leaves them to the next start. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
    const timer = setTimeout(() => this.#cut.abort(), STOP_MS)
    await Promise.all(this.#underWay.values())
    clearTimeout(timer)
    this.#options.sender.close()
  }

  #wake(): void {
    this.#woken = true
    this.#wakeUp?.()
  }

  async #run(): Promise<void> {
    const { onError, outbox, policy } = this.#options
    const at = this.#now()
    await outbox
      .repairAfterClockSkew(at, at + policy.maxRetryMs, at + policy.timeoutMs + LEASE_MARGIN_MS)
      .catch((error: unknown) => onError(error, 'failed to read the outbox'))
    while (!this.#stopped) {
      this.#woken = false
      try {
        const all = await this.#round()
        if (!all) continue
      } catch (error) {
        onError(error, 'failed to read the outbox')
      }
      await this.#sleep(Math.min(POLL_MS, Math.max(0, this.#expectedAt - this.#now())))
    }
  }

  /** Returns whether everything that was due is now in flight or deferred. */
  async #round(): Promise<boolean> {
    const { outbox, policy } = this.#options
    const free = AT_ONCE - this.#underWay.size
    if (free === 0) return true
    const at = this.#now()
    this.#receivers.sweep(at)
    if (this.#expectedAt <= at) this.#expectedAt = Infinity
    const due = await outbox.lease(at, at + policy.timeoutMs + LEASE_MARGIN_MS, free)
    const deferred = []
    for (const delivery of due) {
      const { deliveryId } = delivery
      if (this.#underWay.has(deliveryId)) continue
      const place = this.#receivers.enter(delivery.endPoint, at)
      if ('until' in place) {
        deferred.push({ deliveryId, until: place.until })
        this.#expectedAt = Math.min(this.#expectedAt, place.until)
        continue
      }
      const done = this.#deliver(delivery, place)
        .catch((error: unknown) => this.#options.onError(error, 'failed to deliver to a webhook'))
        .finally(() => {
          this.#underWay.delete(deliveryId)
          this.#wake()
        })
      this.#underWay.set(deliveryId, done)
    }
    await outbox.defer(deferred)
    return due.length < free
  }

  #deliver(delivery: LeasedDelivery, place: Place): Promise<void> {
    const { deliveryId, event, meetingId, attempts } = delivery
    return traced('webhook delivery', (span) => this.#try(delivery, place, span), {
      kind: 'client',
      // An attempt starts when it is due, so it belongs to no request.
      parent: 'none',
      attributes: {
        'anteroom.delivery_id': deliveryId,
        'anteroom.event': event,
        'anteroom.meeting_id': meetingId,
        'anteroom.attempt': attempts + 1,
      },
    })
  }

  async #try(delivery: LeasedDelivery, place: Place, span: Span | undefined): Promise<void> {
    const { outbox, signer, sender, policy, now, random, onSettled } = this.#options
    const { deliveryId, event, endPoint, occurredAt, attempts } = delivery
    let tookMs: number | undefined
    try {
      const body = Buffer.from(delivery.body)
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Anteroom',
        'videosdk-signature': await signer.sign(body),
        'anteroom-delivery-id': deliveryId,
        'anteroom-event': event,
        'anteroom-occurred-at': String(occurredAt),
        'anteroom-attempt': String(attempts + 1),
      }
      const sentAt = this.#now()
      const answer = await sender.send(endPoint, headers, body, this.#cut.signal)
      tookMs = this.#now() - sentAt
      if (!answer) {
        await outbox.defer([{ deliveryId, until: this.#now() }])
        return
      }
      const decision = outcomeOf(delivery, answer, { policy, now: this.#now(), random: random() })
      // People read this instant, so it comes from the real clock.
      const outcome = { ...decision, at: now(), tookMs: Math.max(0, Math.round(tookMs)) }
      await outbox.settle(deliveryId, outcome)
      if (answer.status !== null) span?.set({ 'http.response.status_code': answer.status })
      if (outcome.state !== 'delivered') span?.end(outcome.state)
      onSettled(delivery, outcome)
    } finally {
      place.leave(tookMs)
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wakeUp = undefined
  }
}
