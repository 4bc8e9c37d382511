/** When a certificate is renewed, and when a failed attempt is repeated. Pure functions. */

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

export interface RetryTimes {
  /** The wait after the first failure; it doubles after each further one. */
  firstMs: number
  longestMs: number
}

/** Let's Encrypt allows five failed attempts an hour. */
export const RETRY_TIMES: RetryTimes = { firstMs: 5 * MINUTE_MS, longestMs: 6 * HOUR_MS }
const LONGEST_ASKED_MS = 24 * HOUR_MS

/** A certificate is renewed when two thirds of its lifetime are over. All in ms since the epoch. */
export function renewalAt({ issuedAt, expiresAt }: { issuedAt: number; expiresAt: number }): number {
  return issuedAt + ((expiresAt - issuedAt) * 2) / 3
}

/**
 * The wait before the next attempt, in ms.
 * @param failures how many attempts failed in a row, from 1
 * @param askedSeconds the wait that the ACME server named
 */
export function retryDelayMs(
  failures: number,
  askedSeconds: number | undefined,
  { firstMs, longestMs }: RetryTimes = RETRY_TIMES,
): number {
  const own = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs)
  return Math.max(own, Math.min((askedSeconds ?? 0) * 1000, LONGEST_ASKED_MS))
}
