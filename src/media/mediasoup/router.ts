import type { types as mediasoup } from 'mediasoup'
import type { PreferredProtocol, RtpCapabilities } from '../../protocol/media.ts'
import { fromMediasoupRtpCapabilities, toMediasoupRtpCapabilities } from './convert.ts'
import type { MediaLog } from '../log.ts'
import { Listeners } from '../listeners.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Ingress,
  IngressOptions,
  Router,
  RouterEvents,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../sfu.ts'
import { openIngress, openTap, type LocalHost } from './local.ts'
import { MediasoupTransport } from './transport.ts'

/** What the worker assumes a client can take before it has measured, in bits per second: one good camera or several small ones. */
const initialOutgoingBitrate = 1_500_000
/** The most one client may send in, in bits per second: three layers of camera, a screen and sound, with room to spare. */
const maxIncomingBitrate = 12_000_000

/** The most that one message over a data channel may hold, in bytes; the published client sends 15 KiB at most. */
const maxDataMessageSize = 64 * 1024

/** Loudness below which nobody speaks, in dBov. */
const silenceThreshold = -60
/** How often loudness is judged, in milliseconds; so long does a pause last before it is silence. */
const loudnessIntervalMs = 1000
const speakerIntervalMs = 300

/** Where each producer is, on whatever worker: a transport of one router may receive what another router has. */
export type ProducerHomes = Map<string, { router: MediasoupRouter; kind: 'media' | 'level' | 'data' }>

/** What a router needs of the worker it is on. */
export interface RouterPlace {
  readonly log: MediaLog | undefined
  readonly webRtcServer: mediasoup.WebRtcServer
  readonly homes: ProducerHomes
  countConsumers(change: 1 | -1): void
  /** The router is closed or dead and counts no more. */
  left(router: MediasoupRouter): void
}

