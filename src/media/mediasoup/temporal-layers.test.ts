/** The packets of a VP8 stream with temporal layers that a worker forwards. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import type { RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import { routerCodecs } from './codecs.ts'
import { consumeOn, produceOn } from './transport.ts'
import { transportHost } from '../../../test/support/transport-host.ts'

const PAYLOAD_TYPE = 101
const SSRC = 1111
const FRAME_TICKS = 3000

const found = locateWorker()

let worker: mediasoup.Worker
before(async () => {
  if (found) worker = await createWorker({ workerBin: found.bin })
})
after(() => {
  if (found) worker.close()
})

interface Frame {
  /** Counted from 0. */
  temporalLayer: number
  isKey?: boolean
  /** The frame refers to no frame of its own layer or above, so a receiver may switch to that layer here. */
  isLayerSync?: boolean
}

/** Writes each frame as one packet (RFC 7741 section 4.2). */
class Vp8Writer {
  #sequence = 100
  #picture = 0
  #tl0Picture = 0

  packet({ temporalLayer, isKey = false, isLayerSync = isKey }: Frame): Buffer {
    this.#sequence++
    this.#picture++
    if (temporalLayer === 0) this.#tl0Picture++
    const packet = Buffer.alloc(12 + 6 + 10)
    packet.writeUInt8(0x80, 0)
    packet.writeUInt8(0x80 | PAYLOAD_TYPE, 1)
    packet.writeUInt16BE(this.#sequence, 2)
    packet.writeUInt32BE(this.#picture * FRAME_TICKS, 4)
    packet.writeUInt32BE(SSRC, 8)
    const extended = 0x80
    const startOfPartition = 0x10
    packet.writeUInt8(extended | startOfPartition, 12)
    const pictureIdLayerAndTl0 = 0xe0
    packet.writeUInt8(pictureIdLayerAndTl0, 13)
    packet.writeUInt16BE(0x8000 | this.#picture, 14)
    packet.writeUInt8(this.#tl0Picture & 0xff, 16)
    packet.writeUInt8((temporalLayer << 6) | (isLayerSync ? 0x20 : 0), 17)
    packet.writeUInt8(isKey ? 0 : 1, 18)
    return packet
  }
}

const rtpParameters: RtpParameters = {
  mid: '0',
  codecs: [{ mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: 90_000, rtcpFeedback: [] }],
  headerExtensions: [],
  encodings: [{ ssrc: SSRC, scalabilityMode: 'L1T3' }],
  rtcp: { cname: 'sender' },
}

async function open() {
  const router = await worker.createRouter({ mediaCodecs: routerCodecs })
  const [input, output] = [await router.createDirectTransport(), await router.createDirectTransport()]
  let sender: mediasoup.Producer | undefined
  let receiver: mediasoup.Consumer | undefined
  input.observer.on('newproducer', (made) => (sender = made))
  output.observer.on('newconsumer', (made) => (receiver = made))
  const producer = await produceOn(input, transportHost, { kind: 'video', rtpParameters })
  const consumer = await consumeOn(output, transportHost, {
    producerId: producer.id,
    rtpCapabilities: router.rtpCapabilities as RtpCapabilities,
  })
  const received: Buffer[] = []
  const waiting = new Set<() => void>()
  receiver!.on('rtp', (packet) => {
    received.push(packet)
    for (const check of waiting) check()
  })
  const arrived = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (received.length < count) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const writer = new Vp8Writer()
  return {
    producer,
    consumer,
    received,
    arrived,
    write: (frame: Frame) => writer.packet(frame),
    send: (frame: Frame) => sender!.send(writer.packet(frame)),
    close: () => router.close(),
  }
}

const isKeyFrame = (packet: Buffer): boolean => {
  const payload = packet.subarray(12)
  return (payload[6]! & 1) === 0
}

for (const [when, interrupt] of [
  ['begins to receive', async ({ consumer }) => consumer.resume()],
  [
    'receives again after the sender paused',
    async ({ consumer, producer }) => {
      await consumer.resume()
      await producer.pause()
      await producer.resume()
    },
  ],
] as [string, (stream: Awaited<ReturnType<typeof open>>) => Promise<void>][]) {
  test(
    `a receiver that ${when} gets the key frame and all that follows, though the frame after it was lost`,
    { skip: !found && 'no media worker is built' },
    async () => {
      const stream = await open()
      for (let frame = 0; frame < 3; frame++) {
        stream.send({ temporalLayer: 0, isKey: frame === 0 })
        stream.send({ temporalLayer: 2 })
      }
      await interrupt(stream)
      stream.received.length = 0
      stream.send({ temporalLayer: 0, isKey: true })
      // Apart from a key frame, the worker can switch to the highest layer only at this frame.
      stream.write({ temporalLayer: 2, isLayerSync: true })
      stream.send({ temporalLayer: 1, isLayerSync: true })
      for (let frame = 0; frame < 5; frame++) {
        stream.send({ temporalLayer: 2 })
        stream.send({ temporalLayer: 0 })
      }
      await stream.arrived(12)
      assert.ok(isKeyFrame(stream.received[0]!))
      assert.equal(stream.consumer.type, 'simple')
      stream.close()
    },
  )
}
