/** Whether a server may become one of the nodes: decided before it touches anything that they share. */
import { inUrl } from '../addresses.ts'
import type { NewNode, NodeRecord } from '../store/cluster.ts'

export interface Newcomer {
  node: Omit<NewNode, 'fingerprint'>
  /** How far this machine's clock is behind the database's; negative: ahead. */
  behindMs: number
  /** All nodes of the database. */
  nodes: readonly NodeRecord[]
}

const MAX_CLOCK_OFF_MS = 2000

/** Returns one sentence with the cause and the cure; undefined if it may join. */
export function whyNotJoin({ node, behindMs, nodes }: Newcomer): string | undefined {
  if (Math.abs(behindMs) > MAX_CLOCK_OFF_MS)
    return `The clock of this machine is ${Math.abs(behindMs)} ms ${behindMs > 0 ? 'behind' : 'ahead of'} that of the database: set both by NTP.`
  const others = nodes.filter((one) => one.isLive && !isAt(one, node))
  if (others.some(({ nodeId }) => nodeId === node.nodeId)) return nameTaken(node.nodeId)
  const stranger = others.find((one) => !understands(one, node))
  return (
    stranger &&
    `Node ${stranger.nodeId} at ${inUrl(stranger.address)} runs Anteroom ${stranger.version}, which does not understand the calls of this version, ${node.version}: start version ${stranger.version} here, or stop ${stranger.nodeId} first.`
  )
}

export const nameTaken = (nodeId: string): string =>
  `Another node runs as ${nodeId}: give each node its own NODE_ID.`

/** Whoever can listen at the address of a node is its next run. */
const isAt = (one: Pick<NodeRecord, 'address' | 'port'>, { address, port }: Newcomer['node']): boolean =>
  one.address === address && one.port === port

type Wire = Pick<NodeRecord, 'wireMin' | 'wireMax'>

/** Whether both speak a version of the calls between nodes. */
const understands = (one: Wire, other: Wire): boolean =>
  one.wireMin <= other.wireMax && other.wireMin <= one.wireMax
