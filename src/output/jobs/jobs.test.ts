/** Jobs, on files that ffmpeg made: what comes out is decoded, looked at and listened to. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import { colorAt, makeMedia, toneIn, type MadeMedia } from '../../../test/support/made-media.ts'
import { playedEngines } from '../../../test/support/outputs.ts'
import { decodeErrors, probe } from '../../../test/support/recorded-media.ts'
import { createJobEngines } from './create.ts'
import type { JobEngines, JobSource } from './job.ts'

const ffmpegBin = findFfmpeg()
const { transcription } = playedEngines()
const skip = !ffmpegBin && 'there is no ffmpeg'
const engines = createJobEngines({ ffmpegBin, transcription, diskReserveBytes: 0 })
const root = mkdtempSync(join(tmpdir(), 'anteroom-jobs-'))
after(() => rmSync(root, { recursive: true }))

const BEGAN_AT = 1_795_000_000_000

/** A recording that began so many seconds after the first. */
function recording(
  name: string,
  media: MadeMedia & { at?: number },
  whose: Partial<JobSource> = {},
): JobSource {
  const startedAt = BEGAN_AT + (media.at ?? 0) * 1000
  return {
    ...makeMedia(root, name, media),
    type: media.color === undefined ? 'audio' : 'video',
    startedAt,
    endedAt: startedAt + media.seconds * 1000,
    participantId: null,
    participantName: null,
    group: 0,
    ...whose,
  }
}

async function made(kind: keyof JobEngines, inputs: JobSource[], config: object = {}) {
  const folder = mkdtempSync(join(root, 'job-'))
  const signal = new AbortController().signal
  const [file, ...more] = await engines[kind].run({ ...config }, { folder, inputs, signal })
  assert.deepEqual(more, [])
  const path = join(folder, file!.path)
  assert.equal(decodeErrors(path), '')
  return { file: file!, path, folder, ...probe(path) }
}

function isNear(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`)
}

function isColor(seen: readonly number[], expected: readonly number[], where: string): void {
  const differs = seen.some((value, at) => Math.abs(value - expected[at]!) > 40)
  assert.ok(!differs, `${where}: ${seen.join(', ')}, not ${expected.join(', ')}`)
}

const RED = [255, 0, 0]
const BLUE = [0, 0, 255]
const WHITE = [255, 255, 255]

test('without ffmpeg it says what to install', () => {
  assert.match(
    createJobEngines({ ffmpegBin: undefined, transcription, diskReserveBytes: 0 })['hls-to-mp4'].unavailable!,
    /install it, or set FFMPEG_BIN/,
  )
})

test(
  'recordings of different sizes, one of sound alone, are joined in the order of their times',
  { skip },
  async () => {
    const { duration, streams, path, file } = await made('meeting-recording-merge', [
      recording('second.webm', { color: 'blue', size: '180x320', tone: 500, seconds: 2, at: 60 }),
      recording('first.mp4', { color: 'red', size: '640x360', tone: 300, seconds: 2 }),
      recording('third.m4a', { tone: 700, seconds: 1, at: 120 }),
    ])
    isNear(duration, 5, 0.5, 'duration')
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['h264', 'aac'])
    assert.deepEqual(file.meta?.resolution, { width: 640, height: 360 })
    isColor(colorAt(path, 1, 320, 180), RED, 'the first')
    isColor(colorAt(path, 3, 320, 180), BLUE, 'the second')
    isColor(colorAt(path, 3, 30, 180), [0, 0, 0], 'beside the second, which is upright')
    isColor(colorAt(path, 4.5, 320, 180), [0, 0, 0], 'while there is sound alone')
    for (const [hz, from, to] of [
      [300, 0.3, 1.7],
      [500, 2.3, 3.7],
      [700, 4.2, 4.8],
    ] as const)
      assert.ok(toneIn(path, 0, hz, from, to) > 0.05, `${hz} Hz: ${toneIn(path, 0, hz, from, to)}`)
  },
)

test(
  'a composite shows each at its place and time, a screen over all, and the watermark',
  { skip },
  async () => {
    const ann = { participantId: 'ann', participantName: `Ann's: 100% [a];\\` }
    const ben = { participantId: 'ben', participantName: 'Ben 李' }
    const { duration, streams, path, folder, file } = await made(
      'composite-merge',
      [
        recording('ann.webm', { color: 'red', tone: 300, seconds: 4 }, ann),
        recording('ben.webm', { color: 'blue', size: '180x320', tone: 500, seconds: 2, at: 2 }, ben),
        recording('screen.webm', { color: 'white', seconds: 1, at: 3 }, { ...ann, group: 1 }),
        recording('cleo.webm', { tone: 900, seconds: 4 }, { participantId: 'cleo', participantName: '' }),
      ],
      { watermark: { type: 'time', startAt: BEGAN_AT }, screens: 1 },
    )
    isNear(duration, 4, 0.5, 'duration')
    assert.deepEqual([streams.video?.codec, streams.audio?.codec], ['h264', 'aac'])
    assert.deepEqual(file.meta?.resolution, { width: 1280, height: 720 })
    isColor(colorAt(path, 1, 320, 180), RED, 'Ann')
    isColor(colorAt(path, 1, 900, 60), [60, 64, 67], 'Ben before he came')
    isColor(colorAt(path, 2.7, 960, 180), BLUE, 'Ben')
    isColor(colorAt(path, 2.7, 640, 360), [32, 33, 36], 'between the tiles')
    isColor(colorAt(path, 3.5, 320, 180), WHITE, 'the screen')
    assert.ok(toneIn(path, 0, 300, 0.3, 3.7) > 0.05)
    assert.ok(toneIn(path, 0, 900, 0.3, 3.7) > 0.05)
    assert.ok(toneIn(path, 0, 500, 0.3, 1.7) < 0.01, 'Ben is not heard before he came')
    assert.ok(toneIn(path, 0, 500, 2.3, 3.7) > 0.05)
    assert.deepEqual(readdirSync(folder), ['composite.mp4'])
  },
)

