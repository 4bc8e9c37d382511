/** A program's media over WebRTC: one transport per direction, opened when something is sent or received. */
import type { MediaEvents, MeetingMedia, Request } from '../client/carrier.ts'
import { MeetingError } from '../client/errors.ts'
import { kindOf } from '../client/participant.ts'
import { Receptions, type Effect } from '../client/receptions.ts'
import { sentSizesOf } from '../client/showing.ts'
import type { RtpCapabilities, RtpParameters, StreamKind } from '../protocol/media.ts'
import type { ServerRequests } from '../protocol/notifications.ts'
import { ArrivalFeedback } from '../rtc/feedback.ts'
import { Peer, type PeerEvents, type RemoteTransport } from '../rtc/peer.ts'
import type { IceServer } from '../rtc/relay.ts'
import { keyFrameRequest, lostPackets, readFeedback } from '../rtc/reports.ts'
import { receivable } from './capabilities.ts'
import { SoundStream, VideoStream, type AgentStream, type ReceivedCodec } from './streams.ts'

export interface AgentMediaOptions extends MediaEvents<AgentStream> {
  request: Request
  /** Of TURN, for networks in which the media ports cannot be reached. */
  iceServers: readonly IceServer[]
}

/** A stream that we send, as the server knows it. */
export interface Sending {
  producerId: string
  peer: Peer
}

/** What the server asks of a stream of ours. */
export interface SendingEvents {
  onKeyFrameNeeded: () => void
  onPacketsNeeded: (sequences: readonly number[]) => void
}

const SERVER_LOST = ['NOT_FOUND', 'INVALID_STATE']

export class AgentMedia implements MeetingMedia {
  readonly #options: AgentMediaOptions
  readonly #receptions = new Receptions<AgentStream>()
  readonly #bySsrc = new Map<number, AgentStream>()
  readonly #sendings = new Map<number, SendingEvents>()
  readonly #peers = new Set<Promise<Peer>>()
  #opening: Promise<void> | undefined
  #capabilities: RtpCapabilities | undefined
  #sendOptions: RemoteTransport | undefined
  #receiveOptions: RemoteTransport | undefined
  #send: Promise<Peer> | undefined
  #receive: Promise<Peer> | undefined
  readonly #leaving = new AbortController()

  constructor(options: AgentMediaOptions) {
    this.#options = options
  }

  get closed(): boolean {
    return this.#leaving.signal.aborted
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.#capabilities ?? {}
  }

  open(): Promise<void> {
    return (this.#opening = this.#open())
  }

  async #open(): Promise<void> {
    const { request } = this.#options
    const ask = (producing: boolean): Promise<RemoteTransport> =>
      request<RemoteTransport>('createWebRtcTransport', {
        preferredProtocol: 'UDP_OVER_TCP',
        producing,
        consuming: !producing,
      })
    const [capabilities, send, receive] = await Promise.all([
      request<RtpCapabilities>('getRouterRtpCapabilities'),
      ask(true),
      ask(false),
    ])
    if (this.closed) throw closedMeanwhile()
    this.#capabilities = receivable(capabilities)
    this.#sendOptions = send
    this.#receiveOptions = receive
  }

