/**
 * What a second node gives, by what its media workers do: two workers stand for two nodes, each pinned to a core of its own,
 * with streams between them over encrypted lines. In turns, in one run:
 *
 * - one meeting of 60, of whom 10 send a camera in three layers and a voice, and all receive: on one node, and on two;
 * - many separate meetings of 6 who all send and receive: on one node, and on two.
 *
 * The figure is packets sent to receivers per second of processor time of the busier node: its throughput with a whole
 * core. The sending program and the receiving socket do not count. Both nodes share one machine, its cache and its kernel.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types } from 'mediasoup'
import { routerCodecs } from '../src/media/mediasoup/codecs.ts'
import { HostLines, Outlets } from '../src/media/mediasoup/hosts.ts'
import { PIPE_TIMES } from '../src/media/mediasoup/pipes.ts'
import { produceOn } from '../src/media/mediasoup/transport.ts'
import { WorkerRouter, type ProducerHomes } from '../src/media/mediasoup/worker-router.ts'
import type { StreamSource } from '../src/media/sfu.ts'
import type { RtpParameters } from '../src/protocol/media.ts'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { openFeed, openSink } from './sink.ts'
import { printGoal, printTable } from './table.ts'

const WIDE = { meetings: 1, people: 60, senders: 10 }
const SEPARATE = { meetings: 8, people: 6, senders: 6 }
const WIDE_GOAL = 1.8
const SEPARATE_GOAL = 1.9
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 6)
const ROUND_MS = 4000
const TICK_MS = 20
/** A third of the usual rate; each is the packets of one encoding in a second, the smallest first. */
const LAYERS = [5, 12, 48]
const VOICE = 50
const PACKET_BYTES = { video: 1100, audio: 100 }
const PAYLOAD_TYPES = { video: 101, audio: 100 }

const found = locateWorker()
if (!found) throw new Error('There is no media worker on this machine: npm run worker')
if (availableParallelism() < 2) throw new Error('Two nodes need two cores.')

const sink = await openSink()
const feed = await openFeed()
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const

interface Encoding {
  port: number
  ssrc: number
  perSecond: number
  media: 'audio' | 'video'
  sequence: number
  due: number
}

interface Node {
  worker: types.Worker
  homes: ProducerHomes
  lines: HostLines
  source: Outlets
  pipes: types.PipeTransport[]
  consumers: types.Consumer[]
}

interface Stage {
  nodes: Node[]
  encodings: Encoding[]
}

async function startNode(at: number): Promise<Node> {
  const worker = await createWorker({ workerBin: found!.bin, logLevel: 'none' })
  const pinned = spawnSync('taskset', ['-pc', String(at), String(worker.pid)])
  if (pinned.status !== 0) throw new Error('taskset is needed to pin a worker to a core.')
  const homes: ProducerHomes = new Map()
  const lines = new HostLines({ address: `127.0.0.${at + 2}`, ports: { min: 41_000, max: 41_999 } })
  return { worker, homes, lines, source: new Outlets(homes), pipes: [], consumers: [] }
}

let ssrc = 1
const parametersOf = (media: 'audio' | 'video', ssrcs: number[]): RtpParameters => ({
  mid: String(ssrcs[0]),
  codecs: [
    media === 'video'
      ? {
          mimeType: 'video/VP8',
          payloadType: PAYLOAD_TYPES.video,
          clockRate: 90_000,
          parameters: {},
          rtcpFeedback: [],
        }
      : {
          mimeType: 'audio/opus',
          payloadType: PAYLOAD_TYPES.audio,
          clockRate: 48_000,
          channels: 2,
          parameters: {},
          rtcpFeedback: [],
        },
  ],
  headerExtensions: [],
  encodings: ssrcs.map((each) => ({ ssrc: each, ...(media === 'video' && { scalabilityMode: 'L1T1' }) })),
  rtcp: { cname: 'bench' },
})

