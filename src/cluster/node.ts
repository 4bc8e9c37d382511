/** This server as one of several nodes: its lease, its homes, and its connections to the others. */
import { StartError } from '../errors.ts'
import { Refusal } from '../protocol/errors.ts'
import type { NodeStatus } from '../protocol/rest/watching.ts'
import type { ClusterTables, HomeRecord, NodeRecord } from '../store/cluster.ts'
import type { MeetingRecord } from '../store/store.ts'
import { Drain } from './drain.ts'
import type { WideSfu } from './edges/wide-sfu.ts'
import { Homes } from './homes.ts'
import { isCutOffFrom } from './cut-off.ts'
import { nameTaken } from './joining.ts'
import { Lease } from './lease.ts'
import { NodeFiles } from './node-files.ts'
import type { Busyness, ClusterMeetings, ClusterOptions, Drained, DrainOrder } from './node-options.ts'
import { shownNodes } from './nodes-shown.ts'
import { Peers, Unreachable } from './peers.ts'
import { unreachable } from './at-home.ts'
import { Services } from './services.ts'
import { lessBusy, smoothed } from './placement.ts'
import { routedHome, type RoutedHome } from './routed-home.ts'
import { WIRE } from './wire.ts'

const REFRESH_MS = 1000
/** After this time without a renewed lease, this node asks the others whether they reach the database. */
const LAPSED_MS = 4000
/** After this time, a claim that no connection has used is released. */
const UNUSED_MS = 30_000
/** The shortest interval between two searches for meetings without a home; a random part keeps the nodes apart. */
const REAP_MS = 2000
const REAP_AT_ONCE = 20
/** At most one warning of strangers in this time. */
const STRANGERS_MS = 60_000
/** The size limit of a call or an answer, without the file that it may carry. */
const MESSAGE_BYTES = 16 * 1024 * 1024

export class ClusterNode {
  readonly #options: ClusterOptions
  readonly #lease: Lease
  readonly homes: Homes
  readonly peers: Peers
  readonly drain: Drain
  readonly services: Services
  readonly files: NodeFiles
  /** What other nodes may have this one do about its own files, by the name of the call. */
  readonly errands = new Map<string, (...args: never[]) => Promise<unknown>>()
  /** The media of meetings, here and on edges. */
  edges: WideSfu | undefined
  #meetings: ClusterMeetings | undefined
  #hasSession: (meetingId: string) => Promise<boolean> = () => Promise.resolve(false)
  #busyness: () => Busyness = () => ({ processorPercent: 0, mediaWorkers: 0 })
  #routed: RoutedHome | undefined
  #timer: NodeJS.Timeout | undefined
  #tending: Promise<void> | undefined
  #reapAt = 0
  #busyPercent = 0
  #warnStrangersAt = 0
  #isStopped = false
  takeovers = 0

