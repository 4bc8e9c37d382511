/** A store is copied to the other kind of database and back, whole, also after interruptions. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import Database from 'better-sqlite3'
import { makeDatabase, runSql, withoutPostgres } from '../../../test/support/postgres.ts'
import { meetingRecord } from '../../../test/support/records.ts'
import { StartError } from '../../errors.ts'
import { backupPostgres } from './backup.ts'
import { endOf } from './end.ts'
import { migrateStore } from './migrate.ts'
import { Sum, NOT_COPIED, TABLES, type Db } from './rows.ts'
import { openStore } from '../open.ts'
import { connectPostgres } from '../postgres/open.ts'
import { readMasterKey } from '../secrets/master-key.ts'
import { connectSqlite } from '../sqlite/sqlite.ts'
import { restoreStore } from '../sqlite/backup.ts'
import type { Store } from '../store.ts'

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
  const delivery = {
    ...session,
    event: 'x',
    endPoint: 'https://a.example',
    body: '{}',
    occurredAt: 1,
    about: 'o',
  }
  await store.sessions.start({ ...session, startedAt: 1, endedAt: null, endReason: null }, [
    { ...delivery, deliveryId: 'd1' },
    { ...delivery, deliveryId: 'd2' },
  ])
  for (const participantId of ['zoe', 'ann', 'bob']) {
    const stay = { sessionId: 's', participantId, name: participantId, joinedAt: 5, leftAt: null }
    await store.sessions.join(
      { ...stay, leaveReason: null, device: { a: 1 }, tokenId: 't', apiKey: null },
      'SEND',
    )
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

/** A folder and a database that are gone after the test. */
async function placesFor(t: TestContext) {
  const parent = await mkdtemp(join(tmpdir(), 'anteroom-migrate-'))
  const database = await makeDatabase()
  t.after(async () => {
    await database.drop()
    await rm(parent, { recursive: true, force: true })
  })
  return { parent, database }
}

