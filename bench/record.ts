/**
 * The cost of recording: participants with a camera of 1.5 Mbit/s and a voice each, written to disk without decoding.
 * Another process sends the packets over UDP through the real media server. Goal: this process uses at most 3 % of a
 * core per camera and voice.
 */
import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { createSfu } from '../src/media/create.ts'
import type { OutputRun, OutputSource, SourceStream } from '../src/output/output.ts'
import { blackFrame } from '../src/rtp/codecs/vp8.ts'
import { createParticipantRecorder } from '../src/output/tracks/create.ts'
import type { MediaKind, RtpParameters } from '../src/protocol/media.ts'
import { freePorts } from '../test/support/ports.ts'
import { RtpWriter, vp8Payloads } from '../test/support/recorded-media.ts'
import { printGoal, printTable } from './table.ts'

const PARTICIPANTS = 10
const MEASURE_MS = 20_000
const GOAL_PERCENT = 3
const CAMERA = { bitrate: 1_500_000, everyMs: 40, ticks: 3600, payloadType: 101, keyEvery: 250 }
const VOICE = { bytes: 100, everyMs: 20, ticks: 960, payloadType: 100 }

interface Target {
  kind: MediaKind
  port: number
  ssrc: number
}

if (process.argv[2] === 'send') send(JSON.parse(process.argv[3]!) as Target[])
else await measure()

/** Runs in the sending process. */
function send(targets: Target[]): void {
  process.on('disconnect', () => process.exit())
  const socket = createSocket('udp4')
  const startedAt = performance.now()
  const key = Buffer.concat([blackFrame({ width: 1280, height: 720 }), Buffer.alloc(20_000)])
  const delta = Buffer.alloc(CAMERA.bitrate / 8 / (1000 / CAMERA.everyMs), 1)
  const streams = targets.map(({ kind, port, ssrc }) => {
    const { payloadType } = kind === 'video' ? CAMERA : VOICE
    return { kind, port, writer: new RtpWriter({ ssrc, payloadType }), count: 0 }
  })
  setInterval(() => {
    const elapsed = performance.now() - startedAt
    for (const stream of streams) {
      const { everyMs, ticks } = stream.kind === 'video' ? CAMERA : VOICE
      for (; stream.count * everyMs <= elapsed; stream.count++) {
        const frame = stream.count % CAMERA.keyEvery === 0 ? key : delta
        const payloads =
          stream.kind === 'video' ? vp8Payloads(frame, stream.count) : [Buffer.alloc(VOICE.bytes, 0x78)]
        for (const packet of stream.writer.packets(payloads, stream.count * ticks))
          socket.send(packet, stream.port, '127.0.0.1')
      }
    }
  }, 10)
}

async function measure(): Promise<void> {
  const worker = locateWorker()
  if (!worker) throw new Error('There is no media worker on this machine: npm run worker')
  const sfu = await createSfu({
    workerBin: worker.bin,
    workers: 1,
    firstPort: await freePorts(1),
    listenAddress: '127.0.0.1',
  })
  const router = await sfu.openRouter()
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-bench-'))
  const targets: Target[] = []
  const streams: SourceStream[] = []
  for (let at = 0; at < PARTICIPANTS; at++) {
    for (const kind of ['audio', 'video'] as const) {
      const ssrc = 1000 + at * 2 + (kind === 'video' ? 1 : 0)
      const ingress = await router.openIngress({ kind, rtpParameters: parametersOf(kind, ssrc), over: 'udp' })
      targets.push({ kind, port: ingress.port!, ssrc })
      const { id: producerId } = ingress.producer
      const owner = { ownerId: `participant ${at}`, ownerName: `participant ${at}` }
      streams.push({ ...owner, producerId, kind, appData: {}, open: () => router.openTap({ producerId }) })
    }
  }
  const source: OutputSource = {
    projectId: 'project',
    meetingId: 'meeting',
    sessionId: 'session',
    participants: () => [],
    listen: () => () => undefined,
    openSeat: () => Promise.reject(new Error('no seat here')),
    watch(watcher) {
      for (const stream of streams) watcher.offer(stream)
      return () => undefined
    },
  }
  const sender = fork(import.meta.filename, ['send', JSON.stringify(targets)])
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => console.log(message, fields),
  }
  const recorder = createParticipantRecorder({
    ffmpeg: undefined,
    log,
    now: () => Date.now(),
    reserveBytes: 0,
  })
  const listener = {
    started: () => undefined,
    playable: () => undefined,
    transcribed: () => undefined,
    ended: (problem: object) => console.log(problem),
  }
  const runs: OutputRun[] = []
  for (let at = 0; at < PARTICIPANTS; at++) {
    const order = { outputId: String(at).padStart(24, '0'), folder: join(folder, String(at)), source }
    await mkdir(order.folder)
    const config = { participantId: `participant ${at}`, fileFormat: 'webm' } as const
    runs.push(recorder.start({ ...order, config }, listener))
  }
  await delay(5000)
  const before = process.cpuUsage()
  const startedAt = performance.now()
  await delay(MEASURE_MS)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startedAt) / 1000
  const files = (await Promise.all(runs.map((run) => run.stop()))).flat()
  sender.kill()
  const percent = ((user + system) / 1e6 / seconds / PARTICIPANTS) * 100
  const bitrate = files.reduce((sum, { size, meta }) => sum + (size * 8) / meta!.duration!, 0) / files.length
  printTable(
    ['recorded', 'Mbit/s each', 'of a core each'],
    [[`${PARTICIPANTS} × camera and voice`, (bitrate / 1e6).toFixed(2), `${percent.toFixed(2)} %`]],
  )
  console.log(`on ${cpus().length} cores, ${cpus()[0]!.model}`)
  printGoal(`at most ${GOAL_PERCENT} % of a core for each camera and voice`, percent <= GOAL_PERCENT)
  await sfu.close()
  await rm(folder, { recursive: true })
}

function parametersOf(kind: MediaKind, ssrc: number): RtpParameters {
  const codec =
    kind === 'audio'
      ? { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }
      : { mimeType: 'video/VP8', clockRate: 90_000 }
  const { payloadType } = kind === 'video' ? CAMERA : VOICE
  return { codecs: [{ ...codec, payloadType, parameters: {}, rtcpFeedback: [] }], encodings: [{ ssrc }] }
}
