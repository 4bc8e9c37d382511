/** One participant of a load test: the plain steps of the contract, and media both ways. */
import { PictureLossIndication, RtcpPayloadSpecificFeedback } from 'werift'
import type { RtpCapabilities } from '../protocol/media.ts'
import type { ServerRequests } from '../protocol/notifications.ts'
import { MeetingError } from '../client/errors.ts'
import { Signalling, type ServerRequestHandlers } from '../client/signalling.ts'
import { Peer, type RemoteTransport } from '../rtc/peer.ts'
import { turnServersOf, type IceServer } from '../rtc/relay.ts'
import { Arrival, isOurs, type Source } from './streams.ts'

export interface ParticipantOptions {
  url: string
  path: string
  token: string
  meetingId: string
  participantId: string
  /** Of TURN, for networks in which the media ports cannot be reached. */
  iceServers?: readonly IceServer[]
  sources: readonly Source[]
  /** Finds a source of any participant of this test by its producer id. */
  sourceOf: (producerId: string) => Source | undefined
  onProducer: (producerId: string, source: Source) => void
  onDelay: (ms: number) => void
  /** @throws if the server at this address does not allow load tests; the message gives the reason */
  mayAim: (host: string) => void
  /** The participant lost its place without leaving. */
  onLost: (why: string) => void
  /** How often it tries again if it cannot connect. */
  retries?: number
}

/** How long the published clients wait for an answer, and for admission. */
const ENTRY_TIMEOUT_MS = 30_000
const unheeded = (): void => undefined
/** Requests of the server that need nothing but an answer, as nobody is here to consent. */
const UNHEEDED: ServerRequestHandlers = {
  newConsumer: unheeded,
  newDataConsumer: unheeded,
  switchRoom: unheeded,
  enableMic: unheeded,
  disableMic: unheeded,
  enableWebcam: unheeded,
  disableWebcam: unheeded,
  enableShare: unheeded,
  disableShare: unheeded,
  pinStateChanged: unheeded,
}
/** The interval of sender reports. */
const REPORT_EVERY_MS = 1000
/** One in this many packets is decrypted. */
const OPEN_EVERY = 64

export class LoadParticipant {
  readonly arrivals = new Map<string, Arrival>()
  readonly sources: readonly Source[]
  readonly meetingId: string
  /** Time until the answer to `join`. */
  joinMs = 0
  /** Time until the first packet of another participant's media. */
  firstMediaMs: number | undefined
  opened = 0
  unopened = 0
  readonly #options: ParticipantOptions
  readonly #signalling: Signalling
  readonly #bySsrc = new Map<number, Arrival>()
  readonly #reportedAt = new Map<Source, number>()
  #send: Peer | undefined
  #receive: Promise<Peer> | undefined
  #receiveOptions: RemoteTransport | undefined
  #receiver: Peer | undefined
  #startedAt = 0
  #closed = false
  #door: { enter: () => void; allowed: () => void; fail: (error: Error) => void } | undefined

  constructor(options: ParticipantOptions) {
    this.#options = options
    this.sources = options.sources
    this.meetingId = options.meetingId
    const { url, path, token, meetingId, participantId, retries } = options
    this.#signalling = new Signalling(
      {
        url,
        path,
        query: {
          roomId: meetingId,
          peerId: participantId,
          secret: token,
          mode: 'SEND_AND_RECV',
          lib: 'socket',
        },
        ...(retries !== undefined && { firstRetries: retries }),
      },
      {
        ready: () => this.#door?.enter(),
        notification: (notification) => {
          if (notification.method === 'entryResponded' && notification.id === participantId) {
            if (notification.decision === 'allowed') this.#door?.allowed()
            else this.#door?.fail(new Error('entry was denied'))
          }
          if (notification.method === 'error') this.#door?.fail(new Error(notification.message))
          if (notification.method === 'consumerClosed') this.#forget(notification.consumerId)
        },
        requests: { ...UNHEEDED, newConsumer: (payload) => this.#consume(payload) },
        closed: ({ message }) => this.#gone(message),
        // A client that reconnects joins again; here it counts as lost.
        lost: () => this.#gone('the connection was lost'),
        gaveUp: () => this.#gone('the server cannot be reached'),
      },
    )
  }

