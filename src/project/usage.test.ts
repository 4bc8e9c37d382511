/** Counting what was used, over each database. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { DAY_MS, dayOf } from '../protocol/days.ts'
import { meetingRecord } from '../../test/support/records.ts'
import { openStore } from '../store/open.ts'
import type { OutputRecord, Store, UsageQuery } from '../store/store.ts'
import { UsageCounter } from './usage.ts'

const PROJECT = 'a'.repeat(24)
const MINUTE = 60_000
const at = (text: string): number => Date.parse(`${text}Z`)
const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

async function aStore(url?: string): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-usage-'))
  const store = await openStore({ folder, masterKey: undefined, url, create: true })
  closing.push(
    () => rm(folder, { recursive: true, force: true }),
    () => store.close(),
  )
  await store.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })
  await store.meetings.create(meetingRecord({ id: 'f'.repeat(24), meetingId: 'm', projectId: PROJECT }))
  return store
}

/** Counts on a store whose clock says `when`. */
const count = (store: Store, when: string): Promise<number> =>
  new UsageCounter({ store, now: () => at(when), pause: () => Promise.resolve() }).count()

async function join_(
  store: Store,
  sessionId: string,
  id: string,
  joined: string,
  apiKey: string | null = 'k',
) {
  const stay = { leftAt: null, leaveReason: null, device: null, tokenId: null, apiKey }
  await store.sessions.join(
    { sessionId, participantId: id, name: id, joinedAt: at(joined), ...stay },
    'SEND_AND_RECV',
  )
}
const leave = (store: Store, sessionId: string, id: string, left: string): Promise<void> =>
  store.sessions.leave(sessionId, id, at(left), 'x')
const begin = (store: Store, sessionId: string, started: string): Promise<void> =>
  store.sessions.start({
    sessionId,
    meetingId: 'm',
    projectId: PROJECT,
    startedAt: at(started),
    endedAt: null,
    endReason: null,
  })

async function rows(store: Store, query: Partial<UsageQuery> = {}) {
  const all = { by: 'day', per: 'key', from: '2026-01-01', to: '2026-12-31', ...query } as const
  return (await store.usage.list(all, { page: 1, perPage: 100 })).items
}
const recording = (more: Partial<OutputRecord>): OutputRecord => ({
  outputId: 'o',
  kind: 'recording',
  projectId: PROJECT,
  meetingId: 'm',
  sessionId: 's1',
  participantId: null,
  config: {},
  secret: 'secret',
  baseUrl: 'https://meet.example',
  webhookUrl: null,
  apiKey: 'k',
  state: 'stopped',
  createdAt: at('2026-01-31T10:00'),
  startedAt: at('2026-01-31T10:00'),
  endedAt: at('2026-01-31T10:05'),
  files: [],
  storedAt: null,
  ...more,
})
const file = (size: number) => ({
  fileId: 'f',
  path: 'a.mp4',
  type: 'video' as const,
  contentType: 'video/mp4',
  size,
  startedAt: 1,
  endedAt: 2,
})

function onBoth(title: string, work: (store: Store) => Promise<void>): void {
  test(`${title} (SQLite)`, async () => work(await aStore()))
  test(`${title} (PostgreSQL)`, { skip: withoutPostgres }, async () => {
    const database = await makeDatabase()
    closing.push(() => database.drop())
    await work(await aStore(database.url))
  })
}

onBoth(
  'participants are counted when they have left, once, and on each day in which they were inside',
  async (store) => {
    await begin(store, 's1', '2026-01-31T23:00')
    await join_(store, 's1', 'ann', '2026-01-31T23:30')
    await join_(store, 's1', 'ben', '2026-01-31T23:40')
    assert.equal(await count(store, '2026-01-31T23:45'), 0)
    assert.deepEqual(await rows(store), [], 'both are still inside')
    await leave(store, 's1', 'ann', '2026-02-01T00:10')
    assert.equal(await count(store, '2026-02-01T00:15'), 1)
    assert.equal(await count(store, '2026-02-01T00:16'), 0)
    await join_(store, 's1', 'ann', '2026-02-01T00:20')
    // As when the server died, and the next one ends the session.
    await store.sessions.end('s1', at('2026-02-01T00:30'), 'empty')
    assert.equal(await count(store, '2026-02-01T00:40'), 2)
    const seen = (await rows(store)).map((row) => [
      row.period,
      row.apiKey,
      row.participants,
      row.participantMs / MINUTE,
      row.peak,
    ])
    assert.deepEqual(seen, [
      ['2026-02-01', 'k', 0, 10 + 10 + 30, 2],
      ['2026-01-31', 'k', 2, 30 + 20, 2],
    ])
    for (const per of ['server', 'project', 'key'] as const)
      assert.deepEqual(
        (await rows(store, { by: 'month', per })).map(({ period, peak }) => [period, peak]),
        [
          ['2026-02', 2],
          ['2026-01', 2],
        ],
        per,
      )
  },
)

