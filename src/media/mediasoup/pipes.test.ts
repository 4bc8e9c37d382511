/** Streams between the workers of one meeting, with real packets. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import type { RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import type { Consumer } from '../sfu.ts'
import { routerCodecs } from './codecs.ts'
import { consumeOn } from './transport.ts'
import { WorkerRouter, type ProducerHomes } from './worker-router.ts'
import type { PipeTimes } from './pipes.ts'

const found = locateWorker()
const skip = !found && 'no media worker is built'
const LAYERS = [2221, 2222, 2223]
const PAYLOAD_TYPE = 101
/** The size of a packet; its last byte names the layer. */
const PACKET_BYTES = 12 + 11
const TICK_MS = 20
/** The duration of a tick in units of VP8's clock. */
const TICK_90KHZ = TICK_MS * 90

const camera = (ssrcs: number[]): RtpParameters => ({
  mid: String(ssrcs[0]),
  codecs: [
    {
      mimeType: 'video/VP8',
      payloadType: PAYLOAD_TYPE,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
    },
  ],
  headerExtensions: [],
  encodings: ssrcs.map((ssrc) => ({ ssrc, scalabilityMode: 'L1T1' })),
  rtcp: { cname: String(ssrcs[0]) },
})

const voice: RtpParameters = {
  mid: 'voice',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 100,
      clockRate: 48_000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [],
  encodings: [{ ssrc: 77 }],
  rtcp: { cname: 'voice' },
}

let workers: mediasoup.Worker[]

before(async () => {
  workers = []
  if (found) workers = await Promise.all([0, 1].map(() => createWorker({ workerBin: found.bin })))
})
after(() => workers.forEach((worker) => worker.close()))

/** One meeting on two workers. */
async function meeting(pipeTimes: PipeTimes = { pauseMs: 60_000, closeMs: 60_000 }) {
  const homes: ProducerHomes = new Map()
  const sides = await Promise.all(
    workers.map(async (worker, index) => {
      const bare = await worker.createRouter({ mediaCodecs: routerCodecs })
      const router = new WorkerRouter(bare, {
        log: undefined,
        index,
        webRtcServer: undefined as never,
        homes,
        pipeTimes,
        useVoice: () => () => undefined,
        left: () => undefined,
      })
      return { bare, router }
    }),
  )
  return { near: sides[0]!, far: sides[1]! }
}
type Side = Awaited<ReturnType<typeof meeting>>['near']

/** Starts a program that sends key frames of one packet in all layers; returns a function that stops it. */
async function send({ bare, router }: Side, ssrcs = LAYERS) {
  let transport: mediasoup.DirectTransport | undefined
  bare.observer.once('newtransport', (made) => (transport = made as mediasoup.DirectTransport))
  const ingress = await router.openIngress({ kind: 'video', rtpParameters: camera(ssrcs) }, () => undefined)
  let tick = 0
  const timer = setInterval(() => {
    tick += 1
    for (const [layer, ssrc] of ssrcs.entries()) {
      const packet = Buffer.alloc(PACKET_BYTES)
      packet.writeUInt8(0x80, 0)
      packet.writeUInt8(0x80 | PAYLOAD_TYPE, 1)
      packet.writeUInt16BE(tick & 0xffff, 2)
      packet.writeUInt32BE(tick * TICK_90KHZ, 4)
      packet.writeUInt32BE(ssrc, 8)
      packet.writeUInt8(0x10, 12)
      packet.writeUInt8(layer, PACKET_BYTES - 1)
      ingress.send(packet)
      // A worker switches layers only after a sender report has related their timestamps.
      if (tick % 10 === 1 && transport?.closed === false) transport.sendRtcp(reportOf(ssrc, tick))
    }
  }, TICK_MS)
  return {
    ingress,
    stop: () => {
      clearInterval(timer)
      ingress.close()
    },
  }
}

/** A sender report (RFC 3550 section 6.4.1). */
function reportOf(ssrc: number, tick: number): Buffer {
  const packet = Buffer.alloc(28)
  packet.writeUInt8(0x80, 0)
  packet.writeUInt8(200, 1)
  packet.writeUInt16BE(6, 2)
  packet.writeUInt32BE(ssrc, 4)
  const seconds = 1_000_000 + (tick * TICK_MS) / 1000
  packet.writeUInt32BE(Math.floor(seconds), 8)
  packet.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 12)
  packet.writeUInt32BE(tick * TICK_90KHZ, 16)
  packet.writeUInt32BE(tick, 20)
  packet.writeUInt32BE(tick * 11, 24)
  return packet
}

/** Starts a program that receives on one side. */
async function receive({ bare, router }: Side, producerId: string) {
  const transport = await bare.createDirectTransport()
  let made: mediasoup.Consumer | undefined
  transport.observer.once('newconsumer', (consumer) => (made = consumer))
  const rtpCapabilities = bare.rtpCapabilities as RtpCapabilities
  const consumer: Consumer = await consumeOn(transport, router, { producerId, rtpCapabilities })
  const heard = { packets: 0, layer: -1 }
  made!.on('rtp', (packet) => {
    heard.packets += 1
    heard.layer = packet.at(-1)!
  })
  return { consumer, heard, close: () => consumer.close() }
}

