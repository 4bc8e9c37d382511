/** When a delivery is attempted again, and when it is given up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy as policy, outcomeOf } from './schedule.ts'

const FAILED = { status: 500, error: 'The receiver answered 500.', answer: null }
const DELIVERED = { status: 204, error: null, answer: null }
const LATE = policy.giveUpAfterMs

/** Attempts before this one, age of the event in ms, random part; the wait in seconds or the state. */
const table: [attempts: number, ageMs: number, random: number, expected: number | 'parked'][] = [
  [0, 0, 1, 2],
  [1, 0, 1, 4],
  [4, 0, 1, 32],
  [0, 0, 0, 1],
  [4, 0, 0.5, 24],
  // Never longer than an hour.
  [12, 0, 1, 3600],
  [60, 0, 1, 3600],
  // An old event is given up, but not before its third attempt.
  [0, LATE, 0.5, 1.5],
  [1, LATE, 0.5, 3],
  [2, LATE, 0.5, 'parked'],
  [9, LATE, 0.5, 'parked'],
  // Its next attempt would be too late.
  [9, LATE - 1000, 0.5, 'parked'],
  [9, LATE - 3_600_000, 0.5, 768],
]
for (const [attempts, ageMs, random, expected] of table) {
  const title = `attempt ${attempts + 1} at an event ${ageMs / 1000} s old fails: ${
    expected === 'parked' ? 'given up' : `again after ${expected} s`
  }`
  test(title, () => {
    const now = 1_000_000 + ageMs
    const outcome = outcomeOf({ attempts, occurredAt: 1_000_000 }, FAILED, { policy, now, random })
    assert.deepEqual(
      outcome,
      expected === 'parked'
        ? { state: 'parked', at: now, ...FAILED }
        : { state: 'waiting', at: now, nextAt: now + expected * 1000, ...FAILED },
    )
  })
}

test('an attempt that the receiver accepts is the last, however old the event is', () => {
  const outcome = outcomeOf({ attempts: 30, occurredAt: 0 }, DELIVERED, { policy, now: 10 * LATE, random: 1 })
  assert.deepEqual(outcome, { state: 'delivered', at: 10 * LATE, ...DELIVERED })
})