onBoth('usage outlives the records from which it was counted', async (store) => {
  await begin(store, 's1', '2026-01-31T10:00')
  await join_(store, 's1', 'ann', '2026-01-31T10:00')
  await store.sessions.end('s1', at('2026-01-31T10:30'), 'empty')
  await count(store, '2026-01-31T11:00')
  while ((await store.sessions.dropEndedBefore(at('2027-01-01T00:00'), 100)) > 0);
  assert.equal(await store.sessions.get('s1'), undefined)
  assert.deepEqual(
    (await rows(store)).map(({ participantMs }) => participantMs),
    [30 * MINUTE],
  )
})

onBoth('past records are counted in steps, a million as well as these', async (store) => {
  await begin(store, 's1', '2026-01-31T10:00')
  const many = 1200
  // All at the same instant, and one who is inside all the time.
  await join_(store, 's1', 'zoe', '2026-01-31T10:00')
  await Promise.all(Array.from({ length: many }, (_, n) => join_(store, 's1', `p${n}`, '2026-01-31T10:00')))
  await Promise.all(Array.from({ length: many }, (_, n) => leave(store, 's1', `p${n}`, '2026-01-31T10:01')))
  assert.equal(await count(store, '2026-01-31T11:00'), many)
  const [row] = await rows(store)
  assert.deepEqual([row!.participants, row!.participantMs / MINUTE, row!.peak], [many, many, many + 1])
})

onBoth('of two that count at once, each record is counted by one', async (store) => {
  await begin(store, 's1', '2026-01-31T10:00')
  for (const id of ['ann', 'ben']) await join_(store, 's1', id, '2026-01-31T10:00')
  await store.sessions.end('s1', at('2026-01-31T10:30'), 'empty')
  await Promise.all([count(store, '2026-01-31T11:00'), count(store, '2026-01-31T11:00')])
  await count(store, '2026-01-31T11:00')
  assert.deepEqual(
    (await rows(store)).map(({ participants }) => participants),
    [2],
  )
})

onBoth('traffic of several nodes is added', async (store) => {
  const of = { day: '2026-01-31', projectId: PROJECT, apiKey: 'k' }
  await Promise.all([
    store.usage.add([
      { ...of, receivedBytes: 5, sentBytes: 6 },
      { ...of, receivedBytes: 1 },
    ]),
    store.usage.add([{ ...of, receivedBytes: 100 }]),
  ])
  assert.deepEqual(
    (await rows(store)).map(({ receivedBytes, sentBytes }) => [receivedBytes, sentBytes]),
    [[106, 6]],
  )
})

onBoth('files count from the end of a recording until they are deleted', async (store) => {
  await store.outputs.create(recording({ outputId: 'o1', files: [file(100), file(20)] }))
  await store.outputs.create(recording({ outputId: 'o2', files: [file(7)], endedAt: at('2026-02-02T10:00') }))
  assert.equal(await count(store, '2026-02-03T10:00'), 2)
  await store.outputs.delete('o1', at('2026-03-05T10:00'))
  const stored = async (query: Partial<UsageQuery>) =>
    (await rows(store, query)).map(({ period, storedBytes }) => `${period} ${storedBytes}`)
  assert.deepEqual(await stored({}), ['2026-03-05 7', '2026-02-02 127', '2026-02-01 120', '2026-01-31 120'])
  assert.deepEqual(await stored({ by: 'month', per: 'server' }), ['2026-03 7', '2026-02 127', '2026-01 120'])
  assert.deepEqual(await stored({ to: '2026-02-01' }), ['2026-02-01 120', '2026-01-31 120'])
  assert.deepEqual(
    (await store.usage.totals()).map(({ storedBytes }) => storedBytes),
    [7],
  )
})

onBoth('old days and months go, and the sums of all days stay', async (store) => {
  const used = { projectId: PROJECT, apiKey: 'k', participants: 1 }
  await store.usage.add(['2026-01-05', '2026-01-31', '2026-02-14'].map((day) => ({ ...used, day })))
  const seen = async () =>
    (await Promise.all(['day', 'month'].map((by) => rows(store, { by: by as 'day', per: 'server' })))).map(
      (list) => list.map(({ period }) => period),
    )
  while ((await store.usage.dropBefore('2026-01-20', 2)) > 0);
  assert.deepEqual(await seen(), [
    ['2026-02-14', '2026-01-31'],
    ['2026-02', '2026-01'],
  ])
  while ((await store.usage.dropBefore('2026-02-10', 2)) > 0);
  assert.deepEqual(await seen(), [['2026-02-14'], ['2026-02']])
  assert.equal((await store.usage.totals())[0]!.participants, 3)
})

