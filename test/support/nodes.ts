/** Several nodes of one cluster, each the real program in its own process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Balancer } from './balancer.ts'
import { freePorts } from './ports.ts'
import { makeDatabase, runSql } from './postgres.ts'
import { RealServer } from './real-server.ts'
import { ADMIN_KEY } from './test-server.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const MASTER_KEY = Buffer.alloc(32, 7).toString('hex')

export interface Nodes {
  databaseUrl: string
  nodes: RealServer[]
  balancer: Balancer
  /** The same for HTTPS, which published clients speak. */
  secureBalancer: Balancer
  /** Starts one more, with this address. */
  start(nodeId: string): Promise<RealServer>
  /** The id of the node that is the home. */
  homeOf(meetingId: string): Promise<string | undefined>
  /** The node with this id. */
  at(nodeId: string): RealServer
}

/**
 * Their ids are their addresses: 127.0.0.2 and so on.
 * @param program the command line that they run
 */
export async function startNodes(
  t: Pick<TestContext, 'after'>,
  count: number,
  env: NodeJS.ProcessEnv = {},
  program = cli,
): Promise<Nodes> {
  const database = await makeDatabase()
  const byId = new Map<string, RealServer>()
  const clusterPort = String(await freePorts(1))
  const start = async (nodeId: string): Promise<RealServer> => {
    const settings = {
      DATABASE_URL: database.url,
      MASTER_KEY,
      ADMIN_KEY,
      CLUSTER_PORT: clusterPort,
      NODE_ADDRESS: nodeId,
      MEDIA_WORKERS: '1',
      ...env,
    }
    const node = await RealServer.start(settings, [], 'localhost', program)
    byId.set(nodeId, node)
    return node
  }
  t.after(async () => {
    await Promise.all([...byId.values()].map((node) => node.stop()))
    await database.drop()
  })
  const nodes: RealServer[] = []
  for (let at = 0; at < count; at++) nodes.push(await start(`127.0.0.${at + 2}`))
  const balancer = await Balancer.over(nodes)
  const secureBalancer = await Balancer.over(nodes, { secure: true })
  t.after(() => {
    balancer.close()
    secureBalancer.close()
  })
  return {
    databaseUrl: database.url,
    nodes,
    balancer,
    secureBalancer,
    start,
    homeOf: async (meetingId) => {
      const [row] = await runSql(database.url, 'select node_id from homes where meeting_id = $1', [meetingId])
      return row?.node_id as string | undefined
    },
    at: (nodeId) => byId.get(nodeId)!,
  }
}

/** Runs the command line with the settings of a node. */
export async function runCommand(
  node: RealServer,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [cli, ...args], { env: node.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** With `EDGES=auto`, a node takes part in the meeting of another if it is less busy; its own start takes a whole core. */
export const FREE_PERCENT = 60

/** Waits until a node knows that so many have media workers, and are less busy than this: others become no edges. */
export async function untilReady(node: RealServer, nodes: number, busyPercent = Infinity): Promise<void> {
  for (;;) {
    const { body } = await node.rest('GET', '/v2/admin/status', undefined, `Bearer ${ADMIN_KEY}`)
    const ready = body.nodes.filter(
      ({ state, mediaWorkers, processorPercent }: any) =>
        state === 'serving' && mediaWorkers > 0 && processorPercent < busyPercent,
    ).length
    if (ready >= nodes) return
    await delay(100)
  }
}