/** Opens the meetings. A wide one is spread over all nodes; of several, each is on one. */
async function stageOf({ meetings, people, senders }: typeof WIDE, count: number): Promise<Stage> {
  const nodes = await Promise.all(Array.from({ length: count }, (_, at) => startNode(at)))
  const encodings: Encoding[] = []
  for (let meeting = 0; meeting < meetings; meeting++) {
    const used = meetings === 1 ? nodes : [nodes[meeting % count]!]
    const elsewhere = sourceOver(used)
    const sides = await Promise.all(
      used.map(async (node) => {
        const bare = await node.worker.createRouter({ mediaCodecs: routerCodecs })
        bare.observer.on('newtransport', (made) => {
          if (made.type === 'pipe') node.pipes.push(made as types.PipeTransport)
        })
        const router = new WorkerRouter(bare, {
          log: undefined,
          index: 0,
          webRtcServer: undefined as never,
          homes: node.homes,
          pipeTimes: PIPE_TIMES,
          hostLines: node.lines,
          elsewhere,
          useVoice: () => () => undefined,
          left: () => undefined,
        })
        return { node, bare, router }
      }),
    )
    const producers: { id: string; by: number }[] = []
    for (let at = 0; at < senders; at++) {
      const { bare, router } = sides[at % sides.length]!
      for (const media of ['video', 'audio'] as const) {
        const input = await bare.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true })
        const rates = media === 'video' ? LAYERS : [VOICE]
        const ssrcs = rates.map(() => ssrc++)
        const { id } = await produceOn(input, router, {
          kind: media,
          rtpParameters: parametersOf(media, ssrcs),
        })
        producers.push({ id, by: at })
        for (const [layer, perSecond] of rates.entries())
          encodings.push({
            port: input.tuple.localPort,
            ssrc: ssrcs[layer]!,
            perSecond,
            media,
            sequence: 0,
            due: 0,
          })
      }
    }
    for (let at = 0; at < people; at++) {
      const { node, bare, router } = sides[at % sides.length]!
      const receiver = await bare.createPlainTransport({ listenInfo, rtcpMux: true })
      await receiver.connect({ ip: '127.0.0.1', port: sink.port })
      for (const { id, by } of producers) {
        if (by === at) continue
        const brought = await router.bring(id)
        const consumer = await receiver.consume({
          producerId: brought.id,
          rtpCapabilities: bare.rtpCapabilities,
          paused: true,
          // The largest layer: it costs most to receive, and the others go over the line for nothing.
          preferredLayers: { spatialLayer: LAYERS.length - 1 },
        })
        brought.hold(consumer)
        node.consumers.push(consumer)
        await consumer.resume()
      }
    }
  }
  return { nodes, encodings }
}

/** The streams of each node for the others. */
function sourceOver(nodes: readonly Node[]): StreamSource {
  const given = new Map<string, Outlets>()
  const of = (id: string): Outlets => given.get(id)!
  return {
    offer: async (producerId, to, hear) => {
      const { source } = nodes.find(({ homes }) => homes.get(producerId) && !homes.get(producerId)!.demand)!
      const offer = await source.offer(producerId, to, hear)
      given.set(offer.streamId, source).set(offer.lineId, source)
      return offer
    },
    connect: (lineId, end) => of(lineId).connect(lineId, end),
    flow: (streamId, flows) => of(streamId).flow(streamId, flows),
    close: (streamId) => of(streamId).close(streamId),
  }
}

const CLOCK_KHZ = { video: 90, audio: 48 }

function sendOne(encoding: Encoding): void {
  const { media, port } = encoding
  encoding.sequence += 1
  const packet = Buffer.alloc(PACKET_BYTES[media])
  packet[0] = 0x80
  packet[1] = PAYLOAD_TYPES[media]
  packet.writeUInt16BE(encoding.sequence & 0xffff, 2)
  packet.writeUInt32BE(Math.round(encoding.due * CLOCK_KHZ[media]) % 2 ** 32, 4)
  packet.writeUInt32BE(encoding.ssrc, 8)
  // A VP8 payload descriptor; consumers begin at a key frame.
  packet[12] = 0x10
  packet[13] = encoding.sequence % 5 === 1 ? 0x00 : 0x01
  feed.send(packet, port, '127.0.0.1')
  // A worker switches layers only after a sender report has related their timestamps.
  if (encoding.sequence % 10 === 1) feed.send(reportOf(encoding), port, '127.0.0.1')
}

/** A sender report (RFC 3550 section 6.4.1). */
function reportOf({ ssrc, due, sequence, media }: Encoding): Buffer {
  const packet = Buffer.alloc(28)
  packet.writeUInt8(0x80, 0)
  packet.writeUInt8(200, 1)
  packet.writeUInt16BE(6, 2)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt32BE(1_000_000 + Math.floor(due / 1000), 8)
  packet.writeUInt32BE(Math.floor(((due % 1000) / 1000) * 2 ** 32), 12)
  packet.writeUInt32BE(Math.round(due * CLOCK_KHZ[media]) % 2 ** 32, 16)
  packet.writeUInt32BE(sequence, 20)
  packet.writeUInt32BE(sequence * PACKET_BYTES[media], 24)
  return packet
}

interface Figures {
  fed: number
  packets: number
  /** Sent over lines. */
  piped: number
  cpuSeconds: number[]
}

