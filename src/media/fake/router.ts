import { ortc } from 'mediasoup'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { Listeners } from '../listeners.ts'
import { choosePlace, loadOf, type Placement } from '../placement.ts'
import { codecsWith, routerCodecs } from '../mediasoup/codecs.ts'
import { fromMediasoupRtpCapabilities } from '../mediasoup/convert.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Ingress,
  IngressOptions,
  Router,
  RouterEvents,
  RouterOptions,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../sfu.ts'
import { FakeIngress, FakeTap } from './local.ts'
import type { FakeDataProducer, FakeProducer, NewId, Record } from './streams.ts'
import { FakeTransport, type TransportHost } from './transport.ts'

/** The workers that the fake pretends to have, and every router on them. */
export interface FakeWorkers {
  readonly count: number
  readonly placement: Placement
  readonly routers: readonly FakeRouter[]
}

/** The port that ingresses report; nothing listens on it. */
const FAKE_INGRESS_PORT = 41_000

export class FakeRouter implements Router, TransportHost {
  readonly id: string
  readonly rtpCapabilities: RtpCapabilities
  readonly transports = new Set<FakeTransport>()
  readonly producers = new Map<string, FakeProducer>()
  readonly newId: NewId
  readonly record: Record
  readonly #workers: FakeWorkers
  readonly #listeners = new Listeners<RouterEvents>()
  /** The transports of taps and ingresses. */
  readonly #local = new Set<FakeTransport>()
  /** The worker and the transports of each member. */
  readonly #seats = new Map<object, { worker: number; transports: Set<FakeTransport> }>()
  #released = false
  #closed = false

  constructor(newId: NewId, record: Record, workers: FakeWorkers, { payloadTypes }: RouterOptions = {}) {
    this.#workers = workers
    this.newId = newId
    this.record = record
    this.id = newId('router')
    const codecs = payloadTypes ? codecsWith(payloadTypes) : routerCodecs
    this.rtpCapabilities = fromMediasoupRtpCapabilities(ortc.generateRouterRtpCapabilities(codecs))
  }

  get closed(): boolean {
    return this.#closed
  }

  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  createTransport({ member, ...options }: TransportOptions): Promise<Transport> {
    if (this.#closed || this.#released) return Promise.reject(closed('meeting'))
    const transport = this.#seat(options, member)
    this.record('createTransport', transport.id)
    return Promise.resolve(transport)
  }

  #seat(options: TransportOptions, member: object = {}): FakeTransport {
    const seat = this.#seats.get(member) ?? { worker: this.#choose(), transports: new Set<FakeTransport>() }
    this.#seats.set(member, seat)
    const transport = new FakeTransport(this, options, seat.worker)
    seat.transports.add(transport)
    this.transports.add(transport)
    return transport
  }

  #choose(): number {
    const { count, placement, routers } = this.#workers
    const loads = Array.from({ length: count }, (_, worker) => {
      const own = { members: this.countOn(worker).members, load: loadOf(this.countOn(worker)) }
      const load = routers.reduce((sum, router) => sum + loadOf(router.countOn(worker)), 0)
      return { load, own: own.members > 0 ? own : undefined }
    })
    return choosePlace(loads, placement)!
  }

  /** Whether the meeting uses this worker; an empty meeting is on the first one. */
  isOn(worker: number): boolean {
    return worker === 0 || [...this.transports].some((transport) => transport.worker === worker)
  }

  /** Counts what the meeting has on one worker. */
  countOn(worker: number): Parameters<typeof loadOf>[0] {
    const counts = { members: 0, producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
    for (const seat of this.#seats.values()) if (seat.worker === worker) counts.members += 1
    for (const transport of this.transports) {
      if (transport.worker !== worker) continue
      counts.producers += transport.producers.size
      counts.consumers += transport.consumers.size
      for (const { consumers } of transport.producers)
        counts.pipesOut += new Set(
          [...consumers].map((each) => each.worker).filter((at) => at !== worker),
        ).size
    }
    const away = [...this.transports]
      .filter((transport) => transport.worker === worker)
      .flatMap((transport) => [...transport.consumers].filter(({ producer }) => producer.worker !== worker))
    counts.pipesIn = new Set(away.map(({ producerId }) => producerId)).size
    return counts
  }

  async openTap({ producerId, rtpCapabilities = {} }: TapOptions): Promise<Tap> {
    const producer = this.producer(producerId)
    const transport = this.#openLocal(
      new FakeTransport(this, { direction: 'receive' }, producer?.worker ?? 0),
    )
    try {
      if (!producer) throw closed('stream')
      return transport.adopt(
        await refusing('stream', () => Promise.resolve(new FakeTap(transport, producer, rtpCapabilities))),
        producer,
      )
    } catch (error) {
      transport.vanish()
      throw error
    }
  }

  async openIngress({ over, member, ...options }: IngressOptions): Promise<Ingress> {
    this.#assertOpen()
    const transport = this.#openLocal(this.#seat({ direction: 'send' }, member))
    try {
      const producer = await transport.produce(options)
      return new FakeIngress(transport, producer, over === 'udp' ? FAKE_INGRESS_PORT : undefined)
    } catch (error) {
      transport.vanish()
      throw error
    }
  }

  #assertOpen(): void {
    if (this.#closed || this.#released) throw closed('meeting')
  }

  #openLocal(transport: FakeTransport): FakeTransport {
    this.#assertOpen()
    this.transports.add(transport)
    this.#local.add(transport)
    return transport
  }

  get load(): number {
    let load = 0
    for (let worker = 0; worker < this.#workers.count; worker++) load += loadOf(this.countOn(worker))
    return load
  }

  listenTo(): () => void {
    return () => undefined
  }

  /** Reports an active speaker, or silence. */
  speak(producerId: string | null): void {
    this.#listeners.emit('activeSpeaker', producerId)
  }

  /** Finds a producer on this router or another one. */
  producer(producerId: string): FakeProducer | undefined {
    for (const router of this.#workers.routers) {
      const found = router.producers.get(producerId)
      if (found) return found
    }
    return undefined
  }

  dataProducer(dataProducerId: string): FakeDataProducer | undefined {
    for (const router of this.#workers.routers) {
      for (const transport of router.transports) {
        const found = transport.dataProducers.get(dataProducerId)
        if (found) return found
      }
    }
    return undefined
  }

  close(): void {
    if (this.#released) return
    this.#released = true
    this.#listeners.clear()
    for (const transport of [...this.#local]) transport.vanish()
    this.#closeIfUnused()
  }

  /** Closes the router with the whole media server. */
  closeAll(): void {
    this.close()
    for (const transport of [...this.transports]) transport.vanish()
  }

  forget(transport: FakeTransport): void {
    this.transports.delete(transport)
    this.#local.delete(transport)
    for (const [member, { transports }] of this.#seats)
      if (transports.delete(transport) && transports.size === 0) this.#seats.delete(member)
    this.#closeIfUnused()
  }

  #closeIfUnused(): void {
    if (this.#closed || !this.#released || this.transports.size > 0) return
    this.#closed = true
    this.record('closeRouter', this.id)
  }

  /** Simulates the death of a worker. */
  lose(worker: number): void {
    for (const transport of [...this.transports]) if (transport.worker === worker) transport.lose()
  }
}
