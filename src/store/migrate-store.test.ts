/** A store is copied to the other kind of database and back, whole or not at all. */
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { makeDatabase, runSql, withoutPostgres } from '../../test/support/postgres.ts'
import { meetingRecord } from '../../test/support/records.ts'
import { StartError } from '../errors.ts'
import { backupPostgres, migrateStore } from './migrate-store.ts'
import { openStore } from './open.ts'
import { restoreStore } from './sqlite/backup.ts'
import type { Store } from './store.ts'

const PROJECT = 'a'.repeat(24)

async function fill(store: Store): Promise<void> {
  await store.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })
  const key = {
    projectId: PROJECT,
    name: 'n',
    createdAt: 1,
    revokedAt: null,
    lastUsedAt: null,
    origins: null,
  }
  await store.keys.create({ ...key, apiKey: 'k', secret: 'the secret' })
  const meeting = await store.meetings.create(
    meetingRecord({ id: 'b'.repeat(24), meetingId: 'm', projectId: PROJECT }, { customId: 'team 👋' }),
  )
  const session = { sessionId: 's', meetingId: meeting.meetingId, projectId: PROJECT }
  const delivery = { ...session, event: 'x', endPoint: 'https://a.example', body: '{}', occurredAt: 1 }
  await store.sessions.start({ ...session, startedAt: 1, endedAt: null, endReason: null }, [
    { ...delivery, deliveryId: 'd1' },
    { ...delivery, deliveryId: 'd2' },
  ])
  for (const participantId of ['zoe', 'ann', 'bob']) {
    const stay = { sessionId: 's', participantId, name: participantId, joinedAt: 5, leftAt: null }
    await store.sessions.join({ ...stay, leaveReason: null, device: { a: 1 }, tokenId: 't' }, 'SEND')
  }
  const said = Array.from({ length: 1200 }, (_, at) =>
    store.chat.append({
      sessionId: 's',
      messageId: `m${at}`,
      clientMessageId: '',
      topic: 'CHAT',
      senderId: 'ann',
      senderName: 'Ann',
      message: `hello ${at}`,
      payload: Buffer.from([at & 255, 0, 255]),
      sendOnly: at % 2 ? ['bob'] : [],
      at,
      tokenId: null,
      accountId: null,
      bytes: 9,
    }),
  )
  await Promise.all(said)
  await store.values.set('v', 'w')
}

async function seen(store: Store): Promise<unknown> {
  return {
    projects: await store.projects.list(),
    keys: await store.keys.list(),
    meetings: await store.meetings.list(PROJECT, { page: 1, perPage: 10 }),
    sessions: await store.sessions.list(PROJECT, { page: 1, perPage: 10 }),
    stays: await store.sessions.stays('s'),
    intervals: await store.sessions.intervals('s', ['zoe', 'ann', 'bob']),
    deliveries: await store.outbox.list(PROJECT, { page: 1, perPage: 10 }),
    chat: await store.chat.read('s', { from: 0, to: 1e9 }, { hearer: 'bob' }),
    value: await store.values.get('v'),
  }
}

const refuses = (pattern: RegExp) => (error: unknown) =>
  error instanceof StartError && pattern.test(error.message)

