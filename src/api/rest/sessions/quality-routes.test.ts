import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { TestServer } from '../../../../test/support/test-server.ts'
import { figuresOf, qualityFrom } from '../../../meeting/media/quality.ts'
import { DATABASE_FILE } from '../../../store/sqlite/sqlite.ts'

/** Three people, measured so often that no answer holds everything: an answer has at most 20,000 measurements. */
const PEOPLE = ['ann', 'bob', 'cem']
const INSTANTS = 7000
const EVERY_MS = 10_000
const FIRST_AT = 1_700_000_000_000

let server: TestServer
let sessionId: string
const get = (path: string) => server.rest('GET', `/v2/sessions/${sessionId}${path}`)

before(async () => {
  server = await TestServer.start({ statsIntervalSeconds: 0 })
  const meetingId = await server.createMeeting()
  const ann = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  sessionId = (await server.rest('GET', `/v2/sessions?roomId=${meetingId}`)).body.data[0].id
  ann.close()
  const database = new Database(join(server.config.dataDir, DATABASE_FILE))
  const insert = database.prepare('insert into participant_stats values (?, ?, ?, ?)')
  const good = { ...qualityFrom([]), receiveLinePercentLost: 0, audioScore: 4, workerLosses: 0 }
  const bad = { ...good, receiveLinePercentLost: 40 }
  database.transaction(() => {
    for (let number = 0; number < INSTANTS; number++)
      for (const id of PEOPLE) {
        const isBad = id === 'ann' && number >= 100 && number < 103
        insert.run(sessionId, id, FIRST_AT + number * EVERY_MS, JSON.stringify(figuresOf(isBad ? bad : good)))
      }
  })()
  database.close()
})
after(() => server.stop())

test('a long session comes in pages by time, with each instant whole and once', async () => {
  const { body: first } = await get('/stats')
  assert.ok(first.stats.length < INSTANTS)
  const { body: second } = await get(`/stats?from=${Date.parse(first.nextFrom)}`)
  assert.equal(second.nextFrom, null)
  const times = [...first.stats, ...second.stats].map(({ time }) => Date.parse(time))
  assert.deepEqual(
    times,
    Array.from({ length: INSTANTS }, (_, number) => FIRST_AT + number * EVERY_MS),
  )
  const { body: part } = await get(`/participant/ann/stats?from=${FIRST_AT}&to=${FIRST_AT + 3 * EVERY_MS}`)
  assert.equal(part.stats.length, 4)
  assert.equal((await get('/stats?from=yesterday')).status, 400)
})

test('the diagnosis finds the bad stretch among them, for a participant who was there', async () => {
  const { body } = await get('/participants/ann/diagnosis')
  assert.equal(body.measurements, INSTANTS)
  assert.deepEqual(body.stretches, [
    {
      from: new Date(FIRST_AT + 99 * EVERY_MS).toISOString(),
      to: new Date(FIRST_AT + 102 * EVERY_MS).toISOString(),
      cause: 'receiver-line',
      participantId: 'ann',
      name: 'Ann',
      figures: { receivePercentLost: 40 },
      sentence:
        'The line of Ann was bad: up to 40 % of the packets sent to them were lost. Nobody else received badly.',
    },
  ])
  const { body: later } = await get(`/participants/ann/diagnosis?from=${FIRST_AT + 200 * EVERY_MS}`)
  assert.deepEqual(later.stretches, [])
  const { body: media } = await get(`/participants/ann/media?to=${FIRST_AT + 100 * EVERY_MS}`)
  assert.equal(media.samples.at(-1).receive.percentLost, 40)
  for (const what of ['diagnosis', 'media'])
    assert.equal((await get(`/participants/nobody/${what}`)).status, 404)
})
