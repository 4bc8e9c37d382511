import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRules } from '../../protocol/rules.ts'
import { decisionsFrom, isCoHost, noDecisions, pausedTimer, timerOf, withCoHost } from './decisions.ts'

const ann = { participantId: 'ann', tokenId: 'jti:1' }

test('a co-host is bound to an id and a token, and unmade with every token', () => {
  const made = withCoHost(noDecisions, ann, true)
  assert.equal(isCoHost(made, ann), true)
  assert.equal(isCoHost(made, { ...ann, tokenId: 'jti:2' }), false)
  assert.equal(isCoHost(made, { ...ann, participantId: 'bob' }), false)
  assert.equal(withCoHost(made, ann, true).coHosts.length, 1)
  assert.deepEqual(withCoHost(made, { ...ann, tokenId: 'jti:2' }, false).coHosts, [])
})

test('decisions are read as they were written, and what an older version did not write is open', () => {
  const locked = withCoHost({ ...noDecisions, rules: { ...openRules, locked: true } }, ann, true)
  assert.deepEqual(decisionsFrom(JSON.stringify(locked)), locked)
  assert.deepEqual(decisionsFrom('{"rules":{"mic":false}}').rules, { ...openRules, mic: false })
  assert.equal(decisionsFrom(null), noDecisions)
})

test('a timer is told by what is left of it, and not any more when it has run out', () => {
  const running = { ...noDecisions, timer: { totalMs: 5000, endsAt: 10_000 } }
  assert.deepEqual(timerOf(running, 7000).timer, { totalMs: 5000, leftMs: 3000, paused: false })
  assert.equal(timerOf(running, 10_000).timer, null)
  assert.equal(timerOf(noDecisions, 0).timer, null)
  assert.deepEqual(decisionsFrom(JSON.stringify(running)), running)
})

test('a paused timer stands still, and goes on with what was left', () => {
  const timer = { totalMs: 5000, endsAt: 10_000 }
  const paused = pausedTimer(timer, true, 7000)!
  assert.deepEqual(timerOf({ ...noDecisions, timer: paused }, 99_000).timer, {
    totalMs: 5000,
    leftMs: 3000,
    paused: true,
  })
  assert.equal(pausedTimer(paused, true, 8000), undefined)
  const resumed = pausedTimer(paused, false, 50_000)!
  assert.deepEqual(resumed, { totalMs: 5000, endsAt: 53_000 })
  assert.equal(pausedTimer(resumed, false, 50_000), undefined)
  assert.equal(pausedTimer(timer, true, 10_000), undefined, 'it has run out')
  assert.equal(pausedTimer(undefined, true, 0), undefined)
})
