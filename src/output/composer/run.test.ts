/** What goes wrong with one output ends that one, with what there is. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { compositionOf } from '../../protocol/outputs.ts'
import type { OutputFile, OutputProblem, OutputSource } from '../output.ts'
import type { Wanted } from './compositions.ts'
import { ComposedRun } from './run.ts'
import type { Sink } from './sink.ts'

const piece = (capturedAt: number) => ({ bytes: Buffer.from([1]), isEntry: true, capturedAt })
const INIT = Buffer.from([0])
const FILE: OutputFile = {
  path: 'a.mp4',
  type: 'video',
  contentType: 'video/mp4',
  size: 1,
  startedAt: 1,
  endedAt: 2,
}

/** A run of which the test is the browser and the disk. */
class Played {
  wanted!: Wanted
  fail!: (cause: unknown) => void
  released = 0
  flushed = Promise.withResolvers<undefined>()
  /** When media flowed, by `performance.now()`. */
  startedAt: number | undefined
  readonly warnings: string[] = []
  readonly sink: Sink = {
    neededBytes: 0,
    take: () => undefined,
    finish: () => Promise.resolve([FILE]),
  }
  readonly ended: Promise<[OutputProblem, OutputFile[]]>
  #onEnded!: (ended: [OutputProblem, OutputFile[]]) => void

  constructor() {
    this.flushed.resolve(undefined)
    this.ended = new Promise((resolve) => (this.#onEnded = resolve))
  }

  start(openSink: () => Sink = () => this.sink): ComposedRun {
    return new ComposedRun({
      compositions: {
        lease: (wanted) => {
          this.wanted = wanted
          return { flush: () => this.flushed.promise, release: () => (this.released += 1) }
        },
      },
      order: { outputId: 'a'.repeat(24), folder: tmpdir(), source: {} as OutputSource, config: {} },
      wanted: { kind: 'recording', composition: compositionOf({}), codec: 'avc1', takesAnyCodec: false },
      openSink: (fail) => {
        this.fail = fail
        return openSink()
      },
      listener: {
        started: (sinceMs = 0) => (this.startedAt = performance.now() - sinceMs),
        playable: () => undefined,
        transcribed: () => undefined,
        ended: (...ended) => this.#onEnded(ended),
      },
      reserveBytes: 0,
      log: { info: () => undefined, warn: (_fields, message) => void this.warnings.push(message) },
    })
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

test('an output that cannot be opened releases its browser', () => {
  const played = new Played()
  const cause = failure('EACCES')
  assert.throws(
    () =>
      played.start(() => {
        throw cause
      }),
    cause,
  )
  assert.equal(played.released, 1)
})

for (const [code, reason] of [
  ['EIO', 'failed'],
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
] as const) {
  test(`a write that fails with ${code} ends the output, but not the browser: ${reason}`, async () => {
    const played = new Played()
    const cause = failure(code)
    played.sink.take = () => {
      throw cause
    }
    played.start()
    played.wanted.onPiece(piece(performance.now()), INIT)
    const [problem, files] = await played.ended
    assert.deepEqual([problem.reason, problem.cause, files], [reason, cause, [FILE]])
    assert.equal(played.released, 1)
  })

  test(`a file that fails later with ${code} ends the output: ${reason}`, async () => {
    const played = new Played()
    played.start()
    played.fail(failure(code))
    const [problem, files] = await played.ended
    assert.deepEqual([problem.reason, files], [reason, [FILE]])
  })
}

test('an output that fails and cannot be completed is reported without files', async () => {
  const played = new Played()
  played.sink.finish = () => Promise.reject(failure('EIO'))
  const run = played.start()
  played.wanted.onFailed(new Error('The browser hangs.'))
  const [problem, files] = await played.ended
  assert.deepEqual([problem.reason, files], ['failed', []])
  assert.deepEqual(played.warnings, ['failed to finish an output'])
  await assert.rejects(run.stop(), { code: 'EIO' })
})

test('an output has what was captured until it is stopped, however late that comes', async () => {
  const played = new Played()
  const taken: number[] = []
  played.sink.take = ({ bytes }) => taken.push(bytes[0]!)
  played.flushed = Promise.withResolvers()
  const run = played.start()
  const begunAt = performance.now() - 3000
  played.wanted.onBegun(begunAt)
  assert.ok(Math.abs(played.startedAt! - begunAt) < 100, 'it began when its first picture was captured')
  const give = (value: number, capturedAt: number): void =>
    played.wanted.onPiece({ bytes: Buffer.from([value]), isEntry: false, capturedAt }, INIT)
  give(1, begunAt)
  const files = run.stop()
  const stoppedAt = performance.now()
  give(2, stoppedAt - 100)
  give(3, stoppedAt + 100)
  // A picture that was encoded later than the sound after it.
  give(4, stoppedAt - 50)
  played.flushed.resolve(undefined)
  await files
  give(5, stoppedAt - 10)
  assert.deepEqual(taken, [1, 2, 4])
})

test('an output that joins a running composition began with its first key frame', async () => {
  const played = new Played()
  const run = played.start()
  const capturedAt = performance.now() - 2000
  played.wanted.onPiece({ ...piece(capturedAt - 40), isEntry: false }, INIT)
  assert.equal(played.startedAt, undefined)
  played.wanted.onPiece(piece(capturedAt), INIT)
  assert.ok(Math.abs(played.startedAt! - capturedAt) < 100)
  await run.stop()
})
