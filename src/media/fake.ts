/**
 * A media server in memory, for tests that need no worker: the same interface, the same refusals and the same events,
 * but no packet ever moves. Parameters are negotiated by mediasoup's own rules, which are plain functions.
 */
import { ortc, type types as mediasoup } from 'mediasoup'
import { Refusal } from '../protocol/errors.ts'
import type { DtlsParameters, MediaKind, RtpCapabilities, RtpParameters } from '../protocol/media.ts'
import { routerCodecs } from './mediasoup/codecs.ts'
import { clampLayers } from './mediasoup/consumer.ts'
import {
  fromMediasoupRtpCapabilities,
  fromMediasoupRtpParameters,
  toMediasoupRtpCapabilities,
  toMediasoupRtpParameters,
} from './mediasoup/convert.ts'
import { Listeners } from './listeners.ts'
import { closed, refusing } from './refusals.ts'
import type {
  Consumer,
  ConsumerEvents,
  DataConsumer,
  DataConsumerEvents,
  DataOptions,
  DataProducer,
  Producer,
  Router,
  RouterEvents,
  Sfu,
  Transport,
  TransportEvents,
  TransportLine,
  TransportOptions,
  StreamStats,
  TransportStats,
} from './sfu.ts'

/** One call that changed something, in order: `produce`, with the id of what it was called on or made. */
export interface FakeCall {
  method: string
  id: string
}

export interface FakeSfu extends Sfu {
  /** Every router opened, closed ones included. */
  readonly routers: FakeRouter[]
  readonly calls: FakeCall[]
  /** The worker dies: open routers emit `died`, and all that was made from them is gone. */
  kill(): void
}

/** @param options.unavailable makes it a media server that is off, with this sentence */
export function createFakeSfu(options: { unavailable?: string } = {}): FakeSfu {
  const routers: FakeRouter[] = []
  const calls: FakeCall[] = []
  const { unavailable } = options
  const numbers = new Map<string, number>()
  const record = (method: string, id: string): void => void calls.push({ method, id })
  const newId = (what: string): string => {
    const number = (numbers.get(what) ?? 0) + 1
    numbers.set(what, number)
    return `${what}-${number}`
  }
  let isClosed = false
  return {
    routers,
    calls,
    status:
      unavailable === undefined
        ? { available: true, ports: [40000], workers: 1, tried: true }
        : { available: false, reason: unavailable, isComing: false },
    openRouter() {
      if (unavailable !== undefined) {
        return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { message: unavailable }))
      }
      if (isClosed) return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }))
      const router = new FakeRouter(newId, record, routers)
      routers.push(router)
      record('openRouter', router.id)
      return Promise.resolve(router)
    },
    usage() {
      const open = routers.filter(({ closed: gone }) => !gone).length
      const there = unavailable === undefined && !isClosed
      return Promise.resolve(there ? [{ index: 0, cpuSeconds: 0, routers: open }] : [])
    },
    close() {
      isClosed = true
      for (const router of routers) router.closeAll()
      return Promise.resolve()
    },
    kill() {
      // Those that are opened in their place live.
      for (const router of [...routers]) router.die()
    },
  }
}

type NewId = (what: string) => string
type Record = (method: string, id: string) => void

