/** The media of one meeting, at its home and on its edges. */
import type {
  Ingress,
  IngressOptions,
  Router,
  RouterEvents,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../../media/sfu.ts'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { EdgeLink } from './edge-link.ts'
import type { SentTransport } from './edge.ts'
import { RemoteTransport } from './remote-transport.ts'

/** The load that a member counts for before it has streams. */
const MEMBER_LOAD = 10
/** The load of a producer: a camera sends up to three layers. */
const PRODUCER_LOAD = 2

/** The part of a meeting on one edge. */
export class EdgePart {
  readonly link: EdgeLink
  readonly #key: number
  readonly #members = new Map<object, { key: number; transports: number }>()
  producers = 0
  consumers = 0

  /** @throws {Refusal} */
  static async open(link: EdgeLink): Promise<EdgePart> {
    const key = link.newKey()
    try {
      await link.call('openRouter', key)
    } catch (error) {
      // If the answer was lost, the router may be open.
      link.closeRouter(key)
      throw error
    }
    return new EdgePart(link, key)
  }

  private constructor(link: EdgeLink, key: number) {
    this.link = link
    this.#key = key
  }

  get load(): number {
    return Math.max(MEMBER_LOAD * this.#members.size, this.consumers + PRODUCER_LOAD * this.producers)
  }

  /**
   * @param onProducer called when a stream begins on the transport; returns what to call at its end
   * @throws {Refusal}
   */
  async createTransport(
    { member = {}, near: _, ...options }: TransportOptions,
    onProducer: (producerId: string, isVoice: boolean) => () => void,
  ): Promise<Transport> {
    const seat = this.#members.get(member) ?? { key: this.link.newKey(), transports: 0 }
    this.#members.set(member, seat)
    seat.transports += 1
    const leave = (): void => {
      seat.transports -= 1
      if (seat.transports === 0 && this.#members.get(member) === seat) this.#members.delete(member)
    }
    try {
      return await this.link.make(
        'createTransport',
        [this.#key, seat.key, options],
        (sent: SentTransport, key) => {
          return new RemoteTransport(this.link, key, sent, {
            onTransport: () => leave,
            onProducer: (producerId, isVoice) => {
              const end = onProducer(producerId, isVoice)
              this.producers += 1
              return () => {
                this.producers -= 1
                end()
              }
            },
            onConsumer: () => {
              this.consumers += 1
              return () => void (this.consumers -= 1)
            },
          })
        },
      )
    } catch (error) {
      leave()
      throw error
    }
  }

  close(): void {
    this.link.closeRouter(this.#key)
  }
}

export interface WideRouterOptions {
  local: Router
  /** Returns the node for a new member; undefined: this one. */
  choose: (home: Router, edges: ReadonlyMap<string, number>, near: string | undefined) => string | undefined
  /** @throws {Unreachable} */
  linkTo: (nodeId: string) => Promise<EdgeLink>
  /** Called when a stream begins on an edge; returns what to call at its end. */
  onProducer: (producerId: string, link: EdgeLink) => () => void
  onError: (error: unknown, doing: string) => void
}

export class WideRouter implements Router {
  readonly #options: WideRouterOptions
  readonly #parts = new Map<string, Promise<EdgePart>>()
  readonly #opened = new Map<string, EdgePart>()
  /** The edge that each member is on; undefined: this node. */
  readonly #seats = new WeakMap<object, Promise<EdgePart | undefined>>()
  #isClosed = false

  constructor(options: WideRouterOptions) {
    this.#options = options
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.#options.local.rtpCapabilities
  }

  get load(): number {
    return this.#options.local.load
  }

  ready(): Promise<void> {
    return this.#options.local.ready()
  }

  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void {
    this.#options.local.on(event, listener)
  }

  listenTo(producerId: string): () => void {
    return this.#options.local.listenTo(producerId)
  }

  openTap(options: TapOptions): Promise<Tap> {
    return this.#options.local.openTap(options)
  }

  /** Programs send from this machine, so their streams begin here. */
  openIngress(options: IngressOptions): Promise<Ingress> {
    return this.#options.local.openIngress(options)
  }

  async createTransport(options: TransportOptions): Promise<Transport> {
    const { local, onProducer } = this.#options
    if (options.staysHere) return local.createTransport(options)
    const part = await this.#seatOf(options.member ?? {}, options.near)
    if (this.#isClosed) throw new Refusal('INVALID_STATE', { reason: 'closed' })
    if (!part) return local.createTransport(options)
    return part.createTransport(options, (producerId, isVoice) => {
      const ends = [onProducer(producerId, part.link)]
      if (isVoice) ends.push(local.listenTo(producerId))
      return () => ends.forEach((end) => end())
    })
  }

  close(): void {
    this.#isClosed = true
    this.#options.local.close()
    for (const part of this.#opened.values()) part.close()
  }

  /** A member stays on its node unless that node is lost. */
  async #seatOf(member: object, near: string | undefined): Promise<EdgePart | undefined> {
    for (;;) {
      const seated = this.#seats.get(member)
      if (!seated) break
      const part = await seated.catch(() => undefined)
      if (!part?.link.isLost) return part
      // Otherwise another call has placed the member meanwhile.
      if (this.#seats.get(member) === seated) break
    }
    const seat = this.#place(near)
    this.#seats.set(member, seat)
    return seat
  }

  async #place(near: string | undefined): Promise<EdgePart | undefined> {
    const { local, choose, onError } = this.#options
    const loads = new Map([...this.#opened].map(([nodeId, { load }]) => [nodeId, load]))
    const nodeId = choose(local, loads, near)
    if (nodeId === undefined) return undefined
    try {
      return await this.#partOn(nodeId)
    } catch (error) {
      onError(error, 'failed to open a meeting on another node, and went on at its home')
      return undefined
    }
  }

  #partOn(nodeId: string): Promise<EdgePart> {
    const known = this.#parts.get(nodeId)
    if (known && this.#opened.get(nodeId)?.link.isLost !== true) return known
    const opening = this.#options.linkTo(nodeId).then((link) => EdgePart.open(link))
    this.#parts.set(nodeId, opening)
    opening.then(
      (part) => {
        this.#opened.set(nodeId, part)
        if (this.#isClosed) part.close()
      },
      () => {
        if (this.#parts.get(nodeId) === opening) this.#parts.delete(nodeId)
      },
    )
    return opening
  }
}
