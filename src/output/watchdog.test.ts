import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isRunnable, Watchdog } from './watchdog.ts'

test('what gives no sign of life hangs, but not while this process had no time to hear one', async () => {
  const hung = Promise.withResolvers<number>()
  const from = performance.now()
  const watchdog = new Watchdog({ limitMs: 500, onHung: () => hung.resolve(performance.now() - from) })
  // Everything stands still, as on a machine that is too busy.
  while (performance.now() - from < 1500);
  assert.ok((await hung.promise) > 1900)
  watchdog.close()
})

test('a sign of life counts, whether it is heard or asked for', async () => {
  const hung = Promise.withResolvers<undefined>()
  let looks = 0
  const asked = new Watchdog({
    limitMs: 300,
    isAlive: () => ++looks < 4,
    onHung: () => hung.resolve(undefined),
  })
  const heard = new Watchdog({ limitMs: 300, onHung: () => assert.fail('it was heard') })
  const timer = setInterval(() => heard.hear(), 20)
  await hung.promise
  assert.ok(looks >= 5)
  clearInterval(timer)
  heard.close()
  asked.close()
})

test(
  'a program that computes is told from one that was stopped, and from one that is gone',
  { skip: process.platform !== 'linux' && 'only Linux tells', timeout: 60_000 },
  async () => {
    const child = spawn(process.execPath, ['-e', 'for (;;);'])
    await once(child, 'spawn')
    const until = async (expected: boolean): Promise<void> => {
      while (isRunnable(child.pid!) !== expected) await new Promise((next) => setTimeout(next, 20))
    }
    await until(true)
    child.kill('SIGSTOP')
    await until(false)
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.equal(isRunnable(child.pid!), false)
  },
)
