/**
 * Problems that stop a start over PostgreSQL: one sentence with cause and cure, without a password, and nothing is
 * changed.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { inspect } from 'node:util'
import { makeDatabase, runSql, withoutPostgres } from '../../../test/support/postgres.ts'
import { StartError } from '../../errors.ts'
import { checkStore, openStore } from '../open.ts'
import { assertNobodyLeftBehind, connectPostgres } from './open.ts'

let parent: string
let folder: string
let database: Awaited<ReturnType<typeof makeDatabase>>
const cleanUps: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  if (withoutPostgres !== false) return
  parent = await mkdtemp(join(tmpdir(), 'anteroom-start-'))
  folder = join(parent, 'data')
  database = await makeDatabase()
  cleanUps.push(() => rm(parent, { recursive: true, force: true }), database.drop)
})
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

const tables = async (): Promise<string[]> => {
  const rows = await runSql(
    database.url,
    `select tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  )
  return rows.map(({ tablename }) => String(tablename))
}

/** A start and `doctor` both report it, in one sentence without the password. */
async function refuses(url: string, pattern: RegExp, masterKey?: Buffer): Promise<void> {
  const { password } = new URL(url)
  for (const [what, start] of [
    ['start', () => openStore({ folder, url, masterKey })],
    ['doctor', () => checkStore({ folder, url, masterKey })],
  ] as const)
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof StartError, `${what}: ${String(error)}`)
      assert.match(error.message, pattern, what)
      assert.doesNotMatch(error.message, /\n/, what)
      assert.ok(password === '' || !inspect(error).includes(password), `${what} shows the password`)
      return true
    })
}

const onPostgres = { skip: withoutPostgres }

test('reports a server that does not answer or does not exist', onPostgres, async () => {
  await refuses('postgres://ann:open-sesame@127.0.0.1:1/x', /x at 127\.0\.0\.1:1 does not answer: start/)
  await refuses('postgres://ann:open-sesame@nowhere.invalid/x', /at nowhere\.invalid does not answer/)
})

