/**
 * The control plane with many nodes: leases and claims of 100 simulated nodes in one process over a real PostgreSQL, while
 * 100 meetings start a second, each asked for by two nodes at once, as two people who join reach different nodes. Prints
 * how long claims take, how the meetings spread, and whether a meeting ever had two homes. The PostgreSQL that it starts
 * itself does not wait for the disk; name one that does in TEST_POSTGRES.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openClusterTables, openStore } from '../src/store/open.ts'
import { makeDatabase, withoutPostgres } from '../test/support/postgres.ts'
import { printGoal, printTable } from './table.ts'

const NODES = Number(process.env.BENCH_NODES ?? 100)
const STARTS_PER_SECOND = Number(process.env.BENCH_STARTS ?? 100)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20)
/** Pools that the nodes share; each of a hundred processes would have its own. */
const POOLS = 10
const CLAIM_P99_MS = 100

if (withoutPostgres !== false) {
  console.log(withoutPostgres)
  process.exit(0)
}
const folder = await mkdtemp(join(tmpdir(), 'anteroom-claims-'))
const database = await makeDatabase()
await (await openStore({ folder, url: database.url })).close()
const pools = Array.from({ length: POOLS }, () => openClusterTables(database.url))
const nodes = Array.from({ length: NODES }, (_, at) => ({
  name: { nodeId: `node-${at}`, incarnation: `${at}` },
  tables: pools[at % POOLS]!,
  homes: 0,
}))
const isGood = await Promise.all(
  nodes.map(({ name, tables }) =>
    tables.register(
      {
        ...name,
        address: `10.0.0.${name.incarnation}`,
        port: 9100,
        fingerprint: 'f',
        version: '0',
        wireMin: 1,
        wireMax: 1,
      },
      undefined,
    ),
  ),
)
if (!isGood.every(Boolean)) throw new Error('a node could not be registered')

const renewals: number[] = []
let lapsed = 0
const timers = nodes.map(({ name, tables }, at) => {
  const renew = async (): Promise<void> => {
    const askedAt = performance.now()
    const { homes: meetings } = nodes[at]!
    const nothing = { participants: 0, entryRequests: 0, processorPercent: 0, mediaWorkers: 0 }
    const load = { state: 'serving', meetings, ...nothing } as const
    if (!(await tables.renew(name, load).catch(() => false))) lapsed++
    renewals.push(performance.now() - askedAt)
  }
  return setInterval(() => void renew(), 1000)
})

const claims: number[] = []
const owners = new Map<string, string[]>()
const failures: unknown[] = []
async function start(meetingId: string, first: number, second: number): Promise<void> {
  const askedAt = performance.now()
  await Promise.all(
    [first, second].map(async (at) => {
      const { name, tables } = nodes[at]!
      if (!(await tables.claim(name, meetingId))) {
        // Whoever comes second must learn of the first.
        const home = await tables.locate(meetingId)
        if (home?.isLive !== true) failures.push(`nobody is the home of ${meetingId}`)
        return
      }
      nodes[at]!.homes++
      owners.set(meetingId, [...(owners.get(meetingId) ?? []), name.nodeId])
    }),
  )
  claims.push(performance.now() - askedAt)
}

const total = STARTS_PER_SECOND * SECONDS
const startedAt = performance.now()
const running: Promise<void>[] = []
for (let at = 0; at < total; at++) {
  const late = startedAt + (at * 1000) / STARTS_PER_SECOND - performance.now()
  if (late > 0) await delay(late)
  // A balancer sends each person to any node.
  const [first, shift] = [Math.floor(Math.random() * NODES), 1 + Math.floor(Math.random() * (NODES - 1))]
  running.push(
    start(`meeting-${at}`, first, (first + shift) % NODES).catch(
      (error: unknown) => void failures.push(error),
    ),
  )
}
await Promise.all(running)
const tookSeconds = (performance.now() - startedAt) / 1000
for (const timer of timers) clearInterval(timer)
await delay(1000)

let rows = 0
for (const { name, tables } of nodes) rows += (await tables.homesOf(name)).size
const homes = nodes.map((node) => node.homes)
const spread = Math.max(...homes) / (homes.reduce((sum, one) => sum + one, 0) / NODES)
const twice = [...owners.values()].filter((of) => of.length > 1).length
const at = (values: number[], share: number): string =>
  `${values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!.toFixed(1)} ms`
printTable(
  ['of', 'count', 'p50', 'p95', 'p99', 'most'],
  [
    [
      'two claims of one meeting at once',
      String(claims.length),
      at(claims, 0.5),
      at(claims, 0.95),
      at(claims, 0.99),
      at(claims, 1),
    ],
    [
      'renewals of a lease',
      String(renewals.length),
      at(renewals, 0.5),
      at(renewals, 0.95),
      at(renewals, 0.99),
      at(renewals, 1),
    ],
  ],
)
console.log(
  `${NODES} nodes, ${(total / tookSeconds).toFixed(0)} meeting starts a second, ${rows} homes, ${lapsed} leases lapsed`,
)
console.log(
  `meetings of a node: ${Math.min(...homes)} to ${Math.max(...homes)}, the most ${spread.toFixed(2)} times the mean; the node that is reached first claims`,
)
for (const failure of failures.slice(0, 3)) console.log('failed:', failure)
printGoal('each meeting has exactly one home', twice === 0 && rows === total && failures.length === 0)
printGoal(`p99 of a claim below ${CLAIM_P99_MS} ms`, Number.parseFloat(at(claims, 0.99)) < CLAIM_P99_MS)
for (const pool of pools) await pool.close()
await database.drop()
await rm(folder, { recursive: true, force: true })
