/**
 * Six members in one meeting send cameras of three layers, two of them talk, and one comes to be on a line of 500 kbit/s,
 * then 200, then a wide one again: our server against mediasoup alone with the same worker, one after the other in one run.
 * The line is in user space and drops what waits for more than 300 ms. Goal: pictures fit within 5 s, no voice is
 * silent for more than 200 ms, the pictures are large again within 15 s, and the others notice nothing.
 * Silences that the others have too are of this machine: it was too busy to pass packets on.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { bareMeeting } from '../test/support/congestion/bare.ts'
import { ourMeeting } from '../test/support/congestion/ours.ts'
import type { Meeting } from '../test/support/congestion/place.ts'
import { CongestedMeeting, type Moment } from '../test/support/congestion/run.ts'
import { printGoal, printTable } from './table.ts'

const RATES = { videoBitrate: 1_500_000, audioBitrate: 32_000 }
const LOOK_EVERY_MS = 500
/** Until everything flows. */
const SETTLE_S = 15
const PHASES = [
  { name: '500 kbit/s', bitsPerSecond: 500_000, seconds: 20 },
  { name: '200 kbit/s', bitsPerSecond: 200_000, seconds: 20 },
  { name: 'wide again', bitsPerSecond: Infinity, seconds: 30 },
]
/** Of packets; a few are dropped now and then where a line is full. */
const DROPPED = 0.1
/** Of what was received before, and of what others receive over some seconds. */
const [ALL, SAME] = [0.9, 0.9]
const GOALS = { fitsMs: 5000, silenceMs: 200, largeMs: 15_000 }

interface Phase {
  name: string
  /** When the line took what was sent, or the pictures were as large as before; undefined where neither came to be. */
  doneMs: number | undefined
  silence: { narrowMs: number; othersMs: number }
  /** Over the second half. */
  videoBitrate: number
  layers: string
  /** Share of packets for the narrow member over the second half. */
  dropped: number
  /** Of the worst of the others, beside what it received before the line changed. */
  others: number
}

async function measure(meeting: Meeting): Promise<Phase[]> {
  const congested = await CongestedMeeting.begin(meeting, RATES)
  const moments = async (seconds: number): Promise<Moment[]> => {
    const seen: Moment[] = []
    const startedAt = performance.now()
    while (performance.now() - startedAt < seconds * 1000) {
      await delay(LOOK_EVERY_MS)
      seen.push(congested.look())
    }
    return seen
  }
  try {
    const before = secondHalf(await moments(SETTLE_S))
    const wide = meanOf(before, ({ videoBitrate }) => videoBitrate)
    const phases: Phase[] = []
    for (const { name, bitsPerSecond, seconds } of PHASES) {
      congested.narrowTo(bitsPerSecond)
      const startMs = congested.elapsedMs
      const seen = await moments(seconds)
      const late = secondHalf(seen)
      phases.push({
        name,
        doneMs: bitsPerSecond === Infinity ? largeAfter(seen, startMs, ALL * wide) : fitsAfter(seen, startMs),
        silence: congested.gaps(),
        videoBitrate: meanOf(late, ({ videoBitrate }) => videoBitrate),
        layers: Object.values(late.at(-1)!.layers)
          .map((layer) => layer ?? '-')
          .join(' '),
        dropped: dropShareOf(late),
        others: Math.min(
          ...before[0]!.othersBitrates.map(
            (_, at) =>
              meanOf(seen, ({ othersBitrates }) => othersBitrates[at]!) /
              meanOf(before, ({ othersBitrates }) => othersBitrates[at]!),
          ),
        ),
      })
    }
    return phases
  } finally {
    await congested.end()
  }
}

/** Until over two seconds nothing to speak of was dropped any more; undefined where that went on to the end. */
function fitsAfter(seen: Moment[], startMs: number): number | undefined {
  const last = seen.findLastIndex((_, at) => {
    const late = seen.slice(Math.max(0, at - 3), at + 1)
    return dropShareOf(late) > DROPPED && seen[at]!.dropped > 0
  })
  if (last === seen.length - 1) return undefined
  return last < 0 ? 0 : seen[last]!.atMs - startMs
}

function dropShareOf(moments: Moment[]): number {
  return sumOf(moments, ({ dropped }) => dropped) / sumOf(moments, ({ dropped, passed }) => dropped + passed)
}

/** Until so much video came for a second. */
function largeAfter(seen: Moment[], startMs: number, bitrate: number): number | undefined {
  const first = seen.findIndex(
    (_, at) => at > 0 && meanOf(seen.slice(at - 1, at + 1), (one) => one.videoBitrate) >= bitrate,
  )
  return first < 0 ? undefined : seen[first]!.atMs - startMs
}

function secondHalf(moments: Moment[]): Moment[] {
  return moments.slice(Math.floor(moments.length / 2))
}

function sumOf(moments: Moment[], value: (moment: Moment) => number): number {
  return moments.reduce((sum, moment) => sum + value(moment), 0)
}

function meanOf(moments: Moment[], value: (moment: Moment) => number): number {
  return sumOf(moments, value) / moments.length
}

const sides = [
  { name: 'mediasoup alone', phases: await measure(await bareMeeting()) },
  { name: 'our server', phases: await measure(await ourMeeting()) },
]

console.log(
  '6 members, 6 cameras of 1.5 Mbit/s in three layers, 2 voices of 32 kbit/s; of the one on the narrow line:',
)
printTable(
  [
    'side',
    'line',
    'fits, or large again, after',
    'longest silence of a voice (of the others)',
    'video',
    'layers',
    'dropped',
    'others receive',
  ],
  sides.flatMap(({ name, phases }) =>
    phases.map((phase) => [
      name,
      phase.name,
      phase.doneMs === undefined ? 'never' : `${(phase.doneMs / 1000).toFixed(1)} s`,
      `${phase.silence.narrowMs.toFixed(0)} ms (${phase.silence.othersMs.toFixed(0)})`,
      `${(phase.videoBitrate / 1000).toFixed(0)} kbit/s`,
      phase.layers,
      `${(phase.dropped * 100).toFixed(1)} %`,
      `${(phase.others * 100).toFixed(0)} %`,
    ]),
  ),
)
const [fast, slow, wide] = sides[1]!.phases as [Phase, Phase, Phase]
const silences = [fast, slow].map(({ silence }) => silence)
printGoal(
  'pictures fit within 5 s',
  [fast, slow].every(({ doneMs }) => doneMs !== undefined && doneMs <= GOALS.fitsMs),
)
printGoal(
  'no voice silent for more than 200 ms',
  silences.every(({ narrowMs }) => narrowMs <= GOALS.silenceMs),
)
printGoal('large again within 15 s', wide.doneMs !== undefined && wide.doneMs <= GOALS.largeMs)
printGoal(
  'the others receive as much as before',
  [fast, slow, wide].every(({ others }) => others >= SAME),
)
