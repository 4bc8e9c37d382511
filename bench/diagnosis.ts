/**
 * A long call of four people with a real media server: again and again, the line of one of them narrows for a while. Asks for the
 * diagnosis of each of the four, as the dashboard does, and compares it with what was done to the lines. Goals: each bad stretch
 * is diagnosed as the line of that person, and nobody else is blamed at any time.
 * `npm run bench:diagnosis -- --minutes 60`; 6 minutes by default.
 *
 * All four run in this process. On a machine that is too busy for it, packets to one of the others are lost in truth, and the diagnosis
 * says so.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Diagnosis } from '../src/protocol/rest/quality.ts'
import { ourMeeting } from '../test/support/congestion/ours.ts'
import { CongestedMeeting } from '../test/support/congestion/run.ts'
import { printGoal, printTable } from './table.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '6' } } })
const MINUTES = Number(values.minutes)
if (!(MINUTES >= 3)) {
  console.error('--minutes must be a number of 3 or more.')
  process.exit(1)
}
const RATES = { videoBitrate: 600_000, audioBitrate: 24_000 }
const OTHERS = ['ann', 'bob', 'cem']
const NARROW = 'narrow'
/** At the first, the larger layers do not fit; at the second, the voices barely do. */
const BANDWIDTHS = [130_000, 90_000]
/** One round: the line is good, then bad, then good. */
const [GOOD_S, BAD_S] = [60, 45]
/** The time in which all pictures start, which is not judged. */
const SETTLE_S = 20
/** The sender tries what the line carries before it sends more, and the measurement after that still shows what was lost. */
const AFTER_S = 30

interface Span {
  from: number
  to: number
}
type Stretch = Diagnosis['stretches'][number]

const spanOf = ({ from, to }: Pick<Stretch, 'from' | 'to'>): Span => ({
  from: Date.parse(from),
  to: Date.parse(to),
})
const overlap = (one: Span, other: Span): boolean => one.from < other.to && one.to > other.from

const meeting = await ourMeeting()
const congested = await CongestedMeeting.begin(meeting, RATES, OTHERS)
const startedAt = Date.now()
const clock = (at: number): string => {
  const seconds = Math.max(0, Math.round((at - startedAt) / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
try {
  await delay(SETTLE_S * 1000)
  const settledAt = Date.now()
  const bad: Span[] = []
  for (let round = 0; Date.now() - startedAt + (GOOD_S + BAD_S) * 1000 <= MINUTES * 60_000; round++) {
    await delay(GOOD_S * 1000)
    const from = Date.now()
    congested.narrowTo(BANDWIDTHS[round % BANDWIDTHS.length]!)
    await delay(BAD_S * 1000)
    congested.narrowTo(Infinity)
    bad.push({ from, to: Date.now() })
  }
  await delay(Math.max(AFTER_S * 1000, startedAt + MINUTES * 60_000 - Date.now()))

  const { data: sessions } = await meeting.get<{ data: { id: string }[] }>('/v2/sessions')
  const diagnoses = new Map<string, Stretch[]>()
  for (const name of [...OTHERS, NARROW]) {
    const path = `/v2/sessions/${sessions[0]!.id}/participants/${name}/diagnosis`
    const { stretches } = await meeting.get<Diagnosis>(path)
    diagnoses.set(
      name,
      stretches.filter((stretch) => spanOf(stretch).to > settledAt),
    )
  }
  const own = diagnoses.get(NARROW)!.filter(({ cause }) => cause === 'receiver-line')
  const found = bad.map((span) => own.find((stretch) => overlap(spanOf(stretch), span)))
  console.log(
    `a call of ${MINUTES} minutes, four people, the line of ${NARROW} bad ${bad.length} times for ${BAD_S} s`,
  )
  printTable(
    ['bad line', 'diagnosed'],
    bad.map(({ from, to }, index) => {
      const stretch = found[index]
      const span = stretch && spanOf(stretch)
      return [`${clock(from)} to ${clock(to)}`, span ? `${clock(span.from)} to ${clock(span.to)}` : 'not']
    }),
  )
  for (const sentence of new Set(found.flatMap((stretch) => stretch?.sentence ?? []))) console.log(sentence)
  const isOfBadLine = ({ cause, participantId, ...stretch }: Stretch): boolean =>
    cause === 'receiver-line' &&
    participantId === NARROW &&
    bad.some(({ from, to }) => overlap(spanOf(stretch), { from, to: to + AFTER_S * 1000 }))
  const wrong = [...diagnoses].flatMap(([whom, stretches]) =>
    stretches.filter((stretch) => !isOfBadLine(stretch)).map((stretch) => ({ whom, ...stretch })),
  )
  const blamed = wrong.filter(({ cause }) => cause !== 'server')
  if (wrong.length > 0) {
    console.log('\nwhat else was said')
    printTable(
      ['of', 'when', 'sentence'],
      wrong.map(({ whom, sentence, ...stretch }) => {
        const { from, to } = spanOf(stretch)
        return [whom, `${clock(from)} to ${clock(to)}`, sentence]
      }),
    )
  }
  const missed = found.filter((stretch) => stretch === undefined).length
  printGoal(`all ${bad.length} bad stretches are diagnosed as the line of ${NARROW}`, missed === 0)
  printGoal(`nobody is blamed who had a good line (${blamed.length} times)`, blamed.length === 0)
  process.exitCode = missed === 0 && blamed.length === 0 ? 0 : 1
} finally {
  await congested.end()
}
process.exit()
