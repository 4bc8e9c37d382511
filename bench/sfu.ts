/**
 * Compares packets through our meeting path with a bare mediasoup worker with the same streams and consumers, in turns
 * in one run. Both get the same RTP over UDP; the figure is packets sent per second of the worker's processor time.
 * Goal: ours is at least 0.97 of bare.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types } from 'mediasoup'
import { routerCodecs } from '../src/media/mediasoup/codecs.ts'
import { PIPE_TIMES } from '../src/media/mediasoup/pipes.ts'
import { consumeOn, produceOn } from '../src/media/mediasoup/transport.ts'
import { WorkerRouter } from '../src/media/mediasoup/worker-router.ts'
import type { RtpCapabilities, RtpParameters } from '../src/protocol/media.ts'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { openFeed, openSink } from './sink.ts'
import { printGoal, printTable } from './table.ts'

const RECEIVERS = 20
const ROUNDS = 6
const ROUND_MS = 4000
/** As much as ten cameras of 2.4 Mbit/s; the meeting has one voice besides. */
const VIDEO_PER_SECOND = 2500
const AUDIO_PER_SECOND = 50
const TICK_MS = 4
const PACKET_BYTES = 1200

const worker = locateWorker()
if (!worker) throw new Error('There is no media worker on this machine: npm run worker')

const sink = await openSink()
const feed = await openFeed()

interface Side {
  name: string
  worker: types.Worker
  /** The ports that the feed sends to. */
  ports: { audio: number; video: number }
  /** Packets sent to receivers so far. */
  sent: () => Promise<number>
}

const kinds = {
  video: { payloadType: 101, ssrc: 2222, mimeType: 'video/VP8', clockRate: 90000 },
  audio: { payloadType: 100, ssrc: 1111, mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
} as const
type Kind = keyof typeof kinds

const parametersOf = (kind: Kind): RtpParameters => {
  const { payloadType, ssrc, ...codec } = kinds[kind]
  return {
    mid: kind,
    codecs: [{ ...codec, payloadType, parameters: {}, rtcpFeedback: [] }],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: 'bench' },
  }
}

async function side(name: string, ours: boolean): Promise<Side> {
  const media = await createWorker({ workerBin: worker!.bin, logLevel: 'none' })
  const bare = await media.createRouter({ mediaCodecs: routerCodecs })
  const router = ours
    ? new WorkerRouter(bare, {
        log: undefined,
        index: 0,
        webRtcServer: undefined as never,
        homes: new Map(),
        pipeTimes: PIPE_TIMES,
        useVoice: () => () => undefined,
        left: () => undefined,
      })
    : undefined
  const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const
  const capabilities = bare.rtpCapabilities as RtpCapabilities
  const ports = {} as Side['ports']
  const receivers: types.PlainTransport[] = []
  for (let at = 0; at < RECEIVERS; at++) {
    const receiver = await bare.createPlainTransport({ listenInfo, rtcpMux: true })
    await receiver.connect({ ip: '127.0.0.1', port: sink.port })
    receivers.push(receiver)
  }
  for (const kind of ['video', 'audio'] as const) {
    const input = await bare.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true })
    ports[kind] = input.tuple.localPort
    const rtpParameters = parametersOf(kind)
    const { id } = router
      ? await produceOn(input, router, { kind, rtpParameters, watchLevel: kind === 'audio' })
      : await input.produce({ kind, rtpParameters: rtpParameters as types.RtpParameters })
    for (const receiver of receivers) {
      const consumer = router
        ? await consumeOn(receiver, router, { producerId: id, rtpCapabilities: capabilities })
        : await receiver.consume({
            producerId: id,
            rtpCapabilities: capabilities as types.RtpCapabilities,
            paused: true,
          })
      await consumer.resume()
    }
  }
  return {
    name,
    worker: media,
    ports,
    sent: async () => {
      let bytes = 0
      for (const receiver of receivers) {
        const [stats] = await receiver.getStats()
        bytes += stats!.rtpBytesSent
      }
      return bytes / PACKET_BYTES
    },
  }
}

const sequence = { video: 0, audio: 0 }
const packets = {
  video: Buffer.alloc(PACKET_BYTES),
  audio: Buffer.alloc(PACKET_BYTES),
}
function send(kind: Kind, port: number): void {
  const packet = packets[kind]
  const at = (sequence[kind] = (sequence[kind] + 1) & 0xffff)
  packet[0] = 0x80
  packet[1] = kinds[kind].payloadType
  packet.writeUInt16BE(at, 2)
  packet.writeUInt32BE((at * 90) >>> 0, 4)
  packet.writeUInt32BE(kinds[kind].ssrc, 8)
  if (kind === 'video') {
    // A VP8 payload descriptor. The first packet is a key frame, so that consumers forward the rest.
    packet[12] = 0x10
    packet[13] = at % 100 === 1 ? 0x00 : 0x01
  }
  // A copy, because the packet is sent after the next one is written.
  feed.send(Buffer.from(packet), port, '127.0.0.1')
}

/** Sends to one side for one round. */
async function round({ worker: media, ports, sent }: Side): Promise<{ packets: number; cpuSeconds: number }> {
  const cpu = async (): Promise<number> => {
    const { ru_utime, ru_stime } = await media.getResourceUsage()
    return (ru_utime + ru_stime) / 1000
  }
  const [packetsBefore, cpuBefore] = [await sent(), await cpu()]
  const startedAt = performance.now()
  let [video, audio] = [0, 0]
  for (;;) {
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs > ROUND_MS) break
    for (; video < (elapsedMs * VIDEO_PER_SECOND) / 1000; video++) send('video', ports.video)
    for (; audio < (elapsedMs * AUDIO_PER_SECOND) / 1000; audio++) send('audio', ports.audio)
    await delay(TICK_MS)
  }
  await delay(200)
  return { packets: (await sent()) - packetsBefore, cpuSeconds: (await cpu()) - cpuBefore }
}

const sides = [await side('bare mediasoup', false), await side('our meeting path', true)]
const totals = sides.map(() => ({ packets: 0, cpuSeconds: 0 }))
try {
  for (const one of sides) await round(one)
  for (let at = 0; at < ROUNDS; at++) {
    // The order alternates, so that neither always comes second.
    for (const index of at % 2 ? [1, 0] : [0, 1]) {
      const { packets: carried, cpuSeconds } = await round(sides[index]!)
      totals[index]!.packets += carried
      totals[index]!.cpuSeconds += cpuSeconds
    }
  }
} finally {
  for (const { worker: media } of sides) media.close()
  sink.close()
  feed.close()
}

const perSecond = totals.map(({ packets: carried, cpuSeconds }) => carried / cpuSeconds)
console.log(
  `1 camera and 1 voice to ${RECEIVERS} receivers, ${ROUNDS} rounds of ${ROUND_MS / 1000} s for each side`,
)
printTable(
  ['side', 'packets out', 'CPU s', 'packets per CPU s', 'to bare'],
  sides.map(({ name }, at) => [
    name,
    totals[at]!.packets.toFixed(0),
    totals[at]!.cpuSeconds.toFixed(2),
    perSecond[at]!.toFixed(0),
    (perSecond[at]! / perSecond[0]!).toFixed(3),
  ]),
)
printGoal('0.97 × bare or more', perSecond[1]! >= 0.97 * perSecond[0]!)
