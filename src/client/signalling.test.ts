import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconnectDelay } from './signalling.ts'

const ALMOST_ONE = 1 - Number.EPSILON

for (const [attempt, shortest, longest] of [
  [0, 150, 450],
  [1, 300, 900],
  [2, 500, 1500],
  [3, 500, 1500],
  [60, 500, 1500],
  [2000, 500, 1500],
] as const) {
  test(`attempt ${attempt} after a lost connection waits ${shortest} to ${longest} ms, at random`, () => {
    assert.equal(reconnectDelay(attempt, 0), shortest)
    assert.equal(reconnectDelay(attempt, 0.5), (shortest + longest) / 2)
    assert.ok(Math.abs(reconnectDelay(attempt, ALMOST_ONE) - longest) < 0.001)
  })
}
