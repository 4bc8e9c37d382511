/** Several nodes as those see them who run them: what is told of each, and what a wrong setting gets. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { makeCredentials } from '../src/cluster/credentials.ts'
import type { NodeStatus } from '../src/protocol/rest/watching.ts'
import { version } from '../src/version.ts'
import { freePorts } from './support/ports.ts'
import { makeDatabase, runSql, withoutPostgres } from './support/postgres.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, signAnything, TestServer } from './support/test-server.ts'
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

/** Starts one more node, which must end by itself. Returns what it said last. */
async function refusedStart(t: TestContext, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-refused-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [http, https, media] = [await freePorts(1), await freePorts(1), await freePorts(1)].map(String)
  const ran = await promisify(execFile)(process.execPath, [cli, 'serve'], {
    env: {
      ...process.env,
      ...settings(4),
      PORT: http,
      HTTPS_PORT: https,
      MEDIA_PORT: media,
      DATA_DIR: join(folder, 'data'),
      LOG_LEVEL: 'error',
      ...env,
    },
    timeout: PATIENCE_MS,
  }).then(
    () => assert.fail('it ended as if nothing was wrong'),
    (error: unknown) => error as { code: unknown; stderr: string },
  )
  assert.equal(ran.code, 1, ran.stderr)
  const lines = ran.stderr.trim().split('\n')
  assert.equal(lines.length, 1, ran.stderr)
  return lines[0]!
}

const registered = () =>
  runSql(database!.url, 'select node_id, incarnation, started_at from nodes order by node_id')

test('a node that must not join ends with one sentence, and leaves nothing behind', onPostgres, async (t) => {
  const before = await registered()
  const wire = (min: number, max: number) =>
    runSql(database!.url, `update nodes set wire_min = ${min}, wire_max = ${max} where node_id = 'node-2'`)
  assert.match(
    await refusedStart(t, { DATABASE_URL: 'postgres://ann:open-sesame@127.0.0.1:1/x' }),
    /^The database x at 127\.0\.0\.1:1 does not answer: start PostgreSQL there, or correct the host and port in DATABASE_URL\.$/,
  )
  assert.match(
    await refusedStart(t, { MASTER_KEY: '08'.repeat(32) }),
    /^The other nodes of the database \S+ at \S+ have another master key: set MASTER_KEY to the same one on all of them\.$/,
  )
  assert.match(await refusedStart(t, { NODE_ID: 'node-3' }), /^Another node runs as node-3: give each/)
  await wire(2, 2)
  assert.match(
    await refusedStart(t, {}),
    /^Node node-2 at 127\.0\.0\.2 runs Anteroom \S+, which does not understand the calls of this version, \S+: start version \S+ here, or stop node-2 first\.$/,
  )
  await wire(1, 1)
  for (const aheadMs of [60_000, -60_000])
    await assert.rejects(
      TestServer.start(
        {
          databaseUrl: database!.url,
          masterKey: Buffer.alloc(32, 7),
          nodeAddress: '127.0.0.4',
          clusterPort: port,
        },
        { now: () => Date.now() + aheadMs },
      ),
      /^StartError: The clock of this machine is \d+ ms (behind|ahead of) that of the database: set both by NTP\.$/,
    )
  assert.deepEqual(await registered(), before)
  assert.equal(
    nodes.every(({ failures }) => failures.length === 0),
    true,
  )
})

test('a peer with an unknown certificate is cut, and the log says so', onPostgres, async () => {
  const [one] = nodes as [RealServer]
  const { cert, key } = await makeCredentials('stranger')
  const socket = connect({
    host: '127.0.0.2',
    port,
    cert,
    key,
    rejectUnauthorized: false,
    ALPNProtocols: ['anteroom-call'],
  })
  let heard = ''
  socket.on('data', (chunk) => (heard += String(chunk)))
  socket.on('error', () => undefined)
  socket.write('POST /call HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n')
  await once(socket, 'close')
  assert.equal(heard, '')
  while (!one.output.includes('refused a connection to CLUSTER_PORT')) await delay(20)
})

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