  /**
   * Begins to send a stream.
   * @throws {MeetingError} the server's refusal; with the code 0 when the connection is lost, and another follows
   */
  async produce(
    kind: StreamKind,
    rtpParameters: RtpParameters,
    appData: Record<string, unknown>,
    events: SendingEvents,
  ): Promise<Sending> {
    const ssrc = Number(rtpParameters.encodings![0]!.ssrc)
    try {
      if (!this.#sendOptions) throw closedMeanwhile()
      const peer = await (this.#send ??= this.#connect(this.#sendOptions, 'send', {
        onRtcp: (packets) => {
          for (const { mediaSsrc, lost } of readFeedback(packets)) {
            const sending = this.#sendings.get(mediaSsrc)
            if (lost === undefined) sending?.onKeyFrameNeeded()
            else sending?.onPacketsNeeded(lost)
          }
        },
      }))
      this.#sendings.set(ssrc, events)
      const { id } = await this.#options.request<{ id: string }>('produce', {
        transportId: this.#sendOptions.id,
        kind: kind === 'audio' || kind === 'shareAudio' ? 'audio' : 'video',
        rtpParameters,
        appData,
      })
      if (this.closed) throw closedMeanwhile()
      return { producerId: id, peer }
    } catch (error) {
      this.#sendings.delete(ssrc)
      if (this.closed) throw closedMeanwhile()
      const refusal = error instanceof MeetingError ? error : undefined
      if (refusal && refusal.code !== 0 && !SERVER_LOST.includes(refusal.reason)) throw refusal
      this.#options.onLost(!refusal || refusal.code === 0)
      throw new MeetingError(
        0,
        'CONNECTION_FAILED',
        'The connection was lost before the stream began.',
        error,
      )
    }
  }

  /** Ends a stream of ours; the server tells the others. */
  async stop(ssrc: number, { producerId }: Sending): Promise<void> {
    this.#sendings.delete(ssrc)
    if (this.closed) return
    try {
      await this.#options.request('closeProducer', { producerId })
    } catch (error) {
      if (error instanceof MeetingError && error.reason === 'NOT_FOUND') return
      // The server may still have it.
      this.#lose(true)
    }
  }

  async consume(payload: ServerRequests['newConsumer']): Promise<void> {
    const { id, peerId, appData, producerPaused } = payload
    const kind = kindOf(payload.kind, appData.share === true)
    this.#run(this.#receptions.offered({ id, participantId: peerId, kind, paused: producerPaused }))
    try {
      if (!this.#opening) throw closedMeanwhile()
      await this.#opening
      const peer = await (this.#receive ??= this.#connect(this.#receiveOptions!, 'receive', {
        feedback: this.#feedback(),
        onRtp: (packet) => this.#bySsrc.get(packet.readUInt32BE(8))?.hear(packet, performance.now()),
      }))
      const stream = this.#streamOf(payload, kind, peer)
      this.#run(this.#receptions.opened(id, stream))
    } catch (error) {
      this.#run(this.#receptions.failed(id))
      if (!this.closed) throw error
    }
  }

  #lose(atOnce: boolean): void {
    if (!this.closed) this.#options.onLost(atOnce)
  }

  #streamOf(payload: ServerRequests['newConsumer'], kind: StreamKind, peer: Peer): AgentStream {
    const { id, peerId, rtpParameters, appData } = payload
    const ssrc = Number(rtpParameters.encodings?.[0]?.ssrc)
    const { mimeType, clockRate } = rtpParameters.codecs[0]!
    const source = {
      id,
      participantId: peerId,
      kind,
      codec: mimeType.split('/')[1]!.toLowerCase() as ReceivedCodec,
      mimeType,
      clockRate,
      sent: sentSizesOf(appData),
      request: (method: string, data: object) => this.#options.request(method, data),
      open: (packet: Buffer) => peer.open(packet),
      requestKeyFrame: () => peer.report([keyFrameRequest(ssrc)]),
      requestAgain: (sequences: number[]) => peer.report([lostPackets(ssrc, sequences)]),
    }
    const isLocked = appData.isEncrypted === true
    const stream =
      payload.kind === 'audio' ? new SoundStream(source, isLocked) : new VideoStream(source, isLocked)
    this.#bySsrc.set(ssrc, stream)
    return stream
  }

  drop(consumerId: string): void {
    this.#run(this.#receptions.closed(consumerId))
  }

  forget(participantId: string): void {
    this.#run(this.#receptions.forgotten(participantId))
  }

  setPaused(consumerId: string, paused: boolean): void {
    this.#run(this.#receptions.paused(consumerId, paused))
  }

  setHeld(consumerId: string, held: boolean): void {
    this.#run(this.#receptions.held(consumerId, held))
  }

  /** Resolves when both transports are closed. */
  close(): void {
    if (this.closed) return
    this.#leaving.abort()
    this.#run(this.#receptions.ended())
    for (const peer of this.#peers) void peer.then((one) => one.close()).catch(() => undefined)
  }

  #run(effects: Effect<AgentStream>[]): void {
    const { onStream, onStreamGone, onStreamChanged } = this.#options
    for (const effect of effects) {
      const { stream } = effect
      switch (effect.do) {
        case 'show':
          onStream(stream)
          break
        case 'hide':
          onStreamGone(stream)
          break
        case 'pause':
        case 'resume':
          stream.paused = effect.do === 'pause'
          if (effect.shown) onStreamChanged(stream)
          break
        case 'close':
          for (const [ssrc, one] of this.#bySsrc) if (one === stream) this.#bySsrc.delete(ssrc)
          stream.end()
      }
    }
  }

  #feedback(): ArrivalFeedback | undefined {
    const extension = this.#capabilities?.headerExtensions?.[0]
    return extension && new ArrivalFeedback(extension.preferredId)
  }

  #connect(remote: RemoteTransport, direction: 'send' | 'receive', events: PeerEvents): Promise<Peer> {
    const { request, iceServers, onState, onLost } = this.#options
    const connecting = Peer.connect(
      remote,
      (dtlsParameters) => request('connectWebRtcTransport', { transportId: remote.id, dtlsParameters }),
      { ...events, iceServers, signal: this.#leaving.signal, onLost: () => onLost(true) },
    ).then(async (peer) => {
      if (!this.closed) {
        onState(direction, 'connected')
        return peer
      }
      await peer.close()
      throw closedMeanwhile()
    })
    this.#peers.add(connecting)
    connecting.catch(() => {
      if (!this.closed) onLost(true)
    })
    return connecting
  }
}

function closedMeanwhile(): MeetingError {
  return new MeetingError(0, 'CONNECTION_FAILED', 'The connection was closed meanwhile.')
}
