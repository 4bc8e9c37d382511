/** The meetings whose home is this node, and the epochs under which it writes about them. */
import type { ClusterTables, Fence, HomeRecord, NodeName } from '../store/cluster.ts'
import type { Directory, Location } from '../meeting/directory.ts'

export interface HomesOptions {
  tables: ClusterTables
  name: () => NodeName
  /** This node lost a meeting that it did not give up. */
  onLost: (meetingId: string) => void
  onTakenOver: () => void
}

/** How long a claim waits until the lease of a dead node has lapsed, and until this node has had its own lease for long enough. */
const PATIENCE_MS = 6000
const RETRY_MS = 150
/** How many lost meetings are remembered: the late writes of older ones have ended by then. */
const MAX_LOST = 10_000

export class Homes implements Directory, Fence {
  readonly isShared = true
  readonly #options: HomesOptions
  readonly #epochs = new Map<string, { epoch: number; seenAt: number | undefined; claimedAt: number }>()
  /** The epochs of meetings that another node has taken, so that a late write under one of them fails too. */
  readonly #lost = new Map<string, number>()
  /** Releases under way; a claim waits for them, or it would find the row that is being deleted. */
  readonly #releasing = new Map<string, Promise<void>>()
  fenced = 0

  constructor(options: HomesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#epochs.size
  }

  epochOf(meetingId: string): number | undefined {
    return this.#epochs.get(meetingId)?.epoch ?? this.#lost.get(meetingId)
  }

  lost(meetingId: string, epoch: number): void {
    this.fenced++
    if (this.#epochs.get(meetingId)?.epoch === epoch) this.#lose(meetingId)
  }

  lastAliveAt(meetingId: string): number | undefined {
    return this.#epochs.get(meetingId)?.seenAt
  }

  isHere(meetingId: string): boolean {
    return this.#epochs.has(meetingId)
  }

  /** Meetings that were claimed at least this long ago. */
  claimedBefore(ageMs: number): string[] {
    const before = performance.now() - ageMs
    return [...this.#epochs].filter(([, { claimedAt }]) => claimedAt < before).map(([meetingId]) => meetingId)
  }

  async find(meetingId: string): Promise<'here' | HomeRecord | undefined> {
    if (this.#epochs.has(meetingId)) return 'here'
    const home = await this.#options.tables.locate(meetingId)
    if (!home || !this.#isMe(home)) return home
    // It was claimed meanwhile, or is being released: nobody may be sent from this node to itself.
    return this.#epochs.has(meetingId) ? 'here' : undefined
  }

  async locate(meetingId: string): Promise<Location | undefined> {
    const home = await this.find(meetingId)
    return typeof home === 'object' ? { url: home.nodeId } : home
  }

  async claim(meetingId: string): Promise<Location> {
    const home = await this.claimWhenFree(meetingId)
    return home === 'here' ? 'here' : { url: home?.nodeId ?? '' }
  }

  /** Waits while the home is dead and nobody may take the meeting over yet. Undefined: nobody could in that time. */
  async claimWhenFree(meetingId: string): Promise<'here' | HomeRecord | undefined> {
    const { tables } = this.#options
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      if (this.#epochs.has(meetingId)) return 'here'
      if (await this.tryClaim(meetingId)) return 'here'
      const home = await tables.locate(meetingId)
      if (home && this.#isMe(home)) {
        // Another claim of this process came first.
        if (!this.#epochs.has(meetingId))
          this.#epochs.set(meetingId, { ...home, seenAt: undefined, claimedAt: performance.now() })
        return 'here'
      }
      if (home?.isLive) return home
      if (performance.now() > giveUpAt) return undefined
      await new Promise((next) => setTimeout(next, RETRY_MS))
    }
  }

  /** Claims once, without waiting. */
  async tryClaim(meetingId: string): Promise<boolean> {
    const { tables, name, onTakenOver } = this.#options
    await this.#releasing.get(meetingId)?.catch(() => undefined)
    const claimed = await tables.claim(name(), meetingId)
    if (!claimed) return false
    if (claimed.seenAt !== undefined) onTakenOver()
    this.#lost.delete(meetingId)
    this.#epochs.set(meetingId, { ...claimed, claimedAt: performance.now() })
    return true
  }

  async release(meetingId: string): Promise<void> {
    const mine = this.#epochs.get(meetingId)
    this.#epochs.delete(meetingId)
    if (!mine) return
    const { tables, name } = this.#options
    const releasing = tables
      .release(name(), meetingId, mine.epoch)
      .finally(() => this.#releasing.delete(meetingId))
    this.#releasing.set(meetingId, releasing)
    await releasing
  }

  /** Compares with the database after this node became a new incarnation. */
  async reassert(): Promise<void> {
    const { tables, name } = this.#options
    const mine = await tables.homesOf(name())
    for (const [meetingId, { epoch }] of [...this.#epochs])
      if (mine.get(meetingId) !== epoch) this.#lose(meetingId)
    // Releases the meetings that were let go while the database was away.
    for (const [meetingId, epoch] of mine)
      if (!this.#epochs.has(meetingId)) await tables.release(name(), meetingId, epoch)
  }

  loseAll(): void {
    for (const meetingId of [...this.#epochs.keys()]) this.#lose(meetingId)
  }

  #lose(meetingId: string): void {
    const { epoch } = this.#epochs.get(meetingId)!
    this.#epochs.delete(meetingId)
    this.#lost.set(meetingId, epoch)
    if (this.#lost.size > MAX_LOST) this.#lost.delete(this.#lost.keys().next().value!)
    this.#options.onLost(meetingId)
  }

  #isMe({ nodeId: ofNode, incarnation: of }: NodeName): boolean {
    const { nodeId, incarnation } = this.#options.name()
    return ofNode === nodeId && of === incarnation
  }
}
