import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAMPLE_RATE } from './opus.ts'
import { loudness, Utterances } from './utterances.ts'

type Part = [kind: 'noise' | 'voice', ms: number, db: number]

/** The same every time: noise, and a buzz with the loudness of a voice over it. */
function sound(parts: readonly Part[]): Int16Array {
  let seed = 1
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const samples = parts.flatMap(([kind, ms, db]) =>
    Array.from({ length: (ms / 1000) * SAMPLE_RATE }, (_, index) => {
      const amplitude = 32_768 * 10 ** (db / 20)
      const wave = kind === 'voice' ? Math.SQRT2 * Math.sin(index / 10) : Math.sqrt(3) * (2 * random() - 1)
      return Math.round(amplitude * wave)
    }),
  )
  return Int16Array.from(samples)
}

/** In pieces of odd sizes; each utterance as [from, to] in ms. */
function cut(parts: readonly Part[]): [number, number][] {
  const utterances = new Utterances()
  const samples = sound(parts)
  const found = []
  for (let from = 0; from < samples.length; from += 777)
    found.push(...utterances.push(samples.slice(from, from + 777)))
  const last = utterances.end()
  if (last) found.push(last)
  return found.map(({ at, samples: { length } }) => [at / 16, (at + length) / 16])
}

const QUIET = -65

for (const [name, parts, expected] of [
  ['silence', [['noise', 3000, QUIET]], []],
  ['absolute silence', [['noise', 3000, -200]], []],
  ['the noise of a fan, which is loud', [['noise', 60_000, -38]], []],
  [
    'a click',
    [
      ['noise', 1000, QUIET],
      ['voice', 40, -10],
      ['noise', 2000, QUIET],
    ],
    [],
  ],
  [
    'a knock, too short for a word',
    [
      ['noise', 1000, QUIET],
      ['voice', 100, -10],
      ['noise', 2000, QUIET],
    ],
    [],
  ],
  [
    'a hum below the threshold',
    [
      ['noise', 1000, QUIET],
      ['voice', 2000, -55],
      ['noise', 1000, QUIET],
    ],
    [],
  ],
  [
    'a word',
    [
      ['noise', 1000, QUIET],
      ['voice', 500, -20],
      ['noise', 2000, QUIET],
    ],
    [[700, 1800]],
  ],
  [
    'a quiet word',
    [
      ['noise', 1000, QUIET],
      ['voice', 500, -45],
      ['noise', 2000, QUIET],
    ],
    [[700, 1800]],
  ],
  [
    'a word over a fan',
    [
      ['noise', 20_000, -45],
      ['voice', 500, -25],
      ['noise', 2000, -45],
    ],
    [[19_700, 20_800]],
  ],
  [
    'two words with a breath between them',
    [
      ['noise', 1000, QUIET],
      ['voice', 500, -20],
      ['noise', 500, QUIET],
      ['voice', 500, -20],
      ['noise', 2000, QUIET],
    ],
    [[700, 2800]],
  ],
  [
    'two sentences',
    [
      ['noise', 1000, QUIET],
      ['voice', 500, -20],
      ['noise', 1500, QUIET],
      ['voice', 500, -20],
      ['noise', 2000, QUIET],
    ],
    [
      [700, 1800],
      [2700, 3800],
    ],
  ],
  [
    'a word at the end',
    [
      ['noise', 1000, QUIET],
      ['voice', 500, -20],
    ],
    [[700, 1500]],
  ],
  [
    'a long speech, cut where it is quietest',
    [
      ['voice', 22_000, -20],
      ['voice', 100, -40],
      ['voice', 10_000, -20],
      ['noise', 1000, QUIET],
    ],
    [
      [0, 22_000],
      [22_000, 32_400],
    ],
  ],
] as [string, Part[], [number, number][]][]) {
  test(`finds ${expected.length} in ${name}`, () => {
    const found = cut(parts)
    assert.equal(found.length, expected.length, JSON.stringify(found))
    for (const [index, [from, to]] of expected.entries()) {
      assert.ok(Math.abs(found[index]![0] - from) <= 60, `begins at ${found[index]![0]} ms, not ${from}`)
      assert.ok(Math.abs(found[index]![1] - to) <= 60, `ends at ${found[index]![1]} ms, not ${to}`)
    }
  })
}

test('continues to count after an end', () => {
  const utterances = new Utterances()
  utterances.push(sound([['noise', 1000, QUIET]]))
  assert.equal(utterances.end(), undefined)
  utterances.push(
    sound([
      ['noise', 1000, QUIET],
      ['voice', 500, -20],
    ]),
  )
  assert.equal(utterances.end()!.at, 1700 * 16)
})

test('measures full scale as 0 dB', () => {
  assert.ok(Math.abs(loudness(new Int16Array(320).fill(-32_768))) < 0.01)
  assert.equal(Math.round(loudness(new Int16Array(320))), -100)
})
