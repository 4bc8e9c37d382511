import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpuMeter } from './cpu-meter.ts'
import { ofAllNodes, Sampler, thinned } from './history.ts'
import { createMetrics } from './metrics.ts'

const worker = {
  index: 0,
  port: 40_000,
  routers: 2,
  members: 4,
  producers: 8,
  consumers: 24,
  pipesIn: 0,
  pipesOut: 0,
}

const minute = 60_000

const media = { workers: 1, placement: 'auto' }

test('merges many minutes into few points: events are added up, levels averaged', () => {
  const samples = Array.from({ length: 10 }, (_, at) => ({
    at: at * minute,
    figures: { participants: at, joins: 1, ...(at >= 8 && { audioScore: 4 }) },
  }))
  assert.deepEqual(thinned(samples, 10), samples)
  assert.deepEqual(thinned(samples, 9).length, 5)
  const [first, , , , last] = thinned(samples, 5)
  assert.deepEqual(first, { at: minute, figures: { participants: 0.5, joins: 2 } })
  assert.deepEqual(last, { at: 9 * minute, figures: { participants: 8.5, joins: 2, audioScore: 4 } })
  assert.deepEqual(thinned([], 5), [])
})

test('adds up the nodes of a minute; the lag is the worst, a score the mean', () => {
  const sample = (nodeId: string, at: number, joins: number, eventLoopLagMs: number, audioScore: number) => ({
    nodeId,
    at,
    figures: { joins, eventLoopLagMs, audioScore },
  })
  const added = ofAllNodes([
    sample('a', minute + 1, 1, 5, 10),
    sample('b', minute + 9, 2, 3, 8),
    sample('a', 2 * minute + 1, 4, 1, 10),
  ])
  assert.deepEqual(added, [
    { at: minute + 9, figures: { joins: 3, eventLoopLagMs: 5, audioScore: 9 } },
    { at: 2 * minute + 1, figures: { joins: 4, eventLoopLagMs: 1, audioScore: 10 } },
  ])
  const alone = [
    { at: 1, figures: { joins: 1 } },
    { at: 2, figures: { joins: 1 } },
  ]
  assert.deepEqual(ofAllNodes(alone), alone, 'a server that is alone changes nothing')
})

test('a sample contains the events since the last one, and the current levels', async () => {
  let at = 0
  const metrics = createMetrics({ version: '0', media, now: () => at })
  metrics.setReaders({
    meetings: () => Promise.resolve({ meetings: 2, participants: 5, entryRequests: 1 }),
    sockets: () => ({ meeting: 6, chat: 5 }),
    workers: () => Promise.resolve([{ ...worker, cpuSeconds: (at / 1000) * 0.25 }]),
    webhooks: () => Promise.resolve({ waiting: 3, parked: 0, oldestAt: null }),
    usage: () => Promise.resolve([]),
    cluster: () => undefined,
    certificate: () => undefined,
    alerts: () => Promise.resolve([]),
  })
  const written: { at: number; figures: Readonly<Record<string, number>> }[] = []
  const sampler = new Sampler({
    metrics,
    write: (sample) => Promise.resolve(void written.push(sample)),
    now: () => at,
    onError: (error) => assert.fail(String(error)),
  })
  try {
    metrics.joined('direct', 0.1)
    metrics.joined('admitted', 0.1)
    metrics.flows({ receiveBitrate: 1000, sendBitrate: 3000, audioScore: 4.2, videoScore: null })
    at = minute
    await sampler.sample()
    metrics.joined('direct', 0.1)
    at = 2 * minute
    await sampler.sample()
  } finally {
    sampler.close()
    metrics.close()
  }
  const [first, second] = written
  assert.deepEqual([first!.at, second!.at], [minute, 2 * minute])
  assert.deepEqual([first!.figures.joins, second!.figures.joins], [2, 1])
  const { participants, workersCpuPercent, receiveBitrate, audioScore, webhooksWaiting } = second!.figures
  assert.deepEqual([participants, receiveBitrate, audioScore, webhooksWaiting], [5, 1000, 4.2, 3])
  assert.equal(workersCpuPercent, 25)
  assert.ok(!('videoScore' in second!.figures))
})

test('the load of a replaced worker starts from zero', () => {
  const meter = new CpuMeter(0)
  const at = (cpuSeconds: number) => [{ ...worker, cpuSeconds }]
  assert.equal(meter.look(at(5), 10_000).get(0), 50)
  assert.equal(meter.look(at(1), 20_000).get(0), 10)
  // Too soon after the previous sample, so the value does not change.
  assert.equal(meter.look(at(1.5), 20_500).get(0), 10)
})

test('a refusal that is reported twice counts once', () => {
  const metrics = createMetrics({ version: '0', media, now: () => 0 })
  const refusal = { code: 'INVALID_TOKEN' } as const
  metrics.refused('socket', refusal)
  metrics.refused('socket', refusal)
  metrics.refused('socket', { ...refusal })
  assert.equal(metrics.totals.refusals, 2)
  metrics.close()
})
