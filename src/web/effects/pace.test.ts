import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PicturePace, SoundPace } from './pace.ts'

/** The ms after which pictures that cost so much are too slow; undefined if never in a minute. */
function slowAfter(costOf: (atMs: number) => number): number | undefined {
  const pace = new PicturePace()
  for (let at = 0; at < 60_000;) {
    const cost = costOf(at)
    at += Math.max(33, cost)
    if (pace.add(cost, at)) return at
  }
  return undefined
}

test('pictures are too slow after five seconds in which most of them cost too much', () => {
  assert.equal(
    slowAfter(() => 30),
    undefined,
  )
  assert.equal(
    slowAfter(() => 190),
    undefined,
  )
  const at = slowAfter(() => 250)!
  assert.ok(at >= 5000 && at < 6000, String(at))
  assert.equal(
    slowAfter((ms) => (ms < 2000 ? 500 : 40)),
    undefined,
    'a slow start',
  )
  assert.equal(
    slowAfter((ms) => (ms % 20_000 < 2000 ? 400 : 40)),
    undefined,
    'a short load',
  )
  assert.ok(slowAfter((ms) => (ms < 30_000 ? 40 : 400))! > 32_000, 'a device that becomes slow')
})

/** The same for sound of which this share is computed in time. */
function soundSlowAfter(shareOf: (atMs: number) => number): number | undefined {
  const pace = new SoundPace()
  let sound = 0
  for (let at = 1000; at < 60_000; at += 1000) {
    sound += 1000 * shareOf(at)
    if (pace.add(sound, at)) return at
  }
  return undefined
}

test('sound is too slow when for five seconds less of it is computed than time passes', () => {
  assert.equal(
    soundSlowAfter(() => 1),
    undefined,
  )
  assert.equal(
    soundSlowAfter(() => 0.97),
    undefined,
  )
  assert.equal(
    soundSlowAfter(() => 0.5),
    6000,
  )
  assert.ok(soundSlowAfter((at) => (at < 20_000 ? 1 : 0.5))! > 20_000)
  const pace = new SoundPace()
  pace.add(0, 0)
  pace.reset()
  assert.equal(pace.add(0, 60_000), false, 'while it stood still nothing was measured')
})
