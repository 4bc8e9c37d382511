/** What a node is built from, and the orders that it gets. Types only. */
import type { LocalHome } from '../meeting/home.ts'
import type { ClusterTables, NodeLoad, NodeRecord } from '../store/cluster.ts'
import type { MeetingRecord } from '../store/store.ts'
import type { Credentials } from './credentials.ts'
import type { Readable } from './node-files.ts'

export interface ClusterMeetings extends LocalHome {
  adopt(meetingId: string): Promise<void>
  /** By their ids. */
  readonly open: ReadonlyMap<string, unknown>
  suspendOne(meetingId: string): Promise<void>
  find(projectId: string, anyId: string): Promise<MeetingRecord | undefined>
  giveUp(meetingId: string): Promise<void>
}

export type Busyness = Pick<NodeLoad, 'processorPercent' | 'mediaWorkers'>

export interface DrainOrder {
  withinMs?: number | undefined
  /** Cancels a drain: the node takes meetings again. */
  cancel?: boolean
}

/** A node after an order, with the meetings and people that are still there. */
export type Drained = Pick<NodeRecord, 'state' | 'meetings' | 'participants'>

export interface ClusterOptions {
  tables: ClusterTables
  credentials: Credentials
  node: { nodeId: string; address: string; port: number; version: string }
  /** The size limit of files that people share in a meeting; a call may carry one. */
  maxFileBytes: number
  /** The folders of outputs and jobs on the disk of this node. */
  outputFiles: Readable
  /** Returns an id that no node has used. */
  newId: () => string
  /** Returns a number from 0 to 1. */
  random: () => number
  /** How long a drain takes if the order does not say. */
  drainMs: number
  /** What happens to the meetings of this node while it reaches neither the database nor another node. */
  alone: 'suspend' | 'stay'
  log: {
    warn: (fields: Record<string, unknown>, text: string) => void
    error: (fields: Record<string, unknown>, text: string) => void
  }
}