test('a picture, a place and odd characters are watermarks', { skip }, async () => {
  const image = makeMedia(root, 'mark.png', { color: 'white', size: '64x64', seconds: 0.05 })
  const ann = recording('plain.webm', { color: 'blue', seconds: 1 }, { participantId: 'ann' })
  const base64 = readFileSync(image.path).toString('base64')
  const { path } = await made('composite-merge', [ann], {
    watermark: { type: 'image', format: 'png', base64 },
  })
  isColor(colorAt(path, 0.5, 1280 - 16 - 96, 720 - 16 - 96), WHITE, 'the picture')
  isColor(colorAt(path, 0.5, 300, 300), BLUE, 'beside it')
  const text = `52.1, -7.5 100% %{pts} 'x':[a];\\`
  const { duration } = await made('composite-merge', [ann], { watermark: { type: 'text', text } })
  isNear(duration, 1, 0.5, 'duration')
})

test('two groups of voices become left and right, each at its time', { skip }, async () => {
  const { duration, streams, path } = await made('participant-merge', [
    recording('left.webm', { tone: 300, seconds: 3, color: 'red' }),
    recording('left-2.webm', { tone: 500, seconds: 1 }),
    recording('right.webm', { tone: 700, seconds: 2, at: 2 }, { group: 1 }),
  ])
  isNear(duration, 4, 0.5, 'duration')
  assert.deepEqual(Object.keys(streams), ['audio'])
  const loud = (channel: 0 | 1, hz: number, from: number, to: number) =>
    toneIn(path, channel, hz, from, to) > 0.03
  assert.deepEqual(
    [loud(0, 300, 0.2, 0.8), loud(0, 500, 0.2, 0.8), loud(0, 700, 2.2, 3.8)],
    [true, true, false],
  )
  assert.deepEqual(
    [loud(1, 300, 0.2, 2.8), loud(1, 700, 0.2, 1.8), loud(1, 700, 2.2, 3.8)],
    [false, false, true],
  )
  const { path: oneSided } = await made('participant-merge', [
    recording('only.webm', { tone: 700, seconds: 1 }, { group: 1 }),
  ])
  assert.ok(toneIn(oneSided, 1, 700, 0.1, 0.9) > 0.03 && toneIn(oneSided, 0, 700, 0.1, 0.9) < 0.01)
})

test('HLS becomes MP4, also where a browser was replaced within', { skip }, async () => {
  const folder = mkdtempSync(join(root, 'hls-'))
  const list = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', '#EXT-X-MEDIA-SEQUENCE:0']
  for (const [at, color] of ['red', 'blue'].entries()) {
    makeMedia(folder, `run-${at}.ts`, { color, tone: 300, seconds: 2 })
    if (at > 0) list.push('#EXT-X-DISCONTINUITY')
    list.push('#EXTINF:2.000,', `run-${at}.ts`)
  }
  const path = join(folder, 'index.m3u8')
  writeFileSync(path, [...list, '#EXT-X-ENDLIST', ''].join('\n'))
  const span = { startedAt: BEGAN_AT, endedAt: BEGAN_AT + 4000, size: 1, group: 0 }
  const whose = { participantId: null, participantName: null }
  const mp4 = await made('hls-to-mp4', [{ path, type: 'playlist', ...span, ...whose }])
  isNear(mp4.duration, 4, 0.5, 'duration')
  isColor(colorAt(mp4.path, 1, 160, 90), RED, 'the first')
  isColor(colorAt(mp4.path, 3, 160, 90), BLUE, 'the second')
  assert.deepEqual(Object.keys(mp4.streams).toSorted(), ['audio', 'video'])
})

test('a job that is ended leaves no process', { skip }, async () => {
  const inputs = [recording('long.mp4', { color: 'red', size: '1280x720', tone: 300, seconds: 60 })]
  const folder = mkdtempSync(join(root, 'job-'))
  const abort = new AbortController()
  const running = engines['meeting-recording-merge'].run({}, { folder, inputs, signal: abort.signal })
  running.catch(() => undefined)
  while (!readdirSync(folder).includes('merged.mp4.part'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  const reason = new Error('enough')
  abort.abort(reason)
  await assert.rejects(running, reason)
  const { stdout } = spawnSync('ps', ['-eo', 'args'], {
    encoding: 'utf8',
  })
  assert.ok(!stdout.includes(`${root}/long.mp4`), stdout)
})

test('a disk without room ends a job before it begins', { skip }, async () => {
  const full = createJobEngines({ ffmpegBin, transcription, diskReserveBytes: 1e18 })['participant-merge']
  const inputs = [recording('voice.webm', { tone: 700, seconds: 1 })]
  const folder = mkdtempSync(join(root, 'job-'))
  const work = full.run({}, { folder, inputs, signal: new AbortController().signal })
  await assert.rejects(work, { name: 'JobProblem', message: 'The disk has no room for it.' })
})
