/** Several nodes as those see them who run them: what is told of each, and what a wrong setting gets. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { NodeStatus } from '../src/protocol/rest/watching.ts'
import { version } from '../src/version.ts'
import { freePorts } from './support/ports.ts'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const onPostgres = { skip: withoutPostgres }
const cli = join(import.meta.dirname, '../src/cli.ts')
const LEASE_MS = 4000
const PATIENCE_MS = 60_000
let database: Awaited<ReturnType<typeof makeDatabase>> | undefined
let port: number
let nodes: RealServer[] = []

const settings = (last: number): NodeJS.ProcessEnv => ({
  DATABASE_URL: database!.url,
  MASTER_KEY: '07'.repeat(32),
  ADMIN_KEY,
  CLUSTER_PORT: String(port),
  NODE_ADDRESS: `127.0.0.${last}`,
  NODE_ID: `node-${last}`,
  MEDIA_WORKERS: '1',
})

before(async () => {
  if (withoutPostgres !== false) return
  database = await makeDatabase()
  port = await freePorts(1)
  nodes = await Promise.all([2, 3].map((last) => RealServer.start(settings(last))))
})
after(async () => {
  for (const node of nodes) await node.stop()
  await database?.drop()
})

async function statusOf({ url }: RealServer): Promise<NodeStatus[]> {
  const answer = await fetch(`${url}/v2/admin/status`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  assert.equal(answer.status, 200)
  return ((await answer.json()) as { nodes: NodeStatus[] }).nodes
}

/** Asks until all nodes are as expected: each says of itself once a second how it is. */
async function untilNodes(
  asked: RealServer,
  isSo: (nodes: NodeStatus[]) => boolean,
): Promise<[NodeStatus, NodeStatus]> {
  for (const askedAt = performance.now(); ;) {
    const told = await statusOf(asked)
    if (isSo(told)) return told as [NodeStatus, NodeStatus]
    assert.ok(performance.now() - askedAt < PATIENCE_MS, JSON.stringify(told))
    await delay(100)
  }
}

async function listed(args: string[] = []): Promise<string> {
  const run = promisify(execFile)
  const env = { ...process.env, DATABASE_URL: database!.url }
  return (await run(process.execPath, [cli, 'nodes', 'list', ...args], { env })).stdout
}

async function metricsOf({ url }: RealServer): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith('anteroom_cluster_'))
  return new Map(lines.map((line) => line.split(' ') as [string, string]).map(([a, b]) => [a, Number(b)]))
}

test('each node tells of all: load, people, lease, and who is away', onPostgres, async (t) => {
  const [one, two] = nodes as [RealServer, RealServer]
  const meetingId = await one.createMeeting()
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  // One after the other: the node that the first one reaches becomes the home.
  for (const [at, participantId] of ['ann', 'bob'].entries()) {
    const client = new WireClient({ url: nodes[at]!.url, token, meetingId, participantId })
    t.after(() => client.close())
    await client.join()
  }

  const [home, other] = await untilNodes(
    two,
    ([first]) => first?.participants === 2 && first.mediaWorkers === 1,
  )
  const { startedAt, leaseAgeMs, processorPercent, ...rest } = home
  assert.deepEqual(rest, {
    nodeId: 'node-2',
    address: `127.0.0.2:${port}`,
    version,
    state: 'serving',
    meetings: 1,
    participants: 2,
    entryRequests: 0,
    mediaWorkers: 1,
    isHere: false,
  })
  assert.ok(startedAt > 0 && leaseAgeMs >= 0 && processorPercent >= 0)
  assert.deepEqual([other.nodeId, other.isHere, other.meetings], ['node-3', true, 0])
  const told = await untilNodes(one, ([first]) => first?.participants === 2)
  assert.deepEqual(
    told.map(({ isHere }) => isHere),
    [true, false],
  )

  const [asJson] = JSON.parse(await listed(['--json'])) as NodeStatus[]
  assert.deepEqual(
    [asJson!.nodeId, asJson!.state, asJson!.participants, asJson!.startedAt],
    ['node-2', 'serving', 2, startedAt],
  )
  const shown = await listed()
  assert.match(shown, /^NODE +ADDRESS +STATE +VERSION/)
  assert.match(shown, /^node-2 +127\.0\.0\.2:\d+ +serving .* 1 worker$/m)

  const metrics = await metricsOf(two)
  assert.equal(metrics.get('anteroom_cluster_homes'), 0)
  assert.equal(metrics.get('anteroom_cluster_carried_sockets'), 1)
  assert.equal(metrics.get('anteroom_cluster_nodes{state="serving"}'), 2)
  assert.equal(metrics.get('anteroom_cluster_takeovers_total'), 0)
  assert.equal((await metricsOf(one)).get('anteroom_cluster_homes'), 1)

  await one.end('SIGKILL')
  const [dead] = await untilNodes(two, ([first]) => first?.state === 'away')
  assert.ok(dead.leaseAgeMs >= LEASE_MS)
  assert.match(await listed(), /^node-2 .* away /m)
  // The other node takes the meeting, although nobody asks for it.
  await untilNodes(two, ([, second]) => second?.meetings === 1)
  const later = await metricsOf(two)
  assert.equal(later.get('anteroom_cluster_nodes{state="away"}'), 1)
  assert.equal(later.get('anteroom_cluster_takeovers_total'), 1)
  assert.equal(later.get('anteroom_cluster_fenced_total'), 0)
  await one.run()
  const [back] = await untilNodes(two, ([first]) => first?.state === 'serving')
  assert.ok(back.startedAt > startedAt, 'it started anew')
})

test('nodes list without nodes or without PostgreSQL says what to set', onPostgres, async () => {
  const empty = await makeDatabase()
  const run = promisify(execFile)
  try {
    const { stdout } = await run(process.execPath, [cli, 'nodes', 'list'], {
      env: { ...process.env, DATABASE_URL: empty.url },
    })
    assert.equal(stdout, 'There are no nodes: set NODE_ADDRESS on each server that is to be one.\n')
  } finally {
    await empty.drop()
  }
  const { DATABASE_URL: _, ...without } = process.env
  await assert.rejects(run(process.execPath, [cli, 'nodes', 'list'], { env: without }), {
    code: 3,
    stderr:
      'Only servers over PostgreSQL can be several nodes: set DATABASE_URL to the database that they share.\n',
  })
  const away = { ...process.env, DATABASE_URL: 'postgres://ann:open-sesame@127.0.0.1:1/x' }
  await assert.rejects(run(process.execPath, [cli, 'nodes', 'list'], { env: away }), {
    code: 1,
    stderr:
      'The database x at 127.0.0.1:1 does not answer: start PostgreSQL there, or correct the host and port in DATABASE_URL.\n',
  })
})
