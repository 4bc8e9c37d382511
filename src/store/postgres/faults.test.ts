/** What becomes of writes when PostgreSQL or the way to it fails in the middle. Each fault is real: a cut line, a stopped server. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { SmallDisk } from '../../../test/support/disk.ts'
import { OwnPostgres, runSql, withoutOwnPostgres } from '../../../test/support/postgres.ts'
import { meetingRecord } from '../../../test/support/records.ts'
import { Refusal } from '../../protocol/errors.ts'
import { openStore } from '../open.ts'
import type { Store, StoreTrouble } from '../store.ts'

const PROJECT = 'a'.repeat(24)
const PATIENCE_MS = 120_000
const id = (): string => randomBytes(12).toString('hex')
const onPostgres = { skip: withoutOwnPostgres, timeout: 600_000 }
const unavailable = (reason: StoreTrouble) => (error: unknown) =>
  error instanceof Refusal && error.code === 'STORE_UNAVAILABLE' && error.reason === reason

let server: OwnPostgres
let parent: string
before(async () => {
  if (withoutOwnPostgres !== false) return
  parent = await mkdtemp(join(tmpdir(), 'anteroom-faults-'))
  server = await OwnPostgres.start()
})
after(async () => {
  if (withoutOwnPostgres !== false) return
  await server.stop()
  await rm(parent, { recursive: true, force: true })
})

/** A store in a database of its own, and what it said of its troubles. */
async function openOn(
  database: string,
  port?: number,
): Promise<{ store: Store; told: (StoreTrouble | undefined)[] }> {
  const told: (StoreTrouble | undefined)[] = []
  await runSql(server.admin, `create database ${database}`)
  const store = await openStore({
    folder: join(parent, database),
    url: server.urlOf(database, port),
    onTrouble: (trouble) => told.push(trouble),
  })
  await store.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })
  return { store, told }
}

async function startSession(store: Store): Promise<string> {
  const meeting = await store.meetings.create(
    meetingRecord({ id: id(), meetingId: id(), projectId: PROJECT }),
  )
  const sessionId = id()
  const { meetingId } = meeting
  const open = { startedAt: 1, endedAt: null, endReason: null }
  await store.sessions.start({ sessionId, meetingId, projectId: PROJECT, ...open })
  return sessionId
}

const stayOf = (sessionId: string, participantId: string) => ({
  sessionId,
  participantId,
  name: participantId,
  joinedAt: 1,
  leftAt: null,
  leaveReason: null,
  device: null,
  tokenId: null,
  apiKey: null,
})

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) assert.fail(`never: ${what}`)
    await delay(50)
  }
}

/** A line to the server that is cut at a commit: before it arrives there, or after it and before its answer comes back. */
class Line {
  cuts = 0
  /** How to treat the commits to come; by default they pass. */
  atCommit: () => 'pass' | 'lose commit' | 'lose answer' = () => 'pass'
  readonly #server = createServer((client) => this.#join(client))

  static async to(port: number): Promise<Line> {
    const line = new Line(port)
    line.#server.listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  readonly #target: number

  private constructor(target: number) {
    this.#target = target
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    this.#server.close()
  }

  #join(client: Socket): void {
    const upstream = connect(this.#target, '127.0.0.1')
    let losing = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('commit\0')) {
        const fate = this.atCommit()
        if (fate !== 'pass') this.cuts++
        if (fate === 'lose commit') return end()
        losing = fate === 'lose answer'
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      if (losing) end()
      else client.write(chunk)
    })
    for (const socket of [client, upstream]) {
      socket.on('error', end)
      socket.on('close', end)
    }
  }
}

/** `npm run attack:commit` asks for a thousand. */
const CUTS = Number(process.env.TEST_CUTS ?? 100)