test(
  'waits for a server that is slow to answer, because both may just have started',
  onPostgres,
  async (t) => {
    const { hostname, port } = new URL(database.url)
    const slow = createServer((socket) => {
      const onward = connect(Number(port), hostname)
      for (const one of [socket, onward]) one.on('error', () => undefined)
      onward.pipe(socket)
      // Longer than a participant would wait.
      setTimeout(() => socket.pipe(onward), 5000)
    }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    t.after(() => slow.close())
    const url = new URL(database.url)
    url.port = String((slow.address() as AddressInfo).port)
    assert.equal(await checkStore({ folder, url: url.href }), false)
  },
)

test('reports a wrong password or user', onPostgres, async () => {
  const url = new URL(database.url)
  url.password = 'not-the-password'
  await refuses(url.href, /are not let into .*: correct them/)
  url.username = 'nobody-here'
  await refuses(url.href, /are not let into .*: correct them/)
  assert.deepEqual(await tables(), [])
})

test('reports a missing database', onPostgres, async () => {
  const url = new URL(database.url)
  url.pathname = '/nothing_of_this_name'
  await refuses(url.href, /There is no database .*nothing_of_this_name.*createdb/)
})

test('reports a server that is too old', onPostgres, async () => {
  const { pathname } = new URL(database.url)
  await runSql(
    database.url,
    `create schema older;
     create function older.current_setting(name text) returns text language sql as $$
       select case name when 'server_version_num' then '130011' when 'server_version' then '13.11'
         else pg_catalog.current_setting(name) end $$;
     alter database ${pathname.slice(1)} set search_path = older, pg_catalog, public`,
  )
  await refuses(database.url, /is PostgreSQL 13\.11, which is too old: use PostgreSQL 14 or newer/)
  assert.deepEqual(await tables(), [])
})

test('reports a database of a newer version', onPostgres, async () => {
  await (await openStore({ folder, url: database.url })).close()
  await runSql(database.url, `insert into kysely_migration values ('9999-later-contract', '2030-01-01')`)
  const before = await tables()
  await refuses(database.url, /is of a newer Anteroom: start that version/)
  assert.deepEqual(await tables(), before)
})

test('an older version starts while the newer one has only added to the database', onPostgres, async () => {
  await (await openStore({ folder, url: database.url })).close()
  await runSql(database.url, `insert into kysely_migration values ('9999-later', '2030-01-01')`)
  assert.equal(await checkStore({ folder, url: database.url }), true)
  const store = await openStore({ folder, url: database.url })
  await store.check()
  await store.close()
  const [row] = await runSql(
    database.url,
    `select count(*)::int as rows from kysely_migration where name = '9999-later'`,
  )
  assert.equal(row!.rows, 1, 'the newer version finds its step taken')
})

test('takes nothing away from nodes that run', onPostgres, async () => {
  await (await openStore({ folder, url: database.url })).close()
  const db = connectPostgres(database.url)
  try {
    const check = () => assertNobodyLeftBehind(db, 'The database', { '9999-later-contract': {} })
    await check()
    await runSql(
      database.url,
      `drop table if exists nodes; create table nodes (node_id text, version text, lease_until bigint)`,
    )
    const until = (at: string) =>
      runSql(
        database.url,
        `
      insert into nodes (node_id, version, lease_until) values ('old', '0.1.0', ${at})`,
      )
    await until('0')
    await check()
    await runSql(database.url, 'update nodes set lease_until = 9999999999999')
    await assert.rejects(check, /stop old \(0\.1\.0\), then start this version/)
    await assertNobodyLeftBehind(db, 'The database', { '9999-later': {} })
  } finally {
    await db.destroy()
  }
})

test('reports a database of another installation or another program', onPostgres, async () => {
  await (await openStore({ folder, url: database.url })).close()
  await refuses(database.url, /of another installation, whose master key/, randomBytes(32))
  // With a new data folder, which has no key yet, no key is created for an existing store.
  await rm(folder, { recursive: true })
  await refuses(database.url, /master key .* is missing/)
  assert.deepEqual(await readdir(folder), [])

  const other = await makeDatabase()
  cleanUps.push(other.drop)
  await runSql(other.url, 'create table projects (name text)')
  await refuses(other.url, /holds the tables of another program: name an empty database/)
  await runSql(other.url, 'drop table projects')
  await runSql(
    other.url,
    `create table kysely_migration (name text, timestamp text);
    insert into kysely_migration values ('2024-users', 'x')`,
  )
  await refuses(other.url, /holds the tables of another program/)
})

test('reports a user who may not create tables, and a read-only server', onPostgres, async () => {
  const role = `reader_${randomBytes(4).toString('hex')}`
  const { pathname } = new URL(database.url)
  await runSql(
    database.url,
    `create role ${role} login password 'open-sesame'; revoke create on schema public from public`,
  )
  const url = new URL(database.url)
  url.username = role
  url.password = 'open-sesame'
  await assert.rejects(
    openStore({ folder, url: url.href }),
    /may not make tables in .*: make that user the owner/,
  )
  assert.deepEqual(await tables(), [])
  await runSql(database.url, `drop role ${role}`)
  await runSql(database.url, `alter database ${pathname.slice(1)} set default_transaction_read_only = on`)
  await assert.rejects(openStore({ folder, url: database.url }), /can only be read: name the primary/)
})

test('reports a text encoding that cannot hold every name', onPostgres, async () => {
  const { pathname } = new URL(database.url)
  const name = `${pathname.slice(1)}_latin`
  await runSql(database.url, `create database ${name} encoding 'LATIN1' locale 'C' template template0`)
  const url = new URL(database.url)
  url.pathname = name
  await refuses(url.href, /keeps text as LATIN1: make a database with encoding UTF8/)
  await runSql(database.url, `drop database ${name} with (force)`)
})

test('creates nothing where it may not create a store', onPostgres, async () => {
  await assert.rejects(
    openStore({ folder, url: database.url, create: false }),
    /There is no store in .*anteroom init/,
  )
  assert.deepEqual(await tables(), [])
  assert.equal(await checkStore({ folder, url: database.url }), false)
  assert.deepEqual(await tables(), [])
})
