/**
 * Compares SQLite and PostgreSQL on one disk: durable `create-meeting` calls per second with 1, 10 and 50 clients, next
 * to bare commits of the same size; what is left of acknowledged writes after a `kill -9`; and pages of a list of
 * 1,000,000 past sessions. Goals: ≥ 3,000 per second with 50 clients on SQLite, at least half of that on PostgreSQL;
 * nothing lost; p99 < 20 ms on the first and the last page.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { runSql } from '../test/support/postgres.ts'
import { call, cleanUp, dataOf, folder, ms, percentile, start, stop, whole } from './rest-server.ts'
import { onEachStore, type BenchStore } from './stores.ts'
import { printGoal, printTable } from './table.ts'

const ROUND_MS = 5000
const BARE_MS = 2000
const CLIENTS = [1, 10, 50]
const PAST_SESSIONS = 1_000_000
const ASKED_PAGES = 300
/** Creates meetings for `forMs`; stops quietly if the server is killed. */
async function create(clients: number, forMs: number): Promise<{ ids: string[]; latencies: number[] }> {
  const [ids, latencies]: [string[], number[]] = [[], []]
  const until = performance.now() + forMs
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        const from = performance.now()
        try {
          ids.push((await call<{ meetingId: string }>('POST', '/create-meeting')).meetingId)
        } catch (error) {
          if (String(error).includes('answered')) throw error
          return
        }
        latencies.push(performance.now() - from)
      }
    }),
  )
  return { ids, latencies }
}

