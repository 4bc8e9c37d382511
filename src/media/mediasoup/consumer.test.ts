import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { types as mediasoup } from 'mediasoup'
import { MediasoupConsumer } from './consumer.ts'

/** The part of mediasoup's consumer that concerns layers. */
class WorkerConsumer extends EventEmitter {
  readonly type: string
  readonly rtpParameters: object
  readonly asked: object[] = []
  readonly observer = new EventEmitter()
  closed = false

  constructor(type: string, scalabilityMode: string) {
    super()
    this.type = type
    this.rtpParameters = { codecs: [], headerExtensions: [], encodings: [{ ssrc: 1, scalabilityMode }] }
  }

  async setPreferredLayers(layers: object): Promise<void> {
    if (this.closed) throw new Error('closed')
    this.asked.push(layers)
    await Promise.resolve()
  }
}

function consumerOf(worker: WorkerConsumer): MediasoupConsumer {
  return new MediasoupConsumer(worker as unknown as mediasoup.Consumer, 'producer', undefined)
}

for (const [type, mode] of [
  ['simulcast', 'L3T3'],
  ['svc', 'L3T3'],
] as const) {
  test(`${type}: requests the highest layer once, after the first picture`, () => {
    const worker = new WorkerConsumer(type, mode)
    consumerOf(worker)
    worker.emit('layerschange', undefined)
    assert.deepEqual(worker.asked, [])
    worker.emit('layerschange', { spatialLayer: 1, temporalLayer: 0 })
    assert.deepEqual(worker.asked, [{ spatialLayer: 2 }])
    worker.emit('layerschange', { spatialLayer: 2, temporalLayer: 0 })
    assert.equal(worker.asked.length, 1)
  })
}

test('a choice of layers before the first picture waits for it; the last one counts, and later ones act immediately', async () => {
  const worker = new WorkerConsumer('simulcast', 'L3T3')
  const consumer = consumerOf(worker)
  await consumer.setPreferredLayers({ spatialLayer: 2, temporalLayer: 2 })
  await consumer.setPreferredLayers({ spatialLayer: 0, temporalLayer: 9 })
  assert.deepEqual(worker.asked, [])
  worker.emit('layerschange', { spatialLayer: 1, temporalLayer: 0 })
  assert.deepEqual(worker.asked, [{ spatialLayer: 0, temporalLayer: 2 }])
  await consumer.setPreferredLayers({ spatialLayer: 1 })
  assert.deepEqual(worker.asked.slice(1), [{ spatialLayer: 1 }])
})

test('requests nothing of a stream with one layer', async () => {
  const worker = new WorkerConsumer('simple', 'L1T1')
  const consumer = consumerOf(worker)
  worker.emit('layerschange', { spatialLayer: 0, temporalLayer: 0 })
  await consumer.setPreferredLayers({ spatialLayer: 2 })
  assert.deepEqual(worker.asked, [])
})

test('refuses a choice for a stream that has ended, also before its first picture', async () => {
  const worker = new WorkerConsumer('simulcast', 'L3T3')
  const consumer = consumerOf(worker)
  worker.closed = true
  await assert.rejects(consumer.setPreferredLayers({ spatialLayer: 1 }))
})
