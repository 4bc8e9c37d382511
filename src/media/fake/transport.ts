import { Refusal } from '../../protocol/errors.ts'
import type { DtlsParameters, MediaKind, RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import { Listeners } from '../listeners.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Consumer,
  DataConsumer,
  DataConsumerEvents,
  DataOptions,
  DataProducer,
  Transport,
  TransportEvents,
  TransportLine,
  TransportOptions,
  TransportStats,
} from '../sfu.ts'
import {
  FakeConsumer,
  FakeDataProducer,
  FakeProducer,
  type NewId,
  type Record,
  type StreamHost,
} from './streams.ts'

/** The parts of its router that a transport needs. */
export interface TransportHost {
  readonly rtpCapabilities: RtpCapabilities
  readonly producers: Map<string, FakeProducer>
  readonly newId: NewId
  readonly record: Record
  /** Finds a producer on this router or another one. */
  producer(producerId: string): FakeProducer | undefined
  dataProducer(dataProducerId: string): FakeDataProducer | undefined
  forget(transport: FakeTransport): void
}

const fakeFingerprint = {
  algorithm: 'sha-256',
  value: Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0').toUpperCase()).join(
    ':',
  ),
}

export class FakeTransport implements Transport, StreamHost {
  readonly id: string
  readonly options: TransportOptions
  readonly iceParameters
  readonly iceCandidates
  readonly dtlsParameters: DtlsParameters
  readonly sctpParameters?: { port: number; OS: number; MIS: number; maxMessageSize: number }
  readonly router: TransportHost
  readonly dataProducers = new Map<string, FakeDataProducer>()
  readonly worker: number
  readonly producers = new Set<FakeProducer>()
  readonly consumers = new Set<FakeConsumer>()
  readonly #listeners = new Listeners<TransportEvents>()
  #connected = false
  #closed = false
  #restarts = 0

  constructor(router: TransportHost, options: TransportOptions, worker: number) {
    this.router = router
    this.worker = worker
    this.options = options
    this.id = router.newId('transport')
    this.iceParameters = this.#iceParameters()
    const candidate = {
      foundation: 'udpcandidate',
      ip: '127.0.0.1',
      address: '127.0.0.1',
      port: 40000,
      type: 'host',
    }
    this.iceCandidates = [
      { ...candidate, priority: 1076302079, protocol: 'udp' as const },
      {
        ...candidate,
        foundation: 'tcpcandidate',
        priority: 1076276479,
        protocol: 'tcp' as const,
        tcpType: 'passive',
      },
    ].filter(({ protocol }) => options.preferredProtocol !== (protocol === 'udp' ? 'TCP_ONLY' : 'UDP_ONLY'))
    this.dtlsParameters = { role: 'auto', fingerprints: [fakeFingerprint] }
    if (options.sctpCapabilities) {
      this.sctpParameters = { port: 5000, OS: 65535, MIS: 65535, maxMessageSize: 262144 }
    }
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.router.rtpCapabilities
  }

  get newId(): NewId {
    return this.router.newId
  }

  get record(): Record {
    return this.router.record
  }

  get connected(): boolean {
    return this.#connected
  }

  get closed(): boolean {
    return this.#closed
  }

