/** Participant and track recordings of streams: each file is decoded by ffmpeg. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  decodeErrors,
  pictures,
  probe,
  brightness,
  loudAt,
  RtpWriter,
  vp8Payloads,
  av1Payloads,
  h264Payloads,
  vp9Payloads,
  type VideoName,
} from '../../../test/support/recorded-media.ts'
import {
  benchOfTests,
  clapOffsets,
  FRAME_MS,
  near,
  participantConfig,
  skip,
  trackConfig,
} from '../../../test/support/recording-bench.ts'
import { ScriptedSource } from '../../../test/support/scripted-source.ts'
import { Refusal } from '../../protocol/errors.ts'
import { createParticipantRecorder, createTrackRecorder } from './create.ts'

const bench = benchOfTests()

test(
  'a muted microphone is silent, a camera that is off is black, and both go on where they are',
  { skip },
  async () => {
    const source = new ScriptedSource()
    const { run } = bench.start(createParticipantRecorder(bench.options), source, participantConfig())
    const grey = pictures('vp8', 'color=gray:s=160x90:r=10:d=1')
    // 3 s nothing, 4 s both, 4 s nothing, 4 s both, 2 s nothing.
    await bench.pass(3000)
    for (const rest of [4000, 2000]) {
      const [mic, cam] = bench.devices(source)
      await new Promise(setImmediate)
      const [talk, show] = [bench.voice(mic), bench.camera(cam, grey)]
      await bench.pass(4000, talk, show)
      source.remove(mic)
      source.remove(cam)
      await bench.pass(rest)
    }
    const [file, ...more] = await run.stop()
    assert.equal(more.length, 0)
    const seen = brightness(bench.pathOf(file!))
    const isLight = (from: number, to: number): boolean[] =>
      seen.filter(({ time }) => time >= from && time <= to).map(({ luma }) => luma > 100)
    for (const [from, to] of [
      [0, 2.9],
      [7.1, 10.9],
      [15.1, 17],
    ] as const) {
      const shown = isLight(from, to)
      assert.ok(shown.length > 0 && !shown.includes(true), `black from ${from} to ${to}`)
    }
    for (const [from, to] of [
      [3.1, 6.9],
      [11.1, 14.9],
    ] as const) {
      const shown = isLight(from, to)
      assert.ok(shown.length > 30 && !shown.includes(false), `light from ${from} to ${to}`)
    }
    for (const [at, time] of loudAt(bench.pathOf(file!)).entries()) near(time, [5, 13][at]!, 0.05, 'beep')
    const { duration, streams } = probe(bench.pathOf(file!))
    near(duration, 17, 0.5, 'duration')
    near(streams.audio!.frames * 0.02, 17, 0.05, 'sound')
    assert.equal(decodeErrors(bench.pathOf(file!)), '')
    assert.deepEqual(
      [file!.type, file!.contentType, file!.meta?.resolution],
      ['video', 'video/webm', { width: 640, height: 360 }],
    )
  },
)

test('without ffmpeg, formats that need it are refused before anything starts', { skip }, () => {
  const source = new ScriptedSource()
  const without = { ...bench.options, ffmpeg: undefined }
  const refused = (error: unknown): boolean =>
    error instanceof Refusal && error.code === 'ADD_ON_SERVICES_DISABLED'
  assert.throws(
    () => bench.start(createParticipantRecorder(without), source, participantConfig('mp4')),
    refused,
  )
  assert.throws(() => bench.start(createTrackRecorder(without), source, trackConfig('audio', 'mp3')), refused)
  assert.equal(source.watchers.size, 0)
})

test('a track has a file for each time that it is on', { skip }, async () => {
  const source = new ScriptedSource()
  const { run, told } = bench.start(createTrackRecorder(bench.options), source, trackConfig('audio'))
  for (const ms of [2000, 3000]) {
    await bench.pass(1000)
    const mic = source.add(bench.streamOf('audio', 'audio'))
    await new Promise(setImmediate)
    await bench.pass(ms, bench.voice(mic))
    source.remove(mic)
  }
  await bench.pass(1000)
  const files = await run.stop()
  assert.deepEqual(told, ['started'])
  assert.deepEqual(
    files.map(({ type, contentType }) => [type, contentType]),
    [
      ['audio', 'audio/webm'],
      ['audio', 'audio/webm'],
    ],
  )
  for (const [at, file] of files.entries()) {
    const { duration, streams } = probe(bench.pathOf(file))
    near(duration, [2, 3][at]!, 0.1, 'duration')
    assert.deepEqual(Object.keys(streams), ['audio'])
    near((file.endedAt - file.startedAt) / 1000, [2, 3][at]!, 0.1, 'times')
    assert.equal(decodeErrors(bench.pathOf(file)), '')
  }
  assert.equal(files[1]!.startedAt - files[0]!.startedAt, 3000)
})

test('ignores streams of others, of other kinds, and encrypted ones', { skip }, async () => {
  const source = new ScriptedSource()
  const { run } = bench.start(createTrackRecorder(bench.options), source, trackConfig('screen_video'))
  const streams = [
    bench.streamOf('share', 'vp8', { ownerId: 'ben' }),
    bench.streamOf('video', 'vp8'),
    bench.streamOf('share', 'vp8', { appData: { isEncrypted: true } }),
  ].map((stream) => source.add(stream))
  await new Promise(setImmediate)
  const sends = streams.map((stream) => bench.camera(stream))
  await bench.pass(2000, ...sends)
  assert.deepEqual(await run.stop(), [])
  assert.deepEqual(await readdir(bench.folder), [])
})

const PAYLOADS = { vp8: vp8Payloads, vp9: vp9Payloads, h264: h264Payloads, av1: av1Payloads }
for (const codec of ['vp8', 'vp9', 'h264', 'av1'] as const satisfies VideoName[]) {
  test(
    `${codec}: a change of size, a lost packet and half a picture leave no broken one`,
    { skip },
    async () => {
      const source = new ScriptedSource()
      const { run } = bench.start(createTrackRecorder(bench.options), source, trackConfig('video'))
      const cam = source.add(bench.streamOf('video', codec))
      await new Promise(setImmediate)
      const frames = [
        ...pictures(codec, 'testsrc=s=320x180:r=10:d=1'),
        ...pictures(codec, 'testsrc=s=640x360:r=10:d=1'),
        ...pictures(codec, 'testsrc=s=320x180:r=10:d=1'),
      ]
      assert.equal(frames.length, 30)
      const writer = new RtpWriter({ ssrc: 2, payloadType: 101 })
      let count = 0
      await bench.pass(3000, (elapsed) => {
        if (elapsed % FRAME_MS > 0) return
        const packets = writer.packets(PAYLOADS[codec](frames[count]!, count), count * 9000)
        // The end of the sixth frame is lost, and the second size starts after it.
        cam.send(count === 5 ? packets.slice(0, -1) : packets)
        count++
      })
      const [file] = await run.stop()
      const { streams, duration } = probe(bench.pathOf(file!))
      assert.equal(streams.video?.codec, codec)
      assert.equal(streams.video.frames, 25)
      near(duration, 2.9, 0.1, 'duration')
      assert.equal(decodeErrors(bench.pathOf(file!)), '')
      assert.deepEqual(file!.meta?.resolution, { width: 640, height: 360 })
      assert.equal(file!.path.split('.').at(-1), codec === 'h264' ? 'mkv' : 'webm')
    },
  )
}

test('a camera that returns with another codec starts a new file', { skip }, async () => {
  const source = new ScriptedSource()
  const { run } = bench.start(createParticipantRecorder(bench.options), source, participantConfig())
  for (const codec of ['vp8', 'vp9'] as const) {
    const cam = source.add(bench.streamOf('video', codec))
    await new Promise(setImmediate)
    await bench.pass(2000, bench.camera(cam, pictures(codec, 'testsrc=s=320x180:r=10:d=2'), PAYLOADS[codec]))
    source.remove(cam)
  }
  const files = await run.stop()
  assert.deepEqual(
    files.map((file) => probe(bench.pathOf(file)).streams.video?.codec),
    ['vp8', 'vp9'],
  )
  near(files[1]!.startedAt - files[0]!.endedAt, 0, 30, 'gap')
  for (const file of files) assert.equal(decodeErrors(bench.pathOf(file)), '')
})

test('mp4 and mp3 files are made after the recording has stopped', { skip }, async () => {
  for (const [kind, format, codecs] of [
    ['participant', 'mp4', { video: 'h264', audio: 'aac' }],
    ['audio', 'mp3', { audio: 'mp3' }],
    ['audio', 'mp4', { audio: 'aac' }],
  ] as const) {
    const source = new ScriptedSource()
    const [mic, cam] = bench.devices(source)
    const { run } =
      kind === 'participant'
        ? bench.start(createParticipantRecorder(bench.options), source, participantConfig('mp4'))
        : bench.start(createTrackRecorder(bench.options), source, trackConfig('audio', format))
    await new Promise(setImmediate)
    const [talk, show] = [bench.voice(mic), bench.camera(cam)]
    await bench.pass(6000, talk, show)
    const [file] = await run.stop()
    const { streams, duration } = probe(bench.pathOf(file!))
    assert.deepEqual(
      Object.fromEntries(Object.entries(streams).map(([of, { codec }]) => [of, codec])),
      codecs,
    )
    near(duration, 6, 0.5, 'duration')
    if (kind === 'participant') near(clapOffsets(bench.pathOf(file!))[0]!, 0, 40, 'clap')
    assert.equal(decodeErrors(bench.pathOf(file!)), '')
    assert.deepEqual(await readdir(bench.folder), [file!.path])
    await rm(bench.pathOf(file!))
  }
})

test(
  'a recording that needs no conversion does not wait for those that do',
  { skip, timeout: 60_000 },
  async () => {
    const source = new ScriptedSource()
    const ffmpeg = join(bench.folder, 'never-ends')
    await writeFile(ffmpeg, '#!/bin/sh\n: > "$0.started"\nexec sleep 3600\n', { mode: 0o755 })
    const warnings: string[] = []
    const log = {
      info: () => undefined,
      warn: (_fields: object, message: string) => void warnings.push(message),
    }
    const engine = createParticipantRecorder({ ...bench.options, ffmpeg, log })
    const slow = bench.start(engine, source, participantConfig('mp4'))
    const mic = source.add(bench.streamOf('audio', 'audio'))
    await new Promise(setImmediate)
    const talk = bench.voice(mic)
    await bench.pass(2000, talk)
    const converted = slow.run.stop()
    while (!existsSync(`${ffmpeg}.started`)) await delay(10)
    // A file with another start gets another name.
    bench.now++
    const quick = bench.start(engine, source, participantConfig('webm'))
    await bench.pass(2000, talk)
    const [file] = await quick.run.stop()
    assert.equal(file!.contentType, 'video/webm')
    await engine.close()
    assert.deepEqual(
      (await converted).map(({ contentType }) => contentType),
      ['video/webm'],
    )
    assert.deepEqual(warnings, ['kept a recording unconverted, because the server stops'])
  },
)
