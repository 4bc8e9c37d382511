/**
 * What a meeting needs of the media server, in the field's words. Parameters of RTP, ICE and DTLS pass through as the
 * clients send them (contract, signalling §3); their shapes are `protocol/media.ts`.
 * Errors are `Refusal`s: bad parameters from a client are CODEC_NOT_SUPPORTED or INVALID_REQUEST and harm nobody else.
 */
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  PreferredProtocol,
  RtpCapabilities,
  RtpParameters,
  SctpCapabilities,
  SctpParameters,
  SctpStreamParameters,
} from '../protocol/media.ts'

export interface Sfu {
  /** Whether media works at this moment. */
  readonly status: MediaStatus
  /** For one meeting. Refuses with MEDIA_UNAVAILABLE. */
  openRouter(): Promise<Router>
  /** Of each worker that runs; one that is being replaced is missing. */
  usage(): Promise<WorkerUsage[]>
  close(): Promise<void>
}

export type MediaStatus =
  | {
      available: true
      /** One for each worker, also for one that is being replaced. */
      ports: number[]
      /** How many run. */
      workers: number
      /** Whether the server reached its workers at every address that clients are told; it cannot where that is not its own. */
      tried: boolean
    }
  | {
      available: false
      /** One sentence that says why and what to do. */
      reason: string
      /** A worker died just now and its replacement is on its way: `openRouter` waits for it. */
      isComing: boolean
      /** Its worker is being fetched or built; media switches on by itself. */
      preparing?: Preparing
    }

/** How far that is. */
export interface Preparing {
  done: number
  /** 0 while it is not known how much there is to do. */
  total: number
  secondsLeft: number | null
}

export interface WorkerUsage {
  /** In the order of `ports`, from 0. */
  index: number
  /** Where it takes and sends media. */
  port: number
  /** Of processor time, since the worker's start. */
  cpuSeconds: number
  /** Meetings that have something on it. */
  routers: number
  /** Members of meetings whose transports are on it. */
  members: number
  producers: number
  consumers: number
  /** Streams that come in from other workers, and that go out to them. */
  pipesIn: number
  pipesOut: number
  /** That reached its sockets and were dropped, as it was too slow to read them; undefined where the system does not tell. */
  droppedDatagrams?: number | undefined
}

export interface RouterEvents {
  /** Loudest producer's id, or null in silence. */
  activeSpeaker: (producerId: string | null) => void
}

/**
 * The media of one meeting, on one worker or on several. What is made from it is lost when the worker that it is on dies,
 * and says so; the router goes on.
 */
export interface Router {
  readonly rtpCapabilities: RtpCapabilities
  /** Resolves when a worker is there for the meeting. Refuses with MEDIA_UNAVAILABLE. */
  ready(): Promise<void>
  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void
  /** `send`: the client sends media in on it; the other kind only receives. */
  createTransport(options: TransportOptions): Promise<Transport>
  /** Whatever router the producer is on. */
  canConsume(producerId: string, rtpCapabilities: RtpCapabilities): boolean
  /**
   * Takes the RTP of a producer, on whatever router it is, out to a program on this machine. Starts paused. It is gone with the
   * producer (`producerClosed`), whose worker it is on, and with this router.
   * @throws {Refusal} CREATE_CONSUMER_FAILED
   */
  openTap(options: TapOptions): Promise<Tap>
  /**
   * Brings RTP of a program on this machine in, as a producer like any other. It is gone with this router.
   * @throws {Refusal} CODEC_NOT_SUPPORTED, INVALID_REQUEST
   */
  openIngress(options: IngressOptions): Promise<Ingress>
  /** Idempotent; it goes when the last transport made from it is closed, as that may be in use by another meeting. */
  close(): void
}

export interface TapOptions {
  producerId: string
  /** What the program can decode; all that the router offers by default. */
  rtpCapabilities?: RtpCapabilities
  /**
   * UDP ports of 127.0.0.1 to send RTP and RTCP to; RTCP goes to the port of RTP (RFC 5761) unless it has one of its own. Without
   * it each packet goes to `onPacket`.
   */
  to?: { port: number; rtcpPort?: number }
}

/** The stream as a client would receive it, without retransmissions; `rtpParameters` describe it. */
export interface Tap extends Consumer {
  /**
   * Hears each RTP packet (RFC 3550, section 5.1) in the order of arrival, until the tap is closed. A header extension is to be
   * skipped, not read. The listener holds up this process while it runs; it is never called where the tap sends to a port.
   */
  onPacket(listener: (packet: Buffer) => void): void
}

export interface IngressOptions {
  kind: MediaKind
  /** Of what will be sent: codec, payload type and SSRC; for video also how it is asked for a key frame (`nack pli`). */
  rtpParameters: RtpParameters
  /** Takes part in the choice of the active speaker; false by default. */
  watchLevel?: boolean
  /** `udp`: at `Ingress.port`, from the first address that sends there. `call`, the default: by `Ingress.send`. */
  over?: 'udp' | 'call'
  /** Who sends; see `TransportOptions`. */
  member?: object
}

export interface IngressEvents {
  /** It is gone: closed, or with its router or worker. */
  closed: () => void
  /** The worker behind it died. */
  lost: () => void
  /** Somebody needs a key frame. A program that sends over UDP is asked by RTCP (RFC 4585) and not here. */
  keyFrameWanted: () => void
}