  /** Enters, joins and begins to send. @throws {Error} with one sentence */
  async join(): Promise<void> {
    const { participantId, onProducer, mayAim, iceServers = [] } = this.#options
    this.#startedAt = performance.now()
    const signalling = this.#signalling
    await this.#enter(participantId)
    const transport = (producing: boolean): Promise<RemoteTransport> =>
      signalling.request<RemoteTransport>('createWebRtcTransport', {
        preferredProtocol: 'UDP_OVER_TCP',
        producing,
        consuming: !producing,
      })
    const [capabilities, send, receive] = await Promise.all([
      signalling.request<RtpCapabilities>('getRouterRtpCapabilities'),
      transport(true),
      transport(false),
    ])
    for (const { address, ip } of [...send.iceCandidates, ...receive.iceCandidates])
      mayAim(hostOf(address ?? ip))
    for (const { address } of turnServersOf(iceServers)) mayAim(hostOf(address))
    this.#receiveOptions = receive
    await signalling.request('join', {
      batchingEnabled: true,
      rtpCapabilities: receivable(capabilities),
      mode: 'SEND_AND_RECV',
      metaData: {},
    })
    this.joinMs = performance.now() - this.#startedAt
    const connect = (transportId: string) => (dtlsParameters: object) =>
      signalling.request('connectWebRtcTransport', { transportId, dtlsParameters })
    if (this.sources.length === 0) return
    this.#send = await Peer.connect(send, connect(send.id), {
      iceServers,
      onRtcp: (packets) => {
        for (const packet of packets) {
          if (!(packet instanceof RtcpPayloadSpecificFeedback)) continue
          if (!(packet.feedback instanceof PictureLossIndication)) continue
          const { mediaSsrc } = packet.feedback
          this.sources.find((source) => source.has(mediaSsrc))?.askForKeyFrame()
        }
      },
    })
    for (const source of this.sources) {
      const { id } = await signalling.request<{ id: string }>('produce', {
        transportId: send.id,
        kind: source.media,
        rtpParameters: source.rtpParameters,
        appData: {},
      })
      onProducer(id, source)
    }
  }

  /** Sends one frame of a source. */
  sendFrame(source: Source, now: number): void {
    const peer = this.#send
    if (!peer) return
    source.next(now, (payload, header) => peer.send(payload, header))
    if (now - (this.#reportedAt.get(source) ?? -Infinity) < REPORT_EVERY_MS) return
    this.#reportedAt.set(source, now)
    peer.report(source.reports(now))
  }

  /** Port of its media worker on the server; undefined before the join. */
  get port(): number | undefined {
    return this.#receiveOptions?.iceCandidates.find(({ protocol }) => protocol === 'udp')?.port
  }

  async leave(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#signalling.request('leave').catch(() => undefined)
    await this.#end()
  }

  async #enter(participantId: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error('nobody admitted it in time')), ENTRY_TIMEOUT_MS)
        this.#door = {
          enter: () => {
            this.#signalling.request('requestEntry', { name: participantId }).catch(reject)
          },
          allowed: resolve,
          fail: reject,
        }
      })
    } finally {
      clearTimeout(timer)
      this.#door = undefined
    }
  }

  async #consume({ id, producerId, rtpParameters }: ServerRequests['newConsumer']): Promise<void> {
    const { sourceOf, onDelay, iceServers = [] } = this.#options
    const options = this.#receiveOptions
    if (!options || this.#closed) throw new MeetingError(0, 'CONNECTION_FAILED', 'It does not receive.')
    const { encodings } = rtpParameters
    const ssrc = encodings?.[0]?.ssrc
    if (typeof ssrc !== 'number') throw new MeetingError(0, 'CONNECTION_FAILED', 'A stream has no SSRC.')
    // Its source may be reported after this consumer: the answer to its owner is under way.
    const arrival = new Arrival(() => sourceOf(producerId))
    this.arrivals.set(id, arrival)
    this.#bySsrc.set(ssrc, arrival)
    this.#receive ??= Peer.connect(
      options,
      (dtlsParameters) =>
        this.#signalling.request('connectWebRtcTransport', { transportId: options.id, dtlsParameters }),
      {
        iceServers,
        onRtp: (packet) => {
          const heard = this.#bySsrc.get(packet.readUInt32BE(8))
          if (!heard) return
          const now = performance.now()
          this.firstMediaMs ??= now - this.#startedAt
          const delay = heard.hear(packet, now)
          if (delay !== undefined) onDelay(delay)
          if (heard.received % OPEN_EVERY === 1) this.#look(packet)
        },
      },
    ).then((peer) => (this.#receiver = peer))
    await this.#receive
  }

  #look(packet: Buffer): void {
    const inside = this.#receiver?.open(packet)
    if (inside && isOurs(inside)) this.opened++
    else this.unopened++
  }

  #forget(consumerId: string): void {
    const arrival = this.arrivals.get(consumerId)
    for (const [ssrc, one] of this.#bySsrc) if (one === arrival) this.#bySsrc.delete(ssrc)
  }

  #gone(why: string): void {
    this.#door?.fail(new Error(why))
    if (this.#closed) return
    this.#closed = true
    this.#options.onLost(why)
    void this.#end()
  }

  async #end(): Promise<void> {
    this.#signalling.close()
    const receive = await this.#receive?.catch(() => undefined)
    await Promise.all([this.#send?.close(), receive?.close()])
  }
}

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** The codecs that a load test receives: those it sends, without retransmission or bandwidth estimation. */
export function receivable({ codecs = [] }: RtpCapabilities): RtpCapabilities {
  return {
    codecs: codecs
      .filter(({ mimeType }) => /^(audio\/opus|video\/vp8)$/i.test(mimeType))
      .map((codec) => ({
        ...codec,
        rtcpFeedback: (codec.rtcpFeedback ?? []).filter(
          ({ type, parameter }) => type === 'nack' && parameter === 'pli',
        ),
      })),
    headerExtensions: [],
  }
}
