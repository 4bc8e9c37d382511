/** Recordings that ffmpeg made of tones, heard by a recogniser that tells how high they are. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import type { RecordedSpeech, TranscriptionConfig } from '../output.ts'
import { SAMPLE_RATE } from './opus.ts'
import { Queue } from './queue.ts'
import { RecogniserError, type Recogniser } from './recogniser.ts'
import { transcribeRecorded } from './recorded.ts'
import { txtOf, type Line } from './texts.ts'

const ffmpegBin = findFfmpeg()
const startedAt = 1_795_000_000_000

/** How often the sound crosses zero in a second, halved: the frequency of a tone, with silence around it. */
function pitch(samples: Int16Array): number {
  const loud = samples.filter((sample) => Math.abs(sample) > 50)
  const crossings = loud.reduce(
    (sum, sample, at) => sum + (at > 0 && sample > 0 !== loud[at - 1]! > 0 ? 1 : 0),
    0,
  )
  return (crossings / 2 / loud.length) * SAMPLE_RATE
}
const hearing = (recognise: Recogniser['recognise']): Recogniser => ({
  recognise,
  close: () => Promise.resolve(),
})
const ear = hearing((samples) => Promise.resolve(pitch(samples) < 600 ? 'low' : 'high'))

describe('a recording', { skip: ffmpegBin === undefined && 'there is no ffmpeg' }, () => {
  let folder: string
  const made = async (name: string, ...given: string[]): Promise<string> => {
    const path = join(folder, name)
    await promisify(execFile)(ffmpegBin!, ['-v', 'error', '-nostdin', '-y', ...given, path])
    return path
  }
  /** A tone of 1 s at 1 s, another at 4 s, in a file whose sound begins at `delayed` seconds. */
  const sound = (delayed = 0): string[] => [
    ...['-f', 'lavfi', '-itsoffset', String(delayed), '-i'],
    `aevalsrc='0.3*(between(t,1,2)*sin(2*PI*300*t)+between(t,4,5)*sin(2*PI*1500*t))':s=48000:d=6`,
  ]
  const picture = ['-f', 'lavfi', '-i', 'color=c=red:s=64x64:r=5:d=6']

  before(async () => (folder = await mkdtemp(join(tmpdir(), 'anteroom-recorded-'))))
  after(() => rm(folder, { recursive: true }))

  async function transcribe(
    path: string,
    recogniser = ear,
    { config = {}, ...more }: Partial<RecordedSpeech> & { config?: TranscriptionConfig; queue?: Queue } = {},
  ) {
    const own = await mkdtemp(join(folder, 'text-'))
    const logged: string[] = []
    const log = {
      info: () => undefined,
      warn: (_: object, text: string) => void logged.push(text),
      error: () => undefined,
    }
    const summariser = { summarise: (text: string, prompt: string) => Promise.resolve(`${prompt} ${text}`) }
    const { queue = new Queue(4, 200), ...speech } = more
    const files = await transcribeRecorded(
      { ffmpegBin: ffmpegBin!, recogniser, summariser, queue, log },
      {
        path,
        startedAt,
        endedAt: startedAt + 6000,
        folder: own,
        config,
        signal: new AbortController().signal,
        ...speech,
      },
    )
    const read = (name: string): Promise<string> => readFile(join(own, name), 'utf8')
    const { transcripts } = JSON.parse(await read('transcription.json')) as { transcripts: Line[] }
    return { files, transcripts, read, logged, own }
  }

  test('a file that is none, and a recogniser that refuses, fail and leave nothing', async () => {
    await assert.rejects(transcribe(join(folder, 'away.mp4')), /No such file/)
    const file = await made('refused.mp4', ...sound())
    const wrongKey = new RecogniserError('The key is refused.', { permanent: true })
    await assert.rejects(
      transcribe(
        file,
        hearing(() => Promise.reject(wrongKey)),
      ),
      wrongKey,
    )
    let asked = 0
    const deaf = hearing(() => Promise.reject(new RecogniserError(`failure ${++asked}`)))
    await assert.rejects(transcribe(file, deaf), /failure 2/)
    const left = (await readdir(folder)).filter((name) => name.startsWith('text-'))
    assert.equal(left.length, 3)
    for (const name of left) assert.deepEqual(await readdir(join(folder, name)), [])
  })

  test('a part that is not recognised is missing from the text', async () => {
    let asked = 0
    const half = hearing(() =>
      ++asked === 1 ? Promise.reject(new RecogniserError('busy')) : Promise.resolve('high'),
    )
    const { transcripts, logged } = await transcribe(
      await made('half.webm', ...sound(), '-c:a', 'libopus'),
      half,
    )
    assert.deepEqual(
      transcripts.map(({ text }) => text),
      ['high'],
    )
    assert.deepEqual(logged, ['failed to recognise speech of a recording'])
  })

  for (const [what, name, given, beginsAt] of [
    [
      'of a meeting',
      'meeting.mp4',
      [...sound(), ...picture, '-shortest', '-c:a', 'aac', '-c:v', 'libx264'],
      0,
    ],
    [
      'whose sound begins after its picture',
      'late.mp4',
      [...sound(2), ...picture, '-c:a', 'aac', '-c:v', 'libx264'],
      2000,
    ],
    ['of one microphone', 'voice.webm', [...sound(), '-c:a', 'libopus'], 0],
    [
      'as HLS',
      'index.m3u8',
      [...sound(), '-c:a', 'aac', '-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod'],
      0,
    ],
  ] as const)
    test(`one ${what} becomes text, each part at its time`, async () => {
      const { files, transcripts, read } = await transcribe(await made(name, ...given))
      assert.deepEqual(
        transcripts.map(({ text }) => text),
        ['low', 'high'],
      )
      for (const [at, { timestamp, endedAt }] of transcripts.entries()) {
        const said = startedAt + beginsAt + (at === 0 ? 1000 : 4000)
        // Kept from before and after: 0.3 s each.
        assert.ok(Math.abs(timestamp + 300 - said) < 120, `began at ${timestamp - startedAt}`)
        assert.ok(Math.abs(endedAt - 300 - said - 1000) < 120, `ended at ${endedAt - startedAt}`)
      }
      assert.equal(await read('transcription.txt'), txtOf(transcripts, startedAt))
      assert.deepEqual(
        files.map(({ path }) => path),
        ['txt', 'json', 'srt', 'tsv', 'vtt'].map((extension) => `transcription.${extension}`),
      )
    })

  test('one without sound has an empty text, and no summary', async () => {
    const { files, read } = await transcribe(await made('silent.mp4', ...picture), ear, {
      config: { summary: {} },
    })
    assert.equal(await read('transcription.txt'), '')
    assert.equal(files.length, 5)
  })

  test('the summary has the prompt that was asked for', async () => {
    const file = await made('summed.webm', ...sound(), '-c:a', 'libopus')
    const { read } = await transcribe(file, ear, { config: { summary: { prompt: 'In verse:' } } })
    assert.equal(await read('summary.txt'), 'In verse: [00:00:00] low\n[00:00:03] high\n\n')
  })

  test('it waits while meetings need the recogniser, and ends at once when it is told to', async () => {
    const file = await made('waits.webm', ...sound(), '-c:a', 'libopus')
    const queue = new Queue(1, 0)
    const busy = Promise.withResolvers<undefined>()
    void queue.run(() => busy.promise)
    const abort = new AbortController()
    const stopped = transcribe(file, ear, { queue, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('stopped')), 300)
    await assert.rejects(stopped, /^Error: stopped$/)
    const waits = transcribe(file, ear, { queue })
    setTimeout(() => busy.resolve(undefined), 300)
    assert.equal((await waits).transcripts.length, 2)
  })
})
