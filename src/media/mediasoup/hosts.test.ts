/** Streams between routers of two hosts, with real packets. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import type { RtpParameters } from '../../protocol/media.ts'
import type { StreamSource, Tap } from '../sfu.ts'
import { routerCodecs } from './codecs.ts'
import { HostLines, Outlets } from './hosts.ts'
import { WorkerRouter, type ProducerHomes } from './worker-router.ts'

const found = locateWorker()
const skip = !found && 'no media worker is built'
const timeout = 60_000
const PAYLOAD_TYPE = 100
const voice = (ssrc: number): RtpParameters => ({
  mid: String(ssrc),
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: PAYLOAD_TYPE,
      clockRate: 48_000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [],
  encodings: [{ ssrc }],
  rtcp: { cname: String(ssrc) },
})

let workers: mediasoup.Worker[] = []
before(async () => {
  if (found) workers = await Promise.all([0, 1, 2].map(() => createWorker({ workerBin: found.bin })))
})
after(() => workers.forEach((worker) => worker.close()))

const TIMES = { pauseMs: 60_000, closeMs: 60_000 }

/** A host with one router on each of these workers. */
async function host(at: number[], address: string, elsewhere?: StreamSource, pipeTimes = TIMES) {
  const homes: ProducerHomes = new Map()
  const hostLines = new HostLines({
    address,
    ports: { min: 41_000, max: 41_999 },
  })
  const lines: mediasoup.PipeTransport[] = []
  const consumers: mediasoup.Consumer[] = []
  const sides = await Promise.all(
    at.map(async (index) => {
      const bare = await workers[index]!.createRouter({
        mediaCodecs: routerCodecs,
      })
      bare.observer.on('newtransport', (made) => {
        if (made.type !== 'pipe') return
        lines.push(made as mediasoup.PipeTransport)
        made.observer.on('newconsumer', (consumer) => consumers.push(consumer))
      })
      return {
        bare,
        router: new WorkerRouter(bare, {
          log: undefined,
          index,
          webRtcServer: undefined as never,
          homes,
          pipeTimes,
          hostLines,
          elsewhere,
          useVoice: () => () => undefined,
          left: () => undefined,
        }),
      }
    }),
  )
  /** What it sends to other hosts. */
  const sent = (): mediasoup.Consumer[] => consumers.filter(({ closed }) => !closed)
  return {
    sides,
    router: sides[0]!.router,
    source: new Outlets(homes),
    lines,
    sent,
  }
}

/** Sends a voice until it is stopped. */
async function speak(router: WorkerRouter, ssrc: number) {
  const ingress = await router.openIngress({ kind: 'audio', rtpParameters: voice(ssrc) }, () => undefined)
  let sequence = 0
  const timer = setInterval(() => {
    const packet = Buffer.alloc(12 + 20)
    packet.writeUInt8(0x80, 0)
    packet.writeUInt8(PAYLOAD_TYPE, 1)
    packet.writeUInt16BE(++sequence & 0xffff, 2)
    packet.writeUInt32BE(sequence * 960, 4)
    packet.writeUInt32BE(ssrc, 8)
    packet.writeUInt8(ssrc & 0xff, packet.length - 1)
    ingress.send(packet)
  }, 10)
  return {
    producer: ingress.producer,
    id: ingress.producer.id,
    stop: () => {
      clearInterval(timer)
      ingress.close()
    },
  }
}

async function hear(router: WorkerRouter, producerId: string) {
  const tap: Tap = await router.openTap({ producerId })
  const heard = { packets: 0, last: -1 }
  tap.onPacket((packet) => {
    heard.packets += 1
    heard.last = packet.at(-1)!
  })
  return { tap, heard }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(10)
}

test(
  'a stream crosses hosts once, encrypted, for all who receive it on any worker',
  { skip, timeout },
  async () => {
    const from = await host([0], '127.0.0.2')
    const to = await host([1, 2], '127.0.0.3', from.source)
    const [one, other] = [await speak(from.router, 71), await speak(from.router, 72)]
    const [first, second] = to.sides.map(({ router }) => router) as [WorkerRouter, WorkerRouter]
    // All at once, on two workers.
    const receivers = await Promise.all([hear(first, one.id), hear(second, one.id), hear(first, one.id)])
    for (const { tap } of receivers) await tap.resume()
    await until(() => receivers.every(({ heard }) => heard.packets > 10 && heard.last === 71))
    assert.equal(from.router.counts.pipesOut, 1)
    // One stream from the other host, and one between the two workers.
    assert.deepEqual(
      [first.counts.pipesIn + second.counts.pipesIn, first.counts.pipesOut + second.counts.pipesOut],
      [2, 1],
    )
    const more = await hear(first, other.id)
    await more.tap.resume()
    await until(() => more.heard.last === 72)
    assert.equal(from.router.counts.pipesOut, 2)
    for (const line of from.lines) {
      assert.ok(line.srtpParameters, 'not encrypted')
      assert.equal(line.tuple.localAddress, '127.0.0.2')
    }
    const closed = new Promise<void>((resolve) => receivers[1].tap.on('producerClosed', resolve))
    one.stop()
    await closed
    other.stop()
    await until(() => from.router.counts.pipesOut === 0 && first.counts.pipesIn === 0)
    // The lines close with their last stream.
    await until(() => from.lines.every(({ closed }) => closed))
  },
)