/** The media side of one meeting, on one worker. */
export class MediasoupRouter implements Router, LocalHost {
  readonly rtpCapabilities: RtpCapabilities
  readonly #router: mediasoup.Router
  readonly #place: RouterPlace
  readonly #listeners: Listeners<RouterEvents>
  readonly #speakers: mediasoup.ActiveSpeakerObserver
  readonly #levels: mediasoup.AudioLevelObserver
  /** Producers of other routers that were brought here, or are on their way: by their own id, the id that they have here. */
  readonly #piped = new Map<string, Promise<string>>()
  /** The reverse. */
  readonly #origins = new Map<string, string>()
  /** Of taps and ingresses. */
  readonly #local = new Set<mediasoup.Transport>()
  #activeSpeaker: string | null = null
  #transports = 0
  /** No meeting holds it any more. */
  #released = false
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
    if (this.#closed || this.#released) throw closed('meeting')
    const transport = await refusing('meeting', () =>
      this.#router.createWebRtcTransport({
        webRtcServer: this.#place.webRtcServer,
        ...protocols[options.preferredProtocol ?? 'UDP_OVER_TCP'],
        initialAvailableOutgoingBitrate: initialOutgoingBitrate,
        enableSctp: options.sctpCapabilities !== undefined,
        maxSendMessageSize: maxDataMessageSize,
        maxReceiveMessageSize: maxDataMessageSize,
      }),
    )
    if (this.#router.closed) {
      transport.close()
      throw closed('meeting')
    }
    this.#transports++
    transport.observer.once('close', () => {
      this.#transports--
      if (this.#released) this.#closeIfUnused()
    })
    if (options.direction === 'send') {
      // Nobody waits for it: the limit is in force long before the client has negotiated.
      transport.setMaxIncomingBitrate(maxIncomingBitrate).catch(() => undefined)
    }
    return new MediasoupTransport(transport, options.direction, this)
  }

  openTap(options: TapOptions): Promise<Tap> {
    return this.#openLocal(() =>
      openTap(this.#router, this, { rtpCapabilities: this.#withoutExtensions, ...options }),
    )
  }

  openIngress(options: IngressOptions): Promise<Ingress> {
    return this.#openLocal(() => openIngress(this.#router, this, options))
  }

  /** It belongs to the meeting that holds this router, and goes with it. */
  async #openLocal<T extends Tap | Ingress>(open: () => Promise<T>): Promise<T> {
    if (this.#closed || this.#released) throw closed('meeting')
    const opened = await open()
    if (this.#isOver()) {
      opened.close()
      throw closed('meeting')
    }
    return opened
  }

  #isOver(): boolean {
    return this.#closed || this.#released
  }

  canConsume(producerId: string, rtpCapabilities: RtpCapabilities): boolean {
    // mediasoup answers false to a producer it does not know, and to capabilities it cannot read.
    const home = this.#place.homes.get(producerId)?.router
    return (
      home !== undefined &&
      !home.#closed &&
      home.#router.canConsume({ producerId, rtpCapabilities: toMediasoupRtpCapabilities(rtpCapabilities) })
    )
  }

  /** Makes a producer of another router known to this one; answers its id here. @throws what mediasoup throws */
  async bring(producerId: string): Promise<string> {
    const home = this.#place.homes.get(producerId)
    if (!home || home.router === this) return producerId
    let piping = this.#piped.get(producerId)
    if (!piping) {
      piping = this.#pipe(producerId, home)
      this.#piped.set(producerId, piping)
      piping.catch(() => this.#piped.delete(producerId))
    }
    return await piping
  }

  close(): void {
    if (this.#closed || this.#released) return
    this.#released = true
    this.#listeners.clear()
    for (const transport of [...this.#local]) transport.close()
    this.#closeIfUnused()
  }

  #closeIfUnused(): void {
    if (this.#closed || this.#transports > 0) return
    this.#closed = true
    this.#place.left(this)
    this.#router.close()
  }

  async #pipe(
    id: string,
    { router: from, kind }: { router: MediasoupRouter; kind: string },
  ): Promise<string> {
    const { pipeProducer, pipeDataProducer } = await from.#router.pipeToRouter({
      router: this.#router,
      // Ids are unique in a worker, and another router of it may have this producer, or be its home.
      keepId: false,
      ...(kind === 'data' ? { dataProducerId: id } : { producerId: id }),
    })
    const here = pipeProducer?.id ?? pipeDataProducer?.id
    if (here === undefined) throw closed('stream')
    const forget = (): void => {
      this.#piped.delete(id)
      this.#origins.delete(here)
    }
    this.#origins.set(here, id)
    pipeProducer?.observer.once('close', forget)
    pipeDataProducer?.observer.once('close', forget)
    if (kind === 'level' && pipeProducer) this.#watch(pipeProducer)
    return here
  }

  /** The worker is gone, and mediasoup has closed all that was on it. */
  workerDied(): void {
    if (this.#closed) return
    this.#closed = true
    this.#place.left(this)
    this.#listeners.emit('died')
    this.#listeners.clear()
  }

  register(producer: mediasoup.Producer | mediasoup.DataProducer, watchLevel: boolean): void {
    const { homes } = this.#place
    const data = !('kind' in producer)
    homes.set(producer.id, { router: this, kind: data ? 'data' : watchLevel ? 'level' : 'media' })
    const forget = (): void => void homes.delete(producer.id)
    if (data) producer.observer.once('close', forget)
    else {
      producer.observer.once('close', forget)
      if (watchLevel) this.#watch(producer)
    }
  }

  #watch(producer: mediasoup.Producer): void {
    const { id: producerId } = producer
    const origin = this.#origins.get(producerId) ?? producerId
    producer.observer.once('close', () => {
      if (this.#activeSpeaker === origin) this.#speaks(null)
    })
    Promise.all([this.#speakers.addProducer({ producerId }), this.#levels.addProducer({ producerId })]).catch(
      (error: unknown) => {
        // Closed meanwhile: it is nobody's failure.
        if (!producer.closed)
          this.log?.warn({ err: error, producerId }, 'a stream is not watched for the active speaker')
      },
    )
  }

  ownLocally(transport: mediasoup.Transport): void {
    this.#local.add(transport)
    transport.observer.once('close', () => this.#local.delete(transport))
  }

  get #withoutExtensions(): RtpCapabilities {
    return { ...this.rtpCapabilities, headerExtensions: [] }
  }

  countConsumers(change: 1 | -1): void {
    this.#place.countConsumers(change)
  }

  /** @param id as the observers here know it */
  #speaks(id: string | null): void {
    const producerId = id === null ? null : (this.#origins.get(id) ?? id)
    if (this.#closed || this.#activeSpeaker === producerId) return
    this.#activeSpeaker = producerId
    this.#listeners.emit('activeSpeaker', producerId)
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
