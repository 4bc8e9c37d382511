/** Sound and video of a recording are synchronised: each file is decoded, and its flashes and beeps are compared. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeErrors, probe, brightness, loudAt, RtpWriter } from '../../../test/support/recorded-media.ts'
import {
  benchOfTests,
  clapOffsets,
  FRAME_MS,
  LOOP_MS,
  near,
  skip,
} from '../../../test/support/recording-bench.ts'
import type { ScriptedStream } from '../../../test/support/scripted-source.ts'

const bench = benchOfTests()

test('flash and beep stay synchronised for half an hour', { skip }, async () => {
  const { mic, cam, run, told } = await bench.recordAnn()
  const [talk, show] = [bench.voice(mic), bench.camera(cam)]
  const MINUTES = 30
  await bench.pass(MINUTES * 60_000, talk, show)
  const [file, ...more] = await run.stop()
  assert.deepEqual([more.length, told], [0, ['started']])
  const found = clapOffsets(bench.pathOf(file!))
  assert.equal(found.length, (MINUTES * 60_000) / LOOP_MS)
  for (const [at, offset] of found.entries()) near(offset, 0, 40, `clap ${at}`)
  near(found.at(-1)! - found[0]!, 0, 5, 'drift')
  const { duration, streams } = probe(bench.pathOf(file!))
  near(duration, MINUTES * 60, 0.5, 'duration')
  assert.equal(streams.video?.frames, (MINUTES * 60_000) / FRAME_MS)
  near(streams.audio!.frames, (MINUTES * 60_000) / 20, 2, 'packets')
  assert.equal(decodeErrors(bench.pathOf(file!)), '')
})

test('follows a clock that is wrong by a ten-thousandth', { skip }, async () => {
  const { mic, cam, run } = await bench.recordAnn()
  const show = bench.camera(cam)
  const writer = new RtpWriter({ ssrc: 1, payloadType: 100 })
  let [sent, extra] = [0, 0]
  const MINUTES = 10
  await bench.pass(MINUTES * 60_000, (elapsed) => {
    show(elapsed)
    // The microphone's clock is too fast: in 200 s it produces 20 ms too much, between two beeps.
    for (; sent * 20 < elapsed * 1.0001; sent++) {
      const inLoop = sent - extra
      if (inLoop > 0 && inLoop % 10_000 === 0 && extra < inLoop / 10_000) extra++
      mic.send(writer.packets([bench.beeps[(sent - extra) % 250]!], sent * 960))
    }
  })
  const [file] = await run.stop()
  const found = clapOffsets(bench.pathOf(file!))
  for (const [at, offset] of found.entries()) near(offset, 0, 40, `clap ${at}`)
  assert.ok(extra >= 2)
})

test(
  'flash and beep stay synchronised with jitter and with lost, late and repeated packets',
  { skip },
  async () => {
    const { mic, cam, run } = await bench.recordAnn()
    const late: { at: number; packets: Buffer[]; to: ScriptedStream }[] = []
    const held = (stream: ScriptedStream, most: number) => ({
      send: (packets: Buffer[]) => {
        count++
        if (count % 97 === 0) return
        const at = bench.now + ((count * 7919) % most)
        late.push({ at, packets, to: stream })
        if (count % 89 === 0) late.push({ at: at + 50, packets, to: stream })
      },
    })
    let count = 0
    const [talk, show] = [bench.voice(held(mic, 120)), bench.camera(held(cam, 120))]
    await bench.pass(60_000, talk, show, () => {
      for (const one of late.splice(0)) {
        if (one.at <= bench.now) one.to.send(one.packets)
        else late.push(one)
      }
    })
    const asked = cam.keyFramesAsked
    const [file] = await run.stop()
    // A beep may be lost with its packet, and a flash with its frame.
    const lit = brightness(bench.pathOf(file!)).filter(({ luma }) => luma > 150)
    const loud = loudAt(bench.pathOf(file!))
    for (const { time } of lit)
      near(Math.min(...loud.map((one) => Math.abs(one - time))) * 1000, 0, 40, `beep at ${time}`)
    assert.ok(lit.length >= 8, `${lit.length} flashes`)
    assert.ok(asked > 6, `${asked} key frames asked for`)
    near(probe(bench.pathOf(file!)).duration, 60, 0.5, 'duration')
    assert.equal(decodeErrors(bench.pathOf(file!)), '')
  },
)
