/** What the store guarantees: file modes, keys, crashes, concurrent writers. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, beforeEach, test } from 'node:test'
import Database from 'better-sqlite3'
import { makeDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { meetingRecord } from '../../test/support/records.ts'
import { StartError } from '../errors.ts'
import { IdTaken, StoreConflict } from './problem.ts'
import { openStore } from './open.ts'
import type {
  ChatFilter,
  ChatRecord,
  JobFilter,
  JobRecord,
  MeetingRecord,
  PollRecord,
  Store,
  Stretch,
} from './store.ts'

const folders: string[] = []
const databases: { url: string; drop: () => Promise<void> }[] = []
let folder: string
/** Of the database of the test that runs, where it is in PostgreSQL. */
let url: string | undefined
beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'anteroom-store-'))
  folders.push(parent)
  folder = join(parent, 'data')
  url = undefined
})
after(async () => {
  await Promise.all(folders.map((one) => rm(one, { recursive: true, force: true })))
  for (const { drop } of databases) await drop()
})

/** Runs a test for each database that a store may stand on. */
function onBoth(title: string, work: () => Promise<void>): void {
  test(`${title} (SQLite)`, work)
  test(`${title} (PostgreSQL)`, { skip: withoutPostgres }, async () => {
    const database = await makeDatabase()
    databases.push(database)
    url = database.url
    await work()
  })
}

const PROJECT = 'a'.repeat(24)
const project = { projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 }
const id = (): string => randomBytes(12).toString('hex')
const aMeeting = (changes: Partial<MeetingRecord> = {}): MeetingRecord =>
  meetingRecord({ id: id(), meetingId: id(), projectId: PROJECT }, changes)

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ folder, url })
  try {
    if ((await store.projects.list()).length === 0) await store.projects.create(project)
    return await work(store)
  } finally {
    await store.close()
  }
}

const problem = (pattern: RegExp) => (error: unknown) =>
  error instanceof StartError && pattern.test(error.message) && !error.message.includes('\n')

test('the first start creates a private folder and key; the second finds everything', async () => {
  await withStore(async (store) => {
    await store.keys.create({
      apiKey: 'k',
      projectId: PROJECT,
      name: 'n',
      secret: 'the-secret-of-k',
      createdAt: 1,
      revokedAt: null,
      lastUsedAt: null,
      origins: null,
    })
    await store.values.set('name', 'value')
  })
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  for (const file of ['master.key', 'anteroom.db']) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file)
  }
  await withStore(async (store) => {
    assert.equal((await store.keys.list())[0]!.secret, 'the-secret-of-k')
    assert.equal(await store.values.get('name'), 'value')
  })
  assert.equal((await readFile(join(folder, 'anteroom.db'))).includes('the-secret-of-k'), false)
})

test('an unusable folder, key or database is reported in one sentence with the cure', async () => {
  await withStore(async () => undefined)
  const key = join(folder, 'master.key')
  const text = await readFile(key, 'utf8')
  await assert.rejects(
    openStore({ folder, masterKey: randomBytes(32) }),
    problem(/created with another master key/),
  )
  await chmod(key, 0o644)
  await assert.rejects(openStore({ folder }), problem(/Other users can read/))
  await chmod(key, 0o600)
  await rm(key)
  await assert.rejects(openStore({ folder }), problem(/master key .* is missing/))
  await writeFile(key, 'not a key\n', { mode: 0o600 })
  await assert.rejects(openStore({ folder }), problem(/is not 32 bytes/))
  await writeFile(key, text, { mode: 0o600 })
  const database = new Database(join(folder, 'anteroom.db'))
  database.prepare(`insert into kysely_migration values ('9999-later', '2030-01-01')`).run()
  database.close()
  await assert.rejects(openStore({ folder }), problem(/newer Anteroom/))
  await writeFile(join(folder, 'anteroom.db'), 'this is no database, and never was one')
  await assert.rejects(openStore({ folder }), problem(/is damaged/))
  await assert.rejects(openStore({ folder: join(key, 'below') }), problem(/DATA_DIR/))
})

