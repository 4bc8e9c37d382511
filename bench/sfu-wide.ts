/**
 * Compares one meeting on one worker and on two, each worker pinned to its own core, in turns in one run. The figure is
 * packets sent to receivers per second of processor time of the busier worker: its throughput with a whole core. The
 * sending program and the receiving socket do not count. Goal: two workers carry at least 1.8 times as much.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types } from 'mediasoup'
import { routerCodecs } from '../src/media/mediasoup/codecs.ts'
import { PIPE_TIMES } from '../src/media/mediasoup/pipes.ts'
import { consumeOn, produceOn } from '../src/media/mediasoup/transport.ts'
import { WorkerRouter, type ProducerHomes } from '../src/media/mediasoup/worker-router.ts'
import type { RtpCapabilities } from '../src/protocol/media.ts'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { openFeed, openSink } from './sink.ts'
import { printGoal, printTable } from './table.ts'

const SENDERS = 4
const RECEIVERS = 40
const ROUNDS = 6
const ROUND_MS = 4000
/** Per sender. */
const PACKETS_PER_SECOND = 250
const TICK_MS = 4
const PACKET_BYTES = 1200
const PAYLOAD_TYPE = 101
const GOAL = 1.8

const found = locateWorker()
if (!found) throw new Error('There is no media worker on this machine: npm run worker')
if (availableParallelism() < 2) throw new Error('Two workers need two cores.')

const sink = await openSink()
const feed = await openFeed()

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const

interface Side {
  worker: types.Worker
  bare: types.Router
  router: WorkerRouter
  receivers: types.PlainTransport[]
  pipes: types.PipeTransport[]
}

interface Figures {
  /** Packets sent to receivers. */
  packets: number
  /** Packets sent to other workers. */
  piped: number
  /** Per worker. */
  cpuSeconds: number[]
}

/** Creates a meeting of all senders and receivers on this number of workers. */
async function meeting(workers: number) {
  const homes: ProducerHomes = new Map()
  const sides: Side[] = []
  for (let index = 0; index < workers; index++) {
    const worker = await createWorker({ workerBin: found!.bin, logLevel: 'none' })
    const pinned = spawnSync('taskset', ['-pc', String(index), String(worker.pid)])
    if (pinned.status !== 0) throw new Error('taskset is needed to pin a worker to a core.')
    const bare = await worker.createRouter({ mediaCodecs: routerCodecs })
    const pipes: types.PipeTransport[] = []
    bare.observer.on('newtransport', (made) => {
      if (made.type === 'pipe') pipes.push(made as types.PipeTransport)
    })
    const router = new WorkerRouter(bare, {
      log: undefined,
      index,
      webRtcServer: undefined as never,
      homes,
      pipeTimes: PIPE_TIMES,
      useVoice: () => () => undefined,
      left: () => undefined,
    })
    sides.push({ worker, bare, router, receivers: [], pipes })
  }
  const senders: { port: number; ssrc: number; id: string }[] = []
  for (let at = 0; at < SENDERS; at++) {
    const { bare, router } = sides[at % workers]!
    const input = await bare.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true })
    const ssrc = 1000 + at
    const { id } = await produceOn(input, router, {
      kind: 'video',
      rtpParameters: {
        mid: String(at),
        codecs: [
          {
            mimeType: 'video/VP8',
            payloadType: PAYLOAD_TYPE,
            clockRate: 90_000,
            parameters: {},
            rtcpFeedback: [],
          },
        ],
        headerExtensions: [],
        encodings: [{ ssrc }],
        rtcp: { cname: 'bench' },
      },
    })
    senders.push({ port: input.tuple.localPort, ssrc, id })
  }
  for (let at = 0; at < RECEIVERS; at++) {
    const { bare, router, receivers } = sides[at % workers]!
    const receiver = await bare.createPlainTransport({ listenInfo, rtcpMux: true })
    await receiver.connect({ ip: '127.0.0.1', port: sink.port })
    receivers.push(receiver)
    const rtpCapabilities = bare.rtpCapabilities as RtpCapabilities
    for (const { id: producerId } of senders)
      await (await consumeOn(receiver, router, { producerId, rtpCapabilities })).resume()
  }
  const figures = async (): Promise<Figures> => {
    const bytes = async (transports: (types.PlainTransport | types.PipeTransport)[]): Promise<number> => {
      let sum = 0
      for (const transport of transports) sum += (await transport.getStats())[0]!.rtpBytesSent
      return sum / PACKET_BYTES
    }
    const cpuSeconds: number[] = []
    for (const { worker } of sides) {
      const { ru_utime, ru_stime } = await worker.getResourceUsage()
      cpuSeconds.push((ru_utime + ru_stime) / 1000)
    }
    return {
      packets: await bytes(sides.flatMap(({ receivers }) => receivers)),
      piped: await bytes(sides.flatMap(({ pipes }) => pipes)),
      cpuSeconds,
    }
  }
  return { senders, figures, close: () => sides.forEach(({ worker }) => worker.close()) }
}

