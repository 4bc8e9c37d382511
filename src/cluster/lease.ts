/**
 * The lease of this node. While it is valid, this node may be the home of meetings, and no other node takes them. The database alone
 * decides whether it is valid; the clock of this process only says when to ask again.
 */
import type { ClusterTables, NewNode, NodeLoad, NodeName } from '../store/cluster.ts'

export interface LeaseOptions {
  tables: ClusterTables
  node: NewNode
  load: () => Promise<NodeLoad>
  /** This node goes on as a new incarnation, and must let go the meetings that other nodes have taken meanwhile. */
  onRenamed: () => Promise<void>
  /** Another node runs under the id of this one. */
  onReplaced: () => Promise<void>
  onError: (error: unknown, doing: string) => void
  newId: () => string
}

const RENEW_EVERY_MS = 1000

export class Lease {
  readonly #options: LeaseOptions
  #incarnation: string
  /** When the last successful renewal was requested, on the monotonic clock. */
  #renewedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#incarnation = options.newId()
  }

  get name(): NodeName {
    return { nodeId: this.#options.node.nodeId, incarnation: this.#incarnation }
  }

  /** The time since the lease was known to be valid. */
  get ageMs(): number {
    return performance.now() - this.#renewedAt
  }

  /** Returns false if another node uses this id. */
  async begin(): Promise<boolean> {
    const askedAt = performance.now()
    const { tables, node } = this.#options
    if (!(await tables.register({ ...node, incarnation: this.#incarnation }, undefined))) return false
    this.#renewedAt = askedAt
    this.#timer = setInterval(() => {
      this.#running ??= this.renew()
        .catch((error: unknown) => {
          if (!this.#isStopped) this.#options.onError(error, 'failed to renew the lease of this node')
        })
        .finally(() => (this.#running = undefined))
    }, RENEW_EVERY_MS).unref()
    return true
  }

  async renew(): Promise<void> {
    const { tables, node, load, onRenamed, onReplaced, newId } = this.#options
    const now = await load()
    const askedAt = performance.now()
    if (this.#isStopped) return
    if (await tables.renew(this.name, now)) {
      this.#renewedAt = askedAt
      return
    }
    if (this.#hasStopped()) return
    // The lease has lapsed. Other nodes may have taken the meetings, and the old incarnation may claim no more.
    const former = this.#incarnation
    const incarnation = newId()
    if (!(await tables.register({ ...node, incarnation }, former))) {
      await onReplaced()
      return
    }
    this.#incarnation = incarnation
    this.#renewedAt = askedAt
    await onRenamed()
  }

  async end(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#running
    await this.#options.tables.leave(this.name)
  }

  #hasStopped(): boolean {
    return this.#isStopped
  }
}
