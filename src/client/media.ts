/** Our media over WebRTC: one device, and one transport per direction. */
import { Device, type types } from 'mediasoup-client'
import type { StreamKind } from '../protocol/media.ts'
import type { ServerRequests } from '../protocol/notifications.ts'
import type { MediaEvents, MeetingMedia, Request } from './carrier.ts'
import type { Tracks } from './device-state.ts'
import type { Line } from './devices.ts'
import { encodedStreams, type Encryption } from './encryption/encryption.ts'
import type { Codec } from './encryption/frames.ts'
import { MeetingError } from './errors.ts'
import { kindOf, spatialLayers, type Quality, type Stream } from './participant.ts'
import { Receptions, type Effect } from './receptions.ts'
import { sentSizesOf, Showing } from './showing.ts'

type Producer = types.Producer
type Consumer = types.Consumer
type Transport = types.Transport

export interface MediaOptions extends MediaEvents<Stream> {
  request: Request
  iceServers: RTCIceServer[]
  /** Our id, and the encryption that all our streams go through; without it they are sent in the clear. */
  participantId: string
  encryption?: Encryption | undefined
  /** Default: the device for this browser. */
  newDevice?: () => Device
}

interface Received {
  consumer: Consumer
  showing: Showing
  stream: Stream
}

/** How often, and after how long, the end of a stream is reported again to a server that is too busy. */
const CLOSE_TRIES = 5
const CLOSE_RETRY_MS = 1000

/** Sizes and bit rates (bits/s) of the layers, largest last (contract, signalling §6). */
function cameraEncodings(
  width: number,
): { scaleResolutionDownBy: number; maxBitrate: number; maxFramerate: number; scalabilityMode: string }[] {
  const all = [
    { scaleResolutionDownBy: 4, maxBitrate: 150_000, maxFramerate: 15, scalabilityMode: 'L1T3' },
    { scaleResolutionDownBy: 2, maxBitrate: 500_000, maxFramerate: 25, scalabilityMode: 'L1T3' },
    { scaleResolutionDownBy: 1, maxBitrate: 1_500_000, maxFramerate: 30, scalabilityMode: 'L1T3' },
  ]
  const layers = width >= 960 ? 3 : width >= 480 ? 2 : 1
  return all.slice(3 - layers)
}

/** Undefined for a codec whose frames are not sealed. */
function codecOf({ mimeType }: { mimeType: string }): Codec | undefined {
  const name = mimeType.toLowerCase().split('/')[1]
  return name === 'opus' || name === 'vp8' || name === 'h264' ? name : undefined
}

export class Media implements Line, MeetingMedia {
  readonly #options: MediaOptions
  #device: Device | undefined
  #send: Transport | undefined
  #opening: Promise<Transport> | undefined
  #receive: Transport | undefined
  readonly #producers = new Map<StreamKind, Producer>()
  readonly #receptions = new Receptions<Received>()
  #closed = false

  constructor(options: MediaOptions) {
    this.#options = options
  }

  get closed(): boolean {
    return this.#closed
  }

  get rtpCapabilities(): types.RtpCapabilities {
    return this.#device!.recvRtpCapabilities
  }

  /**
   * Creates the device and both transports, with simultaneous requests.
   * @throws also if it was closed in the meantime
   */
  async open(): Promise<void> {
    this.#opening = this.#open()
    await this.#opening
  }

  async #open(): Promise<Transport> {
    const { request, iceServers, newDevice = () => new Device() } = this.#options
    const ask = (producing: boolean) =>
      request<types.TransportOptions>('createWebRtcTransport', {
        preferredProtocol: 'UDP_OVER_TCP',
        producing,
        consuming: !producing,
      })
    const device = newDevice()
    const loading = request<types.RtpCapabilities>('getRouterRtpCapabilities').then((routerRtpCapabilities) =>
      device.load({ routerRtpCapabilities }),
    )
    const [sendOptions, receiveOptions] = await Promise.all([ask(true), ask(false), loading])
    if (this.#closed) throw closedMeanwhile()
    this.#device = device
    const shared = { iceServers, ...(this.#options.encryption && { additionalSettings: encodedStreams }) }
    const send = this.#wire(device.createSendTransport({ ...sendOptions, ...shared }), 'send')
    const receive = this.#wire(device.createRecvTransport({ ...receiveOptions, ...shared }), 'receive')
    send.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      request<{ id: string }>('produce', { transportId: send.id, kind, rtpParameters, appData }).then(
        done,
        failed,
      )
    })
    this.#send = send
    this.#receive = receive
    return receive
  }

