import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AutoClose } from './auto-close.ts'

const MINUTE_MS = 60_000

function autoCloseOf(t: TestContext, failures = 0) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 })
  const closed: string[] = []
  const errors: unknown[] = []
  const autoClose = new AutoClose({
    now: () => Date.now(),
    close: (type) => {
      if (failures-- > 0) return Promise.reject(new Error('the store is away'))
      closed.push(type)
      return Promise.resolve()
    },
    onError: (error) => errors.push(error),
  })
  const tick = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms)
    // A rejection is handled in a later microtask.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { autoClose, closed, errors, tick }
}

test('a session is closed after its configured duration', async (t) => {
  const { autoClose, closed, tick } = autoCloseOf(t)
  autoClose.arm(0, { type: 'session-ends', duration: 10 })
  await tick(10 * MINUTE_MS - 1)
  assert.deepEqual(closed, [])
  await tick(1)
  assert.deepEqual(closed, ['session-ends'])
})

test('a session that reached its duration while the server was stopped is closed immediately', async (t) => {
  const { autoClose, closed, tick } = autoCloseOf(t)
  autoClose.arm(-20 * MINUTE_MS, { type: 'session-end-and-deactivate', duration: 10 })
  await tick(0)
  assert.deepEqual(closed, ['session-end-and-deactivate'])
})

test('waits longer than the longest timer of the runtime', async (t) => {
  const { autoClose, closed, tick } = autoCloseOf(t)
  const minutes = 60 * 24 * 60
  autoClose.arm(0, { type: 'session-ends', duration: minutes })
  await tick(2 ** 31 - 1)
  await tick(minutes * MINUTE_MS - 2 ** 31)
  assert.deepEqual(closed, [])
  await tick(1)
  assert.deepEqual(closed, ['session-ends'])
})

test('retries a close that failed until the session is over', async (t) => {
  const { autoClose, closed, errors, tick } = autoCloseOf(t, 2)
  autoClose.arm(0, { type: 'session-ends', duration: 1 })
  await tick(MINUTE_MS)
  await tick(5000)
  assert.deepEqual([closed.length, errors.length], [0, 2])
  await tick(5000)
  assert.deepEqual([closed.length, errors.length], [1, 2])
})

test('does not close a session that is over, and does not retry', async (t) => {
  const { autoClose, closed, errors, tick } = autoCloseOf(t, 1)
  autoClose.arm(0, { type: 'session-ends', duration: 1 })
  await tick(MINUTE_MS)
  autoClose.cancel()
  await tick(60 * MINUTE_MS)
  assert.deepEqual([closed.length, errors.length], [0, 1])
})