test('copies a store to PostgreSQL and back with all its content', { skip: withoutPostgres }, async (t) => {
  const { parent, database } = await placesFor(t)
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
    const { parent, database } = await placesFor(t)
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
  const { parent, database } = await placesFor(t)
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

/** What a process of its own does: copies, and kills itself after so many pages, or a moment later in the middle of the next. */
const KILLED = `
const [folder, from, to, pages, when] = process.argv.slice(1)
const { migrateStore } = await import(${JSON.stringify(join(import.meta.dirname, 'migrate.ts'))})
const kill = () => process.kill(process.pid, 'SIGKILL')
let seen = 0
await migrateStore({ folder, from, to, onProgress: ({ step, table, rows }) => {
  console.log(step, table, rows)
  if (++seen === Number(pages)) when === 'at once' ? kill() : setTimeout(kill, Number(when))
} })`

async function copyInProcess(
  { folder, from, to }: { folder: string; from: string; to: string },
  pages: number,
  when: string,
): Promise<{ signal: unknown; said: string[]; error: string }> {
  const args = ['--input-type=module', '-e', KILLED, folder, from, to, String(pages), when]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, error] = ['', '']
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  child.stderr.on('data', (chunk) => (error += String(chunk)))
  const [, signal] = (await once(child, 'close')) as unknown[]
  return { signal, said: said.trim().split('\n'), error }
}

/** Every row, whatever the database calls its place. */
async function sumsOf(end: { file: string } | { url: string }): Promise<string[]> {
  const db = ('url' in end ? connectPostgres(end.url) : connectSqlite(end.file)) as unknown as Db
  const tables = { db, isPostgres: 'url' in end }
  const sums = []
  for (const [table] of TABLES) sums.push(`${table} ${String(await Sum.of(tables, table))}`)
  await db.destroy()
  return sums
}

test(
  'a copy that is killed goes on where it stopped, in both directions',
  { skip: withoutPostgres },
  async (t) => {
    const { parent, database } = await placesFor(t)
    const [folder, back] = [join(parent, 'data'), join(parent, 'back')]
    const original = await openStore({ folder })
    await fill(original)
    await original.close()
    await mkdir(back, { mode: 0o700 })
    await copyFile(join(folder, 'master.key'), join(back, 'master.key'))
    const wanted = await sumsOf({ file: join(folder, 'anteroom.db') })

    const ways = [
      { folder, from: folder, to: database.url },
      { folder, from: database.url, to: back },
    ]
    for (const way of ways) {
      const opened = () => openStore(way.to === back ? { folder: back } : { folder, url: way.to })
      // In the first table, in the middle of those of many pages, while it compares; at once or within a transaction.
      const copied: string[] = []
      let compared = false
      for (const [pages, when] of [
        [1, 'at once'],
        [7, '2'],
        [8, 'at once'],
      ] as const) {
        const { signal, said, error } = await copyInProcess(way, pages, when)
        assert.equal(signal, 'SIGKILL', error)
        copied.push(...said.filter((line) => line.startsWith('copy')))
        compared = said.some((line) => line.startsWith('compare'))
        await assert.rejects(
          opened(),
          refuses(/unfinished copy .* run the same "anteroom migrate-store" again/),
        )
      }
      assert.equal(new Set(copied).size, copied.length, `no page is copied twice: ${copied.join()}`)
      assert.ok(compared, 'the last was killed while it compared')
      const { resumedAt } = await migrateStore(way)
      assert.ok(resumedAt > 1200)
      const { to } = way
      assert.deepEqual(await sumsOf(to === back ? { file: join(to, 'anteroom.db') } : { url: to }), wanted)
      await (await opened()).close()
    }
  },
)

test(
  'a target into which another copy goes is refused, and an original that changed is copied anew',
  { skip: withoutPostgres },
  async (t) => {
    const { parent, database } = await placesFor(t)
    const [folder, other, back] = ['data', 'other', 'back'].map((name) => join(parent, name)) as [
      string,
      string,
      string,
    ]
    for (const one of [folder, other]) {
      const store = await openStore({ folder: one })
      await fill(store)
      await store.close()
    }
    const way = { folder, from: folder, to: database.url }
    const interrupted = new Error('the first was interrupted')
    await assert.rejects(
      migrateStore({
        ...way,
        onProgress: ({ table }) => {
          if (table !== 'stays') return
          throw interrupted
        },
      }),
      refuses(/The copy stopped before its end .*: run the same command again/),
    )
    await mkdir(back, { mode: 0o700 })
    await copyFile(join(folder, 'master.key'), join(back, 'master.key'))
    for (const to of [database.url, back]) {
      const held = endOf(to, folder, await readMasterKey(folder, true))
      await held.prepare()
      await held.hold(async () => {
        await assert.rejects(
          migrateStore({ ...way, to }),
          refuses(/Another "migrate-store" is copying into|using .*anteroom\.db: stop it first/),
        )
      })
    }
    await assert.rejects(
      migrateStore({ ...way, folder: other, from: other }),
      refuses(/unfinished copy of another store/),
    )

    // A server ran over the original between the two: what it changed before the mark would be missed.
    const old = new Database(join(folder, 'anteroom.db'))
    old.prepare(`update stays set name = 'changed' where participant_id = 'zoe'`).run()
    old.close()
    const { resumedAt } = await migrateStore(way)
    assert.ok(resumedAt > 0)
    const copy = await openStore({ folder, url: database.url })
    assert.equal((await copy.sessions.stays('s'))[0]!.name, 'changed')
    await copy.close()
  },
)

test('every table of the store is copied', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-migrate-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await (await openStore({ folder: join(folder, 'data') })).close()
  const db = new Database(join(folder, 'data', 'anteroom.db'), { readonly: true })
  const there = db.prepare(`select name from sqlite_master where type = 'table'`).pluck().all() as string[]
  db.close()
  assert.deepEqual(
    [...TABLES.map(([name]) => name), ...NOT_COPIED].toSorted(),
    there.filter((name) => !/^(kysely|sqlite)_/.test(name)).toSorted(),
  )
})
