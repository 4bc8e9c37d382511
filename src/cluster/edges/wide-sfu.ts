/** The media server of this node, together with the edges of its meetings. */
import type { Duplex } from 'node:stream'
import type {
  LineEnd,
  MediaStatus,
  OfferEvent,
  Router,
  RouterOptions,
  Sfu,
  StreamOffer,
  StreamSource,
  TcpTarget,
  WorkerUsage,
} from '../../media/sfu.ts'
import type { NodeRecord } from '../../store/cluster.ts'
import { Refusal } from '../../protocol/errors.ts'
import { Channel } from './channel.ts'
import { Edge } from './edge.ts'
import { EdgeLink } from './edge-link.ts'
import { chooseHost, type Edges, type HostLoad } from './placement.ts'
import { ServedSource } from './streams.ts'
import { WideRouter } from './wide-router.ts'

export interface WideSfuOptions {
  local: Sfu
  nodeId: string
  version: string
  edges: Edges
  /** The load of one meeting on one media worker, in streams, beyond which newcomers get their media at another node. */
  share: number
  /** All nodes with a lease. */
  nodes: () => readonly NodeRecord[]
  /** Opens a connection to a node. @throws {Unreachable} */
  connect: (node: NodeRecord) => Promise<Duplex>
  onError: (error: unknown, doing: string) => void
}

/** How long a node is left out after it could not be reached. */
const AVOID_MS = 10_000

export class WideSfu implements Sfu {
  readonly #options: WideSfuOptions
  readonly #links = new Map<string, Promise<EdgeLink>>()
  readonly #opened = new Map<string, EdgeLink>()
  /** The channels of the homes of which this node is an edge. */
  readonly #served = new Set<Channel>()
  /** The edges of the streams that begin on one. */
  readonly #places = new Map<string, EdgeLink>()
  readonly #avoided = new Map<string, number>()
  readonly #source: StreamSource
  #isClosed = false

  constructor(options: WideSfuOptions) {
    this.#options = options
    this.#source = new JoinedSource(
      (producerId) => {
        const link = this.#places.get(producerId)
        return link ? { name: link.nodeId, source: link.source } : { name: '', source: options.local.offers }
      },
      (name) => (name === '' ? options.local.offers : this.#opened.get(name)?.source),
    )
  }

  get status(): MediaStatus {
    return this.#options.local.status
  }

  get offers(): StreamSource | undefined {
    return this.#options.local.offers
  }

  usage(): Promise<WorkerUsage[]> {
    return this.#options.local.usage()
  }

  tcpTarget(usernameFragment: string): TcpTarget | undefined {
    return this.#options.local.tcpTarget(usernameFragment)
  }

