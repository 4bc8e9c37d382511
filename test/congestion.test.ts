/**
 * The line of one of six members becomes narrow: its video gives way to sound and comes back, and nobody else is
 * affected. `npm run bench:congestion` measures how soon, on an idle machine.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ourMeeting } from './support/congestion/ours.ts'
import { CongestedMeeting, type Moment } from './support/congestion/run.ts'

/** Low rates, so that a slow machine is not the bottleneck. */
const RATES = { videoBitrate: 600_000, audioBitrate: 24_000 }
/** The speaker's video in the largest of three layers, four others' in the smallest. */
const WIDE = 600_000 + 4 * 60_000
const LOOK_EVERY_MS = 1000
const PATIENCE_MS = 120_000

let congested: CongestedMeeting

before(async () => {
  congested = await CongestedMeeting.begin(await ourMeeting(), RATES)
})
after(() => congested.end())

/** Waits until this was true in this many consecutive samples. */
async function until(what: string, times: number, holds: (moment: Moment) => boolean): Promise<Moment> {
  const endsAt = performance.now() + PATIENCE_MS
  let [held, moment] = [0, congested.look()]
  while (held < times) {
    assert.ok(performance.now() < endsAt, `${what} was not so in time: ${JSON.stringify(moment)}`)
    await delay(LOOK_EVERY_MS)
    moment = congested.look()
    held = holds(moment) ? held + 1 : 0
  }
  return moment
}

const isWhole = ({ videoBitrate, layers }: Moment): boolean =>
  videoBitrate > 0.7 * WIDE && layers.ann === 2 && Object.values(layers).every((layer) => layer !== null)

test('pictures step down to what a narrow line takes, sound goes on, the others notice nothing, and all comes back', async () => {
  const { othersBitrates: before } = await until('everything flows', 3, isWhole)
  const others = ({ othersBitrates }: Moment): boolean =>
    othersBitrates.every((bitrate, at) => bitrate > 0.5 * before[at]!)

  congested.narrowTo(300_000)
  const fits = ({ dropped, passed, layers }: Moment): boolean => dropped < 0.1 * passed && layers.ann !== 2
  await until('the pictures fit into 300 kbit/s, and somebody is seen', 3, (moment) => {
    const seen = Object.values(moment.layers).some((layer) => layer !== null)
    return fits(moment) && seen && others(moment)
  })

  congested.narrowTo(130_000)
  await until(
    'next to no picture is left on 130 kbit/s',
    3,
    (moment) => fits(moment) && moment.videoBitrate < 80_000 && others(moment),
  )
  congested.resetGaps()
  assert.equal(congested.narrow.of('audio').length, 2)
  for (let at = 0; at < 5; at++) await until('the others receive all', 1, others)
  const { narrowMs, othersMs } = congested.gaps()
  // Gaps that the others have too come from this machine.
  assert.ok(narrowMs < 1000 + othersMs, `a voice was silent for ${narrowMs} ms, others' for ${othersMs} ms`)

  congested.narrowTo(Infinity)
  await until('all is as it was', 3, (moment) => isWhole(moment) && others(moment))
})
