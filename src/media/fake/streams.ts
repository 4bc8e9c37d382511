import { ortc, type types as mediasoup } from 'mediasoup'
import { Refusal } from '../../protocol/errors.ts'
import type { MediaKind, RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import { Listeners } from '../listeners.ts'
import { clampLayers } from '../mediasoup/consumer.ts'
import {
  fromMediasoupRtpParameters,
  toMediasoupRtpCapabilities,
  toMediasoupRtpParameters,
} from '../mediasoup/convert.ts'
import { closed } from '../refusals.ts'
import type { Consumer, ConsumerEvents, DataOptions, DataProducer, Producer, StreamStats } from '../sfu.ts'

export type NewId = (what: string) => string
export type Record = (method: string, id: string) => void

/** The parts of its transport that a stream needs. */
export interface StreamHost {
  readonly rtpCapabilities: RtpCapabilities
  readonly newId: NewId
  readonly record: Record
  readonly worker: number
  forgetProducer(producer: FakeProducer): void
  forgetConsumer(consumer: FakeConsumer): void
  forgetDataProducer(producer: FakeDataProducer): boolean
}

export class FakeDataProducer implements DataProducer {
  readonly id: string
  readonly sctpStreamParameters: DataOptions['sctpStreamParameters']
  readonly label: string
  readonly protocol: string
  readonly onClose = new Set<() => void>()
  readonly #host: StreamHost

  constructor(host: StreamHost, { sctpStreamParameters, label, protocol }: DataOptions) {
    this.#host = host
    this.id = host.newId('dataProducer')
    this.sctpStreamParameters = sctpStreamParameters
    this.label = label
    this.protocol = protocol
  }

  stats(): Promise<unknown[]> {
    return Promise.resolve([])
  }

  close(): void {
    if (!this.#host.forgetDataProducer(this)) return
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
  keyFramesAsked: 0,
}

export class FakeProducer implements Producer {
  readonly id: string
  readonly kind: MediaKind
  readonly type: Producer['type']
  readonly watchLevel: boolean
  readonly scores: number[] = []
  readonly consumers = new Set<FakeConsumer>()
  readonly keyFrameWanted = new Set<() => void>()
  readonly onClose = new Set<() => void>()
  readonly consumableRtpParameters: mediasoup.RtpParameters
  readonly #host: StreamHost
  #paused = false
  #closed = false

  constructor(
    host: StreamHost,
    {
      kind,
      rtpParameters,
      watchLevel,
    }: { kind: MediaKind; rtpParameters: RtpParameters; watchLevel?: boolean },
  ) {
    const parameters = structuredClone(toMediasoupRtpParameters(rtpParameters))
    if (parameters.codecs[0]?.mimeType.split('/')[0]?.toLowerCase() !== kind) {
      throw new Refusal('INVALID_REQUEST', {
        message: 'The codec does not match the kind of the stream.',
        reason: 'kind',
      })
    }
    ortc.validateAndNormalizeRtpParameters(parameters)
    if (!parameters.encodings?.length) parameters.encodings = [{}]
    const offered = toMediasoupRtpCapabilities(host.rtpCapabilities)
    const mapping = ortc.getProducerRtpParametersMapping(parameters, offered)
    this.consumableRtpParameters = ortc.getConsumableRtpParameters(kind, parameters, offered, mapping)
    this.#host = host
    this.id = host.newId('producer')
    this.kind = kind
    this.type = parameters.encodings.length > 1 ? 'simulcast' : 'simple'
    this.watchLevel = watchLevel ?? false
  }

  get worker(): number {
    return this.#host.worker
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
    this.#host.record('closeProducer', this.id)
    this.vanish()
  }

  /** Closes without a record of its own, because its transport was closed. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#host.forgetProducer(this)
    // As in the real worker, consumers are notified later, never during the call that closed the producer.
    const consumers = [...this.consumers]
    setImmediate(() => {
      for (const told of this.onClose) told()
      for (const consumer of consumers) consumer.producerClosed()
    })
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
  /** The layers set last, clamped. */
  preferredLayers: { spatialLayer: number; temporalLayer?: number } | undefined
  readonly #host: StreamHost
  readonly producer: FakeProducer
  readonly #listeners = new Listeners<ConsumerEvents>()
  #paused = true
  #producerPaused: boolean
  #closed = false

  constructor(host: StreamHost, producer: FakeProducer, rtpCapabilities: RtpCapabilities) {
    // Tests that do not concern codecs may omit the client's capabilities.
    const remoteRtpCapabilities = structuredClone(
      toMediasoupRtpCapabilities(rtpCapabilities.codecs?.length ? rtpCapabilities : host.rtpCapabilities),
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
    this.#host = host
    this.producer = producer
    this.id = host.newId('consumer')
    this.rtpParameters.mid = this.id.slice('consumer-'.length)
    this.producerId = producer.id
    this.kind = producer.kind
    this.type = producer.type
    this.#producerPaused = producer.paused
  }

  get worker(): number {
    return this.#host.worker
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

  /** Emits an event as the worker would. */
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
    return this.#act('requestKeyFrame', () => this.producer.keyFrameWanted.forEach((want) => want()))
  }

  stats(): Promise<StreamStats> {
    return this.#closed ? Promise.reject(closed('consumer')) : Promise.resolve({ ...quietStream })
  }

  close(): void {
    if (this.#closed) return
    this.#host.record('closeConsumer', this.id)
    this.vanish()
  }

  /** Closes without a record of its own, because its transport was closed. */
  vanish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.producer.consumers.delete(this)
    this.#host.forgetConsumer(this)
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
    this.#host.record(method, this.id)
    return Promise.resolve()
  }
}
