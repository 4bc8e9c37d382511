/** Data folders of other versions: those of an older version are read completely, those of a newer one are refused. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { API_KEY, signAnything, TestServer } from './support/test-server.ts'

const FIRST = join(import.meta.dirname, 'fixtures/first-version.sql')
/** When the first version was killed, in ms since the epoch. */
const LEFT_AT = 1_795_575_081_000
const MINUTE_MS = 60_000

/** A clock that starts a minute later. */
function sinceThen(): () => number {
  const startedAt = performance.now()
  return () => Math.floor(LEFT_AT + MINUTE_MS + performance.now() - startedAt)
}

async function firstData(): Promise<{ parent: string; dataDir: string }> {
  const text = await readFile(FIRST, 'utf8')
  const parent = await mkdtemp(join(tmpdir(), 'anteroom-old-'))
  const dataDir = join(parent, 'data')
  await mkdir(dataDir, { mode: 0o700 })
  await writeFile(join(dataDir, 'master.key'), `${/^-- master\.key: (\S+)$/m.exec(text)![1]!}\n`, {
    mode: 0o600,
  })
  const db = new Database(join(dataDir, 'anteroom.db'))
  db.pragma('journal_mode = wal')
  db.exec(text)
  db.close()
  return { parent, dataDir }
}

test('a data folder of the first version opens with this one: people, decisions and chat are there', async (t) => {
  const { parent, dataDir } = await firstData()
  t.after(() => rm(parent, { recursive: true, force: true }))
  const file = join(dataDir, 'anteroom.db')
  const old = new Database(file)
  const columns = 'session_id, client_message_id, topic, message, payload, send_only, at'
  old.exec(`insert into chat_messages (message_id, sender_id, sender_name, ${columns})
    select 'by-rest', 'server', 'Backend', ${columns} from chat_messages`)
  old.close()
  const server = await TestServer.start({ dataDir }, { now: sinceThen() })
  t.after(() => server.stop())
  const times = { iat: Math.floor(LEFT_AT / 1000), exp: Math.floor(LEFT_AT / 1000) + 3600 }
  const token = (jti: string, ...permissions: string[]): string =>
    signAnything({ apikey: API_KEY, permissions, jti, ...times })
  const rest = token('rest', 'allow_join')

  const { body: room } = await server.rest('GET', '/v2/rooms/first-meeting', undefined, rest)
  assert.equal(room.roomId, '062z-f87q-e17f')
  assert.equal((await server.rest('GET', '/v2/rooms/closed-meeting', undefined, rest)).body.disabled, true)
  const meetingId: string = room.roomId
  const at = (participantId: string, its: string) => server.connect({ token: its, meetingId, participantId })

  const bob = at('bob', token('bob-token', 'allow_join'))
  await bob.enter().catch(() => undefined)
  assert.equal((await bob.hears('error')).name, 'REMOVED_FROM_SESSION')
  const guest = at('guest', token('guest-token', 'ask_join'))
  const { self } = await guest.join()
  assert.equal(self.sessionId, '5b0b87ff30c2b961ce4ecb70')
  await at('ann', token('ann-token', 'allow_join')).join()

  const { body: chat } = await server.rest('GET', `/v2/rooms/${meetingId}/messages`, undefined, rest)
  assert.deepEqual(
    chat.data.map(({ message, senderId }: Record<string, unknown>) => [message, senderId]),
    [
      ['said in the first version', 'ann'],
      ['said in the first version', 'server'],
    ],
  )
  const db = new Database(file, { readonly: true })
  t.after(() => db.close())
  assert.deepEqual(
    db.prepare('select sender_id, account_id from chat_messages order by number').raw().all(),
    [
      ['ann', 'ann'],
      ['server', null],
    ],
  )
  const { body: session } = await server.rest('GET', `/v2/sessions/${self.sessionId}`, undefined, rest)
  const stays = session.participants.map(({ participantId, timelog }: any) => [participantId, timelog.length])
  assert.deepEqual(stays.sort(), [
    ['ann', 2],
    ['bob', 1],
    ['guest', 2],
  ])
  const exchanged = await server.rest('POST', '/invites/exchange', { code: 'ckHxKq86eEHA20hM562wXnL7' })
  assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body))
  assert.equal(
    (await server.rest('GET', `/v2/invites?roomId=${meetingId}`, undefined, rest)).body.data[0].uses,
    1,
  )
})

test('a data folder of a newer version is refused with a sentence, and not changed', async (t) => {
  const { parent, dataDir } = await firstData()
  t.after(() => rm(parent, { recursive: true, force: true }))
  const file = join(dataDir, 'anteroom.db')
  const db = new Database(file)
  db.exec(
    "insert into kysely_migration (name, timestamp) values ('9999-tomorrow', '2099-01-01T00:00:00.000Z')",
  )
  const tables = db.prepare('select count(*) from sqlite_master').pluck()
  const before = tables.get()
  await assert.rejects(TestServer.start({ dataDir }), (thrown: Error) => {
    assert.equal(
      thrown.message,
      `The database ${file} was written by a newer Anteroom: start that version, or name another folder in DATA_DIR.`,
    )
    return true
  })
  assert.equal(tables.get(), before)
  db.close()
})