let sequence = 0
function sendAll(senders: readonly { port: number; ssrc: number }[]): void {
  sequence += 1
  for (const { port, ssrc } of senders) {
    const packet = Buffer.alloc(PACKET_BYTES)
    packet[0] = 0x80
    packet[1] = PAYLOAD_TYPE
    packet.writeUInt16BE(sequence & 0xffff, 2)
    packet.writeUInt32BE((sequence * 90) >>> 0, 4)
    packet.writeUInt32BE(ssrc, 8)
    // A VP8 payload descriptor; consumers start at a key frame.
    packet[12] = 0x10
    packet[13] = sequence % 100 === 1 ? 0x00 : 0x01
    feed.send(packet, port, '127.0.0.1')
  }
}

/** Sends to one meeting for one round. */
async function round({
  senders,
  figures,
}: Awaited<ReturnType<typeof meeting>>): Promise<Figures & { fed: number }> {
  const before = await figures()
  const startedAt = performance.now()
  let fed = 0
  for (;;) {
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs > ROUND_MS) break
    for (; fed < (elapsedMs * PACKETS_PER_SECOND) / 1000; fed++) sendAll(senders)
    await delay(TICK_MS)
  }
  await delay(200)
  const after = await figures()
  return {
    fed: fed * senders.length,
    packets: after.packets - before.packets,
    piped: after.piped - before.piped,
    cpuSeconds: after.cpuSeconds.map((seconds, at) => seconds - before.cpuSeconds[at]!),
  }
}

const meetings = [await meeting(1), await meeting(2)]
const totals = meetings.map((_, at) => ({
  fed: 0,
  packets: 0,
  piped: 0,
  cpuSeconds: Array.from({ length: at + 1 }, () => 0),
}))
try {
  for (const one of meetings) await round(one)
  for (let at = 0; at < ROUNDS; at++) {
    // The order alternates, so that neither always comes second.
    for (const index of at % 2 ? [1, 0] : [0, 1]) {
      const { fed, packets, piped, cpuSeconds } = await round(meetings[index]!)
      const total = totals[index]!
      total.fed += fed
      total.packets += packets
      total.piped += piped
      for (const [worker, seconds] of cpuSeconds.entries()) total.cpuSeconds[worker]! += seconds
    }
  }
} finally {
  for (const one of meetings) one.close()
  sink.close()
  feed.close()
}

const perSecond = totals.map(({ packets, cpuSeconds }) => packets / Math.max(...cpuSeconds))
const ratio = perSecond[1]! / perSecond[0]!
console.log(
  `1 meeting of ${SENDERS} cameras and ${RECEIVERS} receivers, ${ROUNDS} rounds of ${ROUND_MS / 1000} s for each`,
)
printTable(
  [
    'workers',
    'packets in',
    'to receivers',
    'to the other worker',
    'CPU s of each',
    'packets per CPU s',
    'to one',
  ],
  totals.map(({ fed, packets, piped, cpuSeconds }, at) => [
    String(at + 1),
    fed.toFixed(0),
    packets.toFixed(0),
    `${piped.toFixed(0)} (${(piped / fed).toFixed(2)} a packet in)`,
    cpuSeconds.map((seconds) => seconds.toFixed(2)).join(' + '),
    perSecond[at]!.toFixed(0),
    (perSecond[at]! / perSecond[0]!).toFixed(2),
  ]),
)
printGoal(`${GOAL} × one worker or more`, ratio >= GOAL)
