import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpeech, loudnessOf, MEASUREMENTS, withLevel } from './speech-rules.ts'

const repeated = (pattern: readonly number[], count = MEASUREMENTS): number[] =>
  Array.from({ length: count }, (_, at) => pattern[at % pattern.length]!)

/** A voice of espeak-ng, measured every 100 ms. */
const VOICE = [
  -100, -24, -19, -17, -30, -52, -22, -18, -21, -35, -19, -16, -28, -60, -20, -17, -23, -41, -18, -25,
]

const cases: [what: string, levels: readonly number[], speaks: boolean][] = [
  ['nothing yet', [], false],
  ['silence', repeated([-100]), false],
  ['a quiet room', repeated([-62, -58, -64]), false],
  ['a loud fan', repeated([-30, -31, -29]), false],
  ['a tone that begins', [...repeated([-90], 10), ...repeated([-15], 10)], false],
  ['a beep twice in a second', repeated([-20, -90, -90, -90, -90]), false],
  ['some keys of a keyboard', repeated([-35, -70, -80, -38, -75, -80, -80]), false],
  ['a voice from far away', VOICE.map((level) => level - 40), false],
  ['a voice', VOICE, true],
  ['a quiet voice', VOICE.map((level) => level - 12), true],
  ['a voice that only began', VOICE.slice(0, 10), false],
]
for (const [what, levels, speaks] of cases)
  test(`${what} is ${speaks ? '' : 'no '}speech`, () => {
    assert.equal(isSpeech(levels), speaks)
  })

test('loudness is in dB below full scale', () => {
  assert.equal(loudnessOf(new Float32Array(4)), -100)
  assert.equal(loudnessOf(new Float32Array(0)), -100)
  assert.equal(loudnessOf(new Float32Array([1, -1, 1, -1])), 0)
  assert.equal(Math.round(loudnessOf(new Float32Array([0.1, -0.1]))), -20)
})

test('only the latest measurements count', () => {
  const levels = withLevel(repeated([-20]), -90)
  assert.equal(levels.length, MEASUREMENTS)
  assert.equal(levels.at(-1), -90)
})
