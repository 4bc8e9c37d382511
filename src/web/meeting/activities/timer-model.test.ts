import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockOf, leftOf, nextTickIn, secondsOf } from './timer-model.ts'

const running = { totalMs: 60_000, endsAt: 50_000, pausedLeftMs: undefined }
const paused = { totalMs: 60_000, endsAt: 0, pausedLeftMs: 12_500 }

test('what is left runs out, and stands still while the timer is paused', () => {
  assert.equal(leftOf(running, 20_000), 30_000)
  assert.equal(leftOf(running, 60_000), 0)
  assert.equal(leftOf(paused, 60_000), 12_500)
})

test('the clock shows 0:00 only at the end', () => {
  for (const [leftMs, shown] of [
    [0, '0:00'],
    [1, '0:01'],
    [1000, '0:01'],
    [1001, '0:02'],
    [65_000, '1:05'],
    [600_000, '10:00'],
    [3_600_000, '1:00:00'],
    [3_665_000, '1:01:05'],
  ] as const)
    assert.equal(clockOf(leftMs), shown)
})

test('the clock is drawn when its second changes, and not while it stands still', () => {
  assert.equal(nextTickIn(running, 20_000), 1000)
  assert.equal(nextTickIn(running, 20_400), 600)
  assert.equal(nextTickIn(running, 49_900), 100)
  assert.equal(nextTickIn(running, 50_000), undefined)
  assert.equal(nextTickIn(paused, 20_000), undefined)
})

test('minutes are read with a comma too, and only as a time that the server takes', () => {
  assert.equal(secondsOf('5'), 300)
  assert.equal(secondsOf('1.5'), 90)
  assert.equal(secondsOf('1,5'), 90)
  for (const wrong of ['', '0', '-1', 'five', '1441', '1e9']) assert.equal(secondsOf(wrong), undefined, wrong)
})
