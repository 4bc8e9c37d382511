/**
 * Compares our server with mediasoup alone, with the same worker, one after the other in one run: in one meeting of
 * six, all send a camera with three layers and two of them talk; the line of one member narrows to 500 kbit/s, then to
 * 200, then is wide again. The line is simulated in user space and drops packets that wait longer than 300 ms.
 * Goals: the video fits the line within 5 s, no voice is silent for more than 200 ms, the video is large again within
 * 15 s, and the others are not affected.
 * Silences that the others have too come from this machine: it was too busy to forward packets.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { bareMeeting } from '../test/support/congestion/bare.ts'
import { ourMeeting } from '../test/support/congestion/ours.ts'
import type { Meeting } from '../test/support/congestion/place.ts'
import { CongestedMeeting, type Moment } from '../test/support/congestion/run.ts'
import { printGoal, printTable } from './table.ts'

const RATES = { videoBitrate: 1_500_000, audioBitrate: 32_000 }
const LOOK_EVERY_MS = 500
/** The time in which all streams start. */
const SETTLE_S = 15
const PHASES = [
  { name: '500 kbit/s', bitsPerSecond: 500_000, seconds: 20 },
  { name: '200 kbit/s', bitsPerSecond: 200_000, seconds: 20 },
  { name: 'wide again', bitsPerSecond: Infinity, seconds: 30 },
]
/**
 * The share of packets above which the video does not fit the line. A few packets are always dropped on a full line.
 */
const DROPPED = 0.1
/** The shares of the earlier bitrate at which the video counts as large again, and the others as not affected. */
const [ALL, SAME] = [0.9, 0.9]
const GOALS = { fitsMs: 5000, silenceMs: 200, largeMs: 15_000 }

interface Phase {
  name: string
  /** When the video fitted the line, or was as large as before; undefined if neither happened. */
  doneMs: number | undefined
  silence: { narrowMs: number; othersMs: number }
  /** Measured in the second half of the phase. */
  videoBitrate: number
  layers: string
  /** Share of the packets to the narrow member in the second half. */
  dropped: number
  /** The lowest bitrate among the others, as a share of their bitrate before the line changed. */
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

/** The time until hardly any packet was dropped in two seconds; undefined if drops continued to the end. */
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

/** The time until the video had this bitrate for one second. */
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
