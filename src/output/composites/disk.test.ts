/** A composite recording at the disk reserve, with media and a real ffmpeg. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OutputFile, OutputProblem } from '../output.ts'
import { benchOfTests, near, skip } from '../../../test/support/recording-bench.ts'
import { decodeErrors, probe } from '../../../test/support/recorded-media.ts'
import { ScriptedSource } from '../../../test/support/scripted-source.ts'
import { createCompositeRecorder } from './create.ts'

const bench = benchOfTests()

test('it ends by itself, is drawn, and can be played', { skip }, async () => {
  let free = 1000
  const engine = createCompositeRecorder({
    ...bench.options,
    reserveBytes: 500,
    freeBytes: () => Promise.resolve(free),
  })
  const source = new ScriptedSource()
  const [mic, cam] = bench.devices(source)
  const nothing = (): void => undefined
  const ended = Promise.withResolvers<{ problem: OutputProblem; files: readonly OutputFile[] }>()
  engine.start(
    {
      outputId: 'a'.repeat(24),
      folder: bench.folder,
      source,
      config: { participants: null, marks: [], fileFormat: 'mp4' },
    },
    {
      started: nothing,
      playable: nothing,
      transcribed: nothing,
      ended: (problem, files) => ended.resolve({ problem, files }),
    },
  )
  await new Promise(setImmediate)
  const sends = [bench.voice(mic), bench.camera(cam)]
  await bench.pass(6000, ...sends)
  free = 499
  await bench.pass(6000, ...sends)
  const { problem, files } = await ended.promise
  assert.equal(problem.reason, 'disk-full')
  assert.equal(files.length, 1, 'microphone and camera are in one file')
  const left = (await readdir(bench.folder)).filter((name) => !name.startsWith('.'))
  assert.deepEqual(left, [files[0]!.path])
  const path = join(bench.folder, files[0]!.path)
  // The disk is looked at every five seconds, and the time of the test goes on while the streams end.
  near(probe(path).duration, 11, 1.5, 'duration')
  assert.deepEqual(Object.keys(probe(path).streams).toSorted(), ['audio', 'video'])
  assert.equal(decodeErrors(path), '')
  await engine.close()
})