test(
  'a busy node leaves new meetings, and a crowded home new people, to the quieter one',
  onPostgres,
  async (t) => {
    const [one, two] = nodes as [RealServer, RealServer]
    const homeOf = async (meetingId: string) =>
      (await runSql(database!.url, 'select node_id from homes where meeting_id = $1', [meetingId]))[0]
        ?.node_id
    const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
    const join = async (node: RealServer, meetingId: string, participantId: string): Promise<WireClient> => {
      const client = new WireClient({ url: node.url, token, meetingId, participantId, own: true })
      t.after(() => client.close())
      await client.join()
      return client
    }
    /** Where a member of the meeting has its media. */
    const mediaPort = async (client: WireClient): Promise<number> => {
      const { iceCandidates } = await client.request('createWebRtcTransport', {
        producing: false,
        consuming: true,
      })
      return iceCandidates[0].port
    }
    const quiet = await one.createMeeting()
    const ann = await join(one, quiet, 'ann')
    assert.equal(await homeOf(quiet), 'node-2')

    // What a node says of its processor is what it and the others decide by.
    await runSql(
      database!.url,
      `create function make_busy() returns trigger language plpgsql as $$
     begin new.processor_percent := case new.node_id when 'node-2' then 95 else 20 end; return new; end $$;
     create trigger make_busy before update on nodes for each row execute function make_busy()`,
    )
    for (const node of nodes)
      await untilNodes(
        node,
        ([first, second]) => first?.processorPercent === 95 && second?.processorPercent === 20,
      )
    const begun = await one.createMeeting()
    await join(one, begun, 'bob')
    assert.equal(await homeOf(begun), 'node-3', 'began at a busy node')
    const cem = await join(one, quiet, 'cem')
    assert.equal(await homeOf(quiet), 'node-2', 'a meeting moved')
    const [here, there] = [one, two].map(({ env }) => Number(env.MEDIA_PORT))
    assert.deepEqual([await mediaPort(ann), await mediaPort(cem)], [here, there])

    await runSql(database!.url, 'drop trigger make_busy on nodes')
  },
)

test('doctor says which nodes this one can join, or why not', onPostgres, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-doctor-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const found = async (env: NodeJS.ProcessEnv, of = 'nodes'): Promise<{ verdict: string; says: string }> => {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, 'doctor', '--json'], {
      env: { ...process.env, ...settings(4), DATA_DIR: join(folder, 'data'), ...env },
    }).catch((error: unknown) => error as { stdout: string })
    const findings = JSON.parse(stdout) as { check: string; verdict: string; says: string }[]
    return findings.find(({ check }) => check === of)!
  }
  const good = await found({})
  assert.equal(good.verdict, 'good')
  assert.match(good.says, /^node-2, node-3 can be joined; the clock is \d+ ms from that of the database$/)
  const bad = await found({ NODE_ID: 'node-3' })
  assert.deepEqual([bad.verdict, bad.says.startsWith('Another node runs as node-3')], ['bad', true])
  assert.deepEqual(await found({}, 'pipe ports'), {
    check: 'pipe ports',
    verdict: 'good',
    says: 'media between nodes comes to UDP 41000–41999 of 127.0.0.4; open them to the other nodes alone',
  })

  // A node with a lease, behind a firewall that lets nothing through.
  await runSql(
    database!.url,
    `insert into nodes select * from jsonb_populate_record(null::nodes, (select to_jsonb(nodes) from nodes where node_id = 'node-3')
       || jsonb_build_object('node_id', 'walled', 'incarnation', 'walled', 'port', 1, 'address', '127.0.0.9',
         'lease_until', (extract(epoch from clock_timestamp()) * 1000)::bigint + 600000))`,
  )
  t.after(() => runSql(database!.url, `delete from nodes where node_id = 'walled'`))
  assert.deepEqual(await found({}), {
    check: 'nodes',
    verdict: 'bad',
    says: 'walled at 127.0.0.9:1 cannot be reached from here: open CLUSTER_PORT (TCP) and PIPE_PORTS (UDP) of each node to the others',
  })
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