test('a lost answer to a commit neither repeats nor loses the write', onPostgres, async (t) => {
  const line = await Line.to(server.port)
  const { store } = await openOn('lost_answers', line.port)
  const sessionId = await startSession(store)
  const delivery = {
    projectId: PROJECT,
    meetingId: 'm',
    sessionId,
    event: 'participant-joined',
    endPoint: 'https://a.example',
    body: '{}',
    occurredAt: 1,
    about: null,
  }
  const fates = ['pass', 'lose answer', 'lose commit', 'lose answer'] as const
  let commits = 0
  line.atCommit = () => fates[commits++ % fates.length]!
  const joined: string[] = []
  const said: string[] = []
  const made: string[] = []
  for (let round = 0; line.cuts < CUTS; round++) {
    await Promise.all([
      ...[0, 1].map(async (at) => {
        const participantId = `p${round}-${at}`
        const tell = [{ ...delivery, deliveryId: participantId }]
        await store.sessions.join(stayOf(sessionId, participantId), 'SEND_AND_RECV', tell)
        joined.push(participantId)
      }),
      store.chat
        .append({
          sessionId,
          messageId: `m${round}`,
          clientMessageId: '',
          topic: 'CHAT',
          senderId: 'ann',
          senderName: 'Ann',
          message: 'hello',
          payload: Buffer.from([0]),
          sendOnly: [],
          at: round,
          tokenId: null,
          accountId: null,
          bytes: 1,
        })
        .then(() => said.push(`m${round}`)),
      store.meetings
        .create(meetingRecord({ id: id(), meetingId: id(), projectId: PROJECT }))
        .then(({ meetingId }) => made.push(meetingId)),
      startSession(store),
    ])
  }
  line.atCommit = () => 'pass'
  const stays = await store.sessions.stays(sessionId)
  assert.deepEqual(stays.map(({ participantId }) => participantId).toSorted(), joined.toSorted())
  const { items, total } = await store.outbox.list(PROJECT, { page: 1, perPage: 10_000 })
  assert.equal(total, joined.length)
  assert.deepEqual(items.map(({ deliveryId }) => deliveryId).toSorted(), joined.toSorted())
  assert.equal(items.filter(({ nextAt }) => nextAt !== null).length, 1, 'one line has one first')
  const chat = await store.chat.page(sessionId, { page: 1, perPage: 10_000 })
  assert.equal(chat.total, said.length)
  for (const meetingId of made) assert.ok(await store.meetings.get(meetingId), meetingId)
  const { total: counted } = await store.sessions.list(PROJECT, { page: 1, perPage: 1 })
  const [{ rows } = { rows: 0 }] = await runSql(
    server.urlOf('lost_answers'),
    'select count(*)::int as rows from sessions',
  )
  assert.equal(counted, rows)
  t.diagnostic(
    `${line.cuts} of ${commits} commits cut off, two thirds of them after they were made; acknowledged and there once: ` +
      `${joined.length} joins with a webhook each, ${said.length} messages, ${made.length} meetings, ${counted} sessions`,
  )
  await store.close()
  line.close()
})

test(
  'while PostgreSQL is away calls are refused immediately, and succeed when it is back',
  onPostgres,
  async () => {
    const { store, told } = await openOn('away')
    const sessionId = await startSession(store)
    for (const stop of ['SIGINT', 'SIGQUIT'] as const) {
      told.length = 0
      await server.end(stop)
      const startedAt = performance.now()
      await assert.rejects(store.values.set('a', 'b'), unavailable('away'))
      await assert.rejects(store.sessions.get(sessionId), unavailable('away'))
      await assert.rejects(store.sessions.join(stayOf(sessionId, stop), 'x'), unavailable('away'))
      await assert.rejects(store.check(), unavailable('away'))
      assert.ok(performance.now() - startedAt < PATIENCE_MS)
      assert.deepEqual(told, ['away'])
      await server.run()
      await store.sessions.join(stayOf(sessionId, `${stop}-back`), 'x')
      assert.deepEqual(told, ['away', undefined])
    }
    // A server that was started anew meanwhile is noticed by nobody.
    told.length = 0
    await server.end()
    await server.run()
    await Promise.all([0, 1, 2, 3, 4, 5].map((at) => store.values.set(`n${at}`, 'x')))
    assert.ok(await store.sessions.get(sessionId))
    assert.deepEqual(told, [])
    const stays = await store.sessions.stays(sessionId)
    assert.deepEqual(
      stays.map(({ participantId }) => participantId),
      ['SIGINT-back', 'SIGQUIT-back'],
    )
    await store.close()
  },
)

test('writes under way when PostgreSQL is killed are complete or absent', onPostgres, async () => {
  const { store } = await openOn('killed')
  const sessionId = await startSession(store)
  const outcomes: Promise<string | undefined>[] = []
  const control = { stop: false }
  const writing = (async () => {
    for (let at = 0; !control.stop; at++) {
      const participantId = `p${at}`
      outcomes.push(
        store.sessions.join(stayOf(sessionId, participantId), 'x').then(
          () => participantId,
          () => undefined,
        ),
      )
      if (at % 10 === 0) await Promise.race([outcomes.at(-1), delay(200)])
      else await delay(0)
    }
  })()
  for (let round = 0; round < 3; round++) {
    await delay(300)
    await server.end('SIGQUIT')
    await server.run()
  }
  control.stop = true
  await writing
  const acknowledged = (await Promise.all(outcomes)).filter((one) => one !== undefined)
  const kept = (await store.sessions.stays(sessionId)).map(({ participantId }) => participantId)
  assert.ok(acknowledged.length > 0)
  assert.equal(new Set(kept).size, kept.length, 'nothing is doubled')
  assert.deepEqual(
    acknowledged.filter((one) => !kept.includes(one)),
    [],
    'nothing that was acknowledged is lost',
  )
  await store.close()
})

