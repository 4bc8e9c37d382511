/** What an operator is shown of the nodes. */
import { inUrl } from '../addresses.ts'
import type { NodeStatus } from '../protocol/rest/watching.ts'
import type { NodeRecord } from '../store/cluster.ts'

/** A node that has been away for longer than this is left out. */
const FORGOTTEN_MS = 86_400_000

/** @param sinceMs the time since the table was read @param here the id of the node that answers; undefined: a command */
export function shownNodes(nodes: readonly NodeRecord[], sinceMs: number, here?: string): NodeStatus[] {
  return nodes
    .filter(({ leaseAgeMs }) => leaseAgeMs < FORGOTTEN_MS)
    .map(({ nodeId, address, port, isLive, leaseAgeMs, ...node }) => ({
      nodeId,
      address: `${inUrl(address)}:${port}`,
      version: node.version,
      state: isLive ? node.state : 'away',
      startedAt: node.startedAt,
      leaseAgeMs: Math.round(leaseAgeMs + sinceMs),
      meetings: node.meetings,
      participants: node.participants,
      entryRequests: node.entryRequests,
      processorPercent: node.processorPercent,
      mediaWorkers: node.mediaWorkers,
      isHere: nodeId === here,
    }))
}