  constructor(options: ClusterOptions) {
    this.#options = options
    const { tables, credentials, node, log, newId } = options
    const onError = (err: unknown, doing: string): void => {
      if (!this.#isStopped) log.error({ err }, doing)
    }
    this.#lease = new Lease({
      tables,
      node: { ...node, ...WIRE, fingerprint: credentials.fingerprint },
      load: async () => {
        const counts = (await this.#meetings?.counts()) ?? { meetings: 0, participants: 0, entryRequests: 0 }
        return { state: this.#state, ...counts, ...this.#lastBusyness() }
      },
      onRenamed: () => {
        log.warn({}, 'renewed the lapsed lease of this node')
        return this.homes.reassert()
      },
      onReplaced: () => {
        log.error({ nodeId: node.nodeId }, 'let all meetings go: another node uses the NODE_ID of this one')
        this.homes.loseAll()
        return Promise.resolve()
      },
      onError,
      newId,
    })
    this.homes = new Homes({
      tables,
      name: () => this.#lease.name,
      onTakenOver: () => this.takeovers++,
      onLost: (meetingId) => {
        log.warn({ meetingId }, 'let a meeting go that moved to another node')
        this.#meetings
          ?.suspendOne(meetingId)
          .catch((error: unknown) => onError(error, 'failed to let a meeting go'))
      },
    })
    this.peers = new Peers({
      ...node,
      credentials,
      maxMessageBytes: MESSAGE_BYTES + options.maxFileBytes,
      readNodes: () => tables.nodes(),
      answer: async (method, args) => {
        if (method === 'storeUp') return { value: await isUp(tables) }
        if (method === 'isHome') return { value: this.homes.isHere(args[0] as string) }
        if (method === 'findLive')
          return { value: await this.#meetings!.find(...(args as [projectId: string, anyId: string])) }
        if (method === 'take') return { value: await this.#take(args[0] as string) }
        if (method === 'drain') return { value: await this.#obey(args[0] as DrainOrder) }
        if (this.services.has(method)) return this.services.answer(method, args)
        const errand = this.errands.get(method)
        if (errand) return { value: await errand(...(args as never[])) }
        return this.#routed!.answer(method, args)
      },
      giveFile: (request, response) => this.files.give(request, response),
      onStranger: (address) => {
        if (performance.now() < this.#warnStrangersAt) return
        this.#warnStrangersAt = performance.now() + STRANGERS_MS
        log.warn(
          { address },
          'refused a connection to CLUSTER_PORT: the other side shows the certificate of no node; open this port to nodes alone, and give all of them the same DATABASE_URL',
        )
      },
      onError,
      newId,
    })
    this.files = new NodeFiles(node.nodeId, this.peers, options.outputFiles)
    this.services = new Services({
      peers: this.peers,
      placeOf: (meetingId, mayClaim) => (mayClaim ? this.placeOf(meetingId) : this.#placeOfCall(meetingId)),
      isHere: (meetingId) => this.homes.isHere(meetingId),
      newId,
    })
    this.drain = new Drain({
      open: () => this.#meetings!.open.keys(),
      sizeOf: async (meetingId) => (await this.#meetings!.view(meetingId)).participants.length,
      hasSuccessor: () => this.#successor() !== undefined,
      handOver: (meetingId) => this.#handOver(meetingId),
      announce: () => this.#lease.renew(),
      onError,
      now: () => performance.now(),
      wait: (ms) => new Promise((next) => setTimeout(next, ms)),
    })
  }

  get nodeId(): string {
    return this.#options.node.nodeId
  }

  /**
   * Reaches every meeting, wherever its home is.
   * @param busyness must answer at once, because the renewal of the lease waits for it
   */
  routed(
    meetings: ClusterMeetings,
    hasSession: (meetingId: string) => Promise<boolean>,
    busyness: () => Busyness,
  ): RoutedHome {
    this.#meetings = meetings
    this.#hasSession = hasSession
    this.#busyness = busyness
    return (this.#routed = routedHome({
      here: meetings,
      peers: this.peers,
      newId: this.#options.newId,
      isHere: (meetingId) => this.homes.isHere(meetingId),
      placeOf: (meetingId) => this.#placeOfCall(meetingId),
    }))
  }

  /** Call this when the port for other nodes answers. @throws {StartError} */
  async begin(): Promise<void> {
    if (!(await this.#lease.begin())) throw new StartError(nameTaken(this.#options.node.nodeId))
    await this.peers.refresh()
    this.#timer = setInterval(() => {
      this.#tending ??= this.#tend()
        .catch((err: unknown) => {
          if (!this.#isStopped)
            this.#options.log.warn({ err }, 'failed to look after the meetings of all nodes')
        })
        .finally(() => (this.#tending = undefined))
    }, REFRESH_MS).unref()
  }

  /** Finds the home in the database or, while that is away, by asking the other nodes. */
  async find(meetingId: string): Promise<'here' | HomeRecord | undefined> {
    try {
      return await this.homes.find(meetingId)
    } catch (error) {
      if (!isAway(error)) throw error
      const home = (await this.#ask('isHome', [meetingId])).find(({ answer }) => answer === true)
      if (!home) throw error
      return { ...home.node, meetingId, epoch: 0 }
    }
  }

  /** Finds a live meeting by any of its ids, on any node. For use while the database is away. */
  async findLive(projectId: string, anyId: string): Promise<MeetingRecord | undefined> {
    const here = await this.#meetings!.find(projectId, anyId)
    if (here) return here
    const answers = await this.#ask('findLive', [projectId, anyId])
    return answers.map(({ answer }) => answer as MeetingRecord | undefined).find(Boolean)
  }

  /** Finds the home for a connection. If there is none, this node or a less busy one becomes it. Undefined: no node can now. */
  async placeOf(meetingId: string): Promise<'here' | HomeRecord | undefined> {
    const known = await this.find(meetingId)
    if (known !== 'here' && known?.isLive) return known
    const other = known === 'here' ? undefined : this.drain.isOn ? this.#successor() : this.#lessBusy()
    if (other) {
      await this.peers.call(other, 'take', [meetingId])
      return this.homes.find(meetingId)
    }
    return this.#take(meetingId)
  }

  /** Makes this node the home, and resumes the session that another node left. */
  async #take(meetingId: string): Promise<'here' | HomeRecord | undefined> {
    const place = await this.homes.claimWhenFree(meetingId)
    // The people who were inside can only come back to a session that was resumed.
    if (place === 'here' && !this.#meetings!.open.has(meetingId) && (await this.#hasSession(meetingId)))
      await this.#meetings!.adopt(meetingId)
    return place
  }

  /** For metrics. */
  reading(): {
    homes: number
    leaseAgeMs: number
    nodes: Record<NodeStatus['state'], number>
    carried: number
    takeovers: number
    fenced: number
  } {
    const nodes = { serving: 0, draining: 0, away: 0 }
    for (const { state } of this.nodes()) nodes[state]++
    return {
      homes: this.homes.size,
      leaseAgeMs: this.#lease.ageMs,
      nodes,
      carried: this.peers.carried,
      takeovers: this.takeovers,
      fenced: this.homes.fenced,
    }
  }

  /** All nodes as this one knows them, also while the database is away. */
  nodes(): NodeStatus[] {
    const { nodes, readAt } = this.peers
    return shownNodes(nodes, performance.now() - readAt, this.#lease.name.nodeId)
  }

  /**
   * Drains a node, this one or another.
   * @throws {Refusal} NOT_FOUND, HOME_UNREACHABLE, INVALID_STATE if no other node takes its meetings
   */
  async order(nodeId: string, order: DrainOrder): Promise<Drained> {
    await this.peers.refresh()
    const node = this.peers.nodes.find((one) => one.isLive && one.nodeId === nodeId)
    if (!node) throw new Refusal('NOT_FOUND', { message: 'No node with this id runs.' })
    if (nodeId === this.#options.node.nodeId) return this.#obey(order)
    try {
      return (await this.peers.call(node, 'drain', [order])) as Drained
    } catch (error) {
      throw error instanceof Unreachable ? unreachable(error) : error
    }
  }

  /**
   * Has another node do something about its files.
   * @throws {Refusal} HOME_UNREACHABLE, or what it refused with
   */
  async runErrand(nodeId: string, method: string, args: unknown[], patienceMs: number): Promise<unknown> {
    const node = this.peers.others.find((one) => one.nodeId === nodeId)
    if (!node) throw unreachable(undefined)
    try {
      return await this.peers.call(node, method, args, this.#options.newId(), patienceMs)
    } catch (error) {
      throw error instanceof Unreachable ? unreachable(error) : error
    }
  }

  /** Call this when no meeting is open here any more. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.drain.stop()
    clearInterval(this.#timer)
    await this.#tending
    await this.#lease.end().catch(() => undefined)
    this.peers.close()
    await this.#options.tables.close()
  }

  /** Asks all other nodes, and leaves out those that do not answer. */
  async #ask(method: string, args: unknown[]): Promise<{ node: NodeRecord; answer: unknown }[]> {
    const asked = this.peers.others.map((node) =>
      this.peers.call(node, method, args).then(
        (answer) => [{ node, answer }],
        () => [],
      ),
    )
    return (await Promise.all(asked)).flat()
  }

  async #obey({ withinMs = this.#options.drainMs, cancel }: DrainOrder): Promise<Drained> {
    await this.peers.refresh()
    if (cancel) await this.drain.cancel()
    else if (this.#successor()) this.drain.begin(withinMs)
    else
      throw new Refusal('INVALID_STATE', { message: 'There is no other node that could take its meetings.' })
    const { meetings, participants } = await this.#meetings!.counts()
    return { state: this.#state, meetings, participants }
  }

  get #state(): NodeRecord['state'] {
    return this.drain.isOn ? 'draining' : 'serving'
  }

  /** How busy this node is, which each renewal of the lease tells the others. */
  #lastBusyness(): Busyness {
    const { processorPercent, mediaWorkers } = this.#busyness()
    this.#busyPercent = smoothed(this.#busyPercent, processorPercent)
    return { processorPercent: Math.round(this.#busyPercent), mediaWorkers }
  }

  /** The node that takes a meeting because this one is busy; undefined: this one is not. */
  #lessBusy(): NodeRecord | undefined {
    const here = this.peers.nodes.find(({ nodeId }) => nodeId === this.nodeId)
    return lessBusy(here?.processorPercent ?? 0, this.peers.others, this.#options.random)
  }

  /** The node that takes the next meeting of this one: the one with the fewest people. */
  #successor(): NodeRecord | undefined {
    const [first] = this.peers.others
      .filter(({ state }) => state === 'serving')
      .sort((one, other) => one.participants - other.participants)
    return first
  }

  async #handOver(meetingId: string): Promise<void> {
    const successor = this.#successor()
    try {
      await this.#meetings!.giveUp(meetingId)
      if (successor) await this.peers.call(successor, 'take', [meetingId])
    } catch (err) {
      // The node that its people reach takes it, or the next one that looks for meetings without a home.
      this.#options.log.warn({ err, meetingId }, 'failed to hand a meeting over to another node')
    }
  }

  async #placeOfCall(meetingId: string): Promise<'here' | HomeRecord> {
    const known = await this.find(meetingId)
    if (known === 'here' || known?.isLive) return known
    if (!(await this.#hasSession(meetingId))) return 'here'
    const place = await this.placeOf(meetingId)
    if (place === undefined) throw unreachable(undefined)
    return place
  }

  async #tend(): Promise<void> {
    if (this.#lease.ageMs > LAPSED_MS) await this.#decideAlone()
    await this.peers.refresh()
    for (const meetingId of this.homes.claimedBefore(UNUSED_MS))
      if (!this.#meetings!.open.has(meetingId)) await this.homes.release(meetingId)
    if (performance.now() < this.#reapAt || (this.drain.isOn && this.#successor())) return
    this.#reapAt = performance.now() + REAP_MS + this.#options.random() * REAP_MS
    for (const meetingId of await this.#options.tables.orphans(REAP_AT_ONCE)) {
      if (this.#isStopped) return
      if (await this.homes.tryClaim(meetingId)) await this.#meetings!.adopt(meetingId)
    }
  }

  /** Decides what to do without a lease: if the database answers other nodes, this one is cut off, and lets its meetings go to them. */
  async #decideAlone(): Promise<void> {
    const { others } = this.peers
    if (others.length === 0 || this.homes.size === 0) return
    const answers = await Promise.all(
      others.map((node) => this.peers.call(node, 'storeUp', []).catch(() => undefined)),
    )
    const isCutOff = isCutOffFrom(answers, this.#options.alone)
    // When the database comes back, it may answer the others a moment before this node has renewed its lease.
    if (!isCutOff || (await isUp(this.#options.tables)) || this.#lease.ageMs <= LAPSED_MS) return
    this.#options.log.error(
      {},
      'let all meetings go: this node is cut off from the database, or from all others',
    )
    this.homes.loseAll()
  }
}

const isAway = (error: unknown): boolean => error instanceof Refusal && error.code === 'STORE_UNAVAILABLE'

async function isUp(tables: ClusterTables): Promise<boolean> {
  return tables.clock().then(
    () => true,
    () => false,
  )
}
