import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renewalAt, RETRY_TIMES, retryDelayMs } from './times.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

test('a certificate is renewed after two thirds of its lifetime', () => {
  assert.equal(renewalAt({ issuedAt: 0, expiresAt: 90 * DAY_MS }), 60 * DAY_MS)
  assert.equal(renewalAt({ issuedAt: 1000, expiresAt: 1000 + 6 * DAY_MS }), 1000 + 4 * DAY_MS)
})

test('a failed attempt is repeated ever later, and at most five times an hour', () => {
  const rows: [failures: number, asked: number | undefined, minutes: number][] = [
    [1, undefined, 5],
    [2, undefined, 10],
    [3, undefined, 20],
    [7, undefined, 320],
    [8, undefined, 360],
    [1000, undefined, 360],
    [1, 60, 5],
    [1, 3600, 60],
    [1, 10 ** 9, 24 * 60],
  ]
  for (const [failures, asked, minutes] of rows)
    assert.equal(retryDelayMs(failures, asked), minutes * 60_000, `${failures} failures, ${asked} s asked`)
  let at = 0
  let attempts = 1
  for (let failures = 1; (at += retryDelayMs(failures, undefined, RETRY_TIMES)) <= HOUR_MS; failures++)
    attempts++
  assert.ok(attempts <= 5, `${attempts} attempts in the first hour`)
})
