import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Grace } from './grace.ts'

function graceOf(t: TestContext, entering = false) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = { entering, over: 0 }
  const grace = new Grace({
    graceMs: 1000,
    joinTimeoutMs: 5000,
    isSomebodyEntering: () => state.entering,
    onOver: () => state.over++,
  })
  return { grace, state, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('a session ends after the grace period, counted from when it became empty', (t) => {
  const { grace, state, tick } = graceOf(t)
  grace.begin()
  tick(900)
  grace.begin()
  tick(99)
  assert.equal(state.over, 0)
  tick(1)
  assert.equal(state.over, 1)
})

test('a return cancels the grace period, and the next one is complete', (t) => {
  const { grace, state, tick } = graceOf(t)
  grace.begin()
  tick(999)
  grace.stop()
  tick(10_000)
  assert.equal(state.over, 0)
  grace.begin()
  tick(999)
  assert.equal(state.over, 0)
  tick(1)
  assert.equal(state.over, 1)
})

test('those who are about to join get extra time once', (t) => {
  const { grace, state, tick } = graceOf(t, true)
  grace.begin()
  tick(1000)
  tick(3999)
  assert.equal(state.over, 0)
  // Somebody still enters, but the period is extended only once, so that repeated requests cannot keep an empty
  // session.
  tick(1)
  assert.equal(state.over, 1)
})