test('sums of usage are made from those of each day and key, of a database that has only these', async () => {
  const of = { projectId: 'p', apiKey: 'k' }
  const days = ['2026-01-30', '2026-01-31'].map((day) => ({
    day,
    ...of,
    participants: 2,
    sentBytes: 2 ** 40,
  }))
  const query = { by: 'month', from: '2026-01-01', to: '2026-02-28', per: 'server' } as const
  const seen = async (store: Store) => {
    const { items } = await store.usage.list(query, { page: 1, perPage: 10 })
    const totals = await store.usage.totals()
    return [...items, ...totals].map(({ participants, sentBytes }) => [participants, sentBytes])
  }
  await withStore((store) => store.usage.add(days))
  const database = new Database(join(folder, 'anteroom.db'))
  database.exec(`delete from usage_days where day < '2' or day > '3' or api_key = '*';
    insert into usage_peaks (day, project_id, api_key, participants)
      values ('2026-01-30', '*', '*', 3), ('2026-01-31', '*', '*', 5);
    drop index usage_days_by_key; drop index usage_peaks_by_key;
    delete from kysely_migration where name in ('0056-usage-totals', '0060-usage-months')`)
  assert.deepEqual(database.prepare('select count(*) as total from usage_days').get(), { total: 2 })
  database.close()
  await withStore(async (store) => {
    assert.deepEqual(await seen(store), [
      [4, 2 ** 41],
      [4, 2 ** 41],
    ])
    assert.equal((await store.usage.list(query, { page: 1, perPage: 10 })).items[0]!.peak, 5)
    await store.usage.add([{ day: '2026-02-01', ...of, participants: 1 }])
    assert.deepEqual(await seen(store), [
      [1, 0],
      [4, 2 ** 41],
      [5, 2 ** 41],
    ])
  })
})

