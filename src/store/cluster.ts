/**
 * The contract of what nodes share besides the store: which nodes there are, and which of them is the home of a meeting. Every
 * instant is the database's, in ms since the epoch: the clocks of the nodes decide nothing. Types only.
 */

/** One run of a node. A node that lost its lease goes on as a new incarnation. */
export interface NodeName {
  nodeId: string
  incarnation: string
}

export interface NodeRecord extends NodeName {
  address: string
  port: number
  /** SHA-256 of the certificate that this incarnation shows, in hex. */
  fingerprint: string
  version: string
  /** The oldest and the newest version of the calls between nodes that it supports. */
  wireMin: number
  wireMax: number
  /** When its process became a node. */
  startedAt: number
  state: 'serving' | 'draining'
  meetings: number
  participants: number
  entryRequests: number
  /** The busiest of its process and its media workers, in percent of one core. */
  processorPercent: number
  /** The number of media workers. */
  mediaWorkers: number
  isLive: boolean
  seenAt: number
  /** The time since the lease was renewed, when this was read. */
  leaseAgeMs: number
}

export type NewNode = Pick<
  NodeRecord,
  'nodeId' | 'address' | 'port' | 'fingerprint' | 'version' | 'wireMin' | 'wireMax'
>

/** The state that a node reports with each renewal. */
export type NodeLoad = Pick<
  NodeRecord,
  'state' | 'meetings' | 'participants' | 'entryRequests' | 'processorPercent' | 'mediaWorkers'
>

export interface HomeRecord extends NodeName {
  meetingId: string
  /** Grows with each change of the home, and is never given twice. */
  epoch: number
  /** Whether its node holds a valid lease. */
  isLive: boolean
}

export interface Claimed {
  epoch: number
  /** When the former home was last known to run, if it died. */
  seenAt: number | undefined
}

export interface ClusterTables {
  /** The database's clock. */
  clock(): Promise<number>
  /**
   * Registers an incarnation with a new lease. Takes over the name, and the homes, of `former`. Returns false if another node holds
   * a lease under this name.
   */
  register(node: NewNode & { incarnation: string }, former: string | undefined): Promise<boolean>
  /** Renews the lease. Returns false if it has lapsed or belongs to another incarnation. */
  renew(name: NodeName, load: NodeLoad): Promise<boolean>
  /** Gives up the lease, and every home that is left. */
  leave(name: NodeName): Promise<void>
  nodes(): Promise<NodeRecord[]>
  /**
   * Makes a node the home, unless another node with a lease is. Takes over from a dead node only if the own lease has been good long enough.
   * Returns undefined if it is not the home now.
   */
  claim(name: NodeName, meetingId: string): Promise<Claimed | undefined>
  locate(meetingId: string): Promise<HomeRecord | undefined>
  release(name: NodeName, meetingId: string, epoch: number): Promise<void>
  /** Of this incarnation: epochs by meeting. */
  homesOf(name: NodeName): Promise<Map<string, number>>
  /** Meetings with an ongoing session and without a live home. */
  orphans(limit: number): Promise<string[]>
  close(): Promise<void>
}

/** The epochs under which this process writes. */
export interface Fence {
  /** Undefined: nothing is checked. */
  epochOf(meetingId: string): number | undefined
  /** The database has another epoch: this process is not the home any more. */
  lost(meetingId: string, epoch: number): void
}
