/** An empty session that something may hold: what happens while that is looked up. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as tasks } from 'node:timers/promises'
import { SessionLifecycle } from './lifecycle.ts'

/** Writes nothing. */
const store = new Proxy(
  {},
  {
    get: (_, group) =>
      group === 'sessionValues' ? undefined : new Proxy({}, { get: () => () => Promise.resolve([]) }),
  },
)

async function emptySession(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const held = Promise.withResolvers<boolean>()
  const ended: string[] = []
  let looks = 0
  let isSomebodyEntering = false
  const lifecycle = new SessionLifecycle({
    meeting: () => ({ meetingId: 'm', settings: {} }),
    settings: { sessionGraceMs: 1000, joinTimeoutMs: 1000 },
    store,
    now: () => 0,
    newSessionId: () => 's',
    newSecretId: () => 'secret',
    events: { emit: () => undefined },
    announce: () => ({ deliveries: [], sent: () => undefined }),
    openAudience: () => ({}),
    tellAll: () => undefined,
    isSomebodyEntering: () => isSomebodyEntering,
    isHeld: () => {
      looks++
      return held.promise
    },
    onBeginning: () => undefined,
    onEnding: ({ message }: { message: string }) => ended.push(message),
    onOver: () => undefined,
    onIdle: () => undefined,
    onError: (error: unknown) => assert.fail(error as Error),
    autoClose: () => Promise.resolve(),
  } as never)
  await lifecycle.ensure()
  t.mock.timers.tick(1000)
  assert.equal(looks, 1)
  return {
    lifecycle,
    ended,
    looks: () => looks,
    enters: () => (isSomebodyEntering = true),
    answer: async (is: boolean) => {
      held.resolve(is)
      await tasks()
    },
  }
}

test('an empty session ends, unless something holds it', async (t) => {
  const { answer, ended } = await emptySession(t)
  await answer(false)
  assert.deepEqual(ended, ['ROOM_CLOSE'])
})

test('a held session is looked at again', async (t) => {
  const { answer, ended, looks } = await emptySession(t)
  await answer(true)
  t.mock.timers.tick(1000)
  assert.deepEqual([ended.length, looks()], [0, 2])
})

for (const held of [true, false])
  test(`a session that goes on elsewhere meanwhile does not end here (held: ${held})`, async (t) => {
    const { lifecycle, answer, ended, looks } = await emptySession(t)
    await lifecycle.suspend()
    await answer(held)
    t.mock.timers.tick(10_000)
    await tasks()
    assert.deepEqual([ended.length, looks()], [0, 1])
  })

test('a session that somebody enters meanwhile does not end yet', async (t) => {
  const { enters, answer, ended } = await emptySession(t)
  enters()
  await answer(false)
  assert.deepEqual(ended, [])
  // Whoever does not join does not hold it for ever.
  t.mock.timers.tick(1000)
  await tasks()
  assert.deepEqual(ended, ['ROOM_CLOSE'])
})

test('the next session does not end because the one before was empty', async (t) => {
  const { lifecycle, answer, ended } = await emptySession(t)
  await lifecycle.end({ code: 1, message: 'REMOVE_ALL' }, 'REMOVE_ALL')
  await lifecycle.ensure()
  await answer(false)
  assert.deepEqual(ended, ['REMOVE_ALL'])
})
