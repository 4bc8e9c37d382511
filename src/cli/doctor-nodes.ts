/** The checks of `anteroom doctor` whether this server may join the other nodes, and reach them. */
import { connect } from 'node:net'
import { inUrl } from '../addresses.ts'
import { whyNotJoin } from '../cluster/joining.ts'
import { WIRE } from '../cluster/wire.ts'
import type { Config } from '../config/read.ts'
import { tryUdp } from '../media/ports.ts'
import type { NodeRecord } from '../store/cluster.ts'
import { lookForNodes } from '../store/open.ts'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'

const REACH_MS = 3000

/** Empty for a server alone, and where the database does not answer, which another check says. */
export async function otherNodes(config: Config): Promise<Finding[]> {
  const { nodeAddress: address, databaseUrl, clusterPort: port } = config
  if (address === undefined || databaseUrl === undefined) return []
  const check = 'nodes'
  const found = await lookForNodes(databaseUrl).catch(() => undefined)
  if (!found) return []
  const behindMs = Math.round(found.clock - Date.now())
  const node = { nodeId: config.nodeId ?? address, address, port, version, ...WIRE }
  const why = whyNotJoin({ node, behindMs, nodes: found.nodes })
  if (why !== undefined) return [{ check, verdict: 'bad', says: why }]
  const others = found.nodes.filter(({ isLive, nodeId }) => isLive && nodeId !== node.nodeId)
  const names = others.map(({ nodeId }) => nodeId).join(', ')
  const clock = `the clock is ${Math.abs(behindMs)} ms from that of the database`
  const reached = await Promise.all(others.map(answers))
  const silent = others.filter((_, at) => !reached[at])
  const places = silent.map((one) => `${one.nodeId} at ${inUrl(one.address)}:${one.port}`)
  return [
    silent.length > 0
      ? {
          check,
          verdict: 'bad',
          says: `${places.join(' and ')} cannot be reached from here: open CLUSTER_PORT (TCP) and PIPE_PORTS (UDP) of each node to the others`,
        }
      : {
          check,
          verdict: 'good',
          says: names === '' ? `no other node runs; ${clock}` : `${names} can be joined; ${clock}`,
        },
    await pipePorts(config, address),
  ]
}

/** Whether a node takes connections from here. */
function answers({ address, port }: NodeRecord): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: REACH_MS })
    const end = (isReached: boolean) => (): void => {
      socket.destroy()
      resolve(isReached)
    }
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false))
  })
}

/** What only the other side of a firewall can tell is said, not tried. */
async function pipePorts(
  { pipePorts: { min: first, max: last } }: Config,
  address: string,
): Promise<Finding> {
  const check = 'pipe ports'
  for (const port of [first, last]) {
    const problem = await tryUdp(port, address)
    if (problem !== undefined && problem !== 'EADDRINUSE')
      return {
        check,
        verdict: 'bad',
        says: `UDP port ${port} of ${address} cannot be opened (${problem}); change NODE_ADDRESS or PIPE_PORTS`,
      }
  }
  return {
    check,
    verdict: 'good',
    says: `media between nodes comes to UDP ${first}–${last} of ${address}; open them to the other nodes alone`,
  }
}