onBoth('rows are by day or month, of the server, projects or keys, and come in pages', async (store) => {
  const OTHER = 'b'.repeat(24)
  const addition = (day: string, projectId: string, apiKey: string | null) => ({
    day,
    projectId,
    apiKey,
    participants: 1,
  })
  await store.usage.add([
    addition('2026-01-30', PROJECT, 'k'),
    addition('2026-01-31', PROJECT, 'k'),
    addition('2026-01-31', PROJECT, null),
    addition('2026-02-01', OTHER, 'l'),
  ])
  const named = async (query: Partial<UsageQuery>) =>
    (await rows(store, query)).map(
      (row) => `${row.period} ${row.projectId?.[0] ?? '-'}/${row.apiKey ?? '-'} ${row.participants}`,
    )
  assert.deepEqual(await named({ by: 'month', per: 'server' }), ['2026-02 -/- 1', '2026-01 -/- 3'])
  assert.deepEqual(await named({ by: 'month', per: 'project' }), ['2026-02 b/- 1', '2026-01 a/- 3'])
  assert.deepEqual(await named({ by: 'month' }), ['2026-02 b/l 1', '2026-01 a/ 1', '2026-01 a/k 2'])
  assert.deepEqual(await named({ by: 'month', projectId: OTHER }), ['2026-02 b/l 1'])
  assert.deepEqual(await named({ apiKey: 'k', from: '2026-01-31' }), ['2026-01-31 a/k 1'])
  const second = await store.usage.list(
    { by: 'day', per: 'key', from: '2026-01-01', to: '2026-12-31' },
    { page: 2, perPage: 3 },
  )
  assert.deepEqual([second.total, second.items.map(({ period }) => period)], [4, ['2026-01-30']])
  const totals = await store.usage.totals()
  assert.deepEqual(totals.map((row) => `${row.projectId[0]}/${row.apiKey} ${row.participants}`).sort(), [
    'a/ 1',
    'a/k 2',
    'b/l 1',
  ])
})

onBoth('whatever is asked for, rows have the sums of their days, pages and filters', async (store) => {
  const projects = [PROJECT, 'b'.repeat(24)]
  const days = Array.from({ length: 100 }, (_, index) => dayOf(at('2026-01-20') + index * DAY_MS))
  const added = days.flatMap((day, number) =>
    ['k', 'l', null].slice(0, (number % 3) + 1).map((apiKey, index) => ({
      day,
      projectId: projects[(number + index) % 2]!,
      apiKey,
      participants: number + index + 1,
      storedBytes: (number % 7) - 3 + 2 * index,
    })),
  )
  for (const one of [added.slice(0, 90), added.slice(90)]) await store.usage.add(one)
  const spans = [
    ['2026-01-01', '2026-12-31'],
    ['2026-01-25', '2026-04-03'],
    ['2026-02-01', '2026-02-28'],
    ['2026-02-03', '2026-02-20'],
    ['2026-03-01', '2026-04-15'],
  ] as const
  const filters = [
    {},
    { projectId: PROJECT },
    { apiKey: 'k' },
    { apiKey: '' },
    { projectId: PROJECT, apiKey: 'l' },
    // The names of the rows of sums.
    { projectId: '*' },
    { apiKey: '*' },
  ]
  for (const [from, to] of spans)
    for (const by of ['day', 'month'] as const)
      for (const per of ['server', 'project', 'key'] as const)
        for (const filter of filters) {
          const query = { from, to, by, per, ...filter }
          const kept = added.filter(
            ({ projectId, apiKey }) =>
              projectId === (filter.projectId ?? projectId) &&
              (apiKey ?? '') === (filter.apiKey ?? apiKey ?? ''),
          )
          const nameOf = ({ projectId, apiKey }: (typeof added)[number]) =>
            per === 'server' ? 'null/null' : `${projectId}/${per === 'key' ? (apiKey ?? '') : 'null'}`
          const expected = new Map<string, { participants: number; storedBytes: number }>()
          for (const one of kept.filter(({ day }) => day >= from && day <= to)) {
            const period = one.day.slice(0, by === 'day' ? 10 : 7)
            const row = { participants: 0, storedBytes: 0, ...expected.get(`${period} ${nameOf(one)}`) }
            row.participants += one.participants
            row.storedBytes = kept
              .filter((other) => nameOf(other) === nameOf(one) && other.day <= `${period}~`)
              .reduce((sum, { storedBytes }) => sum + storedBytes, 0)
            expected.set(`${period} ${nameOf(one)}`, row)
          }
          const seen: [string, { participants: number; storedBytes: number }][] = []
          for (let page = 1, total = 1; seen.length < total; page++) {
            const answer = await store.usage.list(query, { page, perPage: 37 })
            for (const { period, projectId, apiKey, participants, storedBytes } of answer.items)
              seen.push([`${period} ${projectId}/${apiKey}`, { participants, storedBytes }])
            assert.ok(answer.items.length > 0 || answer.total === seen.length, JSON.stringify(query))
            total = answer.total
          }
          const inOrder = [...expected].toSorted(([a], [b]) => {
            const [periodA, nameA] = a.split(' ') as [string, string]
            const [periodB, nameB] = b.split(' ') as [string, string]
            return periodB.localeCompare(periodA) || (nameA < nameB ? -1 : 1)
          })
          assert.deepEqual(seen, inOrder, JSON.stringify(query))
        }
})
