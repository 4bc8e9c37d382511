import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestIndex, niceTicks, timeTicks } from './plot-scale.ts'

test('axis ticks are round, start at zero and reach the top', () => {
  assert.deepEqual(niceTicks(0), [0, 1])
  assert.deepEqual(niceTicks(NaN), [0, 1])
  assert.deepEqual(niceTicks(4), [0, 1, 2, 3, 4])
  assert.deepEqual(niceTicks(7), [0, 2, 4, 6, 8])
  assert.deepEqual(niceTicks(1), [0, 0.25, 0.5, 0.75, 1])
  for (const top of [1e-6, 0.3, 9, 11, 99, 1234, 5e9]) {
    const ticks = niceTicks(top)
    assert.ok(ticks.at(-1)! >= top && ticks.length >= 3 && ticks.length <= 6, `${top}: ${ticks.join()}`)
  }
})

test('time ticks are round in the reader’s time zone, and never too many', () => {
  const noon = Date.UTC(2026, 0, 1, 12)
  assert.deepEqual(timeTicks(noon + 1, noon + 3_600_000, 4), [
    noon + 900_000,
    noon + 1_800_000,
    noon + 2_700_000,
    noon + 3_600_000,
  ])
  assert.deepEqual(timeTicks(5, 5, 4), [])
  assert.deepEqual(timeTicks(noon, noon + 86_400_000, 1, 5.5 * 3_600_000), [noon + 6.5 * 3_600_000])
  for (const days of [0.001, 1, 7, 90, 4000])
    assert.ok(timeTicks(noon, noon + days * 86_400_000, 6).length <= 7, String(days))
})

test('finds the nearest of a list', () => {
  assert.equal(nearestIndex([], 5), -1)
  const times = [10, 20, 40]
  assert.deepEqual(
    [0, 14, 15, 16, 29, 31, 99].map((at) => nearestIndex(times, at)),
    [0, 0, 0, 1, 1, 2, 2],
  )
})