export class FakeRouter implements Router {
  readonly id: string
  readonly rtpCapabilities: RtpCapabilities
  readonly transports = new Set<FakeTransport>()
  readonly producers = new Map<string, FakeProducer>()
  readonly newId: NewId
  readonly record: Record
  readonly #all: readonly FakeRouter[]
  readonly #listeners = new Listeners<RouterEvents>()
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
    this.closeIfUnused()
  }

  /** The whole media server ends. */
  closeAll(): void {
    this.close()
    for (const transport of [...this.transports]) transport.vanish()
  }

  closeIfUnused(): void {
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

export class FakeTransport implements Transport {
  readonly id: string
  readonly options: TransportOptions
  readonly iceParameters
  readonly iceCandidates
  readonly dtlsParameters: DtlsParameters
  readonly sctpParameters?: { port: number; OS: number; MIS: number; maxMessageSize: number }
  readonly router: FakeRouter
  readonly dataProducers = new Map<string, FakeDataProducer>()
  readonly #producers = new Set<FakeProducer>()
  readonly #consumers = new Set<FakeConsumer>()
  readonly #listeners = new Listeners<TransportEvents>()
  #connected = false
  #closed = false
  #restarts = 0

  constructor(router: FakeRouter, options: TransportOptions) {
    this.router = router
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
  }): Promise<Producer> {
    this.#wants('send')
    const producer = await refusing('producer', () => Promise.resolve(new FakeProducer(this, options)))
    this.#producers.add(producer)
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
    this.#consumers.add(consumer)
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
    return Promise.resolve({ receiveBitrate: 0, receiveBytes: 0, sendBitrate: 0, sendBytes: 0 })
  }

  close(): void {
    if (this.#closed) return
    this.router.record('closeTransport', this.id)
    this.vanish()
  }

  /** Closes it without a record: its router did. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    this.router.transports.delete(this)
    for (const producer of [...this.dataProducers.values()]) producer.close()
    for (const consumer of this.#consumers) consumer.vanish()
    for (const producer of this.#producers) producer.vanish()
    this.router.closeIfUnused()
  }

  /** Its worker died. */
  lose(): void {
    this.vanish()
    this.#listeners.emit('lost')
  }

  forgetProducer(producer: FakeProducer): void {
    this.#producers.delete(producer)
    this.router.producers.delete(producer.id)
  }

  forgetConsumer(consumer: FakeConsumer): void {
    this.#consumers.delete(consumer)
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

export class FakeDataProducer implements DataProducer {
  readonly id: string
  readonly sctpStreamParameters: DataOptions['sctpStreamParameters']
  readonly label: string
  readonly protocol: string
  readonly onClose = new Set<() => void>()
  readonly #transport: FakeTransport

  constructor(transport: FakeTransport, { sctpStreamParameters, label, protocol }: DataOptions) {
    this.#transport = transport
    this.id = transport.router.newId('dataProducer')
    this.sctpStreamParameters = sctpStreamParameters
    this.label = label
    this.protocol = protocol
  }

  stats(): Promise<unknown[]> {
    return Promise.resolve([])
  }

  close(): void {
    if (!this.#transport.dataProducers.delete(this.id)) return
    for (const told of this.onClose) setImmediate(told)
  }
}

const quietStream: StreamStats = {
  bitrate: 0,
  packets: 0,
  packetsLost: 0,
  jitterMs: 0,
  roundTripMs: null,
  activeEncodings: 0,
}

export class FakeProducer implements Producer {
  readonly id: string
  readonly kind: MediaKind
  readonly type: Producer['type']
  readonly watchLevel: boolean
  readonly scores: number[] = []
  readonly consumers = new Set<FakeConsumer>()
  readonly consumableRtpParameters: mediasoup.RtpParameters
  readonly #transport: FakeTransport
  #paused = false
  #closed = false

  constructor(
    transport: FakeTransport,
    {
      kind,
      rtpParameters,
      watchLevel,
    }: { kind: MediaKind; rtpParameters: RtpParameters; watchLevel?: boolean },
  ) {
    const parameters = structuredClone(toMediasoupRtpParameters(rtpParameters))
    if (parameters.codecs[0]?.mimeType.split('/')[0]?.toLowerCase() !== kind) {
      throw new Refusal('INVALID_REQUEST', { message: 'The codec is not of the kind given.', reason: 'kind' })
    }
    ortc.validateAndNormalizeRtpParameters(parameters)
    if (!parameters.encodings?.length) parameters.encodings = [{}]
    const offered = toMediasoupRtpCapabilities(transport.router.rtpCapabilities)
    const mapping = ortc.getProducerRtpParametersMapping(parameters, offered)
    this.consumableRtpParameters = ortc.getConsumableRtpParameters(kind, parameters, offered, mapping)
    this.#transport = transport
    this.id = transport.router.newId('producer')
    this.kind = kind
    this.type = parameters.encodings.length > 1 ? 'simulcast' : 'simple'
    this.watchLevel = watchLevel ?? false
  }

  get paused(): boolean {
    return this.#paused
  }

  get closed(): boolean {
    return this.#closed
  }

  pause(): Promise<void> {
    return this.#setPaused(true)
  }

  resume(): Promise<void> {
    return this.#setPaused(false)
  }

  stats(): Promise<StreamStats> {
    return this.#closed ? Promise.reject(closed('producer')) : Promise.resolve({ ...quietStream })
  }

  close(): void {
    if (this.#closed) return
    this.#transport.router.record('closeProducer', this.id)
    this.vanish()
  }

  /** Closes it without a record: its transport did. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#transport.forgetProducer(this)
    // The worker tells of it later, never in the middle of the call that closed it.
    const consumers = [...this.consumers]
    if (!this.#transport.router.closed)
      setImmediate(() => consumers.forEach((consumer) => consumer.producerClosed()))
  }

  #setPaused(paused: boolean): Promise<void> {
    if (this.#closed) return Promise.reject(closed('producer'))
    if (this.#paused === paused) return Promise.resolve()
    this.#paused = paused
    const consumers = [...this.consumers]
    setImmediate(() => consumers.forEach((consumer) => consumer.producerPauseChanged(paused)))
    return Promise.resolve()
  }
}

export class FakeConsumer implements Consumer {
  readonly id: string
  readonly producerId: string
  readonly kind: MediaKind
  readonly type: Consumer['type']
  readonly rtpParameters: RtpParameters
  readonly scores = { score: 10, producerScore: 10 }
  readonly layers = null
  /** What was set last, clamped. */
  preferredLayers: { spatialLayer: number; temporalLayer?: number } | undefined
  readonly #transport: FakeTransport
  readonly #producer: FakeProducer
  readonly #listeners = new Listeners<ConsumerEvents>()
  #paused = true
  #producerPaused: boolean
  #closed = false

  constructor(transport: FakeTransport, producer: FakeProducer, rtpCapabilities: RtpCapabilities) {
    // Tests that are not about codecs may leave the client's capabilities out.
    const remoteRtpCapabilities = structuredClone(
      toMediasoupRtpCapabilities(
        rtpCapabilities.codecs?.length ? rtpCapabilities : transport.router.rtpCapabilities,
      ),
    )
    ortc.validateAndNormalizeRtpCapabilities(remoteRtpCapabilities)
    this.rtpParameters = fromMediasoupRtpParameters(
      ortc.getConsumerRtpParameters({
        consumableRtpParameters: producer.consumableRtpParameters,
        remoteRtpCapabilities,
        pipe: false,
        enableRtx: producer.kind === 'video',
      }),
    )
    this.#transport = transport
    this.#producer = producer
    this.id = transport.router.newId('consumer')
    this.rtpParameters.mid = this.id.slice('consumer-'.length)
    this.producerId = producer.id
    this.kind = producer.kind
    this.type = producer.type
    this.#producerPaused = producer.paused
  }

  get paused(): boolean {
    return this.#paused
  }

  get producerPaused(): boolean {
    return this.#producerPaused
  }

  get closed(): boolean {
    return this.#closed
  }

  on<E extends keyof ConsumerEvents>(event: E, listener: ConsumerEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  /** As if the worker had said so. */
  emit<E extends keyof ConsumerEvents>(event: E, ...args: Parameters<ConsumerEvents[E]>): void {
    this.#listeners.emit(event, ...args)
  }

  pause(): Promise<void> {
    return this.#act('pauseConsumer', () => (this.#paused = true))
  }

  resume(): Promise<void> {
    return this.#act('resumeConsumer', () => (this.#paused = false))
  }

  setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
    if (this.type === 'simple') return Promise.resolve()
    const mode = this.rtpParameters.encodings?.[0]?.scalabilityMode as string | undefined
    return this.#act('setPreferredLayers', () => (this.preferredLayers = clampLayers(layers, mode)))
  }

  setPriority(_priority: number): Promise<void> {
    return this.#act('setPriority', () => undefined)
  }

  requestKeyFrame(): Promise<void> {
    return this.#act('requestKeyFrame', () => undefined)
  }

  stats(): Promise<StreamStats> {
    return this.#closed ? Promise.reject(closed('consumer')) : Promise.resolve({ ...quietStream })
  }

  close(): void {
    if (this.#closed) return
    this.#transport.router.record('closeConsumer', this.id)
    this.vanish()
  }

  /** Closes it without a record: its transport did. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#producer.consumers.delete(this)
    this.#transport.forgetConsumer(this)
  }

  producerClosed(): void {
    if (this.#closed) return
    this.#listeners.emit('producerClosed')
    this.vanish()
  }

  producerPauseChanged(paused: boolean): void {
    if (this.#closed) return
    this.#producerPaused = paused
    this.#listeners.emit(paused ? 'producerPaused' : 'producerResumed')
  }

  #act(method: string, change: () => void): Promise<void> {
    if (this.#closed) return Promise.reject(closed('consumer'))
    change()
    this.#transport.router.record(method, this.id)
    return Promise.resolve()
  }
}

const fakeFingerprint = {
  algorithm: 'sha-256',
  value: Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0').toUpperCase()).join(
    ':',
  ),
}

/** DTLS parameters as a browser sends them. */
export function sampleDtlsParameters(): DtlsParameters {
  return { role: 'client', fingerprints: [{ ...fakeFingerprint }] }
}

/** Parameters as mediasoup-client sends them: a microphone, or a VP8 camera of so many simulcast layers. */
export function sampleRtpParameters(
  kind: MediaKind,
  options: { layers?: number; ssrc?: number } = {},
): RtpParameters {
  const { layers = 1, ssrc = kind === 'audio' ? 1111 : 2222 } = options
  if (kind === 'audio') {
    return {
      mid: '0',
      codecs: [
        {
          mimeType: 'audio/opus',
          payloadType: 111,
          clockRate: 48000,
          channels: 2,
          parameters: { useinbandfec: 1, usedtx: 1 },
          rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
        },
      ],
      headerExtensions: [
        { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} },
        { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1, encrypt: false, parameters: {} },
      ],
      encodings: [{ ssrc, dtx: false }],
      rtcp: { cname: 'sample', reducedSize: true },
    }
  }
  return {
    mid: '1',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90000,
        parameters: {},
        rtcpFeedback: [
          { type: 'nack', parameter: '' },
          { type: 'nack', parameter: 'pli' },
          { type: 'ccm', parameter: 'fir' },
          { type: 'transport-cc', parameter: '' },
        ],
      },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90000, parameters: { apt: 96 }, rtcpFeedback: [] },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} },
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 10, encrypt: false, parameters: {} },
    ],
    encodings:
      layers === 1
        ? [{ ssrc, rtx: { ssrc: ssrc + 1 }, dtx: false }]
        : Array.from({ length: layers }, (_, layer) => ({
            rid: `r${layer}`,
            scalabilityMode: 'L1T3',
            maxBitrate: 150_000 * 4 ** layer,
            dtx: false,
          })),
    rtcp: { cname: 'sample', reducedSize: true },
  }
}
