/** Recordings that are interrupted. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeErrors, probe } from '../../../test/support/recorded-media.ts'
import { benchOfTests, near, participantConfig, skip } from '../../../test/support/recording-bench.ts'
import { ScriptedSource } from '../../../test/support/scripted-source.ts'
import { createParticipantRecorder } from './create.ts'

const bench = benchOfTests()

test(
  'a file can be played wherever a killed process left it, and is finished by the next one',
  { skip },
  async () => {
    const { mic, cam, run } = await bench.recordAnn()
    const [talk, show] = [bench.voice(mic), bench.camera(cam)]
    await bench.pass(16_000, talk, show)
    await new Promise(setImmediate)
    const [name] = await readdir(bench.folder)
    const running = await readFile(join(bench.folder, name!))
    await run.stop()
    const whole = await readFile(join(bench.folder, name!))
    await rm(join(bench.folder, name!))

    const engine = createParticipantRecorder(bench.options)
    const order = { outputId: 'a'.repeat(24), folder: bench.folder, config: participantConfig() }
    const cut = join(bench.folder, name!)
    // Cuts in the beginning, which is written at once, and after that anywhere.
    const places = [...Array(12).keys()].map((at) => 2000 + ((at * 7_368_787) % (running.length - 2000)))
    for (const [bytes, at] of [
      ...places.map((at) => [running, at] as const),
      ...places.map((at) => [whole, at] as const),
    ]) {
      await writeFile(cut, bytes.subarray(0, at))
      const before = probe(cut)
      assert.ok(before.streams.audio!.frames > 0)
      const [file] = await engine.recover(order)
      const { duration, streams } = probe(cut)
      assert.equal(decodeErrors(cut), '')
      near(duration, (file!.endedAt - file!.startedAt) / 1000, 0.01, 'duration')
      assert.ok(streams.audio!.frames >= before.streams.audio!.frames - 1)
      near(streams.audio!.frames * 0.02, duration, 0.15, 'sound')
      // A second recovery gives the same file.
      assert.deepEqual(await engine.recover(order), [file])
    }
    for (const at of [0, 1, 40, 200]) {
      await writeFile(cut, whole.subarray(0, at))
      assert.deepEqual(await engine.recover(order), [])
      assert.deepEqual(await readdir(bench.folder), [])
    }
  },
)

test('when the disk reaches its reserve, the recording ends with a complete file', { skip }, async () => {
  const source = new ScriptedSource()
  const mic = source.add(bench.streamOf('audio', 'audio'))
  let free = 101
  const { run, problems } = bench.start(
    createParticipantRecorder({
      ...bench.options,
      reserveBytes: 100,
      freeBytes: () => Promise.resolve(free),
    }),
    source,
    participantConfig(),
  )
  await new Promise(setImmediate)
  const talk = bench.voice(mic)
  await bench.pass(6000, talk)
  const count = (): number => problems.length
  assert.equal(count(), 0)
  free = 99
  await bench.pass(6000, talk)
  for (let turns = 0; count() === 0 && turns < 1000; turns++) await delay(10)
  assert.equal(problems[0]?.reason, 'disk-full')
  const [file] = await run.stop()
  assert.equal(decodeErrors(bench.pathOf(file!)), '')
  assert.equal(source.watchers.size, 0)
  assert.ok(mic.isTapClosed)
})