test(
  'a stream that nobody watches does not cross, and one that nobody has is closed',
  { skip, timeout },
  async () => {
    const from = await host([0], '127.0.0.2')
    const flows: boolean[] = []
    const source: StreamSource = {
      offer: (...call) => from.source.offer(...call),
      connect: (...call) => from.source.connect(...call),
      flow: (streamId, on) => {
        flows.push(on)
        return from.source.flow(streamId, on)
      },
      close: (streamId) => from.source.close(streamId),
    }
    const to = await host([1], '127.0.0.3', source, {
      pauseMs: 50,
      closeMs: 200,
    })
    const speaker = await speak(from.router, 73)
    const { tap, heard } = await hear(to.router, speaker.id)
    let told = 0
    tap.on('producerPaused', () => (told += 1))
    await delay(100)
    assert.deepEqual(flows, [], 'it flowed before anybody watched')
    assert.deepEqual(
      from.sent().map(({ paused }) => paused),
      [true],
    )
    await tap.resume()
    await until(() => heard.packets > 0)
    await tap.pause()
    await until(() => flows.length === 2)
    await tap.resume()
    const before = heard.packets
    await until(() => heard.packets > before)
    assert.deepEqual([flows, told], [[true, false, true], 0])
    // Its sender pauses it: receivers are told.
    const paused = new Promise<void>((resolve) => tap.on('producerPaused', resolve))
    await speaker.producer.pause()
    await paused
    tap.close()
    await until(() => from.router.counts.pipesOut === 0)
    // It comes again for the next one, paused as it is.
    const next = await hear(to.router, speaker.id)
    assert.equal(next.tap.producerPaused, true)
    await next.tap.resume()
    await speaker.producer.resume()
    await until(() => next.heard.packets > 0)
    speaker.stop()
  },
)

test('a stream that ended, or never was, is refused, and leaves nothing', { skip, timeout }, async () => {
  const from = await host([0], '127.0.0.2')
  const to = await host([1], '127.0.0.3', from.source)
  await assert.rejects(hear(to.router, 'none'), { code: 'INVALID_STATE' })
  const speaker = await speak(from.router, 74)
  const receiving = hear(to.router, speaker.id)
  speaker.stop()
  await receiving.then(
    ({ tap }) => new Promise<void>((resolve) => tap.on('producerClosed', resolve)),
    () => undefined,
  )
  await until(() => from.router.counts.pipesOut === 0 && to.router.counts.pipesIn === 0)
})

test(
  'a stream goes on for the second worker when the first one needs it no more',
  { skip, timeout },
  async () => {
    const from = await host([0], '127.0.0.2')
    const to = await host([1, 2], '127.0.0.3', from.source, {
      pauseMs: 50,
      closeMs: 150,
    })
    const speaker = await speak(from.router, 75)
    const [first, second] = [
      await hear(to.sides[0]!.router, speaker.id),
      await hear(to.sides[1]!.router, speaker.id),
    ]
    for (const { tap } of [first, second]) await tap.resume()
    await until(() => first.heard.packets > 0 && second.heard.packets > 0)
    first.tap.close()
    await delay(500)
    const before = second.heard.packets
    await until(() => second.heard.packets > before + 10)
    second.tap.close()
    await until(() => from.router.counts.pipesOut === 0)
    speaker.stop()
  },
)

test(
  'a stream that ends while it is offered leaves the others on its line alone',
  { skip, timeout },
  async () => {
    const from = await host([0], '127.0.0.2')
    const [one, other] = [await speak(from.router, 76), await speak(from.router, 77)]
    const offer = (id: string) => from.source.offer(id, 'there', () => undefined)
    await offer(one.id)
    const line = from.lines[0]!
    const consume = line.consume.bind(line)
    line.consume = async (options) => {
      const consumer = await consume(options)
      const pause = consumer.pause.bind(consumer)
      consumer.pause = async () => {
        other.stop()
        await until(() => consumer.closed)
        await pause()
      }
      return consumer
    }
    await assert.rejects(offer(other.id))
    assert.deepEqual([line.closed, from.sent().length], [false, 1])
    one.stop()
    await until(() => line.closed)
  },
)

test(
  'a stream arrives although the last other one on its line ended while it was offered',
  { skip, timeout },
  async () => {
    const from = await host([0], '127.0.0.2')
    const [early, late] = [await speak(from.router, 78), await speak(from.router, 79)]
    const held = Promise.withResolvers<undefined>()
    const source: StreamSource = {
      offer: async (...call) => {
        const offer = await from.source.offer(...call)
        if (call[0] === late.id) await held.promise
        return offer
      },
      connect: (...call) => from.source.connect(...call),
      flow: (...call) => from.source.flow(...call),
      close: (streamId) => from.source.close(streamId),
    }
    const to = await host([1], '127.0.0.3', source)
    await hear(to.router, early.id)
    const receiving = hear(to.router, late.id)
    await until(() => from.sent().length === 2)
    early.stop()
    await until(() => to.router.counts.pipesIn === 0)
    held.resolve(undefined)
    const { tap, heard } = await receiving
    await tap.resume()
    await until(() => heard.last === 79)
    late.stop()
    await until(() => [...from.lines, ...to.lines].every(({ closed }) => closed))
  },
)
