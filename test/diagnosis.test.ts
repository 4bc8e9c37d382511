/** The line of one of six members becomes narrow, with a real media server: the diagnosis names this member and the line. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Diagnosis } from '../src/protocol/rest/quality.ts'
import { ourMeeting, type OurMeeting } from './support/congestion/ours.ts'
import { CongestedMeeting } from './support/congestion/run.ts'

/** Low rates, so that a slow machine is not the bottleneck. */
const RATES = { videoBitrate: 600_000, audioBitrate: 24_000 }
const PATIENCE_MS = 120_000
/** Some measurements. */
const SPAN_MS = 5000

let meeting: OurMeeting
let congested: CongestedMeeting

before(async () => {
  meeting = await ourMeeting({ STATS_INTERVAL_SECONDS: '1' })
  congested = await CongestedMeeting.begin(meeting, RATES)
})
after(() => congested.end())

async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const endsAt = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
    assert.ok(performance.now() < endsAt, `${what}: ${JSON.stringify(answer)}`)
    await delay(500)
  }
}

test('the sentence names who had a bad line, and that nobody else had', async () => {
  const { data: sessions } = await meeting.get<{ data: { id: string }[] }>('/v2/sessions')
  const diagnosisOf = (name: string) =>
    meeting.get<Diagnosis>(`/v2/sessions/${sessions[0]!.id}/participants/${name}/diagnosis`)
  await until(
    'all pictures flow, and are measured',
    () => Promise.all([Promise.resolve(congested.look()), diagnosisOf('narrow')]),
    ([{ layers }, { measurements }]) =>
      measurements > 3 && layers.ann === 2 && Object.values(layers).every((layer) => layer !== null),
  )
  const narrowedAt = Date.now()
  congested.narrowTo(130_000)
  const since = ({ stretches }: Diagnosis) => stretches.filter(({ to }) => Date.parse(to) > narrowedAt)
  const isOfLine = ({ cause }: Diagnosis['stretches'][number]) => cause === 'receiver-line'
  const narrowed = await until(
    'the line is diagnosed',
    () => diagnosisOf('narrow'),
    (diagnosis) => since(diagnosis).some(isOfLine),
  )
  const stretch = since(narrowed).find(isOfLine)!
  assert.equal(stretch.participantId, 'narrow')
  const { receivePercentLost = 0, videosHeld = 0 } = stretch.figures
  assert.ok(receivePercentLost >= 5 || videosHeld > 0, JSON.stringify(stretch))
  assert.match(
    stretch.sentence,
    /^The line of narrow was bad: .*(packets sent to them|pictures were held back)/,
  )
  // A busy machine loses packets of one of the others now and then, and the diagnosis rightly says so; or it stops everybody, which is
  // the server's fault. So there must be a span in which narrow had a bad line and nobody else had one.
  const endsAt = performance.now() + PATIENCE_MS
  for (let others: string[] | undefined; others?.length !== 0;) {
    assert.ok(performance.now() < endsAt, others?.join('\n'))
    const from = Date.now()
    await until(
      'the line is still bad',
      () => diagnosisOf('narrow'),
      ({ stretches }) => stretches.some((one) => isOfLine(one) && Date.parse(one.to) > from + SPAN_MS),
    )
    const found = await Promise.all(['ann', 'eve'].map(diagnosisOf))
    others = found.flatMap(({ stretches }) =>
      stretches.flatMap(({ cause, to, sentence }) =>
        cause !== 'server' && Date.parse(to) > from ? [sentence] : [],
      ),
    )
  }
})
