/** Decides whether a server may become a node, before it touches anything that the nodes share. */
import { inUrl } from '../addresses.ts'
import type { NewNode, NodeRecord } from '../store/cluster.ts'

export interface Newcomer {
  node: Omit<NewNode, 'fingerprint'>
  /** How far the clock of this machine is behind that of the database; negative: ahead. */
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

/** A server that can listen at the address of a node is the next run of that node. */
const isAt = (one: Pick<NodeRecord, 'address' | 'port'>, { address, port }: Newcomer['node']): boolean =>
  one.address === address && one.port === port

type Wire = Pick<NodeRecord, 'wireMin' | 'wireMax'>

/** Whether two nodes support a common version of their calls. */
const understands = (one: Wire, other: Wire): boolean =>
  one.wireMin <= other.wireMax && other.wireMin <= one.wireMax