  async openRouter(options: RouterOptions = {}): Promise<Router> {
    const { local, onError } = this.#options
    const router = await local.openRouter({ ...options, elsewhere: this.#source })
    // A client that chose its payload types (WHIP, WHEP) stays on this node.
    if (options.payloadTypes) return router
    return new WideRouter({
      local: router,
      choose: (...meeting) => this.#choose(...meeting),
      linkTo: (nodeId) => this.#linkTo(nodeId),
      onProducer: (producerId, link) => {
        this.#places.set(producerId, link)
        return () => this.#places.delete(producerId)
      },
      onError,
    })
  }

  /** Serves a channel that another node opened: that node is the home of meetings, and this one becomes their edge. */
  serve(socket: Duplex, head: Buffer): void {
    const { local, onError } = this.#options
    const channel: Channel = new Channel(
      socket,
      {
        answer: (method, args) => edge.answer(method, args),
        hear: (what, args) => edge.hear(what, args),
        onClose: () => {
          this.#served.delete(channel)
          edge.close()
        },
        onError,
      },
      head,
    )
    const edge = new Edge(local, channel)
    this.#served.add(channel)
    if (this.#isClosed) channel.close()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const channel of [...this.#served]) channel.close()
    for (const link of [...this.#opened.values()]) link.close()
    await this.#options.local.close()
  }

  #choose(home: Router, edges: ReadonlyMap<string, number>, near: string | undefined): string | undefined {
    const { local, nodeId, version, nodes, edges: rule, share } = this.#options
    if (!local.offers) return undefined
    const now = performance.now()
    const all = nodes()
    const mine = all.find((node) => node.nodeId === nodeId)
    const others = all.filter(
      (node) =>
        node.nodeId !== nodeId &&
        node.isLive &&
        node.state === 'serving' &&
        node.mediaWorkers > 0 &&
        // Other versions may offer clients other codecs.
        node.version === version &&
        (this.#avoided.get(node.nodeId) ?? 0) < now,
    )
    const { status } = local
    const hosts: HostLoad[] = [
      {
        own: home.load,
        workers: status.available ? status.workers : 1,
        busy: (mine?.processorPercent ?? 0) / 100,
        isHome: true,
        isNear: near === undefined || near === nodeId,
      },
      ...others.map((node) => ({
        own: edges.get(node.nodeId),
        workers: node.mediaWorkers,
        busy: node.processorPercent / 100,
        isHome: false,
        isNear: near === node.nodeId,
      })),
    ]
    const chosen = chooseHost(hosts, rule, share)
    return chosen === 0 ? undefined : others[chosen - 1]!.nodeId
  }

  #linkTo(nodeId: string): Promise<EdgeLink> {
    const known = this.#links.get(nodeId)
    if (known && this.#opened.get(nodeId)?.isLost !== true) return known
    const opening = this.#openLink(nodeId)
    this.#links.set(nodeId, opening)
    opening.then(
      (link) => {
        this.#opened.set(nodeId, link)
        if (this.#isClosed) link.close()
      },
      () => {
        this.#avoided.set(nodeId, performance.now() + AVOID_MS)
        if (this.#links.get(nodeId) === opening) this.#links.delete(nodeId)
      },
    )
    return opening
  }

  async #openLink(nodeId: string): Promise<EdgeLink> {
    const { nodes, connect, onError } = this.#options
    const node = nodes().find((one) => one.isLive && one.nodeId === nodeId)
    if (!node) throw new Refusal('MEDIA_UNAVAILABLE')
    const socket = await connect(node)
    return new EdgeLink({
      nodeId,
      open: (options) => new Channel(socket, options),
      serve: (channel) => new ServedSource(this.#source, channel),
      onLost: () => {
        for (const [producerId, link] of this.#places)
          if (link.nodeId === nodeId && link.isLost) this.#places.delete(producerId)
        this.#links.delete(nodeId)
        this.#opened.delete(nodeId)
        onError(new Error(`the connection to the node ${nodeId} ended`), 'lost an edge')
      },
      onError,
    })
  }
}

/** Several sources as one. The ids of lines and streams begin with the name of their source. */
class JoinedSource implements StreamSource {
  readonly #sourceOf: (producerId: string) => { name: string; source: StreamSource | undefined }
  readonly #named: (name: string) => StreamSource | undefined

  constructor(
    sourceOf: (producerId: string) => { name: string; source: StreamSource | undefined },
    named: (name: string) => StreamSource | undefined,
  ) {
    this.#sourceOf = sourceOf
    this.#named = named
  }

  async offer(producerId: string, to: string, hear: (event: OfferEvent) => void): Promise<StreamOffer> {
    const { name, source } = this.#sourceOf(producerId)
    if (!source) throw new Refusal('INVALID_STATE', { reason: 'closed' })
    const offer = await source.offer(producerId, to, hear)
    return { ...offer, streamId: joined(name, offer.streamId), lineId: joined(name, offer.lineId) }
  }

  async connect(lineId: string, end: LineEnd): Promise<void> {
    const [source, id] = this.#split(lineId)
    await source?.connect(id, end)
  }

  async flow(streamId: string, flows: boolean): Promise<void> {
    const [source, id] = this.#split(streamId)
    await source?.flow(id, flows)
  }

  close(streamId: string): void {
    const [source, id] = this.#split(streamId)
    source?.close(id)
  }

  #split(id: string): [StreamSource | undefined, string] {
    const at = id.lastIndexOf('/')
    return [this.#named(id.slice(0, at)), id.slice(at + 1)]
  }
}

const joined = (name: string, id: string): string => `${name}/${id}`
