/** Limits of attempts, and how many callers are remembered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../protocol/errors.ts'
import { Attempts, perMinute } from './attempts.ts'

const REMEMBERED = 10_000

test('each caller has its own limit, which recovers with time', () => {
  let now = 0
  const attempts = new Attempts({ each: perMinute(3), now: () => now })
  for (let at = 0; at < 3; at++) assert.ok(attempts.take('ann'))
  assert.ok(attempts.isSpent('ann'))
  assert.equal(attempts.take('ann'), false)
  assert.ok(attempts.take('bob'))
  assert.throws(
    () => attempts.takeOrThrow('ann', 'Too many.'),
    (error) => error instanceof Refusal && error.message === 'Too many.' && error.retryAfterSeconds === 20,
  )
  now += 20_000
  assert.ok(attempts.take('ann'))
  assert.equal(attempts.take('ann'), false)
})

test('a caller over its own limit does not use up the common limit', () => {
  const attempts = new Attempts({ each: perMinute(1), overall: perMinute(2), now: () => 0 })
  assert.ok(attempts.take('ann'))
  for (let at = 0; at < 5; at++) assert.equal(attempts.take('ann'), false)
  assert.ok(attempts.take('bob'))
  assert.equal(attempts.take('cy'), false)
})

test('a flood from ever new addresses takes bounded memory, and addresses that keep trying are not forgotten', () => {
  const attempts = new Attempts({ each: perMinute(1), now: () => 0 })
  for (const name of ['once', 'again']) assert.ok(attempts.take(name))
  for (let at = 0; at < REMEMBERED; at++) {
    assert.ok(attempts.take(`flood-${at}`))
    if (at % 1000 === 0) assert.equal(attempts.take('again'), false)
  }
  assert.equal(attempts.take('again'), false)
  assert.ok(attempts.take('once'))
})