test('a migration by a newer version under a running server fails no request', onPostgres, async () => {
  const { store, told } = await openOn('migrated')
  const sessionId = await startSession(store)
  const { meetingId } = (await store.sessions.get(sessionId))!
  let people = 0
  const requests = () =>
    Promise.all(
      Array.from({ length: 12 }, async () => {
        const participantId = `p${people++}`
        const made = meetingRecord({ id: id(), meetingId: id(), projectId: PROJECT })
        await Promise.all([
          store.meetings.find(PROJECT, meetingId),
          store.sessions.get(sessionId),
          store.sessions.join(stayOf(sessionId, participantId), 'SEND_AND_RECV'),
          store.meetings.create(made).then(() => store.meetings.disable(made.meetingId, 2)),
          store.values.set(participantId, 'x').then(() => store.values.get(participantId)),
        ])
        await store.sessions.stays(sessionId)
      }),
    )
  // Often enough that each connection has prepared each statement.
  for (let round = 0; round < 3; round++) await requests()
  for (let later = 0; later < 3; later++) {
    const running = requests()
    for (const table of ['meetings', 'sessions', 'stays', 'stored_values'])
      await runSql(server.urlOf('migrated'), `alter table ${table} add column later_${later} text`)
    await running
    await requests()
  }
  assert.equal((await store.sessions.stays(sessionId)).length, people)
  assert.deepEqual(told, [])
  await store.close()
})

test('handles a read-only database and one that hangs', onPostgres, async () => {
  const { store, told } = await openOn('hindered')
  const sessionId = await startSession(store)
  const own = server.urlOf('hindered')
  const disconnect = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = 'hindered' and pid <> pg_backend_pid()`
  await runSql(own, 'alter database hindered set default_transaction_read_only = on')
  await runSql(own, disconnect)
  await until(
    () => store.values.set('a', 'b').then(() => false, unavailable('read-only')),
    'a write is refused as the database only reads',
  )
  assert.ok(await store.sessions.get(sessionId), 'reads go on')
  await runSql(server.admin, 'alter database hindered reset default_transaction_read_only')
  await runSql(own, disconnect)
  await until(
    () =>
      store.values.set('a', 'c').then(
        () => true,
        () => false,
      ),
    'writes work again',
  )
  assert.equal(told.at(-1), undefined)

  // Its processes stand still: neither an answer nor an end comes.
  const rows = await runSql(
    own,
    `select pid from pg_stat_activity where datname = 'hindered' and pid <> pg_backend_pid()`,
  )
  const pids = [server.pid, ...rows.map(({ pid }) => Number(pid))]
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await Promise.all([
    assert.rejects(store.sessions.get(sessionId), unavailable('away')),
    assert.rejects(store.sessions.join(stayOf(sessionId, 'hung'), 'x'), unavailable('away')),
  ])
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  await until(
    () =>
      store.sessions.join(stayOf(sessionId, 'after'), 'x').then(
        () => true,
        () => false,
      ),
    'it works again when they go on',
  )
  await store.close()
})

test('a full disk refuses writes, and recovers', onPostgres, async (t) => {
  const disk = SmallDisk.mount(4)
  if (!disk) return t.skip('this user may not mount a small disk')
  t.after(() => disk.unmount())
  const folder = join(disk.folder, 'space')
  server.makeFolder(folder)
  await runSql(server.admin, `create tablespace small location '${folder}'`)
  const { store, told } = await openOn('filled')
  await startSession(store)
  await runSql(server.urlOf('filled'), 'alter table stored_values set tablespace small')
  const long = 'x'.repeat(500)
  let written = 0
  for (; written < 100_000; written++) {
    const failed = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        store.values.set(`${written}-${at}`, `${long}${randomBytes(500).toString('hex')}`).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    )
    const error = failed.find((one) => one !== undefined)
    if (error === undefined) continue
    assert.ok(unavailable('full')(error), inspect(error))
    break
  }
  assert.ok(told.includes('full'))
  assert.ok(await store.values.get('0-0'), 'reads go on')
  await runSql(server.urlOf('filled'), 'alter table stored_values set tablespace pg_default')
  await store.values.set('room', 'again')
  assert.equal(told.at(-1), undefined)
  await store.close()
  await runSql(server.admin, 'drop tablespace small')
})
