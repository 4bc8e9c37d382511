/**
 * Compares SQLite and PostgreSQL on one disk: durable `create-meeting` calls per second with 1, 10 and 50 clients, next
 * to bare commits of the same size; and what is left of acknowledged writes after a `kill -9`. Goals: ≥ 3,000 per second with 50
 * clients on SQLite, at least half of that on PostgreSQL; nothing lost.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { call, cleanUp, folder, ms, percentile, start, stop, whole } from './rest-server.ts'
import { onEachStore, type BenchStore } from './stores.ts'
import { printGoal, printTable } from './table.ts'

const ROUND_MS = 5000
const BARE_MS = 2000
const CLIENTS = [1, 10, 50]

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

interface Figures {
  store: BenchStore
  rates: { clients: number; aSecond: number; p50: number; p99: number }[]
  acknowledged: number
  lost: number
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

    return { store, rates, acknowledged: ids.length, lost }
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
  const [sqlite, postgres] = all
  const at50 = ({ rates }: Figures): number => rates.at(-1)!.aSecond
  printGoal('3,000 durable creations a second at 50 clients on SQLite, or more', at50(sqlite!) >= 3000)
  printGoal(
    'nothing acknowledged is lost',
    all.every(({ lost }) => lost === 0),
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
