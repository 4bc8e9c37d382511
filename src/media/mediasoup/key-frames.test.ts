/** When a worker asks a sender for key frames. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { routerCodecs } from './codecs.ts'
import { consumeOn, produceOn } from './transport.ts'
import { transportHost } from '../../../test/support/transport-host.ts'

const PAYLOAD_TYPE = 101
const SSRC = 1111
/** RTCP picture loss indication, RFC 4585 section 6.3.1. */
const PICTURE_LOSS = { type: 206, format: 1 }
/** A browser ignores a request within this time after the last one. */
const BROWSER_IGNORES_MS = 300

/** A VP8 key frame in one packet (RFC 7741 section 4.2). */
function keyFrame(sequence: number): Buffer {
  const packet = Buffer.alloc(12 + 1 + 10)
  packet.writeUInt8(0x80, 0)
  packet.writeUInt8(0x80 | PAYLOAD_TYPE, 1)
  packet.writeUInt16BE(sequence, 2)
  packet.writeUInt32BE(sequence * 3000, 4)
  packet.writeUInt32BE(SSRC, 8)
  const startOfPartition = 0x10
  packet.writeUInt8(startOfPartition, 12)
  return packet
}

const found = locateWorker()

test(
  'asks for a key frame for a second viewer as soon as the browser will send one, and not before',
  { skip: !found && 'no media worker is built' },
  async () => {
    const worker = await createWorker({ workerBin: found!.bin })
    try {
      const router = await worker.createRouter({ mediaCodecs: routerCodecs })
      const [input, output] = [await router.createDirectTransport(), await router.createDirectTransport()]
      let sender: mediasoup.Producer | undefined
      input.observer.on('newproducer', (made) => (sender = made))
      let heard = (): void => undefined
      input.on('rtcp', (packet) => {
        if (packet[1] === PICTURE_LOSS.type && (packet[0]! & 0x1f) === PICTURE_LOSS.format) heard()
      })
      const nextRequest = (): Promise<void> => new Promise((resolve) => (heard = resolve))

      const { id: producerId } = await produceOn(input, transportHost, {
        kind: 'video',
        rtpParameters: {
          mid: '0',
          codecs: [
            {
              mimeType: 'video/VP8',
              payloadType: PAYLOAD_TYPE,
              clockRate: 90_000,
              rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
            },
          ],
          headerExtensions: [],
          encodings: [{ ssrc: SSRC }],
          rtcp: { cname: 'sender' },
        },
      })
      sender!.send(keyFrame(1))
      const view = async (): Promise<void> => {
        const rtpCapabilities = router.rtpCapabilities as RtpCapabilities
        const viewer = await consumeOn(output, transportHost, { producerId, rtpCapabilities })
        await viewer.resume()
      }

      const first = nextRequest()
      const before = performance.now()
      await view()
      await first
      const second = nextRequest()
      sender!.send(keyFrame(2))
      await view()
      await second
      assert.ok(performance.now() - before > BROWSER_IGNORES_MS)
    } finally {
      worker.close()
    }
  },
)
