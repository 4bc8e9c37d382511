/** Which layer of a camera a receiver without an estimate of its bandwidth gets from a real worker. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { routerCodecs } from './codecs.ts'
import { LayerWatch, type WatchedConsumer } from './layer-watch.ts'
import { consumeOn } from './transport.ts'
import { transportHost } from '../../../test/support/transport-host.ts'

const PAYLOAD_TYPE = 101
/** Of the layers, from the smallest. */
const SSRCS = [1111, 2222, 3333]
const FRAME_MS = 50
const REPORT_MS = 200
const NTP_EPOCH_SECONDS = 2_208_988_800
const PATIENCE_MS = 60_000

const found = locateWorker()

/** A camera with three sizes in VP8: every frame is a key frame in one packet (RFC 7741, section 4.2). */
class Camera {
  /** Which layers are sent, and for which of them sender reports. */
  readonly sent = [false, false, false]
  readonly reported = [false, false, false]
  readonly #numbers = [1, 1, 1]

  frame(layer: number): Buffer {
    const packet = Buffer.alloc(12 + 1 + 10)
    packet.writeUInt8(0x80, 0)
    packet.writeUInt8(0x80 | PAYLOAD_TYPE, 1)
    packet.writeUInt16BE(this.#numbers[layer]!++, 2)
    packet.writeUInt32BE(timestamp(layer), 4)
    packet.writeUInt32BE(SSRCS[layer]!, 8)
    const startOfPartition = 0x10
    packet.writeUInt8(startOfPartition, 12)
    return packet
  }

  /** RFC 3550, section 6.4.1. */
  report(layer: number): Buffer {
    const packet = Buffer.alloc(28)
    packet.writeUInt8(0x80, 0)
    packet.writeUInt8(200, 1)
    packet.writeUInt16BE(6, 2)
    packet.writeUInt32BE(SSRCS[layer]!, 4)
    const now = Date.now() / 1000 + NTP_EPOCH_SECONDS
    packet.writeUInt32BE(Math.floor(now) % 2 ** 32, 8)
    packet.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), 12)
    packet.writeUInt32BE(timestamp(layer), 16)
    packet.writeUInt32BE(this.#numbers[layer]!, 20)
    return packet
  }
}

/** Each layer counts from an instant of its own. */
function timestamp(layer: number): number {
  return (Math.round(performance.now() * 90) + layer * 1_000_000) % 2 ** 32
}

test(
  'a receiver without an estimate gets the largest layer that is sent, whenever the sender stops and starts one',
  { skip: !found && 'no media worker is built', timeout: 4 * PATIENCE_MS },
  async (t) => {
    const worker = await createWorker({ workerBin: found!.bin })
    t.after(() => worker.close())
    const router = await worker.createRouter({ mediaCodecs: routerCodecs })
    const [input, output] = [await router.createDirectTransport(), await router.createDirectTransport()]
    const producer = await input.produce({
      kind: 'video',
      rtpParameters: {
        mid: '0',
        codecs: [{ mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: 90_000 }],
        encodings: SSRCS.map((ssrc) => ({ ssrc })),
      },
    })
    const camera = new Camera()
    const each = (ms: number, of: boolean[], act: (layer: number) => void): void => {
      const timer = setInterval(() => {
        for (const layer of SSRCS.keys()) if (of[layer]) act(layer)
      }, ms)
      t.after(() => clearInterval(timer))
    }
    each(FRAME_MS, camera.sent, (layer) => producer.send(camera.frame(layer)))
    each(REPORT_MS, camera.reported, (layer) => input.sendRtcp(camera.report(layer)))

    let receiver: mediasoup.Consumer | undefined
    output.observer.on('newconsumer', (made) => (receiver = made))
    const consumer = await consumeOn(output, transportHost, {
      producerId: producer.id,
      rtpCapabilities: withoutEstimate(router.rtpCapabilities as RtpCapabilities),
    })
    let received = 0
    receiver!.on('rtp', () => received++)
    const flowsAt = async (layer: number): Promise<void> => {
      const giveUpAt = performance.now() + PATIENCE_MS
      let since: number | undefined
      for (;;) {
        if (consumer.layers?.spatialLayer !== layer) since = undefined
        else since ??= received
        if (since !== undefined && received > since + 2) return
        if (performance.now() > giveUpAt) assert.fail(`it never got layer ${layer}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const send = (...layers: number[]): void => {
      for (const layer of SSRCS.keys()) camera.sent[layer] = layers.includes(layer)
    }

    // The largest comes first, as from a pipe, and stops before a report of it has come.
    send(2)
    await consumer.resume()
    await flowsAt(2)
    send(0, 1)
    camera.reported.fill(true, 0, 2)
    await flowsAt(1)
    camera.reported[2] = true
    send(0, 1, 2)
    await flowsAt(2)
    send(0)
    await flowsAt(0)
    send(0, 1, 2)
    await flowsAt(2)
    await consumer.setPreferredLayers({ spatialLayer: 0 })
    await flowsAt(0)
  },
)

/** As a WHEP client whose numbers of header extensions are not those of the worker. */
function withoutEstimate(capabilities: RtpCapabilities): RtpCapabilities {
  return { ...capabilities, headerExtensions: [] }
}

test('layers that the client has just asked for are not overwritten by the former ones', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked: number[] = []
  const heard = new Map<string, () => void>()
  const answers: (() => void)[] = []
  const consumer = {
    type: 'simulcast',
    closed: false,
    paused: false,
    producerPaused: false,
    score: { score: 10, producerScore: 10, producerScores: [10, 10, 10] },
    currentLayers: { spatialLayer: 0 },
    preferredLayers: { spatialLayer: 2 },
    rtpParameters: { codecs: [] },
    on: (event: string, listener: () => void) => heard.set(event, listener),
    observer: { on: () => undefined },
    setPreferredLayers: ({ spatialLayer }: { spatialLayer: number }) => {
      asked.push(spatialLayer)
      return new Promise<void>((resolve) => answers.push(resolve))
    },
  } as unknown as WatchedConsumer
  const watch = new LayerWatch(consumer)
  heard.get('score')!()
  const preferred = watch.prefer({ spatialLayer: 1 })
  t.mock.timers.tick(1000)
  assert.deepEqual(asked, [1])
  answers[0]!()
  await preferred
  t.mock.timers.tick(2000)
  assert.deepEqual(asked, [1, 1, 2], 'the worker is made to choose as soon as none is on its way')
})
