/** What the worker is told about the line to one client. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { types as mediasoup } from 'mediasoup'
import { DownlinkControl, type Line } from './downlink.ts'

/** The part of mediasoup's transport that the control of its line uses. */
class WorkerTransport extends EventEmitter {
  readonly limits: number[] = []
  lost = 0

  enableTraceEvent(): Promise<void> {
    return Promise.resolve()
  }

  getStats(): Promise<object[]> {
    return Promise.resolve([{ rtpPacketLossSent: this.lost, rtpSendBitrate: 2_000_000 }])
  }

  setMaxOutgoingBitrate(bitrate: number): Promise<void> {
    this.limits.push(bitrate)
    return Promise.resolve()
  }

  /** Simulates a new estimate of the worker. */
  async estimates(availableBitrate: number): Promise<void> {
    this.emit('trace', { type: 'bwe', info: { availableBitrate, desiredBitrate: 7_000_000 } })
    for (let turn = 0; turn < 5; turn++) await setImmediate()
  }
}

class WorkerConsumer {
  readonly kind = 'video'
  readonly observer = new EventEmitter()
  readonly preferredLayers = { spatialLayer: 2, temporalLayer: 2 }
  currentLayers: { spatialLayer: number } | undefined = { spatialLayer: 2 }
  readonly asked: object[] = []

  setPreferredLayers(layers: object): Promise<void> {
    this.asked.push(layers)
    return Promise.resolve()
  }
}

function control(): { line: WorkerTransport; consumer: WorkerConsumer } {
  const [line, consumer] = [new WorkerTransport(), new WorkerConsumer()]
  new DownlinkControl(line as unknown as Line).add(consumer as unknown as mediasoup.Consumer)
  return { line, consumer }
}

test('on a line that became narrow next to nothing is sent, and that at once', async () => {
  const { line, consumer } = control()
  await line.estimates(3_000_000)
  line.lost = 0.8
  await line.estimates(2_000_000)
  assert.deepEqual(line.limits, [200_000])
  // The worker distributes bandwidth again only if a client's wish changed.
  assert.deepEqual(consumer.asked, [
    { spatialLayer: 2, temporalLayer: 1 },
    { spatialLayer: 2, temporalLayer: 2 },
  ])
})

test('a fall without losses changes nothing', async () => {
  const { line } = control()
  await line.estimates(3_000_000)
  await line.estimates(1_000_000)
  assert.deepEqual(line.limits, [])
})

test('more is tried by two limits above the estimate, and all limits go when the client has what it wants', async (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  const { line, consumer } = control()
  consumer.currentLayers = { spatialLayer: 0 }
  await line.estimates(300_000)
  assert.deepEqual(line.limits, [])
  now += 1000
  await line.estimates(300_000)
  assert.deepEqual(line.limits, [900_000, 1_080_000])
  consumer.currentLayers = { spatialLayer: 2 }
  await line.estimates(900_000)
  assert.deepEqual(line.limits.slice(2), [0])
})
