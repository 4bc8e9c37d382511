/** Decides the next state of a delivery after an attempt. Pure: time and randomness are arguments. */
import type { LeasedDelivery, Outcome } from './webhook.ts'

export interface DeliveryPolicy {
  /** Timeout of one attempt, from name lookup to the end of the answer. */
  timeoutMs: number
  /** The wait before the second attempt; each later wait is twice as long. */
  firstRetryMs: number
  maxRetryMs: number
  /** How old an event may be and still be retried. */
  giveUpAfterMs: number
  /** Minimum number of attempts, however old the event is: it may have queued long or been replayed. */
  minAttempts: number
}

const HOUR_MS = 3_600_000

export const defaultPolicy: DeliveryPolicy = {
  timeoutMs: 10_000,
  firstRetryMs: 2000,
  maxRetryMs: HOUR_MS,
  giveUpAfterMs: 24 * HOUR_MS,
  minAttempts: 3,
}

/** The answer of a receiver, or the reason for its absence. */
export interface Answer {
  status: number | null
  /** One plain sentence; null if the receiver accepted it. */
  error: string | null
  /** How its body begins; null if there is none. */
  answer: string | null
}

/** @param random from 0 to 1: adds jitter (half to full wait), so that receivers do not get bursts */
export function outcomeOf(
  { attempts, occurredAt }: Pick<LeasedDelivery, 'attempts' | 'occurredAt'>,
  told: Answer,
  { policy, now, random }: { policy: DeliveryPolicy; now: number; random: number },
): Omit<Outcome, 'tookMs'> {
  if (told.error === null) return { state: 'delivered', at: now, ...told }
  const waitMs = Math.min(policy.maxRetryMs, policy.firstRetryMs * 2 ** attempts)
  const nextAt = now + Math.ceil(waitMs * (0.5 + random / 2))
  const hopeless = attempts + 1 >= policy.minAttempts && nextAt - occurredAt > policy.giveUpAfterMs
  return hopeless ? { state: 'parked', at: now, ...told } : { state: 'waiting', at: now, nextAt, ...told }
}
