import type { types as mediasoup } from 'mediasoup'
import type { PreferredProtocol, RtpCapabilities } from '../protocol/media.ts'
import { fromMediasoupRtpCapabilities, toMediasoupRtpCapabilities } from './convert.ts'
import type { MediaLog } from './log.ts'
import { Listeners } from './listeners.ts'
import { closed, refusing } from './refusals.ts'
import type { Router, RouterEvents, Transport, TransportOptions } from './sfu.ts'
import { MediasoupTransport, type TransportHost } from './transport.ts'

/** What the worker assumes a client can take before it has measured, in bits per second: one good camera or several small ones. */
const initialOutgoingBitrate = 1_500_000
/** The most one client may send in, in bits per second: three layers of camera, a screen and sound, with room to spare. */
const maxIncomingBitrate = 12_000_000

/** Loudness below which nobody speaks, in dBov. */
const silenceThreshold = -60
/** How often loudness is judged, in milliseconds; so long does a pause last before it is silence. */
const loudnessIntervalMs = 1000
const speakerIntervalMs = 300

/** What a router needs of the worker it is on. */
export interface RouterPlace {
  readonly log: MediaLog | undefined
  readonly webRtcServer: mediasoup.WebRtcServer
  countConsumers(change: 1 | -1): void
  /** The router is closed or dead and counts no more. */
  left(router: MediasoupRouter): void
}

/** The media side of one meeting, on one worker. */
export class MediasoupRouter implements Router, TransportHost {
  readonly rtpCapabilities: RtpCapabilities
  readonly #router: mediasoup.Router
  readonly #place: RouterPlace
  readonly #listeners: Listeners<RouterEvents>
  readonly #speakers: mediasoup.ActiveSpeakerObserver
  readonly #levels: mediasoup.AudioLevelObserver
  #activeSpeaker: string | null = null
  #closed = false

  /** @throws what mediasoup throws */
  static async open(router: mediasoup.Router, place: RouterPlace): Promise<MediasoupRouter> {
    try {
      const [speakers, levels] = await Promise.all([
        router.createActiveSpeakerObserver({ interval: speakerIntervalMs }),
        router.createAudioLevelObserver({
          maxEntries: 1,
          threshold: silenceThreshold,
          interval: loudnessIntervalMs,
        }),
      ])
      return new MediasoupRouter(router, place, speakers, levels)
    } catch (error) {
      router.close()
      throw error
    }
  }

  private constructor(
    router: mediasoup.Router,
    place: RouterPlace,
    speakers: mediasoup.ActiveSpeakerObserver,
    levels: mediasoup.AudioLevelObserver,
  ) {
    this.#router = router
    this.#place = place
    this.#listeners = new Listeners(place.log)
    this.#speakers = speakers
    this.#levels = levels
    this.rtpCapabilities = fromMediasoupRtpCapabilities(router.rtpCapabilities)

    // One observer is good at telling who dominates and never says "nobody"; the other knows silence.
    speakers.on('dominantspeaker', ({ producer }) => this.#speaks(producer.id))
    levels.on('silence', () => this.#speaks(null))
    levels.on('volumes', ([loudest]) => {
      // After a silence the same speaker is no news to the first observer.
      if (this.#activeSpeaker === null && loudest) this.#speaks(loudest.producer.id)
    })
  }

  get log(): MediaLog | undefined {
    return this.#place.log
  }

  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  async createTransport(options: TransportOptions): Promise<Transport> {
    if (this.#closed) throw closed('meeting')
    const transport = await refusing('meeting', () =>
      this.#router.createWebRtcTransport({
        webRtcServer: this.#place.webRtcServer,
        ...protocols[options.preferredProtocol ?? 'UDP_OVER_TCP'],
        initialAvailableOutgoingBitrate: initialOutgoingBitrate,
        enableSctp: options.sctpCapabilities !== undefined,
      }),
    )
    if (this.#router.closed) {
      transport.close()
      throw closed('meeting')
    }
    if (options.direction === 'send') {
      // Nobody waits for it: the limit is in force long before the client has negotiated.
      transport.setMaxIncomingBitrate(maxIncomingBitrate).catch(() => undefined)
    }
    return new MediasoupTransport(transport, options.direction, this)
  }

  canConsume(producerId: string, rtpCapabilities: RtpCapabilities): boolean {
    // mediasoup answers false to a producer it does not know, and to capabilities it cannot read.
    return (
      !this.#closed &&
      this.#router.canConsume({ producerId, rtpCapabilities: toMediasoupRtpCapabilities(rtpCapabilities) })
    )
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#router.close()
  }

  /** The worker is gone, and mediasoup has closed all that was on it. */
  workerDied(): void {
    if (this.#closed) return
    this.#closed = true
    this.#place.left(this)
    this.#listeners.emit('died')
    this.#listeners.clear()
  }

  watchLevel(producer: mediasoup.Producer): void {
    const { id: producerId } = producer
    producer.observer.once('close', () => {
      if (this.#activeSpeaker === producerId) this.#speaks(null)
    })
    Promise.all([this.#speakers.addProducer({ producerId }), this.#levels.addProducer({ producerId })]).catch(
      (error: unknown) => {
        // Closed meanwhile: it is nobody's failure.
        if (!producer.closed)
          this.log?.warn({ err: error, producerId }, 'a stream is not watched for the active speaker')
      },
    )
  }

  countConsumers(change: 1 | -1): void {
    this.#place.countConsumers(change)
  }

  #speaks(producerId: string | null): void {
    if (this.#closed || this.#activeSpeaker === producerId) return
    this.#activeSpeaker = producerId
    this.#listeners.emit('activeSpeaker', producerId)
  }

  #end(): void {
    this.#closed = true
    this.#listeners.clear()
    this.#place.left(this)
  }
}

const protocols: Record<
  PreferredProtocol,
  { enableUdp: boolean; enableTcp: boolean; preferUdp: boolean; preferTcp: boolean }
> = {
  UDP_OVER_TCP: { enableUdp: true, enableTcp: true, preferUdp: true, preferTcp: false },
  UDP_ONLY: { enableUdp: true, enableTcp: false, preferUdp: true, preferTcp: false },
  TCP_ONLY: { enableUdp: false, enableTcp: true, preferUdp: false, preferTcp: true },
}
