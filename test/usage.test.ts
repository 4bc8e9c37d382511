/** What was used, as an operator and a scraper read it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dayOf, nextDayAt } from '../src/protocol/days.ts'
import type { LocalHome } from '../src/meeting/home.ts'
import { openCore } from '../src/server/core.ts'
import { ADMIN_KEY, API_KEY, TestServer } from './support/test-server.ts'

const MINUTE = 60_000
let server: TestServer
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 0 })
})
after(() => server.stop())

/** Counts as the server does once a minute, by the clock of the server. */
async function count(): Promise<void> {
  const core = await openCore(server.config, { create: false, now: () => server.stillAt! + server.aheadMs })
  try {
    await core.usage.count()
  } finally {
    await core.store.close()
  }
}

async function usage(query = ''): Promise<any[]> {
  const { status, body } = await server.admin('GET', `/v2/admin/usage?${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.data
}

test('an operator reads what was used, by day and month, as JSON, CSV and metrics', async () => {
  const refused = await server.rest('GET', '/v2/admin/usage')
  assert.equal(refused.status, 401, 'a token is no sign-in')
  for (const wrong of ['from=2026-13-01', 'from=yesterday', 'by=week', 'per=person'])
    assert.equal((await server.admin('GET', `/v2/admin/usage?${wrong}`)).status, 400, wrong)

  // The clock of the server stands ten minutes before a midnight, then ten minutes after it.
  server.stillAt = Date.now()
  const midnight = nextDayAt(server.stillAt)
  const [eve, today] = [dayOf(midnight - 1), dayOf(midnight)]
  server.aheadMs = midnight - 10 * MINUTE - server.stillAt
  const meetingId = await server.createMeeting()
  const people = [1, 2].map(() => server.connect({ token: server.token(['allow_join']), meetingId }))
  for (const one of people) await one.join()
  server.aheadMs += 20 * MINUTE
  const meetings = server.meetings as LocalHome
  assert.equal((await meetings.counts()).participants, 2)
  await meetings.measure(0)
  for (const one of people) one.close()
  while ((await meetings.counts()).meetings > 0) await new Promise((next) => setImmediate(next))
  await count()

  const range = `from=${eve}&to=${today}`
  const day = { projectId: null, apiKey: null, peakParticipants: 2, recordingMinutes: 0 }
  const rows = await usage(range)
  assert.deepEqual(
    rows.map(({ period, participants, participantMinutes }) => [period, participants, participantMinutes]),
    [
      [today, 0, 20],
      [eve, 2, 20],
    ],
  )
  for (const [name, value] of Object.entries(day)) assert.equal(rows[0][name], value, name)
  const [month] = await usage(`${range}&by=month&per=key`)
  assert.deepEqual(
    [month.period, month.apiKey, month.participantMinutes],
    [today.slice(0, 7), API_KEY, eve.slice(0, 7) === today.slice(0, 7) ? 40 : 20],
  )
  assert.deepEqual(await usage(`${range}&apiKey=other`), [])
  assert.equal((await usage('')).length, 2, 'the last days, where none are named')

  const answer = await fetch(`${server.url}/v2/admin/usage.csv?${range}&per=key`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8')
  const lines = (await answer.text()).trim().split('\r\n')
  assert.match(lines[0]!, /"period","projectId","apiKey","participants","participantMinutes"/)
  assert.equal(lines.length, 3)
  assert.match(lines[2]!, new RegExp(`^"${eve}","[0-9a-f]{24}","${API_KEY}","2","20","2"`))

  const scraped = await (
    await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  ).text()
  assert.match(
    scraped,
    new RegExp(
      `^anteroom_usage_participant_seconds_total\\{project="[0-9a-f]{24}",key="${API_KEY}"\\} 2400$`,
      'm',
    ),
  )
  assert.match(scraped, /^anteroom_usage_peak_participants\{.*\} 2$/m)
})
