/** The library itself and a model of one matrix: sound goes to another process, and text comes back. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { writeToyModel } from '../../../../test/support/toy-model.ts'
import { SAMPLE_RATE } from '../opus.ts'
import { RecogniserError } from '../recogniser.ts'
import { createTranscriber } from '../transcriber.ts'
import { LocalRecogniser, whyNoSherpa, type LocalOptions } from './local.ts'

const skip = whyNoSherpa() ?? false
const { signal } = new AbortController()

/** Tones of 0.7 s, with 0.3 s of silence around each. */
function tones(...frequencies: number[]): Int16Array {
  const samples = new Int16Array(frequencies.length * SAMPLE_RATE)
  for (const [index, frequency] of frequencies.entries())
    for (let at = 0.3 * SAMPLE_RATE; at < SAMPLE_RATE; at += 1)
      samples[index * SAMPLE_RATE + at] = 10_000 * Math.sin((2 * Math.PI * frequency * at) / SAMPLE_RATE)
  return samples
}

async function childrenOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const parents = await Promise.all(
    all.map(async (child) => [child, await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '')] as const),
  )
  return parents
    .filter(([, stat]) => / [RSDZ] (\d+) /.exec(stat)?.[1] === String(pid))
    .map(([child]) => Number(child))
}

describe('the local recogniser', { skip }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anteroom-model-'))
    await writeToyModel(folder)
  })
  after(() => rm(folder, { recursive: true }))

  function open(context: TestContext, options: Partial<LocalOptions> = {}) {
    const logged: string[] = []
    const log = {
      info: (_: object, text: string) => void logged.push(text),
      warn: () => undefined,
      error: () => undefined,
    }
    const recogniser = new LocalRecogniser({ folder, log, ...options })
    context.after(() => recogniser.close())
    return { recogniser, logged }
  }

  test('a transcription cannot start if the folder contains no model', async () => {
    const warned = Promise.withResolvers<string>()
    const log = {
      info: () => undefined,
      warn: (_: object, text: string) => warned.resolve(text),
      error: () => undefined,
    }
    const engine = createTranscriber({
      endpoint: undefined,
      modelFolder: join(folder, 'away'),
      summaryModel: undefined,
      now: Date.now,
      random: Math.random,
      log,
    })
    assert.match(await warned.promise, /^TRANSCRIPTION_MODEL_FOLDER cannot be read/)
    assert.equal(engine.unavailable, await warned.promise)
    await engine.close()
  })

  const refusal = async (work: Promise<string>): Promise<RecogniserError> => {
    const error: unknown = await work.then(
      (text) => assert.fail(`answered "${text}"`),
      (caught: unknown) => caught,
    )
    assert.ok(error instanceof RecogniserError, String(error))
    return error
  }

  test('an invalid model is refused permanently, and the server continues', async (context) => {
    const bad = await mkdtemp(join(tmpdir(), 'anteroom-model-'))
    context.after(() => rm(bad, { recursive: true }))
    await writeToyModel(bad)
    await writeFile(join(bad, 'model.onnx'), 'zipformer2_ctc, but no ONNX')
    const { recogniser } = open(context, { folder: bad })
    const error = await refusal(recogniser.recognise(tones(300), { signal }))
    assert.equal(error.permanent, true)
    assert.equal(
      error.message,
      'The speech model in TRANSCRIPTION_MODEL_FOLDER (Zipformer CTC) cannot be loaded.',
    )
    assert.match(String(error.cause), /^ended with /)
  })

  test('one process returns the text of each request, in order', async (context) => {
    const { recogniser, logged } = open(context)
    const texts = await Promise.all([
      recogniser.recognise(tones(300, 4000, 300), { signal }),
      recogniser.recognise(tones(4000), { signal, language: 'en-GB' }),
      recogniser.recognise(new Int16Array(SAMPLE_RATE), { signal }),
    ])
    assert.deepEqual(texts, ['low high low', 'high', ''])
    assert.deepEqual(logged, ['loaded the speech model'])
  })

  test('the death of the process is reported, and the next request starts a new one', async (context) => {
    const before = new Set(await childrenOf(process.pid))
    const { recogniser, logged } = open(context)
    assert.equal(await recogniser.recognise(tones(300), { signal }), 'low')
    const mine = async () => (await childrenOf(process.pid)).filter((child) => !before.has(child))
    const [child] = await mine()
    const long = refusal(recogniser.recognise(tones(...Array<number>(400).fill(300)), { signal }))
    process.kill(child!, 'SIGKILL')
    const error = await long
    assert.equal(error.message, 'The local recogniser ended unexpectedly.')
    assert.equal(error.permanent, false)
    assert.equal(await recogniser.recognise(tones(4000), { signal }), 'high')
    assert.equal(logged.length, 2)
    await recogniser.close()
    assert.deepEqual(await mine(), [])
  })

  test('a process that does not answer in time is killed; an idle one ends', async (context) => {
    const slow = open(context, { timeoutMs: 1 })
    await slow.recogniser.recognise(tones(300), { signal }).catch(() => undefined)
    const late = await refusal(slow.recogniser.recognise(tones(...Array<number>(400).fill(300)), { signal }))
    assert.match(late.message, /did not answer within 0.001 seconds|ended unexpectedly/)
    const idle = open(context, { idleMs: 1 })
    const before = (await childrenOf(process.pid)).length
    assert.equal(await idle.recogniser.recognise(tones(300), { signal }), 'low')
    while ((await childrenOf(process.pid)).length > before)
      await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await idle.recogniser.recognise(tones(300), { signal }), 'low')
  })

  test('an aborted request is rejected at once', async (context) => {
    const { recogniser } = open(context)
    const impatient = new AbortController()
    const asked = recogniser.recognise(tones(300), { signal: impatient.signal })
    impatient.abort(new Error('enough'))
    await assert.rejects(asked, /enough/)
    assert.equal(await recogniser.recognise(tones(300), { signal }), 'low')
  })
})
