/** A participant's data: exported whole, and erased so that nothing in the database names the person. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import { ADMIN_KEY, TestServer } from '../../../../test/support/test-server.ts'
import { participantOrder } from '../../../meeting/outputs/participant-orders.ts'
import { recordingOrder } from '../../../meeting/outputs/orders.ts'
import { openStore } from '../../../store/open.ts'
import { NOT_COPIED, TABLES } from '../../../store/copy/rows.ts'
import { DATABASE_FILE } from '../../../store/sqlite/sqlite.ts'
import { Receiver, taking } from '../../../../test/support/receiver.ts'
import type { Store } from '../../../store/store.ts'

const ID = 'zoe%_at_home'
const NAME = 'Zoe Q. Testperson'

let server: TestServer
let store: Store
let projectId: string
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 0, webhookAllowPrivate: true })
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
  store = await openStore({ folder: server.config.dataDir, url: server.config.databaseUrl })
})
after(async () => {
  await store.close()
  await server.stop()
})

/** Every row of the database as text, by table. */
async function dump(): Promise<Record<string, string>> {
  const tables = [...TABLES.map(([name]) => name), ...NOT_COPIED]
  const { databaseUrl, dataDir } = server.config
  const text = (rows: unknown[]): string =>
    rows
      .map((row) =>
        JSON.stringify(row, (_, value) =>
          value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
        ),
      )
      .join('\n')
  if (databaseUrl !== undefined) {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const found: Record<string, string> = {}
    for (const table of tables) found[table] = text((await client.query(`select * from ${table}`)).rows)
    await client.end()
    return found
  }
  const db = new Database(join(dataDir, DATABASE_FILE), { readonly: true })
  const found = Object.fromEntries(
    tables.map((table) => [table, text(db.prepare(`select * from ${table}`).all())]),
  )
  db.close()
  return found
}
const naming = async (...texts: string[]): Promise<string[]> =>
  Object.entries(await dump())
    .filter(([, rows]) => texts.some((text) => rows.includes(text)))
    .map(([table]) => table)

async function exported(participantId: string): Promise<any[]> {
  const answer = await fetch(`${server.url}/v2/admin/projects/${projectId}/people/export`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ participantId }),
  })
  assert.equal(answer.status, 200)
  const text = await answer.text()
  return text === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
}
const erase = (body: object) => server.admin('POST', `/v2/admin/projects/${projectId}/people/erase`, body)

