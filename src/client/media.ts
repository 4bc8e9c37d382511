/** What goes out and comes in over WebRTC: one device, one transport for each direction. */
import { Device, type types } from 'mediasoup-client'
import type { StreamKind } from '../protocol/media.ts'
import type { ServerRequests } from '../protocol/notifications.ts'
import type { Quality, Stream } from './participant.ts'
import { spatialLayers } from './participant.ts'
import type { Signalling } from './signalling.ts'

type Producer = types.Producer
type Consumer = types.Consumer
type Transport = types.Transport

export interface MediaOptions {
  signalling: Signalling
  iceServers: RTCIceServer[]
  /** A transport came into this state for the first time. */
  onState: (direction: 'send' | 'receive', state: string) => void
  onStream: (stream: Stream) => void
  onStreamGone: (stream: Stream) => void
}

interface Received {
  consumer: Consumer
  stream: Stream
}

/** Bit rates in bits/s and sizes of what is sent, largest last (contract, signalling §6). */
export function cameraEncodings(
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

/** A stream's kind, from what its producer said of it. */
export function kindOf(kind: 'audio' | 'video', shared: boolean): StreamKind {
  if (kind === 'audio') return shared ? 'shareAudio' : 'audio'
  return shared ? 'share' : 'video'
}

export class Media {
  readonly #options: MediaOptions
  #device: Device | undefined
  #send: Transport | undefined
  #receive: Transport | undefined
  readonly #producers = new Map<StreamKind, Producer>()
  readonly #received = new Map<string, Received>()
  #closed = false

  constructor(options: MediaOptions) {
    this.#options = options
  }

  get rtpCapabilities(): types.RtpCapabilities {
    return this.#device!.recvRtpCapabilities
  }

  /** The device and both transports; the questions fly at once. */
  async open(): Promise<void> {
    const { signalling, iceServers } = this.#options
    const ask = (producing: boolean) =>
      signalling.request<types.TransportOptions>('createWebRtcTransport', {
        preferredProtocol: 'UDP_OVER_TCP',
        producing,
        consuming: !producing,
      })
    const device = new Device()
    const loading = signalling
      .request<types.RtpCapabilities>('getRouterRtpCapabilities')
      .then((routerRtpCapabilities) => device.load({ routerRtpCapabilities }))
    const [sendOptions, receiveOptions] = await Promise.all([ask(true), ask(false), loading])
    this.#device = device
    this.#send = this.#wire(device.createSendTransport({ ...sendOptions, iceServers }), 'send')
    this.#receive = this.#wire(device.createRecvTransport({ ...receiveOptions, iceServers }), 'receive')
    this.#send.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      signalling
        .request<{ id: string }>('produce', { transportId: this.#send!.id, kind, rtpParameters, appData })
        .then(done, failed)
    })
  }

  /** Sends a track; what was sent as this kind before ends. */
  async send(kind: StreamKind, track: MediaStreamTrack): Promise<void> {
    await this.stop(kind)
    const transport = this.#send
    if (!transport || this.#closed) return
    const shared = kind === 'share' || kind === 'shareAudio'
    const { width = 0, height = 0 } = track.getSettings()
    const options: types.ProducerOptions =
      kind === 'video'
        ? { encodings: cameraEncodings(width), codecOptions: { videoGoogleStartBitrate: 1000 } }
        : kind === 'share'
          ? { encodings: [{ maxBitrate: 2_500_000, maxFramerate: 30 }] }
          : { codecOptions: { opusDtx: true, opusFec: true, opusStereo: shared } }
    const producer = await transport.produce({
      ...options,
      track,
      stopTracks: false,
      appData: shared
        ? { share: true }
        : kind === 'video'
          ? { width, height, encodings: options.encodings }
          : {},
    })
    this.#producers.set(kind, producer)
  }

  /** Another track under the same producer: nobody notices but by what they see. */
  async replace(kind: StreamKind, track: MediaStreamTrack): Promise<void> {
    const producer = this.#producers.get(kind)
    if (producer) await producer.replaceTrack({ track })
  }

  /** Stops sending. Muting is this: the wire knows no other way (contract, signalling §3.2). */
  async stop(kind: StreamKind): Promise<void> {
    const producer = this.#producers.get(kind)
    if (!producer) return
    this.#producers.delete(kind)
    producer.close()
    await this.#options.signalling
      .request('closeProducer', { producerId: producer.id })
      .catch(() => undefined)
  }

  async consume(payload: ServerRequests['newConsumer']): Promise<void> {
    const { signalling, onStream } = this.#options
    if (!this.#receive) throw new Error('There is no transport to receive on.')
    const kind = payload.kind as 'audio' | 'video'
    const consumer = await this.#receive.consume({
      id: payload.id,
      producerId: payload.producerId,
      kind,
      rtpParameters: payload.rtpParameters as types.RtpParameters,
      // Sound and picture of one person and source play in step.
      streamId: `${payload.peerId}-${payload.appData.share === true ? 'share' : 'own'}`,
    })
    const stream: Stream = {
      id: consumer.id,
      participantId: payload.peerId,
      kind: kindOf(kind, payload.appData.share === true),
      track: consumer.track,
      paused: payload.producerPaused,
      setQuality: async (quality: Quality) => {
        await signalling.request('setConsumerPreferredLayers', {
          consumerId: consumer.id,
          spatialLayer: spatialLayers[quality],
          temporalLayer: 2,
        })
      },
      stats: () => consumer.getStats(),
    }
    this.#received.set(consumer.id, { consumer, stream })
    onStream(stream)
  }

  /** The server closed this consumer. */
  drop(consumerId: string): void {
    const received = this.#received.get(consumerId)
    if (!received) return
    this.#received.delete(consumerId)
    received.consumer.close()
    this.#options.onStreamGone(received.stream)
  }

  /** Paused or resumed at the source. Returns the stream, if it is known. */
  setPaused(consumerId: string, paused: boolean): Stream | undefined {
    const received = this.#received.get(consumerId)
    if (!received) return undefined
    if (paused) received.consumer.pause()
    else received.consumer.resume()
    received.stream.paused = paused
    return received.stream
  }

  async stats(): Promise<{ send: RTCStatsReport | undefined; receive: RTCStatsReport | undefined }> {
    return { send: await this.#send?.getStats(), receive: await this.#receive?.getStats() }
  }

  close(): void {
    this.#closed = true
    for (const consumerId of [...this.#received.keys()]) this.drop(consumerId)
    this.#send?.close()
    this.#receive?.close()
  }

  #wire(transport: Transport, direction: 'send' | 'receive'): Transport {
    const { signalling, onState } = this.#options
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      signalling
        .request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters })
        .then(done, failed)
    })
    transport.on('connectionstatechange', (state) => {
      onState(direction, state)
      if (state === 'failed' || state === 'disconnected') void this.#restartIce(transport, state)
    })
    return transport
  }

  /** A pause may heal by itself; what has failed does not. */
  async #restartIce(transport: Transport, state: string): Promise<void> {
    if (state === 'disconnected') {
      await new Promise((done) => setTimeout(done, 2000))
      if (transport.connectionState === 'connected' || transport.closed) return
    }
    try {
      const iceParameters = await this.#options.signalling.request<types.IceParameters>('restartIce', {
        transportId: transport.id,
      })
      if (!transport.closed) await transport.restartIce({ iceParameters })
    } catch {
      // The connection is lost too, or the transport is gone: coming back builds everything anew.
    }
  }
}
