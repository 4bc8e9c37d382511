/** RTP between a router and programs on this machine: the fake and mediasoup's real workers behave the same. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { freePorts } from '../../test/support/ports.ts'
import { sampleRtpParameters } from '../../test/support/rtp-samples.ts'
import { Refusal } from '../protocol/errors.ts'
import type { RtpParameters } from '../protocol/media.ts'
import { createSfu } from './create.ts'
import { createFakeSfu } from './fake/sfu.ts'
import type { Router, Sfu, Tap } from './sfu.ts'

const OPUS: RtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1234 }],
}
const VP8: RtpParameters = {
  codecs: [
    {
      mimeType: 'video/VP8',
      payloadType: 101,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
    },
  ],
  encodings: [{ ssrc: 4321 }],
}
const HEADER_BYTES = 12
/** The payload of a VP8 key frame: the start of a partition (RFC 7741 section 4.2). */
const KEY_FRAME = `\x10${'\0'.repeat(10)}`

let sequence = 0
/** One RTP packet (RFC 3550 section 5.1). */
function packetOf(payload: string, { codecs, encodings } = OPUS): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(0x80, 0)
  header.writeUInt8(codecs[0]!.payloadType, 1)
  header.writeUInt16BE(++sequence, 2)
  header.writeUInt32BE(sequence * 960, 4)
  header.writeUInt32BE(Number(encodings![0]!.ssrc), 8)
  return Buffer.concat([header, Buffer.from(payload)])
}

/** Skips the header extension, if there is one (RFC 3550 section 5.3.1). */
function payloadOf(packet: Buffer): string {
  const isExtended = (packet.readUInt8(0) & 0x10) !== 0
  const extensionBytes = isExtended ? 4 + 4 * packet.readUInt16BE(HEADER_BYTES + 2) : 0
  return packet.subarray(HEADER_BYTES + extensionBytes).toString()
}

/** Repeats `send` until a packet arrives, because the first may be sent before the way is open. */
async function until(send: () => void, arrived: Promise<unknown>): Promise<void> {
  const again = setInterval(send, 20)
  send()
  await arrived.finally(() => clearInterval(again))
}

const nextOf = (tap: Tap): Promise<string> =>
  new Promise((resolve) => tap.onPacket((packet) => resolve(payloadOf(packet))))

const kinds: [name: string, open: () => Promise<Sfu>][] = [
  ['the fake', () => Promise.resolve(createFakeSfu())],
]
if (locateWorker())
  kinds.push([
    'mediasoup',
    async () =>
      createSfu({
        workerBin: locateWorker()!.bin,
        workers: 2,
        firstPort: await freePorts(2),
        listenAddress: '127.0.0.1',
      }),
  ])