  /** Call it once at a time for each kind. */
  async carry(kinds: readonly StreamKind[], tracks: Tracks<MediaStreamTrack>): Promise<boolean> {
    try {
      for (const kind of kinds) await this.#bring(kind, tracks[kind])
      return !this.#closed
    } catch (error) {
      if (this.#closed) return false
      if (error instanceof MeetingError) {
        // Without an answer, the stream may exist or not. Without the transport, the media server is being replaced.
        const unanswered = error.code === 0
        if (!unanswered && error.reason !== 'NOT_FOUND' && error.reason !== 'INVALID_STATE') throw error
        this.#options.onLost(unanswered)
        return false
      }
      throw new MeetingError(0, 'MEDIA_FAILED', 'This browser could not send the stream.', error)
    }
  }

  async #bring(kind: StreamKind, track: MediaStreamTrack | undefined): Promise<void> {
    const producer = this.#producers.get(kind)
    if (!track) {
      if (producer) await this.#stop(kind, producer)
    } else if (!producer) this.#producers.set(kind, await this.#produce(kind, track))
    // A new track of the same producer: others see only the new content.
    else if (producer.track !== track) await producer.replaceTrack({ track })
  }

  async #produce(kind: StreamKind, track: MediaStreamTrack): Promise<Producer> {
    if (!this.#send) throw closedMeanwhile()
    const shared = kind === 'share' || kind === 'shareAudio'
    const { width = 0, height = 0 } = track.getSettings()
    const options: types.ProducerOptions =
      kind === 'video'
        ? { encodings: cameraEncodings(width), codecOptions: { videoGoogleStartBitrate: 1000 } }
        : kind === 'share'
          ? { encodings: [{ maxBitrate: 2_500_000, maxFramerate: 30 }] }
          : { codecOptions: { opusDtx: true, opusFec: true, opusStereo: shared } }
    return this.#send.produce({
      ...options,
      ...this.#sealing(kind, track),
      track,
      stopTracks: false,
      appData: {
        ...(shared ? { share: true } : kind === 'video' && { width, height, encodings: options.encodings }),
        ...(this.#options.encryption && { isEncrypted: true }),
      },
    })
  }

  /** Seals a stream before its first frame. */
  #sealing(kind: StreamKind, track: MediaStreamTrack): types.ProducerOptions {
    const { encryption, participantId } = this.#options
    if (!encryption) return {}
    const wanted: Codec[] = track.kind === 'audio' ? ['opus'] : ['vp8', 'h264']
    for (const codec of wanted) {
      const found = this.rtpCapabilities.codecs?.find((one) => codecOf(one) === codec)
      if (found)
        return {
          codec: found,
          onRtpSender: (sender) => encryption.seal(sender, { participantId, kind, codec }),
        }
    }
    throw new MeetingError(
      0,
      'ENCRYPTION_UNSUPPORTED',
      `This browser has no codec of ours for ${track.kind}.`,
    )
  }

  /** This is muting: the wire has no other way (contract, signalling §3.2). */
  async #stop(kind: StreamKind, producer: Producer): Promise<void> {
    // From here on nothing is sent, whatever and whenever the server answers.
    producer.close()
    for (let tries = 1; ; tries++) {
      try {
        await this.#options.request('closeProducer', { producerId: producer.id })
        break
      } catch (error) {
        const reason = error instanceof MeetingError ? error.reason : undefined
        if (reason === 'NOT_FOUND') break
        if (reason !== 'RATE_LIMITED' || tries === CLOSE_TRIES || this.#closed)
          throw new MeetingError(0, 'CONNECTION_FAILED', 'The server did not close a stream.', error)
        await new Promise((done) => setTimeout(done, CLOSE_RETRY_MS))
      }
    }
    this.#producers.delete(kind)
  }

  async consume(payload: ServerRequests['newConsumer']): Promise<void> {
    const { id, producerId, peerId, appData, producerPaused } = payload
    const media = payload.kind
    const rtpParameters = payload.rtpParameters as types.RtpParameters
    // A stream with another codec was not sealed by a client of ours, so nothing of it opens.
    const codec = codecOf(rtpParameters.codecs[0]!) ?? 'vp8'
    const kind = kindOf(media, appData.share === true)
    this.#run(this.#receptions.offered({ id, participantId: peerId, kind, paused: producerPaused }))
    try {
      if (!this.#opening) throw closedMeanwhile()
      const transport = await this.#opening
      const { encryption } = this.#options
      // Without a key, noise would be heard. `stream` follows when the consumer exists.
      const state: { locked: boolean; stream?: Stream } = {
        locked: !encryption && appData.isEncrypted === true,
      }
      const consumer = await transport.consume({
        ...(encryption && {
          onRtpReceiver: (receiver) =>
            encryption.open(receiver, { participantId: peerId, kind, codec, streamId: id }, (isOpen) => {
              state.locked = !isOpen
              if (state.stream) this.#setLocked(state.stream, !isOpen)
            }),
        }),
        id,
        producerId,
        kind: media,
        rtpParameters,
        // Audio and video of one person and source are synchronised.
        streamId: `${peerId}-${appData.share === true ? 'share' : 'own'}`,
      })
      const showing = new Showing({
        consumerId: id,
        sent: sentSizesOf(appData),
        request: (method, data) => this.#options.request(method, data),
      })
      const stream = this.#streamOf(consumer, showing, peerId, kind)
      state.stream = stream
      stream.locked = state.locked
      if (state.locked) consumer.track.enabled = false
      this.#run(this.#receptions.opened(id, { consumer, showing, stream }))
    } catch (error) {
      this.#run(this.#receptions.failed(id))
      if (!this.#closed) throw error
    }
  }

  #setLocked(stream: Stream, locked: boolean): void {
    stream.locked = locked
    stream.track.enabled = !locked
    this.#options.onStreamChanged(stream)
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

  #streamOf(consumer: Consumer, showing: Showing, participantId: string, kind: StreamKind): Stream {
    return {
      id: consumer.id,
      participantId,
      kind,
      track: consumer.track,
      paused: false,
      locked: false,
      setQuality: async (quality: Quality) => {
        await this.#options.request('setConsumerPreferredLayers', {
          consumerId: consumer.id,
          spatialLayer: spatialLayers[quality],
          temporalLayer: 2,
        })
      },
      show: (width) => {
        if (consumer.kind === 'video') showing.show(width)
      },
      stats: () => consumer.getStats(),
    }
  }

  #run(effects: Effect<Received>[]): void {
    const { onStream, onStreamGone, onStreamChanged } = this.#options
    for (const effect of effects) {
      const { consumer, showing, stream } = effect.stream
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
          if (stream.paused) consumer.pause()
          else consumer.resume()
          if (effect.shown) onStreamChanged(stream)
          break
        case 'close':
          showing.end()
          this.#options.encryption?.forget(consumer.id)
          consumer.close()
      }
    }
  }

  async stats(): Promise<{ send: RTCStatsReport | undefined; receive: RTCStatsReport | undefined }> {
    return { send: await this.#send?.getStats(), receive: await this.#receive?.getStats() }
  }

  close(): void {
    this.#closed = true
    this.#run(this.#receptions.ended())
    this.#send?.close()
    this.#receive?.close()
  }

  #wire(transport: Transport, direction: 'send' | 'receive'): Transport {
    const { request, onState } = this.#options
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }).then(done, failed)
    })
    transport.on('connectionstatechange', (state) => {
      onState(direction, state)
      if (state === 'failed' || state === 'disconnected') void this.#restartIce(transport, state)
    })
    return transport
  }

  /** A disconnection may recover by itself; a failure does not. */
  async #restartIce(transport: Transport, state: string): Promise<void> {
    if (state === 'disconnected') {
      await new Promise((done) => setTimeout(done, 2000))
      if (transport.connectionState === 'connected' || transport.closed) return
    }
    try {
      const iceParameters = await this.#options.request<types.IceParameters>('restartIce', {
        transportId: transport.id,
      })
      if (!transport.closed) await transport.restartIce({ iceParameters })
    } catch {
      // Either the connection is lost too, or the transport is gone: if nothing else notices, everything is rebuilt.
      if (!transport.closed) this.#options.onLost(false)
    }
  }
}

function closedMeanwhile(): MeetingError {
  return new MeetingError(0, 'CONNECTION_FAILED', 'The connection was closed meanwhile.')
}
