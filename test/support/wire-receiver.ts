/** Somebody who receives media without a browser, and counts what arrives, whatever the server says about it. */
import { receivable } from '../../src/load/participant.ts'
import { Peer, type RemoteTransport } from '../../src/rtc/peer.ts'
import { WireClient, type WireOptions } from './wire-client.ts'

/** A stream that was offered to it. */
export interface Offered {
  consumerId: string
  ownerId: string
  kind: string
  isShare: boolean
  ssrc: number
}

const STEP_MS = 500
/** Long enough on a machine five times slower. */
const PATIENCE_MS = 60_000
/** RTP: the fixed header (RFC 3550, section 5.1), where the SSRC is. */
const SSRC_AT = 8

export class WireReceiver {
  readonly client: WireClient
  readonly #bytes = new Map<number, number>()
  #peer: Peer | undefined

  private constructor(client: WireClient) {
    this.client = client
  }

  static async join(options: WireOptions): Promise<WireReceiver> {
    const client = new WireClient(options)
    const receiver = new WireReceiver(client)
    const connected = Promise.withResolvers<undefined>()
    // Whoever acknowledges a stream is ready for it.
    client.answers.set('newConsumer', () => connected.promise)
    await client.enter()
    await client.hears('entryResponded', (heard) => heard.decision === 'allowed')
    const capabilities = await client.request('getRouterRtpCapabilities')
    const remote = (await client.request('createWebRtcTransport', {
      producing: false,
      consuming: true,
      sctpCapabilities: { numStreams: { OS: 1024, MIS: 1024 } },
    })) as RemoteTransport
    await client.request('join', {
      rtpCapabilities: receivable(capabilities),
      mode: 'SEND_AND_RECV',
      metaData: {},
    })
    receiver.#peer = await Peer.connect(
      remote,
      (dtlsParameters) =>
        client.request('connectWebRtcTransport', { transportId: remote.id, dtlsParameters }),
      {
        onRtp: (packet) => {
          const ssrc = packet.readUInt32BE(SSRC_AT)
          receiver.#bytes.set(ssrc, (receiver.#bytes.get(ssrc) ?? 0) + packet.length)
        },
      },
    )
    connected.resolve(undefined)
    return receiver
  }

  /** Waits for a stream of a participant. */
  async offered(ownerId: string, kind: 'audio' | 'video', isShare = false): Promise<Offered> {
    const { id, rtpParameters } = (await this.client.hears('request:newConsumer', (heard) => {
      const { peerId, kind: of, appData } = heard as any
      return peerId === ownerId && of === kind && (appData.share === true) === isShare
    })) as any
    return { consumerId: id, ownerId, kind, isShare, ssrc: rtpParameters.encodings[0].ssrc }
  }

  /** Waits until the bits per second of a stream are as they should be. */
  async rates({ ssrc, ownerId, kind }: Offered, isRight: (bitrate: number) => boolean): Promise<number> {
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      const [bytes, at] = [this.#bytes.get(ssrc) ?? 0, performance.now()]
      await new Promise((next) => setTimeout(next, STEP_MS))
      const seconds = (performance.now() - at) / 1000
      const bitrate = (((this.#bytes.get(ssrc) ?? 0) - bytes) * 8) / seconds
      if (isRight(bitrate)) return bitrate
      if (performance.now() > giveUpAt)
        throw new Error(`the ${kind} of ${ownerId} still has ${Math.round(bitrate)} bit/s`)
    }
  }

  async close(): Promise<void> {
    this.client.close()
    await this.#peer?.close()
  }
}

export const flows = (bitrate: number): boolean => bitrate > 0
export const isSilent = (bitrate: number): boolean => bitrate === 0
