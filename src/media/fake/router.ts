import { ortc } from 'mediasoup'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { Listeners } from '../listeners.ts'
import { routerCodecs } from '../mediasoup/codecs.ts'
import { fromMediasoupRtpCapabilities } from '../mediasoup/convert.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Ingress,
  IngressOptions,
  Router,
  RouterEvents,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../sfu.ts'
import { FakeIngress, FakeTap } from './local.ts'
import type { FakeDataProducer, FakeProducer, NewId, Record } from './streams.ts'
import { FakeTransport, type TransportHost } from './transport.ts'

/** Nothing listens there. */
const FAKE_INGRESS_PORT = 41_000

export class FakeRouter implements Router, TransportHost {
  readonly id: string
  readonly rtpCapabilities: RtpCapabilities
  readonly transports = new Set<FakeTransport>()
  readonly producers = new Map<string, FakeProducer>()
  readonly newId: NewId
  readonly record: Record
  readonly #all: readonly FakeRouter[]
  readonly #listeners = new Listeners<RouterEvents>()
  /** Of taps and ingresses. */
  readonly #local = new Set<FakeTransport>()
  #released = false
  #closed = false

  constructor(newId: NewId, record: Record, all: readonly FakeRouter[]) {
    this.#all = all
    this.newId = newId
    this.record = record
    this.id = newId('router')
    this.rtpCapabilities = fromMediasoupRtpCapabilities(ortc.generateRouterRtpCapabilities(routerCodecs))
  }

  get closed(): boolean {
    return this.#closed
  }

  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  createTransport(options: TransportOptions): Promise<Transport> {
    if (this.#closed || this.#released) return Promise.reject(closed('meeting'))
    const transport = new FakeTransport(this, options)
    this.transports.add(transport)
    this.record('createTransport', transport.id)
    return Promise.resolve(transport)
  }

  async openTap({ producerId, rtpCapabilities = {} }: TapOptions): Promise<Tap> {
    const producer = this.producer(producerId)
    const transport = this.#openLocal('receive')
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

  async openIngress({ over, ...options }: IngressOptions): Promise<Ingress> {
    const transport = this.#openLocal('send')
    try {
      const producer = await transport.produce(options)
      return new FakeIngress(producer, over === 'udp' ? FAKE_INGRESS_PORT : undefined)
    } catch (error) {
      transport.vanish()
      throw error
    }
  }

  #openLocal(direction: TransportOptions['direction']): FakeTransport {
    if (this.#closed || this.#released) throw closed('meeting')
    const transport = new FakeTransport(this, { direction })
    this.transports.add(transport)
    this.#local.add(transport)
    return transport
  }

  /** Whatever the capabilities: a producer that is there can be consumed. */
  canConsume(producerId: string, _rtpCapabilities: RtpCapabilities): boolean {
    return this.producer(producerId) !== undefined
  }

  /** As if somebody began, or everybody ceased, to speak. */
  speak(producerId: string | null): void {
    this.#listeners.emit('activeSpeaker', producerId)
  }

  /** On this router or another. */
  producer(producerId: string): FakeProducer | undefined {
    for (const router of this.#all) {
      const found = router.producers.get(producerId)
      if (found) return found
    }
    return undefined
  }

  dataProducer(dataProducerId: string): FakeDataProducer | undefined {
    for (const router of this.#all) {
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

  /** The whole media server ends. */
  closeAll(): void {
    this.close()
    for (const transport of [...this.transports]) transport.vanish()
  }

  forget(transport: FakeTransport): void {
    this.transports.delete(transport)
    this.#local.delete(transport)
    this.#closeIfUnused()
  }

  #closeIfUnused(): void {
    if (this.#closed || !this.#released || this.transports.size > 0) return
    this.#closed = true
    this.record('closeRouter', this.id)
  }

  die(): void {
    if (this.#closed) return
    this.#closed = true
    for (const transport of [...this.transports]) transport.lose()
    this.#listeners.emit('died')
    this.#listeners.clear()
  }
}