/** Commits one row of a meeting's size at a time, each synced to disk: what SQLite does alone. */
function bareCommits(): number {
  const db = new Database(join(folder, 'bare.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('create table meetings (id text primary key, settings text)')
  const insert = db.prepare('insert into meetings values (?, ?)')
  const until = performance.now() + BARE_MS
  let commits = 0
  while (performance.now() < until) {
    insert.run(randomUUID(), '{"autoCloseConfig":{"type":"session-ends","duration":480}}'.repeat(3))
    commits++
  }
  db.close()
  return (commits * 1000) / BARE_MS
}

const FILLS = {
  SQLite: (what: string) =>
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${PAST_SESSIONS}) ${what} from n`,
  PostgreSQL: (what: string) => `${what} from generate_series(1, ${PAST_SESSIONS}) as i`,
}

async function fillWithSessions(store: BenchStore, meetingId: string): Promise<void> {
  const id = store.name === 'SQLite' ? `printf('%024x', i)` : `lpad(to_hex(i), 24, '0')`
  const project = `(select project_id from meetings limit 1)`
  const fill = FILLS[store.name]
  const statements = [
    fill(`insert into sessions select ${id}, '${meetingId}', ${project}, i * 1000, i * 1000 + 500, 'empty'`),
    fill(
      `insert into stays (session_id, participant_id, name, joined_at, left_at, leave_reason)
       select ${id}, 'ann', 'Ann', i * 1000, i * 1000 + 500, 'x'`,
    ),
    'delete from session_counts',
    'insert into session_counts select project_id, count(*) from sessions group by project_id',
  ]
  if (store.url !== undefined) {
    // PostgreSQL's own autovacuum would run only within a minute.
    for (const statement of [...statements, 'vacuum analyze']) await runSql(store.url, statement)
    return
  }
  const db = new Database(join(dataOf(store), 'anteroom.db'))
  db.transaction(() => statements.forEach((statement) => db.exec(statement)))()
  db.close()
}

async function pageTimes(page: number): Promise<number[]> {
  const times: number[] = []
  for (let asked = 0; asked < ASKED_PAGES; asked++) {
    const from = performance.now()
    const { data } = await call<{ data: unknown[] }>('GET', `/v2/sessions?page=${page}`)
    times.push(performance.now() - from)
    if (data.length === 0) throw new Error('an empty page')
  }
  return times
}

interface Figures {
  store: BenchStore
  rates: { clients: number; aSecond: number; p50: number; p99: number }[]
  acknowledged: number
  lost: number
  pages: { name: string; p50: number; p99: number }[]
}

async function measure(store: BenchStore): Promise<Figures> {
  let child = await start(store)
  try {
    await create(10, 1000)
    const rates = []
    for (const clients of CLIENTS) {
      const { ids, latencies } = await create(clients, ROUND_MS)
      const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)]
      rates.push({ clients, aSecond: (ids.length * 1000) / ROUND_MS, p50, p99 })
    }

    const creating = create(50, 60_000)
    setTimeout(() => child.kill('SIGKILL'), 2000)
    const { ids } = await creating
    child = await start(store)
    const kept = new Set<string>()
    for (let page = 1, last = 1; page <= last; page++) {
      const answer = await call<{ pageInfo: { lastPage: number }; data: { meetingId: string }[] }>(
        'GET',
        `/v2/rooms?page=${page}&perPage=100`,
      )
      last = answer.pageInfo.lastPage
      for (const { meetingId } of answer.data) kept.add(meetingId)
    }
    const lost = ids.filter((id) => !kept.has(id)).length

    await stop(child)
    await fillWithSessions(store, ids[0]!)
    child = await start(store)
    const lastPage = Math.ceil((PAST_SESSIONS + 1) / 20) - 1
    const pages = []
    for (const [name, page] of [
      ['first', 1],
      ['last', lastPage],
      ['middle', Math.floor(lastPage / 2)],
    ] as const) {
      const times = await pageTimes(page)
      pages.push({ name, p50: percentile(times, 0.5), p99: percentile(times, 0.99) })
    }
    return { store, rates, acknowledged: ids.length, lost, pages }
  } finally {
    await stop(child)
  }
}

try {
  const bare = bareCommits()
  const all = await onEachStore(folder, measure)
  console.log(`durable create-meeting, Node ${process.version}, ${ROUND_MS} ms each`)
  printTable(
    ['', 'a second', 'p50 ms', 'p99 ms'],
    [
      ['bare commits of SQLite, one after the other', whole(bare), '', ''],
      ...all.flatMap(({ store, rates }) =>
        rates.map(({ clients, aSecond, p50, p99 }) => [
          `${store.name}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
          whole(aSecond),
          ms(p50),
          ms(p99),
        ]),
      ),
    ],
  )
  for (const { store, acknowledged, lost } of all)
    console.log(`killed in the middle, ${store.name}: ${acknowledged} acknowledged, ${lost} lost`)
  console.log(`\nGET /v2/sessions over ${PAST_SESSIONS.toLocaleString('en')} past sessions, 20 a page`)
  printTable(
    ['', 'p50 ms', 'p99 ms'],
    all.flatMap(({ store, pages }) =>
      pages.map(({ name, p50, p99 }) => [`${store.name}, ${name} page`, ms(p50), ms(p99)]),
    ),
  )
  const [sqlite, postgres] = all
  const at50 = ({ rates }: Figures): number => rates.at(-1)!.aSecond
  printGoal('3,000 durable creations a second at 50 clients on SQLite, or more', at50(sqlite!) >= 3000)
  printGoal(
    'nothing acknowledged is lost',
    all.every(({ lost }) => lost === 0),
  )
  for (const [at, name] of [
    [0, 'first'],
    [1, 'last'],
  ] as const)
    printGoal(
      `p99 of the ${name} page under 20 ms`,
      all.every(({ pages }) => pages[at]!.p99 < 20),
    )
  if (postgres)
    for (const [at, clients] of CLIENTS.entries()) {
      const times = postgres.rates[at]!.aSecond / sqlite!.rates[at]!.aSecond
      printGoal(
        `PostgreSQL at ${clients} ${clients === 1 ? 'client' : 'clients'}: ${times.toFixed(2)} × SQLite, of 0.5 or more`,
        times >= 0.5,
      )
    }
} finally {
  cleanUp()
}
