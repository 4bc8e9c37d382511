/** What becomes of a delivery after a try: a rule, without a clock or a die of its own. */
import type { LeasedDelivery, Outcome } from './webhook.ts'

export interface DeliveryPolicy {
  /** Of one try, from the name's lookup to the end of the answer. */
  timeoutMs: number
  /** Before the second try; each later wait is twice as long. */
  firstRetryMs: number
  maxRetryMs: number
  /** How old an event may be and still be tried again. */
  giveUpAfterMs: number
  /** However old it is: one that stood long in line, or is replayed, gets more than one chance. */
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

/** What came back from a receiver, or why nothing did. */
export interface Answer {
  status: number | null
  /** One plain sentence; null when it was taken. */
  error: string | null
}

/** @param random from 0 to 1: waits are between half and all of their length, so that receivers are not hit in step */
export function outcomeOf(
  { attempts, occurredAt }: Pick<LeasedDelivery, 'attempts' | 'occurredAt'>,
  { status, error }: Answer,
  { policy, now, random }: { policy: DeliveryPolicy; now: number; random: number },
): Omit<Outcome, 'tookMs'> {
  if (error === null) return { state: 'delivered', at: now, status, error }
  const waitMs = Math.min(policy.maxRetryMs, policy.firstRetryMs * 2 ** attempts)
  const nextAt = now + Math.ceil(waitMs * (0.5 + random / 2))
  const hopeless = attempts + 1 >= policy.minAttempts && nextAt - occurredAt > policy.giveUpAfterMs
  return hopeless
    ? { state: 'parked', at: now, status, error }
    : { state: 'waiting', at: now, nextAt, status, error }
}
