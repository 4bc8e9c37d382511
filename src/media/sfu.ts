/**
 * What a meeting needs of the media server. Parameters of RTP, ICE and DTLS pass through as the clients send them
 * (contract, signalling §3); `protocol/media.ts` has their shapes. Errors are `Refusal`s: bad parameters of a client
 * give CODEC_NOT_SUPPORTED or INVALID_REQUEST and affect nobody else.
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
  /** Whether media works now. */
  readonly status: MediaStatus
  /** Opens the router of one meeting, or of one client that chose its payload types. Refuses with MEDIA_UNAVAILABLE. */
  openRouter(options?: RouterOptions): Promise<Router>
  /** The usage of each running worker. A worker that is being replaced is missing. */
  usage(): Promise<WorkerUsage[]>
  /** The streams of this host, for routers of other hosts; undefined if other hosts cannot have them. */
  readonly offers?: StreamSource | undefined
  /** Where to pass on a connection for the transport with this ICE username fragment that came to the shared TCP port. */
  tcpTarget(usernameFragment: string): TcpTarget | undefined
  close(): Promise<void>
}

export interface TcpTarget {
  host: string
  port: number
}

export type MediaStatus =
  | {
      available: true
      /** One port per worker, including a worker that is being replaced. */
      ports: number[]
      /** The number of running workers. */
      workers: number
      /**
       * Whether the server reached its workers at every address announced to clients. It cannot try addresses of other
       * machines.
       */
      tried: boolean
    }
  | {
      available: false
      /** One sentence with the cause and the cure. */
      reason: string
      /** A worker has died and its replacement is starting: `openRouter` waits for it. */
      isComing: boolean
      /** The worker is being downloaded or built; media switches on by itself. */
      preparing?: Preparing
    }

/** Progress of the preparation. */
export interface Preparing {
  done: number
  /** 0 while the number of steps is unknown. */
  total: number
  secondsLeft: number | null
}

export interface WorkerUsage {
  /** Index in `ports`, from 0. */
  index: number
  /** The port that receives and sends media. */
  port: number
  /** Processor time since the worker's start. */
  cpuSeconds: number
  /** Meetings that use this worker. */
  routers: number
  /** Members whose transports are on this worker. */
  members: number
  producers: number
  consumers: number
  /** Streams received from other workers and sent to them. */
  pipesIn: number
  pipesOut: number
  /**
   * Packets that reached its sockets and were dropped because it was too slow to read them; undefined if the system
   * does not report it.
   */
  droppedDatagrams?: number | undefined
  /** How often it died and was replaced, and how long ago the last time was; absent if it never was. */
  deaths?: number
  diedAgoMs?: number
}

export interface RouterOptions {
  /**
   * Payload types by MIME type in lower case, for a client that receives what it offered itself. The router then has
   * only these codecs, without those that would conflict; `rtpCapabilities` has the result. Default: all codecs, with
   * payload types of our choice.
   */
  payloadTypes?: Readonly<Record<string, number>> | undefined
  /** Where to get streams that are not on this host. */
  elsewhere?: StreamSource | undefined
  /** Whether it finds the active speaker. Default true. */
  findsSpeaker?: boolean | undefined
}

/** Gives streams of one host, or of several, to routers of other hosts. */
export interface StreamSource {
  /**
   * Prepares a stream for a router of another host; it flows when `flow` is called. Streams for the same router share
   * lines.
   * @param to names the router
   * @param hear is called when the stream changes, until it is closed from either side
   * @throws {Refusal} INVALID_STATE if it is not there
   */
  offer(producerId: string, to: string, hear: (event: OfferEvent) => void): Promise<StreamOffer>
  /** Tells the other end of a line. */
  connect(lineId: string, end: LineEnd): Promise<void>
  flow(streamId: string, flows: boolean): Promise<void>
  close(streamId: string): void
}

/** The stream was paused or resumed by its sender, or ended. */
export type OfferEvent = 'paused' | 'resumed' | 'closed'

export interface StreamOffer {
  streamId: string
  lineId: string
  /** The end of the line at the source. */
  end: LineEnd
  media?: { kind: MediaKind; rtpParameters: unknown; paused: boolean }
  data?: DataOptions
}

