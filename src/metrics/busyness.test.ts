import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Busyness } from './busyness.ts'
import type { WorkerReading } from './metrics.ts'

const settled = (): Promise<void> => new Promise((next) => setImmediate(next))

test('the busiest of the program and its workers counts, and nobody waits for a worker', async () => {
  let now = 0
  let program = 0
  let workers: Promise<number[]> = Promise.resolve([0, 0])
  const busyness = new Busyness({
    workers: async () => (await workers).map((cpuSeconds, index) => ({ index, cpuSeconds }) as WorkerReading),
    cpuUsage: () => ({ user: program * 1e6, system: 0 }),
    now: () => now,
  })
  const look = async (): Promise<{ processorPercent: number; mediaWorkers: number }> => {
    busyness.read()
    await settled()
    return busyness.read()
  }
  assert.deepEqual(busyness.read(), { processorPercent: 0, mediaWorkers: 0 })
  await settled()
  ;[now, program, workers] = [2000, 0.5, Promise.resolve([0.2, 1.5])]
  assert.deepEqual(await look(), { processorPercent: 75, mediaWorkers: 2 })
  await settled()
  ;[now, program, workers] = [4000, 2.3, Promise.resolve([0.2, 1.5])]
  assert.deepEqual(await look(), { processorPercent: 90, mediaWorkers: 2 })
  await settled()

  // One that hangs: what was known is told on.
  let hang = (): void => undefined
  workers = new Promise((resolve) => (hang = () => resolve([])))
  now = 6000
  assert.deepEqual(await look(), { processorPercent: 90, mediaWorkers: 2 })
  hang()
  await settled()
  assert.equal(busyness.read().mediaWorkers, 0)
  await settled()
  workers = Promise.reject(new Error('closed'))
  assert.equal((await look()).mediaWorkers, 0)
})