test('a folder that cannot be created is refused at once', { timeout: 60_000 }, async () => {
  const script = `import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
    openStore({ folder: '/proc/1/anteroom/data' }).then(() => process.exit(9), (error) => { console.log(error.message); process.exit(0) })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 8000)
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  assert.equal(code, 0)
  assert.match(said, /DATA_DIR/)
})

onBoth('what was acknowledged survives kill -9', async () => {
  await withStore(async () => undefined)
  const script = `import { randomBytes } from 'node:crypto'
    import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
    const store = await openStore({ folder: process.argv[1], url: process.argv[2] })
    for (;;) await Promise.all(Array.from({ length: 8 }, async () => {
      const id = randomBytes(12).toString('hex')
      await store.meetings.create({ id, meetingId: id, projectId: ${JSON.stringify(PROJECT)}, customId: null, settings: {}, disabledAt: null, createdAt: 1, updatedAt: 1 })
      console.log(id)
    }))`
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, folder, ...(url === undefined ? [] : [url])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line)
    if (acknowledged.length === 200) child.kill('SIGKILL')
  }
  assert.ok(acknowledged.length >= 200)
  await withStore(async (store) => {
    for (const one of acknowledged.filter((line) => line.length === 24))
      assert.ok(await store.meetings.get(one), one)
  })
})

onBoth('a write that fails does not undo the others of its group', async () => {
  await withStore(async (store) => {
    const key = {
      apiKey: 'taken',
      projectId: PROJECT,
      name: 'n',
      secret: 's',
      createdAt: 1,
      revokedAt: null,
      lastUsedAt: null,
      origins: null,
    }
    await store.keys.create(key)
    const meetings = Array.from({ length: 200 }, () => aMeeting())
    const results = await Promise.allSettled([
      ...meetings.slice(0, 100).map((meeting) => store.meetings.create(meeting)),
      store.keys.create(key),
      ...meetings.slice(100).map((meeting) => store.meetings.create(meeting)),
    ])
    const failed = results.filter((result) => result.status === 'rejected')
    assert.equal(failed.length, 1)
    assert.ok(failed[0]!.reason instanceof StoreConflict)
    for (const { meetingId } of meetings) assert.ok(await store.meetings.get(meetingId))
  })
})

onBoth(
  'meetings: a custom id names one meeting; each of its ids finds it, in its own project only',
  async () => {
    await withStore(async (store) => {
      const made = await Promise.all(
        Array.from({ length: 50 }, () => store.meetings.create(aMeeting({ customId: 'team' }))),
      )
      assert.equal(new Set(made.map(({ meetingId }) => meetingId)).size, 1)
      const [meeting] = made
      for (const anyId of [meeting!.id, meeting!.meetingId, 'team']) {
        assert.deepEqual(await store.meetings.find(PROJECT, anyId), meeting)
        assert.equal(await store.meetings.find('b'.repeat(24), anyId), undefined)
      }
      assert.deepEqual(await store.meetings.withCustomId(PROJECT, 'team'), meeting)
      assert.equal(await store.meetings.withCustomId('b'.repeat(24), 'team'), undefined)
      await store.meetings.create(aMeeting())
      const { items, total } = await store.meetings.list(PROJECT, { page: 1, perPage: 1 })
      assert.deepEqual([items.length, total], [1, 2])
      assert.equal((await store.meetings.disable(meeting!.meetingId, 5))!.disabledAt, 5)
      assert.equal((await store.meetings.disable(meeting!.meetingId, 9))!.disabledAt, 5)
      const configured = (await store.meetings.configure(meeting!.meetingId, { knock: true }, 10))!
      assert.deepEqual(configured.settings, { ...meeting!.settings, knock: true })
      assert.deepEqual([configured.updatedAt, configured.disabledAt], [10, 5])
      assert.equal(await store.meetings.configure('none', { knock: true }, 10), undefined)
    })
  },
)

onBoth('meetings: an id never names two meetings, whichever was created first', async () => {
  await withStore(async (store) => {
    const first = await store.meetings.create(aMeeting())
    for (const customId of [first.id, first.meetingId])
      await assert.rejects(store.meetings.create(aMeeting({ customId })), IdTaken)
    const custom = 'c'.repeat(24)
    await store.meetings.create(aMeeting({ customId: custom }))
    await assert.rejects(store.meetings.create(aMeeting({ id: custom })), StoreConflict)
    await assert.rejects(store.meetings.create(aMeeting({ meetingId: custom })), StoreConflict)
    // Another write in the same group as the refused one is kept.
    const [refused, made] = await Promise.allSettled([
      store.meetings.create(aMeeting({ customId: first.meetingId })),
      store.meetings.create(aMeeting({ customId: 'beside it' })),
    ])
    assert.deepEqual([refused.status, made.status], ['rejected', 'fulfilled'])
    assert.ok(await store.meetings.withCustomId(PROJECT, 'beside it'))
  })
})

onBoth('text that not every database can hold is refused, not changed', async () => {
  await withStore(async (store) => {
    for (const text of ['half \ud83d', 'nul \0']) {
      await assert.rejects(store.meetings.create(aMeeting({ customId: text })), TypeError)
      await assert.rejects(store.meetings.find(PROJECT, text), TypeError)
    }
    assert.equal((await store.meetings.list(PROJECT, { page: 1, perPage: 1 })).total, 0)
  })
})

onBoth(
  'uses of an invite are counted exactly, a key is revoked once, admissions and removals are kept',
  async () => {
    await withStore(async (store) => {
      const meeting = await store.meetings.create(aMeeting())
      const invite = {
        codeHash: 'h',
        inviteId: 'i',
        meetingId: meeting.meetingId,
        projectId: PROJECT,
        entry: 'ask' as const,
        createdAt: 1,
        expiresAt: 100,
        maxUses: 3,
        uses: 0,
        revokedAt: null,
        apiKey: null,
        tokenId: null,
        parentId: null,
        participantId: null,
      }
      await store.invites.create(invite)
      const used = await Promise.all(Array.from({ length: 20 }, () => store.invites.use('h', 50)))
      assert.equal(used.filter(Boolean).length, 3)
      await store.invites.create({ ...invite, codeHash: 'h2', inviteId: 'i2', maxUses: null })
      assert.equal(await store.invites.use('h2', 100), undefined)
      assert.equal(await store.invites.revoke('i2', 60), true)
      assert.equal(await store.invites.revoke('i2', 70), false)
      assert.equal(await store.invites.use('h2', 50), undefined)
      const parent = { ...invite, codeHash: 'h3', inviteId: 'i3', maxUses: 2 }
      await store.invites.create(parent)
      await store.invites.create({ ...invite, codeHash: 'h4', inviteId: 'i4', maxUses: null, parentId: 'i3' })
      const line = await store.invites.use('h4', 50)
      assert.deepEqual(
        line!.map(({ inviteId, uses }) => [inviteId, uses]),
        [
          ['i4', 1],
          ['i3', 1],
        ],
      )
      assert.deepEqual(await store.invites.line('i4'), line)
      assert.ok(await store.invites.use('h3', 50))
      assert.equal(await store.invites.use('h4', 50), undefined, 'its parent is used up')
      await store.invites.create({ ...invite, codeHash: 'h5', inviteId: 'i5', parentId: 'gone' })
      assert.deepEqual(await store.invites.line('i5'), [], 'its parent is gone')
      assert.equal(await store.invites.use('h5', 50), undefined, 'its parent is gone')
      assert.equal(await store.invites.dropExpiredBefore(101, 2), 2)
      assert.equal(await store.invites.dropExpiredBefore(101, 10), 3)
      assert.equal(await store.invites.get('i5'), undefined)

      await store.keys.create({
        apiKey: 'k',
        projectId: PROJECT,
        name: 'n',
        secret: 's',
        createdAt: 1,
        revokedAt: null,
        lastUsedAt: null,
        origins: null,
      })
      assert.deepEqual([await store.keys.revoke('k', 5), await store.keys.revoke('k', 9)], [true, true])
      assert.equal((await store.keys.list())[0]!.revokedAt, 5)
      assert.equal(await store.keys.revoke('nobody', 5), false)

      const session = {
        sessionId: 's',
        meetingId: meeting.meetingId,
        projectId: PROJECT,
        startedAt: 1,
        endedAt: null,
        endReason: null,
      }
      await store.sessions.start(session)
      const admission = { sessionId: 's', participantId: 'ann', tokenId: 't', at: 2 }
      await store.sessions.admit(admission)
      await store.sessions.admit(admission)
      await store.sessions.admit({ ...admission, tokenId: 'u', at: 3 })
      await store.sessions.admit({ ...admission, participantId: 'bob', at: 4 })
      await store.sessions.takeBackAdmission('s', 'ann', 'u')
      assert.deepEqual(await store.sessions.admissions('s'), [
        admission,
        { ...admission, participantId: 'bob', at: 4 },
      ])
      const removal = {
        ...admission,
        name: 'Ann',
        by: 'mod',
        byName: 'Mod',
        byModerator: true,
        tokenShared: true,
        at: 5,
      }
      await store.sessions.remove(removal)
      await store.sessions.remove({ ...removal, tokenShared: false })
      assert.deepEqual(await store.sessions.removals('s'), [{ ...removal, tokenShared: false }])
      assert.deepEqual(
        (await store.sessions.admissions('s')).map(({ participantId }) => participantId),
        ['bob'],
      )
      assert.equal(await store.sessions.liftRemoval('s', 'ann'), true)
      assert.equal(await store.sessions.liftRemoval('s', 'ann'), false)
      assert.deepEqual(await store.sessions.removals('s'), [])
      assert.equal(await store.sessions.decisions('s'), null)
      await store.sessions.decide('s', '{"a":1}')
      await store.sessions.decide('s', '{}')
      assert.equal(await store.sessions.decisions('s'), '{}')
      const poll: PollRecord = {
        pollId: 'p',
        question: 'Tea?',
        options: ['Yes', 'No'],
        multiple: true,
        anonymous: false,
        askerId: 'ann',
        askerName: 'Ann',
        createdAt: 6,
        endedAt: null,
      }
      await store.polls.add('s', poll)
      await store.polls.end('s', 'p', 7)
      assert.deepEqual(await store.polls.list('s'), [{ ...poll, endedAt: 7 }])
      const vote = { pollId: 'p', participantId: 'bob', tokenId: 't', name: 'Bob', choices: [0, 1], at: 6 }
      await store.polls.vote('s', { ...vote, tokenId: 'another', at: 5 })
      await store.polls.vote('s', { ...vote, choices: [0] })
      await store.polls.vote('s', vote)
      assert.deepEqual(await store.polls.votes('s'), [{ ...vote, tokenId: 'another', at: 5 }, vote])
      assert.equal((await store.sessions.ongoing(meeting.meetingId))!.sessionId, 's')
      assert.equal(await store.chat.dropBefore(100, 10), 0, 'the session goes on')
      await store.sessions.end('s', 9, 'empty')
      const said = (await store.chat.page('s', { page: 1, perPage: 10 })).total
      assert.equal(await store.chat.dropBefore(100, 10), said)
      assert.equal((await store.chat.page('s', { page: 1, perPage: 10 })).total, 0)
      // The session, a poll and two votes; and what the session had of its own.
      while ((await store.sessions.dropEndedBefore(10, 2)) > 0);
      assert.deepEqual([await store.polls.list('s'), await store.polls.votes('s')], [[], []])
      assert.equal(await store.sessions.ongoing(meeting.meetingId), undefined)
    })
  },
)

onBoth(
  'who is always let in is kept for one meeting, up to a number, until it is lifted or erased',
  async () => {
    await withStore(async (store) => {
      const { meetingId } = await store.meetings.create(aMeeting())
      const ann = {
        meetingId,
        participantId: 'ann',
        tokenId: 't',
        bound: false,
        name: 'Ann',
        at: 1,
        by: 'host',
      }
      const bob = { ...ann, participantId: 'bob', bound: true, at: 2 }
      assert.deepEqual([await store.standing.admit(ann, 2), await store.standing.admit(bob, 2)], [true, true])
      assert.equal(await store.standing.admit({ ...ann, tokenId: 'u' }, 2), false)
      assert.equal(await store.standing.admit({ ...ann, name: 'Anna' }, 2), true, 'replaced')
      assert.deepEqual(await store.standing.list(meetingId), [{ ...ann, name: 'Anna' }, bob])
      assert.deepEqual(await store.standing.of(meetingId, 'bob'), [bob])
      assert.deepEqual(await store.standing.list('another'), [])
      assert.equal((await store.people.records(PROJECT, 'ann', null)).length, 1)
      assert.equal(await store.people.eraseStanding('another', 'ann'), 0)
      assert.equal(await store.people.eraseStanding(PROJECT, 'host'), 2)
      assert.equal((await store.standing.list(meetingId))[1]!.by, null)
      assert.equal(await store.people.eraseStanding(PROJECT, 'ann'), 1)
      assert.deepEqual(
        [await store.standing.lift(meetingId, 'bob'), await store.standing.lift(meetingId, 'bob')],
        [true, false],
      )
      assert.deepEqual(await store.standing.list(meetingId), [])
    })
  },
)

const saying = (at: number, changes: Partial<ChatRecord> = {}): ChatRecord => ({
  sessionId: 's',
  messageId: `m${at}`,
  clientMessageId: '',
  topic: 'CHAT',
  senderId: 'ann',
  senderName: 'Ann',
  message: `hello ${at} 👋`,
  payload: Buffer.from([at & 0xff, 0, 255]),
  sendOnly: [],
  at,
  tokenId: 'jti:ann',
  accountId: 'ann',
  bytes: 300,
  ...changes,
})

async function withSession(work: (store: Store) => Promise<void>): Promise<void> {
  await withStore(async (store) => {
    const { meetingId } = await store.meetings.create(aMeeting())
    const session = { meetingId, projectId: PROJECT, startedAt: 1, endedAt: null, endReason: null }
    for (const sessionId of ['s', 'other']) await store.sessions.start({ ...session, sessionId })
    await work(store)
  })
}

const WHOLE = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** Reads a whole range, part by part, and returns the messages and the size of each part. */
async function readAll(store: Store, stretch: Stretch = WHOLE, filter: ChatFilter = {}, sessionId = 's') {
  const [ids, parts]: [string[], number[]] = [[], []]
  for (let rest: Stretch | undefined = stretch; rest;) {
    const part = await store.chat.read(sessionId, rest, filter)
    parts.push(part.messages.reduce((sum, { bytes }) => sum + bytes, 0))
    ids.push(...part.messages.map(({ messageId }) => messageId))
    rest = part.rest
  }
  return { ids, parts }
}

onBoth('chat is kept in the order of arrival', async () => {
  await withSession(async (store) => {
    const messages = Array.from({ length: 250 }, (_, at) => saying(at, { sendOnly: at % 2 ? ['bob'] : [] }))
    const numbers = await Promise.all(messages.map((message) => store.chat.append(message)))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    const { messages: first } = await store.chat.read('s', WHOLE)
    assert.deepEqual(
      first,
      messages.slice(0, first.length).map((message, at) => ({ ...message, number: numbers[at]! })),
    )
    assert.deepEqual(
      (await readAll(store)).ids,
      messages.map(({ messageId }) => messageId),
    )
    assert.deepEqual(await readAll(store, WHOLE, {}, 'other'), { ids: [], parts: [0] })
  })
})

onBoth('chat is read in parts of bounded size, however long it is', async () => {
  await withSession(async (store) => {
    const large = { message: 'x'.repeat(60_000), bytes: 60_300 }
    await Promise.all(Array.from({ length: 40 }, (_, at) => store.chat.append(saying(at, large))))
    const { ids, parts } = await readAll(store)
    assert.equal(ids.length, 40)
    assert.ok(
      parts.every((bytes) => bytes < 256 * 1024),
      String(parts),
    )
  })
})

onBoth('pages and parts of the chat hold and count only what the reader may see', async () => {
  await withSession(async (store) => {
    const all = Array.from({ length: 300 }, (_, at) =>
      saying(at, {
        topic: at % 3 === 0 ? 'OTHER' : 'CHAT',
        senderId: at % 5 === 0 ? 'bob' : 'ann',
        accountId: at % 5 === 0 ? null : 'ann',
        // The sender is a recipient too, and there are more recipients than one statement writes.
        sendOnly:
          at % 4 === 0
            ? []
            : at % 4 === 1
              ? ['bob', 'bob']
              : Array.from({ length: 120 }, (_, of) => (of === 60 ? 'cy' : `guest-${of}`)),
      }),
    )
    for (const message of all) await store.chat.append(message)
    await store.chat.append(saying(999, { sessionId: 'other', sendOnly: ['bob'] }))
    const filters: ChatFilter[] = [undefined, null, 'ann', 'bob', 'cy', 'nobody'].flatMap((hearer) =>
      [undefined, 'CHAT', 'OTHER', 'NONE'].map((topic) => ({
        ...(topic !== undefined && { topic }),
        ...(hearer !== undefined && { hearer }),
      })),
    )
    for (const filter of filters) {
      const { topic, hearer } = filter
      const expected = all
        .filter((message) => topic === undefined || message.topic === topic)
        .filter(
          ({ sendOnly, senderId }) =>
            hearer === undefined ||
            sendOnly.length === 0 ||
            (hearer !== null && (senderId === hearer || sendOnly.includes(hearer))),
        )
        .map(({ messageId }) => messageId)
      const what = JSON.stringify(filter)
      assert.deepEqual((await readAll(store, WHOLE, filter)).ids, expected, what)
      const paged: string[] = []
      for (let page = 1; page <= Math.ceil(expected.length / 30) + 1; page++) {
        const { total, stretch } = await store.chat.page('s', { page, perPage: 30 }, filter)
        assert.equal(total, expected.length, what)
        paged.push(...(await readAll(store, stretch, filter)).ids)
      }
      assert.deepEqual(paged, expected, what)
      for (const count of [0, 1, 7, 1000]) {
        const stretch = await store.chat.newest('s', { messages: count }, Number.MAX_SAFE_INTEGER, filter)
        const wanted = count === 0 ? [] : expected.slice(-count)
        assert.deepEqual((await readAll(store, stretch, filter)).ids, wanted, `${what}, the last ${count}`)
      }
    }
    for (const [bytes, count] of [
      [0, 0],
      [1, 1],
      [900, 3],
      [901, 4],
    ] as const) {
      const most = { messages: 5, bytes }
      const stretch = await store.chat.newest('s', most, Number.MAX_SAFE_INTEGER, { hearer: 'ann' })
      assert.equal((await readAll(store, stretch, { hearer: 'ann' })).ids.length, count, `${bytes} bytes`)
    }
    const { last, shares } = await store.chat.held('s')
    assert.equal(last, 300)
    assert.deepEqual(shares.map(({ accountId, bytes }) => [accountId, bytes]).toSorted(), [
      [null, 60 * 300],
      ['ann', 240 * 300],
    ])
    assert.deepEqual(await store.chat.held('nothing'), { last: 0, shares: [] })
  })
})

onBoth('two first starts at once agree on one key', async () => {
  const [one, other] = await Promise.all([openStore({ folder, url }), openStore({ folder, url })])
  await one.projects.create(project)
  await one.keys.create({
    apiKey: 'k',
    projectId: PROJECT,
    name: 'n',
    secret: 'shared',
    createdAt: 1,
    revokedAt: null,
    lastUsedAt: null,
    origins: null,
  })
  assert.equal((await other.keys.list())[0]!.secret, 'shared')
  await Promise.all([one.close(), other.close()])
})

onBoth(
  'the version changes if a project was written, here or by another process, and not by reading',
  async () => {
    const [here, elsewhere] = [await openStore({ folder, url }), await openStore({ folder, url })]
    const first = await here.version()
    await here.projects.list()
    assert.equal(await here.version(), first)
    await here.projects.create(project)
    const second = await here.version()
    assert.notEqual(second, first)
    await elsewhere.projects.change(project.projectId, { name: 'changed elsewhere' })
    assert.notEqual(await here.version(), second)
    await Promise.all([here.close(), elsewhere.close()])
  },
)

onBoth('the latest attempts of a delivery are kept in order, and deleted with it', async () => {
  await withStore(async (store) => {
    const meeting = aMeeting()
    const delivery = {
      deliveryId: 'd1',
      projectId: PROJECT,
      meetingId: meeting.meetingId,
      sessionId: 's',
      event: 'session-started',
      endPoint: 'https://a.example',
      body: '{}',
      occurredAt: 1,
      about: 'o',
    }
    await store.meetings.create(meeting)
    const ended = { endedAt: null, endReason: null }
    await store.sessions.start(
      { sessionId: 's', meetingId: meeting.meetingId, projectId: PROJECT, startedAt: 1, ...ended },
      [delivery],
    )
    for (let at = 1; at <= 105; at++)
      await store.outbox.settle('d1', {
        state: 'waiting',
        at,
        nextAt: at,
        tookMs: 7,
        status: null,
        error: 'no',
        answer: null,
      })
    await store.outbox.settle('d1', {
      state: 'delivered',
      at: 106,
      tookMs: 8,
      status: 204,
      error: null,
      answer: null,
    })
    assert.deepEqual(await store.outbox.reporting(['other', 'o']), [
      { about: 'o', event: 'session-started', state: 'delivered' },
    ])
    assert.deepEqual(await store.outbox.reporting(['other']), [])
    assert.deepEqual(await store.outbox.reporting([]), [])
    const tries = await store.outbox.tries('d1')
    assert.deepEqual(
      tries.map(({ at }) => at),
      Array.from({ length: 100 }, (_, index) => index + 7),
    )
    assert.deepEqual(tries.at(-1), { at: 106, tookMs: 8, status: 204, error: null, answer: null })
    assert.equal(await store.outbox.replay(PROJECT, 'd1', 107), true)
    assert.equal((await store.outbox.tries('d1')).length, 100)
    await store.outbox.settle('d1', {
      state: 'parked',
      at: 108,
      tookMs: 9,
      status: 500,
      error: 'no',
      answer: null,
    })
    assert.equal(await store.outbox.dropSettledBefore(109, 10), 1)
    assert.deepEqual(await store.outbox.tries('d1'), [])
  })
})

onBoth('jobs are listed by what they are about, and those that are not over are found again', async () => {
  await withStore(async (store) => {
    const job = (jobId: string, changes: Partial<JobRecord> = {}): JobRecord => ({
      jobId,
      kind: 'composite-merge',
      projectId: PROJECT,
      meetingId: 'm',
      sessionId: 's',
      outputId: null,
      config: { watermark: null },
      inputs: [],
      secret: 'secret',
      baseUrl: 'http://localhost',
      webhookUrl: null,
      apiKey: null,
      state: 'pending',
      createdAt: Number(jobId),
      startedAt: null,
      endedAt: null,
      files: [],
      problem: null,
      storedAt: null,
      ...changes,
    })
    const jobs = [
      job('1'),
      job('2', { kind: 'hls-to-mp4', outputId: 'h', sessionId: 't' }),
      job('3', { kind: 'participant-merge', meetingId: 'n' }),
      job('4', { projectId: 'b'.repeat(24) }),
    ]
    for (const one of jobs.toReversed()) await store.jobs.create(one)
    assert.deepEqual(await store.jobs.get('2'), jobs[1])
    assert.equal(await store.jobs.get('5'), undefined)
    const change = { state: 'failed', startedAt: 5, endedAt: 6, problem: 'Why.' } as const
    await store.jobs.change('1', change)
    assert.deepEqual(await store.jobs.get('1'), { ...jobs[0], ...change })
    const all = ['composite-merge', 'hls-to-mp4', 'participant-merge'] as const
    const found = async (filter: Partial<JobFilter>, page = 1, perPage = 10): Promise<string[]> => {
      const { items } = await store.jobs.list(PROJECT, { kinds: all, ...filter }, { page, perPage })
      return items.map(({ jobId }) => jobId)
    }
    assert.deepEqual(await found({}), ['3', '2', '1'])
    assert.deepEqual(await found({}, 2, 2), ['1'])
    assert.deepEqual(await found({ kinds: ['hls-to-mp4'] }), ['2'])
    assert.deepEqual(await found({ jobId: '3' }), ['3'])
    assert.deepEqual(await found({ jobId: '4' }), [])
    assert.deepEqual(await found({ meetingId: 'n' }), ['3'])
    assert.deepEqual(await found({ sessionId: 't' }), ['2'])
    assert.deepEqual(await found({ outputId: 'h' }), ['2'])
    assert.deepEqual(await found({ state: 'failed' }), ['1'])
    assert.deepEqual(
      (await store.jobs.unfinished()).map(({ jobId }) => jobId),
      ['2', '3', '4'],
    )
    assert.deepEqual(
      (await store.jobs.endedBefore(7, 10, false)).map(({ jobId }) => jobId),
      ['1'],
    )
    assert.deepEqual(await store.jobs.endedBefore(6, 10, false), [])
    const ids = (some: JobRecord[]): string[] => some.map(({ jobId }) => jobId)
    assert.deepEqual(ids(await store.jobs.unstored(10)), ['1'])
    await store.jobs.change('1', { storedAt: 8 })
    assert.deepEqual([ids(await store.jobs.unstored(10)), (await store.jobs.get('1'))!.storedAt], [[], 8])
    await store.jobs.change('2', { state: 'completed', endedAt: 9 })
    await store.jobs.markDeleted('2', 10)
    assert.equal(await store.jobs.get('2'), undefined)
    assert.deepEqual(await found({ kinds: ['hls-to-mp4'] }), [])
    assert.deepEqual(ids(await store.jobs.unstored(10)), [])
    assert.deepEqual(ids(await store.jobs.endedBefore(99, 10, false)), ['1'])
    assert.deepEqual(ids(await store.jobs.deleted(10)), ['2'])
    assert.equal(await store.jobs.delete('1', 0), true)
    assert.equal(await store.jobs.delete('1', 0), false)
  })
})
