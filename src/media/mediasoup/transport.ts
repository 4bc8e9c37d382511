import type { types as mediasoup } from 'mediasoup'
import { Refusal } from '../../protocol/errors.ts'
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  SctpParameters,
} from '../../protocol/media.ts'
import { firstSpatialLayer, MediasoupConsumer } from './consumer.ts'
import { DownlinkControl } from './downlink.ts'
import {
  fromMediasoupTransport,
  toMediasoupDtlsParameters,
  toMediasoupRtpCapabilities,
  toMediasoupRtpParameters,
} from './convert.ts'
import type { MediaLog } from '../log.ts'
import { Listeners } from '../listeners.ts'
import { MediasoupProducer } from './producer.ts'
import type { SharedWay } from './shared-port.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Consumer,
  DataConsumer,
  DataConsumerEvents,
  DataOptions,
  DataProducer,
  Producer,
  Transport,
  TransportEvents,
  TransportLine,
  TransportOptions,
  TransportStats,
} from '../sfu.ts'

/**
 * How soon after a key frame request the worker sends the next one. A browser ignores a request within 300 ms of the
 * last one, and the worker would repeat it only after a second: a client that starts to watch shortly after another one
 * would wait that long.
 */
const KEY_FRAME_INTERVAL_MS = 350

/** The parts of its router that a transport needs. */
export interface TransportHost {
  readonly log: MediaLog | undefined
  /** Registers a new producer. `watchLevel`: it counts for the active speaker. */
  register(producer: mediasoup.Producer | mediasoup.DataProducer, watchLevel: boolean): void
  /** The index of the worker, from 0. */
  readonly worker: number
  /** Makes a producer available on this router; call it before consuming. @throws mediasoup's errors */
  bring(producerId: string): Promise<Brought>
}

/** A producer of any router, available on this one. */
export interface Brought {
  /** The id of the producer on this router. */
  readonly id: string
  /** Keeps the producer available here until this consumer closes. */
  hold(consumer: mediasoup.Consumer | mediasoup.DataConsumer): void
}

/** A client's media connection. `produce` and `consume` use only what mediasoup's transports have in common. */
export class MediasoupTransport implements Transport {
  readonly id: string
  readonly iceParameters: IceParameters
  readonly iceCandidates: IceCandidate[]
  readonly dtlsParameters: DtlsParameters
  readonly sctpParameters?: SctpParameters
  readonly #transport: mediasoup.WebRtcTransport
  readonly #direction: TransportOptions['direction']
  readonly #host: TransportHost
  readonly #shared: SharedWay | undefined
  readonly #listeners: Listeners<TransportEvents>
  readonly #downlink: DownlinkControl | undefined

  constructor(
    transport: mediasoup.WebRtcTransport,
    direction: TransportOptions['direction'],
    host: TransportHost,
    shared?: SharedWay,
  ) {
    this.#transport = transport
    this.#shared = shared
    shared?.lead(transport)
    this.#direction = direction
    this.#host = host
    this.id = transport.id
    const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = fromMediasoupTransport(transport)
    this.iceParameters = iceParameters
    this.iceCandidates = shared ? shared.withShared(iceCandidates) : iceCandidates
    this.dtlsParameters = dtlsParameters
    if (sctpParameters) this.sctpParameters = sctpParameters
    this.#listeners = new Listeners(host.log)
    if (direction === 'receive') this.#downlink = new DownlinkControl(transport)
    const changed = (): void => this.#listeners.emit('line')
    transport.on('icestatechange', changed)
    transport.on('dtlsstatechange', changed)
    transport.on('routerclose', () => {
      this.#listeners.emit('lost')
      this.#listeners.clear()
    })
  }

  get worker(): number {
    return this.#host.worker
  }

  get line(): TransportLine {
    const { iceState: ice, dtlsState: dtls, iceSelectedTuple: pair } = this.#transport
    return {
      ice,
      dtls,
      selectedPair: pair
        ? {
            protocol: pair.protocol,
            localAddress: pair.localAddress,
            localPort: pair.localPort,
            remoteAddress: pair.remoteIp ?? null,
            remotePort: pair.remotePort ?? null,
          }
        : null,
    }
  }