/** One end of a line between two hosts, which carries streams in one direction. */
export interface LineEnd {
  ip: string
  port: number
  /** The key with which this end encrypts. */
  srtpParameters: { cryptoSuite: string; keyBase64: string }
}

export interface RouterEvents {
  /** The id of the loudest producer, or null in silence. */
  activeSpeaker: (producerId: string | null) => void
}

/**
 * The media of one meeting, on one or several workers. When a worker dies, everything on it is lost and emits an event;
 * the router continues.
 */
export interface Router {
  readonly rtpCapabilities: RtpCapabilities
  /** Resolves when a worker is available for the meeting. Refuses with MEDIA_UNAVAILABLE. */
  ready(): Promise<void>
  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void
  /** `send`: the client sends media on it; otherwise it only receives. */
  createTransport(options: TransportOptions): Promise<Transport>
  /** The load of the meeting on this host, in streams. */
  readonly load: number
  /** Counts a voice of another host for the active speaker, until the returned function is called. */
  listenTo(producerId: string): () => void
  /**
   * Sends the RTP of a producer, on any router, to a program on this machine. Starts paused. Closes with the producer
   * (`producerClosed`), whose worker it is on, and with this router.
   * @throws {Refusal} CREATE_CONSUMER_FAILED
   */
  openTap(options: TapOptions): Promise<Tap>
  /**
   * Receives RTP from a program on this machine, as a producer like any other. Closes with this router.
   * @throws {Refusal} CODEC_NOT_SUPPORTED, INVALID_REQUEST
   */
  openIngress(options: IngressOptions): Promise<Ingress>
  /** Idempotent. The router stays until its last transport is closed, because another meeting may use that. */
  close(): void
}

export interface TapOptions {
  producerId: string
  /** What the program can decode. Default: everything that the router offers. */
  rtpCapabilities?: RtpCapabilities
  /**
   * UDP ports of the loopback address that get RTP and RTCP. RTCP goes to the RTP port (RFC 5761) unless it has its own. Without
   * this, each packet goes to `onPacket`.
   */
  to?: { port: number; rtcpPort?: number }
}

/** The stream as a client would receive it, without retransmissions; `rtpParameters` describe it. */
export interface Tap extends Consumer {
  /**
   * Calls the listener with each RTP packet (RFC 3550, section 5.1) in the order of arrival, until the tap is closed.
   * Skip header extensions, do not read them. The listener blocks this process while it runs. It is never called if the
   * tap sends to a port.
   */
  onPacket(listener: (packet: Buffer) => void): void
}

export interface IngressOptions {
  kind: MediaKind
  /** Codec, payload type and SSRC of what will be sent; for video also how to ask for a key frame (`nack pli`). */
  rtpParameters: RtpParameters
  /** Whether it counts for the active speaker. Default false. */
  watchLevel?: boolean
  /** `udp`: at `Ingress.port`, from the first address that sends there. `call`, the default: by `Ingress.send`. */
  over?: 'udp' | 'call'
  /** The sender; see `TransportOptions`. */
  member?: object
}

export interface IngressEvents {
  /** It was closed, directly or with its router or worker. */
  closed: () => void
  /** Its worker died. */
  lost: () => void
  /** A receiver needs a key frame. A program that sends over UDP gets RTCP (RFC 4585) instead of this event. */
  keyFrameWanted: () => void
}

export interface Ingress {
  readonly producer: Producer
  /** The UDP port of the loopback address that receives RTP and RTCP; undefined if packets come by `send`. */
  readonly port: number | undefined
  on<E extends keyof IngressEvents>(event: E, listener: IngressEvents[E]): void
  /**
   * Takes one RTP packet. Drops packets that are not RTP or do not match the parameters, and all packets after `close`.
   */
  send(packet: Buffer): void
  /** Also closes the producer. Idempotent. */
  close(): void
}

