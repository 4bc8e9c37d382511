/** A read waits for the writes before it, for a limited time. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { WriteQueue, type Transact } from './write-queue.ts'

/** The work in these tests uses no database. */
const transact: Transact<unknown> = (_holds, work) => work(undefined as unknown as Kysely<unknown>)

function openQueue(t: TestContext) {
  const queue = new WriteQueue<unknown>(
    transact,
    () => undefined,
    () => undefined,
  )
  // A waiting read alone does not keep the process alive.
  const alive = setInterval(() => undefined, 1000)
  t.after(() => clearInterval(alive))
  const order: string[] = []
  const write = async (name: string, work: () => Promise<void> = () => Promise.resolve()): Promise<void> => {
    const isWritten = await queue.run({ lane: name }, work).then(
      () => true,
      () => false,
    )
    order.push(isWritten ? name : `${name} failed`)
  }
  return { queue, order, write }
}

test('a read waits for the writes before it, those that fail too, and for none after it', async (t) => {
  const { queue, order, write } = openQueue(t)
  await queue.settled()
  const first = write('first')
  await first
  let third: Promise<void> | undefined
  const second = write('second', () => {
    // It ends well before a read stops waiting.
    third = write('third', () => delay(300))
    return Promise.reject(new Error('refused'))
  })
  const read = queue.settled().then(() => order.push('read'))
  await Promise.all([second, read])
  await third
  assert.deepEqual(order, ['first', 'second failed', 'read', 'third'])
})

test('a read waits no longer than a moment for a write that hangs', { timeout: 60_000 }, async (t) => {
  const { queue, order, write } = openQueue(t)
  const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
  const hanging = write('hanging', async () => ended)
  await queue.settled()
  assert.deepEqual(order, [])
  end(undefined)
  await hanging
})
