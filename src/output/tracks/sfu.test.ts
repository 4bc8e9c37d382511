/** A recording from the real media server: ffmpeg sends a voice and a camera, and the file is decoded. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import { locateWorker } from '../../../scripts/media-worker/locate.mjs'
import { freePorts } from '../../../test/support/ports.ts'
import { decodeErrors, probe } from '../../../test/support/recorded-media.ts'
import { nearClapOffsets, near } from '../../../test/support/recording-bench.ts'
import { createSfu } from '../../media/create.ts'
import type { Ingress, Router, Sfu } from '../../media/sfu.ts'
import type { MediaKind, RtpParameters } from '../../protocol/media.ts'
import type { OutputSource, SourceStream } from '../output.ts'
import { createParticipantRecorder, createTrackRecorder } from './create.ts'

const skip = (!locateWorker() && 'no media worker is built') || (!findFfmpeg() && 'there is no ffmpeg')

let sfu: Sfu
let router: Router
let folder: string
before(async () => {
  if (skip) return
  sfu = await createSfu({
    workerBin: locateWorker()!.bin,
    workers: 1,
    firstPort: await freePorts(1),
    listenAddress: '127.0.0.1',
  })
  router = await sfu.openRouter()
  folder = await mkdtemp(join(tmpdir(), 'anteroom-recorder-'))
})
after(async () => {
  if (skip) return
  await sfu.close()
  await rm(folder, { recursive: true })
})

const CODECS = {
  audio: { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, parameters: {} },
  video: {
    mimeType: 'video/VP8',
    payloadType: 101,
    clockRate: 90_000,
    parameters: {},
    rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
  },
}
const SSRCS = { audio: 1234, video: 4321 }

/** Makes a session from the streams of the router. */
function sourceOf(ingresses: Record<MediaKind, Ingress>): OutputSource {
  return {
    projectId: 'project',
    meetingId: 'meeting',
    sessionId: 'session',
    participants: () => [],
    listen: () => () => undefined,
    openSeat: () => assert.fail('no seat here'),
    watch(watcher) {
      for (const [kind, { producer }] of Object.entries(ingresses) as [MediaKind, Ingress][]) {
        const stream: SourceStream = {
          producerId: producer.id,
          ownerId: 'ann',
          ownerName: 'Ann',
          kind,
          appData: {},
          open: () => router.openTap({ producerId: producer.id }),
        }
        watcher.offer(stream)
      }
      return () => undefined
    },
  }
}

test('a voice and a camera become synchronised files', { skip }, async () => {
  const open = (kind: MediaKind): Promise<Ingress> => {
    const rtpParameters: RtpParameters = { codecs: [CODECS[kind]], encodings: [{ ssrc: SSRCS[kind] }] }
    return router.openIngress({ kind, rtpParameters, over: 'udp' })
  }
  const ingresses = { audio: await open('audio'), video: await open('video') }
  const to = (kind: MediaKind): string[] => [
    ...['-ssrc', String(SSRCS[kind]), '-payload_type', String(CODECS[kind].payloadType), '-f', 'rtp'],
    `rtp://127.0.0.1:${ingresses[kind].port}?pkt_size=1200`,
  ]
  const sender = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'color=black:s=320x180:r=25'],
      ...[
        '-re',
        '-f',
        'lavfi',
        '-i',
        "aevalsrc='if(lt(mod(t,2),1),0,if(lt(mod(t,2),1.1),sin(2*PI*1000*t),0))':s=48000",
      ],
      ...['-map', '0:v', '-vf', "drawbox=c=white:t=fill:enable='between(mod(t,2),0.99,1.02)'"],
      ...[
        '-c:v',
        'libvpx',
        '-deadline',
        'realtime',
        '-cpu-used',
        '8',
        '-g',
        '25',
        '-auto-alt-ref',
        '0',
        '-lag-in-frames',
        '0',
      ],
      ...to('video'),
      ...['-map', '1:a', '-c:a', 'libopus', '-ac', '2', '-frame_duration', '20', ...to('audio')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  try {
    const options = {
      ffmpeg: findFfmpeg(),
      log: { info: () => undefined, warn: (fields: object, message: string) => assert.fail(message) },
      now: () => Date.now(),
      reserveBytes: 0,
    }
    const order = { outputId: 'a'.repeat(24), folder, source: sourceOf(ingresses) }
    let [started, startedAt] = [0, 0]
    const listener = {
      started: () => started++,
      playable: () => assert.fail(),
      transcribed: () => assert.fail(),
      ended: () => assert.fail(),
    }
    const recorder = createParticipantRecorder(options)
    const tracks = createTrackRecorder(options)
    startedAt = Date.now()
    const runs = [
      recorder.start({ ...order, config: { participantId: 'ann', fileFormat: 'webm' } }, listener),
      tracks.start(
        { ...order, config: { participantId: 'ann', kind: 'video', fileFormat: 'webm' } },
        listener,
      ),
    ]
    // Long enough for several flashes.
    await new Promise((resolve) => setTimeout(resolve, 8000))
    const [[both, ...more], [camera]] = (await Promise.all(runs.map((run) => run.stop()))) as [any, any]
    const lastedS = (Date.now() - startedAt) / 1000
    assert.deepEqual([more.length, started], [0, 2])
    const path = join(folder, both.path)
    const { duration, streams } = probe(path)
    near(duration, lastedS, 0.5, 'duration')
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['vp8', 'opus'])
    assert.ok(streams.video!.frames > 100, `${streams.video!.frames} pictures`)
    near(streams.audio!.frames * 0.02, lastedS, 0.5, 'sound')
    const offsets = nearClapOffsets(path)
    assert.ok(offsets.length >= 2)
    for (const offset of offsets) near(offset, 0, 60, 'clap')
    assert.equal(decodeErrors(path), '')
    assert.deepEqual(Object.keys(probe(join(folder, camera.path)).streams), ['video'])
    assert.equal(decodeErrors(join(folder, camera.path)), '')
    await Promise.all([recorder.close(), tracks.close()])
  } finally {
    sender.kill()
    await once(sender, 'exit')
  }
})
