import assert from 'node:assert/strict'
import { test } from 'node:test'
import { follow, retreatBitrate, tryBitrate, type Downlink, type Look } from './downlink-rule.ts'

const open: Downlink = { is: 'open' }
const retreating: Downlink = { is: 'retreating', untilMs: 1000 }
const climbing: Downlink = {
  is: 'climbing',
  tryAtMs: 1000,
  everyMs: 900,
  triedFrom: 300_000,
}
const look: Look = {
  nowMs: 1000,
  available: 2_000_000,
  before: 2_000_000,
  desired: 7_000_000,
  isShort: false,
  lost: 0,
}
const short = { ...look, isShort: true, available: 300_000, before: 300_000 }
const fallen = { available: 1_000_000, lost: 0.4 }

for (const [what, state, seen, act, is] of [
  ['nothing is done while the client has what it wants', open, look, undefined, 'open'],
  ['the estimate fell and packets were lost', open, { ...look, ...fallen }, 'retreat', 'retreating'],
  ['the estimate fell, but nothing was lost', open, { ...look, ...fallen, lost: 0 }, undefined, 'open'],
  ['it fell a little', open, { ...look, available: 1_600_000, lost: 0.4 }, undefined, 'open'],
  ['the client is short of something', open, short, undefined, 'climbing'],
  ['it is short, but not for the line', open, { ...short, available: 8_000_000 }, undefined, 'open'],
  ['a retreat takes its time', retreating, { ...look, nowMs: 900 }, undefined, 'retreating'],
  ['and is followed by a try', retreating, short, 'try', 'climbing'],
  ['no try before its time', climbing, { ...short, nowMs: 900 }, undefined, 'climbing'],
  ['a try in its time', climbing, short, 'try', 'climbing'],
  [
    'a line that became narrower still',
    climbing,
    { ...short, available: 100_000, lost: 0.4 },
    'retreat',
    'retreating',
  ],
  ['all is there again', climbing, { ...short, isShort: false }, 'release', 'open'],
] as const) {
  test(`a line: ${what}`, () => {
    const followed = follow(state, seen)
    assert.deepEqual([followed.act, followed.state.is], [act, is])
  })
}

test('tries that bring more follow each other at once, others ever more slowly, but no more than six seconds apart', () => {
  let state: Downlink = climbing
  let [nowMs, available] = [1000, 300_000]
  const waits: number[] = []
  for (const factor of [2, 2, 1, 1, 1, 1, 2]) {
    available *= factor
    ;({ state } = follow(state, { ...short, nowMs, available, before: available }))
    assert.ok(state.is === 'climbing')
    waits.push(state.tryAtMs - nowMs)
    nowMs = state.tryAtMs
  }
  assert.deepEqual(waits, [900, 900, 1800, 3600, 6000, 6000, 900])
})

test('a retreat sends half of what got through, and leaves room for a voice', () => {
  const fell = { ...look, before: 10_000_000, available: 7_500_000, lost: 0.3 }
  assert.equal(retreatBitrate(fell, 2_000_000), 500_000)
  assert.equal(retreatBitrate({ ...fell, lost: 0.8 }, 2_000_000), 200_000)
  assert.equal(retreatBitrate({ ...fell, available: 3_000_000 }, 2_000_000), 60_000)
})

test('a try is of three times as much, within reason', () => {
  assert.deepEqual([30_000, 300_000, 5_000_000].map(tryBitrate), [180_000, 900_000, 8_000_000])
})