/** The time limit of the test ends it otherwise. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10)
}

const timeout = 60_000

test(
  'a camera on one worker is received on another, and piped once for all receivers',
  { skip, timeout },
  async () => {
    const { near, far } = await meeting()
    const sender = await send(near)
    const { id } = sender.ingress.producer
    const receivers = await Promise.all(Array.from({ length: 5 }, () => receive(far, id)))
    for (const { consumer } of receivers) {
      assert.deepEqual([consumer.type, consumer.producerId], ['simulcast', id])
      await consumer.resume()
    }
    await until(() => receivers.every(({ heard }) => heard.packets > 20))
    assert.deepEqual([near.router.counts.pipesOut, far.router.counts.pipesIn], [1, 1])
    // The preferred layer, first and last.
    const [one] = receivers
    for (const spatialLayer of [0, 2, 1]) {
      await one!.consumer.setPreferredLayers({ spatialLayer })
      await until(
        () => one!.heard.layer === spatialLayer && one!.consumer.layers?.spatialLayer === spatialLayer,
      )
    }
    const closed = Promise.all(
      receivers.map(({ consumer }) => new Promise<void>((resolve) => consumer.on('producerClosed', resolve))),
    )
    sender.stop()
    await closed
    await until(() => near.router.counts.pipesOut === 0 && far.router.counts.pipesIn === 0)
  },
)

test('a key frame request on another worker reaches the sender', { skip, timeout }, async () => {
  const { near, far } = await meeting()
  const sender = await send(near, [3331])
  const receiver = await receive(far, sender.ingress.producer.id)
  await receiver.consumer.resume()
  await until(() => receiver.heard.packets > 0)
  let asked = 0
  sender.ingress.on('keyFrameWanted', () => (asked += 1))
  await until(async () => {
    await receiver.consumer.requestKeyFrame()
    return asked > 0
  })
  sender.stop()
})

test('a pipe without viewers sends nothing, and receivers are not told', { skip, timeout }, async () => {
  const { near, far } = await meeting({ pauseMs: 50, closeMs: 60_000 })
  const sender = await send(near)
  const { id } = sender.ingress.producer
  const piped = pipeOf(near)
  const receivers = [await receive(far, id), await receive(far, id)]
  let told = 0
  for (const { consumer } of receivers) {
    consumer.on('producerPaused', () => (told += 1))
    await consumer.resume()
  }
  const out = await piped
  await until(() => receivers.every(({ heard }) => heard.packets > 0))
  await receivers[0]!.consumer.pause()
  await delay(200)
  assert.equal(out.paused, false, 'one still watches')
  await receivers[1]!.consumer.pause()
  await until(() => out.paused)
  assert.deepEqual([told, near.router.counts.pipesOut], [0, 1])
  const before = receivers[0]!.heard.packets
  await receivers[0]!.consumer.resume()
  await until(() => receivers[0]!.heard.packets > before)
  assert.equal(out.paused, false)
  sender.stop()
})

test('pausing and resuming at the source applies to all receivers', { skip, timeout }, async () => {
  const { near, far } = await meeting()
  const sender = await send(near)
  const { consumer, heard } = await receive(far, sender.ingress.producer.id)
  await consumer.resume()
  await until(() => heard.packets > 0)
  const paused = new Promise<void>((resolve) => consumer.on('producerPaused', resolve))
  await sender.ingress.producer.pause()
  await paused
  assert.equal(consumer.producerPaused, true)
  const resumed = new Promise<void>((resolve) => consumer.on('producerResumed', resolve))
  await sender.ingress.producer.resume()
  await resumed
  const before = heard.packets
  await until(() => heard.packets > before)
  sender.stop()
})

test(
  'a pipe closes some time after its last receiver, and is opened again for the next',
  { skip, timeout },
  async () => {
    const { near, far } = await meeting({ pauseMs: 20, closeMs: 100 })
    const sender = await send(near)
    const { id } = sender.ingress.producer
    const receivers = [await receive(far, id), await receive(far, id)]
    receivers[0]!.close()
    await delay(300)
    assert.equal(near.router.counts.pipesOut, 1, 'one still has it')
    receivers[1]!.close()
    await until(() => near.router.counts.pipesOut === 0)
    const again = await receive(far, id)
    await again.consumer.resume()
    await until(() => again.heard.packets > 0)
    assert.equal(near.router.counts.pipesOut, 1)
    sender.stop()
  },
)

test('pipes carry streams both ways over one line, with sound', { skip, timeout }, async () => {
  const { near, far } = await meeting()
  const one = await near.router.openIngress({ kind: 'audio', rtpParameters: voice }, () => undefined)
  const other = await far.router.openIngress({ kind: 'audio', rtpParameters: voice }, () => undefined)
  const [there, here] = await Promise.all([receive(far, one.producer.id), receive(near, other.producer.id)])
  let sequence = 0
  for (const receiver of [there, here]) await receiver.consumer.resume()
  await until(async () => {
    sequence += 1
    for (const ingress of [one, other]) {
      const packet = Buffer.alloc(12 + 20)
      packet.writeUInt8(0x80, 0)
      packet.writeUInt8(100, 1)
      packet.writeUInt16BE(sequence, 2)
      packet.writeUInt32BE(sequence * 960, 4)
      packet.writeUInt32BE(77, 8)
      ingress.send(packet)
    }
    await delay(5)
    return there.heard.packets > 5 && here.heard.packets > 5
  })
  const { transportIds } = await near.bare.dump()
  const pipes = transportIds.length
  // Two direct transports for each side's program and receiver, and one pipe.
  assert.equal(pipes, 3)
  one.close()
  other.close()
})

/** Finds the consumer that sends a stream to the other worker. */
function pipeOf({ bare }: Side): Promise<mediasoup.Consumer> {
  return new Promise((resolve) => {
    bare.observer.once('newtransport', (transport) =>
      transport.observer.once('newconsumer', (consumer) => resolve(consumer)),
    )
  })
}