  on<E extends keyof TransportEvents>(event: E, listener: TransportEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  async connect(dtlsParameters: DtlsParameters): Promise<void> {
    await refusing(
      'transport',
      () => this.#transport.connect({ dtlsParameters: toMediasoupDtlsParameters(dtlsParameters) }),
      'INVALID_STATE',
    )
  }

  async restartIce(): Promise<IceParameters> {
    const parameters = await refusing('transport', () => this.#transport.restartIce())
    this.#shared?.renewed(this.#transport)
    return parameters
  }

  async produce(options: {
    kind: MediaKind
    rtpParameters: RtpParameters
    watchLevel?: boolean
  }): Promise<Producer> {
    this.#wants('send')
    return await produceOn(this.#transport, this.#host, options)
  }

  async consume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<Consumer> {
    this.#wants('receive')
    const consumer = await makeConsumer(this.#transport, this.#host, options)
    this.#downlink?.add(consumer)
    return new MediasoupConsumer(consumer, options.producerId, this.#host.log)
  }

  async produceData({ sctpStreamParameters, label, protocol }: DataOptions): Promise<DataProducer> {
    this.#wants('send')
    this.#wantsSctp()
    const producer = await refusing(
      'data producer',
      () => this.#transport.produceData({ sctpStreamParameters, label, protocol }),
      'INVALID_REQUEST',
    )
    this.#host.register(producer, false)
    return asDataProducer(producer)
  }

  async consumeData({ dataProducerId }: { dataProducerId: string }): Promise<DataConsumer> {
    this.#wants('receive')
    this.#wantsSctp()
    const consumer = await refusing(
      'data stream',
      async () => {
        const brought = await this.#host.bring(dataProducerId)
        const consumer = await this.#transport.consumeData({ dataProducerId: brought.id })
        brought.hold(consumer)
        return consumer
      },
      'CREATE_CONSUMER_FAILED',
    )
    const listeners = new Listeners<DataConsumerEvents>(this.#host.log)
    consumer.on('dataproducerclose', () => {
      listeners.emit('producerClosed')
      listeners.clear()
    })
    return {
      ...asDataProducer(consumer),
      dataProducerId,
      on: (event, listener) => listeners.on(event, listener),
      close: () => {
        listeners.clear()
        consumer.close()
      },
    }
  }

  async stats(): Promise<TransportStats> {
    const [stats] = await refusing('transport', () => this.#transport.getStats())
    return {
      receiveBitrate: stats?.recvBitrate ?? 0,
      receiveBytes: stats?.bytesReceived ?? 0,
      sendBitrate: stats?.sendBitrate ?? 0,
      sendBytes: stats?.bytesSent ?? 0,
      lostReceiving: stats?.rtpPacketLossReceived ?? null,
      lostSending: stats?.rtpPacketLossSent ?? null,
      availableBitrate: stats?.availableOutgoingBitrate ?? null,
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#transport.close()
  }

  #wantsSctp(): void {
    if (this.sctpParameters) return
    throw new Refusal('INVALID_REQUEST', {
      message: 'The transport was created without data channels.',
      reason: 'sctp',
    })
  }

  #wants(direction: TransportOptions['direction']): void {
    if (this.#direction === direction) return
    throw new Refusal('INVALID_REQUEST', {
      message: 'The transport is for the other direction.',
      reason: 'direction',
    })
  }
}

/** `Transport.produce` for any of mediasoup's transports. */
export async function produceOn(...call: Parameters<typeof makeProducer>): Promise<Producer> {
  return new MediasoupProducer(await makeProducer(...call))
}

/** `Transport.consume` for any of mediasoup's transports. */
export async function consumeOn(...call: Parameters<typeof makeConsumer>): Promise<Consumer> {
  const [, host, { producerId }] = call
  return new MediasoupConsumer(await makeConsumer(...call), producerId, host.log)
}

export async function makeProducer(
  transport: mediasoup.Transport,
  host: TransportHost,
  options: { kind: MediaKind; rtpParameters: RtpParameters; watchLevel?: boolean },
): Promise<mediasoup.Producer> {
  const { kind } = options
  const rtpParameters = toMediasoupRtpParameters(options.rtpParameters)
  const media = rtpParameters.codecs[0]?.mimeType.split('/')[0]?.toLowerCase()
  if (media !== kind) {
    throw new Refusal('INVALID_REQUEST', {
      message: 'The codec does not match the kind of the stream.',
      reason: 'kind',
    })
  }
  // All input comes from the client, so an error of the worker is the client's fault.
  const producer = await refusing(
    'producer',
    () => transport.produce({ kind, rtpParameters, keyFrameRequestDelay: KEY_FRAME_INTERVAL_MS }),
    'INVALID_REQUEST',
  )
  if (transport.closed) {
    // The transport closed before the worker answered, so mediasoup does not close this producer.
    producer.close()
    throw closed('transport')
  }
  host.register(producer, options.watchLevel === true && kind === 'audio')
  return producer
}

export async function makeConsumer(
  transport: mediasoup.Transport,
  host: TransportHost,
  options: { producerId: string; rtpCapabilities: RtpCapabilities },
): Promise<mediasoup.Consumer> {
  const [consumer, brought] = await refusing(
    'stream',
    async () => {
      const brought = await host.bring(options.producerId)
      const consumer = await transport.consume({
        producerId: brought.id,
        rtpCapabilities: toMediasoupRtpCapabilities(options.rtpCapabilities),
        paused: true,
        preferredLayers: { spatialLayer: firstSpatialLayer },
      })
      return [consumer, brought] as const
    },
    'CREATE_CONSUMER_FAILED',
  )
  if (transport.closed) {
    consumer.close()
    throw closed('transport')
  }
  brought.hold(consumer)
  return consumer
}

function asDataProducer(made: mediasoup.DataProducer | mediasoup.DataConsumer): DataProducer {
  const { id, label, protocol } = made
  return {
    id,
    label,
    protocol,
    sctpStreamParameters: made.sctpStreamParameters!,
    stats: () => refusing<unknown[]>('data stream', () => made.getStats()),
    close: () => made.close(),
  }
}