  get line(): TransportLine {
    if (this.#closed) return { ice: 'closed', dtls: 'closed', selectedPair: null }
    if (!this.#connected) return { ice: 'new', dtls: 'new', selectedPair: null }
    return {
      ice: 'completed',
      dtls: 'connected',
      selectedPair: {
        protocol: 'udp',
        localAddress: '127.0.0.1',
        localPort: 40000,
        remoteAddress: '127.0.0.1',
        remotePort: 50000,
      },
    }
  }

  on<E extends keyof TransportEvents>(event: E, listener: TransportEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  connect(_dtlsParameters: DtlsParameters): Promise<void> {
    if (this.#closed) return Promise.reject(closed('transport'))
    if (this.#connected) return Promise.reject(new Refusal('INVALID_STATE', { reason: 'worker' }))
    this.#connected = true
    this.router.record('connect', this.id)
    return Promise.resolve()
  }

  restartIce(): Promise<FakeTransport['iceParameters']> {
    if (this.#closed) return Promise.reject(closed('transport'))
    this.#restarts++
    this.router.record('restartIce', this.id)
    return Promise.resolve(this.#iceParameters())
  }

  async produce(options: {
    kind: MediaKind
    rtpParameters: RtpParameters
    watchLevel?: boolean
  }): Promise<FakeProducer> {
    this.#wants('send')
    const producer = await refusing('producer', () => Promise.resolve(new FakeProducer(this, options)))
    this.producers.add(producer)
    this.router.producers.set(producer.id, producer)
    this.router.record('produce', producer.id)
    return producer
  }

  async consume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<Consumer> {
    this.#wants('receive')
    const producer = this.router.producer(options.producerId)
    if (!producer) throw closed('stream')
    const consumer = await refusing('stream', () =>
      Promise.resolve(new FakeConsumer(this, producer, options.rtpCapabilities)),
    )
    return this.adopt(consumer, producer)
  }

  adopt<C extends FakeConsumer>(consumer: C, producer: FakeProducer): C {
    this.consumers.add(consumer)
    producer.consumers.add(consumer)
    this.router.record('consume', consumer.id)
    return consumer
  }

  produceData(options: DataOptions): Promise<DataProducer> {
    return refusing('data producer', () => Promise.resolve(this.#produceData(options)))
  }

  #produceData(options: DataOptions): DataProducer {
    this.#wants('send')
    this.#wantsSctp()
    const producer = new FakeDataProducer(this, options)
    this.dataProducers.set(producer.id, producer)
    this.router.record('produceData', producer.id)
    return producer
  }

  consumeData({ dataProducerId }: { dataProducerId: string }): Promise<DataConsumer> {
    this.#wants('receive')
    this.#wantsSctp()
    const producer = this.router.dataProducer(dataProducerId)
    if (!producer) throw closed('data stream')
    const id = this.router.newId('dataConsumer')
    this.router.record('consumeData', id)
    const listeners = new Listeners<DataConsumerEvents>()
    producer.onClose.add(() => listeners.emit('producerClosed'))
    const { sctpStreamParameters, label, protocol } = producer
    return Promise.resolve({
      id,
      dataProducerId,
      sctpStreamParameters,
      label,
      protocol,
      on: (event, listener) => listeners.on(event, listener),
      stats: () => Promise.resolve([]),
      close: () => listeners.clear(),
    })
  }

  stats(): Promise<TransportStats> {
    if (this.#closed) return Promise.reject(closed('transport'))
    return Promise.resolve({
      receiveBitrate: 0,
      receiveBytes: 0,
      sendBitrate: 0,
      sendBytes: 0,
      lostReceiving: null,
      lostSending: null,
      availableBitrate: null,
    })
  }

  close(): void {
    if (this.#closed) return
    this.router.record('closeTransport', this.id)
    this.vanish()
  }

  /** Closes without a record of its own, because its router was closed. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    for (const producer of [...this.dataProducers.values()]) producer.close()
    for (const consumer of this.consumers) consumer.vanish()
    for (const producer of this.producers) producer.vanish()
    this.router.forget(this)
  }

  /** Closes because its worker died. */
  lose(): void {
    if (this.#closed) return
    this.vanish()
    this.#listeners.emit('lost')
  }

  forgetProducer(producer: FakeProducer): void {
    this.producers.delete(producer)
    this.router.producers.delete(producer.id)
  }

  forgetConsumer(consumer: FakeConsumer): void {
    this.consumers.delete(consumer)
  }

  forgetDataProducer({ id }: FakeDataProducer): boolean {
    return this.dataProducers.delete(id)
  }

  #iceParameters(): { usernameFragment: string; password: string; iceLite: boolean } {
    return { usernameFragment: `${this.id}-${this.#restarts}`, password: 'f'.repeat(24), iceLite: true }
  }

  #wantsSctp(): void {
    if (!this.sctpParameters) throw new Refusal('INVALID_REQUEST', { reason: 'sctp' })
  }

  #wants(direction: TransportOptions['direction']): void {
    if (this.#closed) throw closed('transport')
    if (this.options.direction !== direction) {
      throw new Refusal('INVALID_REQUEST', {
        message: 'The transport is for the other direction.',
        reason: 'direction',
      })
    }
  }
}