for (const [name, open] of kinds) {
  describe(name, () => {
    let sfu: Sfu
    let router: Router
    before(async () => {
      sfu = await open()
      router = await sfu.openRouter()
    })
    after(() => sfu.close())

    test('refuses a tap of nothing and an ingress of the wrong kind, and keeps running', async () => {
      await assert.rejects(router.openTap({ producerId: 'none' }), Refusal)
      await assert.rejects(router.openIngress({ kind: 'video', rtpParameters: OPUS }), Refusal)
      await assert.rejects(
        router.openIngress({ kind: 'video', rtpParameters: { ...VP8, encodings: [{ ssrc: -1 }] } }),
        Refusal,
      )
      const ingress = await router.openIngress({ kind: 'audio', rtpParameters: OPUS })
      ingress.close()
    })

    test('what enters an ingress leaves at a tap, unless one of them is paused', async () => {
      const ingress = await router.openIngress({ kind: 'audio', rtpParameters: OPUS })
      assert.equal(ingress.port, undefined)
      const tap = await router.openTap({ producerId: ingress.producer.id })
      assert.deepEqual(
        [tap.paused, tap.kind, tap.rtpParameters.codecs[0]?.mimeType],
        [true, 'audio', 'audio/opus'],
      )
      const heard: string[] = []
      tap.onPacket((packet) => heard.push(payloadOf(packet)))
      // An error in a listener affects nobody else.
      tap.onPacket(() => {
        throw new Error('a faulty program')
      })
      ingress.send(packetOf('before'))
      await tap.resume()
      const first = nextOf(tap)
      await until(() => ingress.send(packetOf('one')), first)
      assert.ok(!heard.includes('before'))
      const paused = new Promise<void>((resolve) => tap.on('producerPaused', resolve))
      await ingress.producer.pause()
      await paused
      heard.length = 0
      ingress.send(packetOf('paused'))
      const resumed = new Promise<void>((resolve) => tap.on('producerResumed', resolve))
      await ingress.producer.resume()
      await resumed
      const next = nextOf(tap)
      await until(() => ingress.send(packetOf('two')), next)
      assert.equal(await next, 'two')
      assert.ok(!heard.includes('paused'))
      tap.close()
      ingress.close()
    })

    test('a tap takes part in the audio of another meeting, on whatever worker it is', async () => {
      const far = await sfu.openRouter()
      const ingress = await far.openIngress({ kind: 'audio', rtpParameters: OPUS })
      const tap = await router.openTap({ producerId: ingress.producer.id })
      await tap.resume()
      const packet = nextOf(tap)
      await until(() => ingress.send(packetOf('far')), packet)
      assert.equal(await packet, 'far')
      far.close()
      tap.close()
    })

    test('a receiver that needs a key frame asks the sending program', async () => {
      const ingress = await router.openIngress({ kind: 'video', rtpParameters: VP8 })
      const tap = await router.openTap({ producerId: ingress.producer.id })
      const wanted = new Promise<void>((resolve) => ingress.on('keyFrameWanted', resolve))
      await tap.resume()
      await until(() => {
        // Key frames are requested only for a stream with packets.
        ingress.send(packetOf(KEY_FRAME, VP8))
        void tap.requestKeyFrame()
      }, wanted)
      ingress.close()
    })

    test('a tap closes with its producer, and both with their router', async () => {
      const own = await sfu.openRouter()
      const ingress = await own.openIngress({ kind: 'audio', rtpParameters: OPUS })
      const tap = await own.openTap({ producerId: ingress.producer.id })
      const gone = new Promise<void>((resolve) => tap.on('producerClosed', resolve))
      ingress.close()
      ingress.send(packetOf('late'))
      await gone
      await assert.rejects(tap.resume(), Refusal)

      const [other, more] = [
        await own.openIngress({ kind: 'audio', rtpParameters: OPUS }),
        await own.openIngress({ kind: 'audio', rtpParameters: { ...OPUS, encodings: [{ ssrc: 77 }] } }),
      ]
      const kept = await own.openTap({ producerId: more.producer.id })
      const routers = async (): Promise<number> =>
        (await sfu.usage()).reduce((sum, usage) => sum + usage.routers, 0)
      const before = await routers()
      own.close()
      assert.equal(await routers(), before - 1)
      await assert.rejects(kept.resume(), Refusal)
      await assert.rejects(other.producer.pause(), Refusal)
      await assert.rejects(own.openTap({ producerId: more.producer.id }), Refusal)
      await assert.rejects(own.openIngress({ kind: 'audio', rtpParameters: OPUS }), Refusal)
    })

    test('a client receives a stream of an ingress like any other', async () => {
      const ingress = await router.openIngress({ kind: 'audio', rtpParameters: OPUS, watchLevel: true })
      const receive = await router.createTransport({ direction: 'receive' })
      const { rtpCapabilities } = router
      const consumer = await receive.consume({ producerId: ingress.producer.id, rtpCapabilities })
      assert.equal(consumer.kind, 'audio')
      receive.close()
      ingress.close()
    })

    test('taps a simulcast camera', async () => {
      const send = await router.createTransport({ direction: 'send' })
      const rtpParameters = sampleRtpParameters('video', { layers: 3 })
      const producer = await send.produce({ kind: 'video', rtpParameters })
      const tap = await router.openTap({ producerId: producer.id })
      assert.equal(tap.type, 'simulcast')
      await tap.setPreferredLayers({ spatialLayer: 2 })
      send.close()
      tap.close()
    })
  })
}

test('over UDP, a program sends to an ingress and reads from a tap', { skip: !locateWorker() }, async () => {
  const sfu = await kinds.at(-1)![1]()
  const [sender, reader, control] = [createSocket('udp4'), createSocket('udp4'), createSocket('udp4')]
  try {
    for (const socket of [sender, reader, control]) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
    }
    const router = await sfu.openRouter()
    const ingress = await router.openIngress({
      kind: 'audio',
      rtpParameters: OPUS,
      over: 'udp',
    })
    assert.ok(ingress.port)
    for (const to of [
      { port: reader.address().port },
      { port: reader.address().port, rtcpPort: control.address().port },
    ]) {
      const tap = await router.openTap({ producerId: ingress.producer.id, to })
      await tap.resume()
      const arrived = new Promise<string>((resolve) => {
        reader.on('message', (packet) => {
          // RTCP has payload types from 192 to 223 (RFC 5761 section 4).
          const type = packet.readUInt8(1)
          if (type < 192 || type > 223) resolve(payloadOf(packet))
        })
      })
      await until(() => sender.send(packetOf('over udp'), ingress.port, '127.0.0.1'), arrived)
      assert.equal(await arrived, 'over udp')
      reader.removeAllListeners('message')
      tap.close()
    }
    // An ingress over UDP ignores packets given by `send`.
    ingress.send(packetOf('by call'))
  } finally {
    for (const socket of [sender, reader, control]) socket.close()
    await sfu.close()
  }
})
