/** The check of `anteroom doctor` whether this server may join the other nodes. */
import { whyNotJoin } from '../cluster/joining.ts'
import { WIRE } from '../cluster/wire.ts'
import type { Config } from '../config/read.ts'
import { lookForNodes } from '../store/open.ts'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'

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
  return [
    {
      check,
      verdict: 'good',
      says: names === '' ? `no other node runs; ${clock}` : `${names} can be joined; ${clock}`,
    },
  ]
}
