/** The audit log in the database: entries are added, and deleted by retention alone. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import { makeDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { openStore } from './open.ts'
import { DATABASE_FILE } from './sqlite/sqlite.ts'
import type { NewAuditEntry, Store } from './store.ts'

const entry = (at: number): NewAuditEntry => ({
  at,
  actor: 'operator',
  actorId: 'ada',
  actorName: 'Ada',
  role: 'owner',
  action: 'recording.delete',
  outcome: 'done',
  code: null,
  projectId: 'p',
  meetingId: 'm',
  subject: `recording ${at}`,
  facts: { count: 1 },
  address: '127.0.0.1',
  requestId: 'r',
})

type Run = (statement: string) => Promise<unknown>

async function proves(store: Store, run: Run): Promise<void> {
  for (const at of [1, 2, 3]) await store.audit.add(entry(at))
  await assert.rejects(run("update audit_entries set actor_id = 'bob'"), /never changed/)
  await assert.rejects(run('delete from audit_entries'), /retention alone/)
  await assert.rejects(run('delete from audit_entries where at = 1'), /retention alone/)
  const all = async () =>
    (await store.audit.read(0, 10)).map(({ at, actorId, facts }) => [at, actorId, facts])
  const kept = [1, 2, 3].map((at) => [at, 'ada', { count: 1 }])
  assert.deepEqual(await all(), kept)
  assert.equal(await store.audit.dropBefore(3, 1), 1)
  assert.equal(await store.audit.dropBefore(3, 10), 1)
  assert.equal(await store.audit.dropBefore(3, 10), 0)
  assert.deepEqual(await all(), kept.slice(2))
  await assert.rejects(run('delete from audit_entries where at = 3'), /retention alone/, 'closed again')
}

test('an entry is neither changed nor deleted, except by retention (SQLite)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-audit-'))
  const store = await openStore({ folder, create: true })
  const db = new Database(join(folder, DATABASE_FILE))
  try {
    await proves(store, async (statement) => Promise.resolve().then(() => db.prepare(statement).run()))
  } finally {
    db.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test(
  'an entry is neither changed nor deleted, except by retention (PostgreSQL)',
  { skip: withoutPostgres },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-audit-'))
    const database = await makeDatabase()
    const store = await openStore({ folder, url: database.url, create: true })
    const client = new Client({ connectionString: database.url })
    await client.connect()
    try {
      await proves(store, (statement) => client.query(statement))
      await assert.rejects(client.query('truncate audit_entries'), /never changed/)
    } finally {
      await client.end()
      await store.close()
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    }
  },
)