export interface TransportOptions {
  direction: 'send' | 'receive'
  /** The owner. Everything of one member is on one worker. */
  member?: object
  /** The node that the client reached, if it is another one. */
  near?: string | undefined
  /** The client reaches this node alone: it gets its transports here, however much the meeting fills it. */
  staysHere?: boolean
  preferredProtocol?: PreferredProtocol
  sctpCapabilities?: SctpCapabilities
}

export interface TransportEvents {
  /** `line` has changed. */
  line: () => void
  /** Its worker died. */
  lost: () => void
}

/** The state of the connection between a transport and its client. */
export interface TransportLine {
  ice: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed'
  dtls: 'new' | 'connecting' | 'connected' | 'failed' | 'closed'
  /** The addresses in use; null before the first packet. */
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
  /** The index of its worker, as in `WorkerUsage`. */
  readonly worker: number
  /** The node of that worker; undefined for this one. */
  readonly node?: string | undefined
  readonly line: TransportLine
  readonly iceParameters: IceParameters
  readonly iceCandidates: IceCandidate[]
  readonly dtlsParameters: DtlsParameters
  readonly sctpParameters?: SctpParameters
  on<E extends keyof TransportEvents>(event: E, listener: TransportEvents[E]): void
  connect(dtlsParameters: DtlsParameters): Promise<void>
  restartIce(): Promise<IceParameters>
  /** `watchLevel`: whether an audio producer counts for the active speaker. */
  produce(options: { kind: MediaKind; rtpParameters: RtpParameters; watchLevel?: boolean }): Promise<Producer>
  /**
   * Starts paused; resume it when the client has acknowledged it. The producer may be on any router.
   * @throws {Refusal} CODEC_NOT_SUPPORTED
   */
  consume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<Consumer>
  /** Data that the client sends over SCTP. Refused if the transport was created without `sctpCapabilities`. */
  produceData(options: DataOptions): Promise<DataProducer>
  consumeData(options: { dataProducerId: string }): Promise<DataConsumer>
  stats(): Promise<TransportStats>
  close(): void
}

/** Bits per second and bytes, measured by the media server. */
export interface TransportStats {
  receiveBitrate: number
  receiveBytes: number
  sendBitrate: number
  sendBytes: number
  /** Share of packets lost on the way from and to the client, from 0 to 1; null before the first report. */
  lostReceiving: number | null
  lostSending: number | null
  /** The estimated capacity of the line to the client; null if it sends no reports of congestion. */
  availableBitrate: number | null
}

/** Measurements of one stream, all its encodings together, since it began. */
export interface StreamStats {
  /** Current bits per second. */
  bitrate: number
  packets: number
  packetsLost: number
  /** Only for streams that a client sends; null for others, because receivers do not report it. */
  jitterMs: number | null
  /** Null before the first report. */
  roundTripMs: number | null
  /** The highest active encoding, counted from 1; 0 if none is active. */
  activeEncodings: number
  /** How often the receiver asked for a key frame. */
  keyFramesAsked: number
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
  /** The data producer closed, and the data consumer with it. */
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
  /** 0 (nothing arrives) to 10, for each encoding that has arrived, the smallest first. */
  readonly scores: readonly number[]
  pause(): Promise<void>
  resume(): Promise<void>
  stats(): Promise<StreamStats>
  close(): void
}

export interface ConsumerEvents {
  /** The producer closed, and the consumer with it. */
  producerClosed: () => void
  producerPaused: () => void
  producerResumed: () => void
  /** The layers now sent, or null if none is. */
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
  /** 0 (nothing arrives) to 10: at the client, and at the media server. */
  readonly scores: { score: number; producerScore: number }
  /** The layers now sent, or null if none is; always null for a stream with one layer. */
  readonly layers: { spatialLayer: number; temporalLayer: number | undefined } | null
  on<E extends keyof ConsumerEvents>(event: E, listener: ConsumerEvents[E]): void
  pause(): Promise<void>
  resume(): Promise<void>
  /** Values above those of the stream are clamped (contract, signalling §3.3). */
  setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void>
  requestKeyFrame(): Promise<void>
  /** 1 to 255; higher priorities get bandwidth first. */
  setPriority(priority: number): Promise<void>
  stats(): Promise<StreamStats>
  close(): void
}