/** Processor time, without that of counting. */
async function cpuOf({ nodes }: Stage): Promise<number[]> {
  const used = await Promise.all(nodes.map(({ worker }) => worker.getResourceUsage()))
  return used.map(({ ru_utime, ru_stime }) => (ru_utime + ru_stime) / 1000)
}

/** Packets sent to receivers, and bytes sent over lines. */
async function sentBy({ nodes }: Stage): Promise<{ packets: number; piped: number }> {
  let [packets, piped] = [0, 0]
  for (const { consumers, pipes } of nodes) {
    for (const consumer of consumers)
      for (const stat of await consumer.getStats())
        if (stat.type === 'outbound-rtp') packets += stat.packetCount
    for (const transport of pipes)
      if (!transport.closed) for (const stat of await transport.getStats()) piped += stat.rtpBytesSent
  }
  return { packets, piped }
}

async function round(stage: Stage): Promise<Figures> {
  const sentBefore = await sentBy(stage)
  const cpuBefore = await cpuOf(stage)
  const startedAt = performance.now()
  let fed = 0
  for (const encoding of stage.encodings) encoding.due = startedAt
  for (;;) {
    const now = performance.now()
    if (now - startedAt > ROUND_MS) break
    for (const encoding of stage.encodings)
      for (; encoding.due <= now; encoding.due += 1000 / encoding.perSecond) {
        sendOne(encoding)
        fed += 1
      }
    await delay(TICK_MS)
  }
  await delay(200)
  const cpuAfter = await cpuOf(stage)
  const sentAfter = await sentBy(stage)
  return {
    fed,
    packets: sentAfter.packets - sentBefore.packets,
    piped: sentAfter.piped - sentBefore.piped,
    cpuSeconds: cpuAfter.map((seconds, at) => seconds - cpuBefore[at]!),
  }
}

async function compare(what: string, meeting: typeof WIDE): Promise<number> {
  const stages = [await stageOf(meeting, 1), await stageOf(meeting, 2)]
  const totals = stages.map(({ nodes }) => ({
    fed: 0,
    packets: 0,
    piped: 0,
    cpuSeconds: nodes.map(() => 0),
  }))
  try {
    for (const stage of stages) await round(stage)
    for (let at = 0; at < ROUNDS; at++)
      for (const index of at % 2 ? [1, 0] : [0, 1]) {
        const { fed, packets, piped, cpuSeconds } = await round(stages[index]!)
        const total = totals[index]!
        total.fed += fed
        total.packets += packets
        total.piped += piped
        for (const [node, seconds] of cpuSeconds.entries()) total.cpuSeconds[node]! += seconds
      }
  } finally {
    for (const { nodes } of stages) for (const { worker } of nodes) worker.close()
  }
  const busiest = totals.map(({ packets, cpuSeconds }) => packets / Math.max(...cpuSeconds))
  const mean = totals.map(
    ({ packets, cpuSeconds }) =>
      (packets * cpuSeconds.length) / cpuSeconds.reduce((sum, one) => sum + one, 0),
  )
  console.log(
    `${what}, ${ROUNDS} rounds of ${ROUND_MS / 1000} s for each; load average ${loadavg()[0]!.toFixed(1)}\n`,
  )
  printTable(
    ['nodes', 'packets in', 'to receivers', 'Mbit to the other', 'CPU s of each', 'by the busier', 'by both'],
    totals.map(({ fed, packets, piped, cpuSeconds }, at) => [
      String(at + 1),
      fed.toFixed(0),
      packets.toFixed(0),
      ((piped * 8) / 1e6).toFixed(1),
      cpuSeconds.map((seconds) => seconds.toFixed(2)).join(' + '),
      `${busiest[at]!.toFixed(0)} (${(busiest[at]! / busiest[0]!).toFixed(2)})`,
      `${mean[at]!.toFixed(0)} (${(mean[at]! / mean[0]!).toFixed(2)})`,
    ]),
  )
  return busiest[1]! / busiest[0]!
}

try {
  const wide = await compare('1 meeting of 60, 10 send a camera in 3 layers and a voice', WIDE)
  const separate = await compare('8 meetings of 6, all send a camera in 3 layers and a voice', SEPARATE)
  printGoal(
    `the wide meeting: two nodes carry ${wide.toFixed(2)} × one (goal ${WIDE_GOAL})`,
    wide >= WIDE_GOAL,
  )
  printGoal(
    `separate meetings: two nodes carry ${separate.toFixed(2)} × one (goal ${SEPARATE_GOAL})`,
    separate >= SEPARATE_GOAL,
  )
} finally {
  sink.close()
  feed.close()
}
