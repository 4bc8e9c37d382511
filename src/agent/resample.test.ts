import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelOf } from './loudness.ts'
import { Resampler } from './resample.ts'

const tone = (hertz: number, rate: number, seconds: number): Int16Array =>
  Int16Array.from({ length: rate * seconds }, (_, at) => 16_000 * Math.sin((2 * Math.PI * hertz * at) / rate))

function inPieces(resampler: Resampler, samples: Int16Array): Int16Array {
  const pieces: Int16Array[] = []
  for (let at = 0; at < samples.length; at += 441) pieces.push(resampler.push(samples.subarray(at, at + 441)))
  pieces.push(resampler.flush())
  return Int16Array.from(pieces.flatMap((piece) => [...piece]))
}

for (const [from, to] of [
  [22_050, 48_000],
  [44_100, 48_000],
  [44_100, 16_000],
  [48_000, 16_000],
] as const)
  test(`${from} Hz becomes ${to} Hz, and a tone stays what it was`, () => {
    const made = inPieces(new Resampler(from, to, 1), tone(440, from, 1))
    assert.ok(Math.abs(made.length - to) < to / 100, `${made.length} samples`)
    const expected = tone(440, to, 1)
    const difference = made
      .subarray(1000, made.length - 1000)
      .map((sample, at) => sample - expected[at + 1000]!)
    assert.ok(levelOf(difference) > 45, `${levelOf(difference)} dB below full scale`)
  })

test('what the new rate cannot hold is taken out, not folded back', () => {
  const made = inPieces(new Resampler(48_000, 16_000, 1), tone(10_000, 48_000, 1))
  assert.ok(levelOf(made.subarray(500, made.length - 500)) > 60, `${levelOf(made)}`)
})

test('channels stay apart', () => {
  const [left, right] = [tone(440, 44_100, 1), new Int16Array(44_100)]
  const both = Int16Array.from({ length: 88_200 }, (_, at) => (at % 2 ? right : left)[at >> 1]!)
  const resampler = new Resampler(44_100, 48_000, 2)
  const made = resampler.push(both)
  assert.equal(levelOf(made.filter((_, at) => at % 2 === 1)), 127)
  assert.ok(levelOf(made.filter((_, at) => at % 2 === 0)) < 12)
})