/** A session in which Zoe did everything that leaves something behind, beside Ann. */
async function busyLife(): Promise<{ sessionId: string; recordingId: string; wholeId: string }> {
  const receiver = await Receiver.start(taking)
  const roomId = await server.createMeeting({
    webhook: { endPoint: receiver.url, events: ['*'] },
  })
  const token = server.token(['allow_join', 'allow_mod'])
  const zoe = server.connect({ meetingId: roomId, token, participantId: ID, name: NAME })
  const { self } = await zoe.join()
  const ann = server.connect({
    meetingId: roomId,
    token: server.token(['allow_join']),
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  const { sessionId } = self
  const { meetings } = server
  const start = async (order: any): Promise<string> => {
    const { output, afterReply } = await meetings.startOutput(roomId, order)
    afterReply()
    return output.outputId
  }
  const recordingId = await start(
    participantOrder(
      { roomId: '', participantId: ID },
      { baseUrl: 'http://localhost', participantName: NAME },
    ),
  )
  const wholeId = await start(recordingOrder({}, 'http://localhost'))
  const message = {
    sessionId,
    clientMessageId: '',
    topic: 'CHAT',
    payload: Buffer.from('{}'),
    at: 5,
    bytes: 10,
  }
  await store.chat.append({
    ...message,
    messageId: `m1-${sessionId}`,
    senderId: ID,
    senderName: NAME,
    message: 'what zoe said',
    sendOnly: [],
    tokenId: 't',
    accountId: ID,
  })
  await store.chat.append({
    ...message,
    messageId: `m2-${sessionId}`,
    senderId: 'ann',
    senderName: 'Ann',
    message: 'between us',
    sendOnly: [ID, 'bob'],
    tokenId: 't',
    accountId: 'ann',
  })
  const poll = { pollId: 'p', question: 'Lunch?', options: ['yes', 'no'], multiple: false, anonymous: false }
  await store.polls.add(sessionId, { ...poll, askerId: ID, askerName: NAME, createdAt: 1, endedAt: null })
  await store.polls.vote(sessionId, {
    pollId: 'p',
    participantId: ID,
    tokenId: 't',
    name: NAME,
    choices: [0],
    at: 2,
  })
  // With another token, after a return.
  await store.polls.vote(sessionId, {
    pollId: 'p',
    participantId: ID,
    tokenId: 't2',
    name: NAME,
    choices: [1],
    at: 3,
  })
  await store.figures.addStats([{ sessionId, participantId: ID, at: 3, figures: [1, 2] }])
  const removal = { sessionId, at: 1, byModerator: true, tokenShared: false }
  await store.sessions.remove({
    ...removal,
    participantId: ID,
    tokenId: 't',
    name: NAME,
    by: 'ann',
    byName: 'Ann',
  })
  await store.sessions.remove({
    ...removal,
    participantId: 'eve',
    tokenId: 'e',
    name: 'Eve',
    by: ID,
    byName: NAME,
  })
  await store.sessions.admit({ sessionId, participantId: ID, tokenId: 't', at: 1 })
  await server.rest(
    'POST',
    '/v2/invites',
    { roomId, entry: 'ask' },
    server.token(['allow_join'], { participantId: ID }),
  )
  const refused = await erase({ participantId: ID })
  assert.deepEqual([refused.status, refused.body.code], [409, 'INVALID_STATE'])
  await server.rest('POST', '/v2/sessions/end', { roomId }, token)
  zoe.close()
  ann.close()
  while (
    (await store.sessions.get(sessionId))!.endedAt === null ||
    (await store.outputs.unfinished()).length > 0
  )
    await new Promise((next) => setTimeout(next, 20))
  while ((await store.outbox.list(projectId, { page: 1, perPage: 1 }, { state: 'waiting' })).total > 0)
    await new Promise((next) => setTimeout(next, 20))
  receiver.stop()
  return { sessionId, recordingId, wholeId }
}

test('everything that is kept about a participant is exported, and nothing about others', async () => {
  const { sessionId, recordingId } = await busyLife()
  const records = await exported(ID)
  assert.deepEqual([...new Set(records.map(({ kind }) => kind))].toSorted(), [
    'admissions',
    'chat_messages',
    'deliveries',
    'intervals',
    'invites',
    'outputs',
    'participant_stats',
    'poll_votes',
    'polls',
    'removals',
    'stays',
  ])
  const of = (kind: string): any[] => records.filter((one) => one.kind === kind).map(({ record }) => record)
  assert.ok(records.every((one) => one.sessionId === sessionId || one.kind === 'invites'))
  assert.deepEqual(
    of('chat_messages').map(({ message }) => message),
    ['what zoe said', 'between us'],
  )
  assert.deepEqual(
    of('outputs').map(({ output_id }) => output_id),
    [recordingId],
  )
  assert.ok(!JSON.stringify(of('stays')).includes('"Ann"'))
  assert.ok(!JSON.stringify(records).includes('token_id'))
  // `%` and `_` in an id are letters, not patterns.
  assert.deepEqual(await exported('zoeXXatXhome'), [])
  await store.sessions.admit({ sessionId, participantId: 'ANN', tokenId: 't', at: 1 })
  assert.deepEqual(
    (await exported('ANN')).map(({ kind }) => kind),
    ['admissions'],
    'nothing of ann',
  )
})

test('who is erased is named nowhere in the database, nor in the audit log; the others stay', async () => {
  const { sessionId, recordingId, wholeId } = await busyLife()
  const before = await naming(ID, NAME)
  assert.ok(before.length >= 9, String(before))
  const { status, body } = await erase({ participantId: ID })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.sessions, 2)
  assert.ok(body.recordingsLeft.includes(wholeId))
  assert.equal(body.erased.outputs, 2)
  assert.deepEqual(await naming(ID, NAME, 'what zoe said'), [])
  assert.equal(await store.outputs.get(recordingId), undefined)
  const stays = await store.sessions.stays(sessionId)
  assert.deepEqual(stays.map(({ name }) => name).toSorted(), ['', 'Ann'])
  assert.match(stays.find(({ name }) => name === '')!.participantId, /^erased-/)
  assert.deepEqual(
    (await store.polls.votes(sessionId)).map(({ choices, name }) => [choices, name]),
    [
      [[0], ''],
      [[1], ''],
    ],
  )
  assert.deepEqual(
    (await store.sessions.removals(sessionId)).map(({ name, by }) => [name, by]),
    [['Eve', null]],
  )
  assert.deepEqual(await exported(ID), [])
  const again = await erase({ participantId: ID })
  assert.deepEqual([again.body.sessions, again.body.erased], [0, {}])
  const [entry] = (
    await server.admin('GET', '/v2/admin/audit?action=person.erase&perPage=2')
  ).body.data.slice(1)
  assert.deepEqual([entry.actor, entry.facts.sessions, entry.facts.recordings], ['admin-key', 2, 'own'])
  for (const name of await readdir(server.config.dataDir))
    if (name.endsWith('.log'))
      assert.ok(!(await readFile(join(server.config.dataDir, name), 'utf8')).includes(NAME))
})

test('recordings of whole meetings go where that is asked for', async () => {
  const { wholeId } = await busyLife()
  assert.ok(await store.outputs.get(wholeId))
  const { body } = await erase({ participantId: ID, recordings: 'all' })
  assert.deepEqual(body.recordingsLeft, [])
  assert.equal(await store.outputs.get(wholeId), undefined)
})

test('an event that waited is erased by the next time, after it was settled', async () => {
  const { sessionId } = await busyLife()
  const { items } = await store.outbox.list(
    projectId,
    { page: 1, perPage: 100 },
    { event: 'participant-joined' },
  )
  const { deliveryId } = items.find((one) => one.sessionId === sessionId && one.body.includes(ID))!
  const later = Date.now() + 3_600_000
  await store.outbox.replay(projectId, deliveryId, later)
  assert.equal((await erase({ participantId: ID })).body.deliveriesWaiting, 1)
  assert.deepEqual(await naming(ID), ['deliveries'])
  const failed = { at: later, tookMs: 1, status: null, error: 'No answer.', answer: null }
  await store.outbox.settle(deliveryId, { state: 'parked', ...failed })
  const { body } = await erase({ participantId: ID })
  assert.deepEqual([body.sessions, body.erased, body.deliveriesWaiting], [1, { deliveries: 1 }, 0])
  assert.deepEqual(await naming(ID), [])
})