test('copies a store to PostgreSQL and back with all its content', { skip: withoutPostgres }, async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'anteroom-migrate-'))
  const database = await makeDatabase()
  t.after(async () => {
    await database.drop()
    await rm(parent, { recursive: true, force: true })
  })
  const [folder, back] = [join(parent, 'data'), join(parent, 'back')]
  const there = { folder, from: folder, to: database.url }
  const original = await openStore({ folder })
  await fill(original)
  await assert.rejects(migrateStore(there), refuses(/A server .*anteroom\.db.*stop/))
  const before = await seen(original)
  await original.close()
  const old = new Database(join(folder, 'anteroom.db'))
  old.prepare(`update stays set name = 'z' || char(0) || 'oe' where participant_id = 'zoe'`).run()
  old.close()

  const { copied, replaced } = await migrateStore(there)
  assert.equal(copied.find(({ table }) => table === 'chat_messages')!.rows, 1200)
  assert.equal(replaced, 1)
  await assert.rejects(migrateStore(there), refuses(/There is a store in the PostgreSQL database/))
  const copy = await openStore({ folder, url: database.url })
  assert.equal((await copy.sessions.stays('s'))[0]!.name, 'z\ufffdoe')
  await assert.rejects(
    migrateStore({ folder, from: database.url, to: back }),
    refuses(/A server uses the PostgreSQL/),
  )
  await copy.close()
  await runSql(database.url, `update stays set name = 'zoe' where participant_id = 'zoe'`)
  const again = await openStore({ folder, url: database.url })
  assert.deepEqual(await seen(again), before)
  const more = { ...(await again.chat.read('s', { from: 1200, to: 1200 })).messages[0]!, messageId: 'next' }
  assert.equal(await again.chat.append(more), 1201, 'numbers go on')
  await again.close()

  await mkdir(back, { mode: 0o700 })
  await copyFile(join(folder, 'master.key'), join(back, 'master.key'))
  await migrateStore({ folder, from: database.url, to: back })
  const returned = await openStore({ folder: back })
  const inFull = (await seen(returned)) as Record<string, unknown>
  assert.deepEqual({ ...inFull, chat: undefined }, { ...(before as object), chat: undefined })
  assert.equal((await returned.chat.held('s')).last, 1201)
  await returned.close()
})

test(
  'a backup of PostgreSQL is consistent, and can be restored into SQLite',
  { skip: withoutPostgres },
  async (t) => {
    const parent = await mkdtemp(join(tmpdir(), 'anteroom-migrate-'))
    const database = await makeDatabase()
    t.after(async () => {
      await database.drop()
      await rm(parent, { recursive: true, force: true })
    })
    const [folder, file, restored] = [
      join(parent, 'data'),
      join(parent, 'backup.db'),
      join(parent, 'restored'),
    ]
    const store = await openStore({ folder, url: database.url })
    await fill(store)
    const control = { stop: false }
    const writing = (async () => {
      // Two values in one order: a backup that has the later has the earlier too.
      for (let at = 0; !control.stop; at++) {
        await store.secrets.set('first', String(at))
        await store.values.set('second', String(at))
      }
    })()
    await backupPostgres({ folder, url: database.url, to: file })
    control.stop = true
    await writing
    await assert.rejects(backupPostgres({ folder, url: database.url, to: file }), refuses(/exists already/))
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.deepEqual((await readdir(parent)).toSorted(), ['backup.db', 'data'])
    await mkdir(restored, { mode: 0o700 })
    await copyFile(join(folder, 'master.key'), join(restored, 'master.key'))
    await restoreStore({ folder: restored, from: file, now: 0 })
    const back = await openStore({ folder: restored })
    assert.deepEqual(await seen(back), await seen(store))
    const [first, second] = [await back.secrets.get('first'), await back.values.get('second')]
    assert.ok(Number(first ?? -1) >= Number(second ?? -1), `${String(first)} and ${String(second)}`)
    await back.close()
    await store.close()
  },
)

test('a failed copy leaves nothing behind', { skip: withoutPostgres }, async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'anteroom-migrate-'))
  const database = await makeDatabase()
  t.after(async () => {
    await database.drop()
    await rm(parent, { recursive: true, force: true })
  })
  const folder = join(parent, 'data')
  const original = await openStore({ folder })
  await fill(original)
  await original.close()
  await (await openStore({ folder, url: database.url })).close()
  // Changes on the way what the target keeps of the last tables.
  await runSql(
    database.url,
    `create function spoil() returns trigger language plpgsql as $$ begin new.topic := 'other'; return new; end $$;
     create trigger spoil before insert on chat_messages for each row execute function spoil()`,
  )
  await assert.rejects(
    migrateStore({ folder, from: folder, to: database.url }),
    refuses(/The copy of chat_messages .* is not the original/),
  )
  await runSql(database.url, 'drop trigger spoil on chat_messages')
  await migrateStore({ folder, from: folder, to: database.url })
})