export interface Ingress {
  readonly producer: Producer
  /** The UDP port of 127.0.0.1 that takes RTP and RTCP; undefined where packets come by `send`. */
  readonly port: number | undefined
  on<E extends keyof IngressEvents>(event: E, listener: IngressEvents[E]): void
  /** One RTP packet. What is no RTP or not of the parameters given is dropped; after `close` everything is. */
  send(packet: Buffer): void
  /** Closes the producer too. Idempotent. */
  close(): void
}

export interface TransportOptions {
  direction: 'send' | 'receive'
  /** Whose it is: all that one member has is on one worker. */
  member?: object
  preferredProtocol?: PreferredProtocol
  sctpCapabilities?: SctpCapabilities
}

export interface TransportEvents {
  /** The worker behind it died. */
  lost: () => void
}

/** How a transport's line to its client stands. */
export interface TransportLine {
  ice: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed'
  dtls: 'new' | 'connecting' | 'connected' | 'failed' | 'closed'
  /** Between which addresses packets go; null while none have come. */
  selectedPair: {
    protocol: 'udp' | 'tcp'
    localAddress: string
    localPort: number
    remoteAddress: string | null
    remotePort: number | null
  } | null
}

export interface Transport {
  readonly id: string
  /** The worker that it is on, as `WorkerUsage` counts them. */
  readonly worker: number
  readonly line: TransportLine
  readonly iceParameters: IceParameters
  readonly iceCandidates: IceCandidate[]
  readonly dtlsParameters: DtlsParameters
  readonly sctpParameters?: SctpParameters
  on<E extends keyof TransportEvents>(event: E, listener: TransportEvents[E]): void
  connect(dtlsParameters: DtlsParameters): Promise<void>
  restartIce(): Promise<IceParameters>
  /** `watchLevel`: an audio producer that takes part in the choice of the active speaker. */
  produce(options: { kind: MediaKind; rtpParameters: RtpParameters; watchLevel?: boolean }): Promise<Producer>
  /** Starts paused; resume when the client has acknowledged it. The producer may be on any router. */
  consume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<Consumer>
  /** Data that the client sends over SCTP; refused where the transport was made without `sctpCapabilities`. */
  produceData(options: DataOptions): Promise<DataProducer>
  consumeData(options: { dataProducerId: string }): Promise<DataConsumer>
  stats(): Promise<TransportStats>
  close(): void
}

/** Bits per second and bytes, as the media server sees them. */
export interface TransportStats {
  receiveBitrate: number
  receiveBytes: number
  sendBitrate: number
  sendBytes: number
}

/** What the media server measured of one stream, all its encodings together, since its beginning. */
export interface StreamStats {
  /** Bits per second, now. */
  bitrate: number
  packets: number
  packetsLost: number
  /** Of what a client sends; null of what it receives, as receivers do not tell. */
  jitterMs: number | null
  /** Null while no report has told it. */
  roundTripMs: number | null
  /** The highest encoding that flows, counted from 1; 0 when none does. */
  activeEncodings: number
}

export interface DataOptions {
  sctpStreamParameters: SctpStreamParameters
  label: string
  protocol: string
}

export interface DataProducer {
  readonly id: string
  readonly sctpStreamParameters: SctpStreamParameters
  readonly label: string
  readonly protocol: string
  stats(): Promise<unknown[]>
  close(): void
}

export interface DataConsumerEvents {
  /** The data producer is gone, and the data consumer with it. */
  producerClosed: () => void
}

export interface DataConsumer extends Omit<DataProducer, 'close'> {
  readonly dataProducerId: string
  on<E extends keyof DataConsumerEvents>(event: E, listener: DataConsumerEvents[E]): void
  close(): void
}

export interface Producer {
  readonly id: string
  readonly kind: MediaKind
  readonly type: 'simple' | 'simulcast' | 'svc'
  readonly paused: boolean
  /** From 0, nothing arrives, to 10: of each encoding that has arrived, the smallest first. */
  readonly scores: readonly number[]
  pause(): Promise<void>
  resume(): Promise<void>
  stats(): Promise<StreamStats>
  close(): void
}

export interface ConsumerEvents {
  /** The producer is gone, and the consumer with it. */
  producerClosed: () => void
  producerPaused: () => void
  producerResumed: () => void
  /** Layers now sent, or null when none is. */
  layersChanged: (layers: { spatialLayer: number; temporalLayer: number | undefined } | null) => void
  score: (score: { score: number; producerScore: number }) => void
}

export interface Consumer {
  readonly id: string
  readonly producerId: string
  readonly kind: MediaKind
  readonly type: 'simple' | 'simulcast' | 'svc'
  readonly rtpParameters: RtpParameters
  readonly producerPaused: boolean
  readonly paused: boolean
  /** From 0, nothing arrives, to 10: at the client, and at the media server. */
  readonly scores: { score: number; producerScore: number }
  /** Layers now sent, or null when none is; always null for a stream of one layer. */
  readonly layers: { spatialLayer: number; temporalLayer: number | undefined } | null
  on<E extends keyof ConsumerEvents>(event: E, listener: ConsumerEvents[E]): void
  pause(): Promise<void>
  resume(): Promise<void>
  /** Values beyond what the stream has are clamped (contract, signalling §3.3). */
  setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void>
  requestKeyFrame(): Promise<void>
  /** 1 to 255; who gets the bandwidth first. */
  setPriority(priority: number): Promise<void>
  stats(): Promise<StreamStats>
  close(): void
}
