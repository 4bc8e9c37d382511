import type { types as mediasoup } from 'mediasoup'
import type { PreferredProtocol, RtpCapabilities } from '../../protocol/media.ts'
import { fromMediasoupRtpCapabilities } from './convert.ts'
import type { MediaLog } from '../log.ts'
import { closed, refusing } from '../refusals.ts'
import type {
  Ingress,
  IngressOptions,
  StreamSource,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../sfu.ts'
import { Inlets, type HostLines } from './hosts.ts'
import { openIngress, openTap, type LocalHost } from './local.ts'
import {
  onClose,
  openLine,
  PipedStream,
  type Demand,
  type Line,
  type PipeTimes,
  type Receiver,
} from './pipes.ts'
import type { SharedWay } from './shared-port.ts'
import { MediasoupTransport, type Brought } from './transport.ts'

/**
 * The bandwidth of a client that the worker assumes before it has measured any, in bits per second: one good camera or
 * several small ones.
 */
const initialOutgoingBitrate = 1_500_000
/** The most that one client may send, in bits per second: three camera layers, a screen and sound, with a margin. */
const maxIncomingBitrate = 12_000_000

/** The maximum size of a data channel message, in bytes; the published client sends at most 15 KiB. */
const maxDataMessageSize = 64 * 1024

/** The place of each producer, on any worker: a transport of one router may receive a producer of another router. */
export type ProducerHomes = Map<string, ProducerHome>

interface ProducerHome {
  router: WorkerRouter
  producer: mediasoup.Producer | mediasoup.DataProducer
  /** Whether it counts for the active speaker. */
  isVoice: boolean
  /** Of a copy that comes from another host. */
  demand?: Demand
}

/** A voice as the observing router sees it. */
export interface ListenedTo {
  id: string
  /** Whether the producer still exists at its source. */
  isThere: () => boolean
  letGo: () => void
}

/** What a router needs from its worker and its meeting. */
export interface RouterPlace {
  readonly log: MediaLog | undefined
  /** The index of the worker, from 0. */
  readonly index: number
  readonly webRtcServer: mediasoup.WebRtcServer
  /** The way to this worker from the TCP port that all share. */
  readonly shared?: SharedWay | undefined
  readonly homes: ProducerHomes
  readonly pipeTimes: PipeTimes
  /** Undefined if streams stay on this host. */
  readonly hostLines?: HostLines | undefined
  /** Where to get streams of other hosts. */
  readonly elsewhere?: StreamSource | undefined
  /** Counts a use of a voice; returns a function that ends the use. */
  useVoice(producerId: string): () => void
  /** Called when the router is closed or dead. */
  left(router: WorkerRouter): void
}

/** The part of a meeting on one worker. */
export class WorkerRouter implements LocalHost {
  readonly rtpCapabilities: RtpCapabilities
  readonly #router: mediasoup.Router
  readonly #place: RouterPlace
  /** Producers of other routers that are piped here or about to be, by their own id. */
  readonly #piped = new Map<string, Promise<PipedStream>>()
  /** The lines between this router and others, by router. */
  readonly #lines = new Map<WorkerRouter, Promise<Line>>()
  /** The transports of taps and ingresses. */
  readonly #local = new Set<mediasoup.Transport>()
  readonly #inlets = new Inlets(this)
  readonly #counts = { producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
  #transports = 0
  /** The meeting no longer holds it. */
  #released = false
  #closed = false
  #died = false

  constructor(router: mediasoup.Router, place: RouterPlace) {
    this.#router = router
    this.#place = place
    this.rtpCapabilities = fromMediasoupRtpCapabilities(router.rtpCapabilities)
  }

  get log(): MediaLog | undefined {
    return this.#place.log
  }

  get id(): string {
    return this.#router.id
  }

  get worker(): number {
    return this.#place.index
  }

  /** Whether its worker died, and with it everything on it. */
  get died(): boolean {
    return this.#died
  }

  get counts(): Readonly<{ producers: number; consumers: number; pipesIn: number; pipesOut: number }> {
    return this.#counts
  }

  /** @param onClose called when the transport has closed */
  async createTransport(options: TransportOptions, onClose: () => void): Promise<Transport> {
    this.#assertOpen()
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
      onClose()
      if (this.#released) this.#closeIfUnused()
    })
    if (options.direction === 'send') {
      // Do not wait for it: the limit is in force long before the client has negotiated.
      transport.setMaxIncomingBitrate(maxIncomingBitrate).catch(() => undefined)
    }
    return new MediasoupTransport(transport, options.direction, this, this.#place.shared)
  }

  openTap(options: TapOptions): Promise<Tap> {
    return this.#openLocal(() =>
      openTap(this.#router, this, { rtpCapabilities: this.#withoutExtensions, ...options }),
    )
  }

  /** @param onClose called when the ingress has closed */
  async openIngress(options: IngressOptions, onClose: () => void): Promise<Ingress> {
    const ingress = await this.#openLocal(() => openIngress(this.#router, this, options))
    ingress.on('closed', onClose)
    return ingress
  }

  /** Opens a tap or an ingress that closes with the meeting's hold on this router. */
  async #openLocal<T extends Tap | Ingress>(open: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    const opened = await open()
    if (this.#isOver()) {
      opened.close()
      throw closed('meeting')
    }
    return opened
  }

  #assertOpen(): void {
    if (this.#isOver()) throw closed('meeting')
  }

  #isOver(): boolean {
    return this.#closed || this.#released
  }

  async bring(producerId: string): Promise<Brought> {
    const home = await this.#homeOf(producerId)
    const piped = await this.#pipedFrom(home, producerId)
    const demand = piped?.demand ?? home?.demand
    return {
      id: piped?.id ?? producerId,
      hold: (consumer) => {
        demand?.hold(consumer)
        this.#count('consumers', consumer)
        if (home?.isVoice) onClose(consumer, this.#place.useVoice(producerId))
      },
    }
  }

  /** Makes a voice available here and keeps it flowing until it is let go. @throws mediasoup's errors */
  async listenTo(producerId: string): Promise<ListenedTo> {
    const home = await this.#homeOf(producerId)
    const isThere = (): boolean => home?.producer.closed === false
    const piped = await this.#pipedFrom(home, producerId)
    const demand = piped?.demand ?? home?.demand
    const letGo = [demand?.watch(), demand?.keep()]
    return { id: piped?.id ?? producerId, isThere, letGo: () => letGo.forEach((end) => end?.()) }
  }

  /** Opens one end of a line to another host. @throws mediasoup's errors */
  async openHostLine(): Promise<mediasoup.PipeTransport> {
    const { hostLines } = this.#place
    if (!hostLines || this.#closed) throw closed('meeting')
    return await hostLines.open(this.#router)
  }

  countPipedOut(stream: Receiver): void {
    this.#count('pipesOut', stream)
  }

  /** Where a producer, or its copy, is on this host; brings it here from another host if it is not. */
  async #homeOf(producerId: string): Promise<ProducerHome | undefined> {
    const { homes, hostLines, elsewhere } = this.#place
    if (hostLines && elsewhere && !homes.has(producerId)) {
      let arriving = hostLines.arriving.get(producerId)
      if (!arriving) {
        arriving = this.#fetch(producerId, elsewhere).finally(() => hostLines.arriving.delete(producerId))
        hostLines.arriving.set(producerId, arriving)
      }
      await arriving
    }
    const home = homes.get(producerId)
    home?.demand?.touch()
    return home
  }

  async #fetch(producerId: string, elsewhere: StreamSource): Promise<void> {
    const { homes, pipeTimes } = this.#place
    const { producer, demand } = await this.#inlets.bring(producerId, elsewhere, pipeTimes)
    const home: ProducerHome = { router: this, producer, isVoice: false, demand }
    homes.set(producerId, home)
    this.#count('pipesIn', producer)
    onClose(producer, () => {
      if (homes.get(producerId) === home) homes.delete(producerId)
    })
  }

  /** @throws mediasoup's errors */
  async observe(options: {
    speakerIntervalMs: number
    silenceThreshold: number
    loudnessIntervalMs: number
  }): Promise<{ speakers: mediasoup.ActiveSpeakerObserver; levels: mediasoup.AudioLevelObserver }> {
    const [speakers, levels] = await Promise.all([
      this.#router.createActiveSpeakerObserver({ interval: options.speakerIntervalMs }),
      this.#router.createAudioLevelObserver({
        maxEntries: 1,
        threshold: options.silenceThreshold,
        interval: options.loudnessIntervalMs,
      }),
    ])
    return { speakers, levels }
  }

  /**
   * Called when the meeting no longer needs the router. It closes with its last transport, because another meeting may
   * use that. Idempotent.
   */
  release(): void {
    if (this.#isOver()) return
    this.#released = true
    for (const transport of [...this.#local]) transport.close()
    this.#closeIfUnused()
  }

  #closeIfUnused(): void {
    if (this.#closed || this.#transports > 0) return
    this.#closed = true
    this.#router.close()
    this.#place.left(this)
  }

  /** Returns undefined for a producer that is on this router or does not exist. @throws mediasoup's errors */
  async #pipedFrom(home: ProducerHome | undefined, producerId: string): Promise<PipedStream | undefined> {
    if (!home || home.router === this) return undefined
    let piping = this.#piped.get(producerId)
    if (!piping) {
      piping = this.#pipe(home)
      this.#piped.set(producerId, piping)
      const forget = (): void => {
        if (this.#piped.get(producerId) === piping) this.#piped.delete(producerId)
      }
      piping.then((piped) => piped.onClose(forget), forget)
    }
    const piped = await piping
    piped.demand.touch()
    return piped
  }

  async #pipe({ router: from, producer, demand }: ProducerHome): Promise<PipedStream> {
    const piped = await PipedStream.open(await from.#lineTo(this), producer, this.#place.pipeTimes)
    demand?.hold(piped.from)
    from.#counts.pipesOut += 1
    this.#counts.pipesIn += 1
    piped.onClose(() => {
      from.#counts.pipesOut -= 1
      this.#counts.pipesIn -= 1
    })
    return piped
  }

  /** Returns the line to another router; one line carries streams in both directions. */
  #lineTo(other: WorkerRouter): Promise<Line> {
    const known = this.#lines.get(other)
    if (known) return known
    const line = openLine(this.#router, other.#router)
    const reverse = line.then(({ near, far }) => ({ near: far, far: near }))
    this.#lines.set(other, line)
    other.#lines.set(this, reverse)
    const forget = (): void => {
      if (this.#lines.get(other) === line) this.#lines.delete(other)
      if (other.#lines.get(this) === reverse) other.#lines.delete(this)
    }
    reverse.then(({ near }) => onClose(near, forget), forget)
    return line
  }

  /** Called when the worker died; mediasoup has closed everything on it. */
  workerDied(): void {
    if (this.#closed) return
    this.#closed = true
    this.#died = true
    this.#place.left(this)
  }

  register(producer: mediasoup.Producer | mediasoup.DataProducer, isVoice: boolean): void {
    const { homes } = this.#place
    homes.set(producer.id, { router: this, producer, isVoice })
    onClose(producer, () => homes.delete(producer.id))
    this.#count('producers', producer)
    if (isVoice) onClose(producer, this.#place.useVoice(producer.id))
  }

  #count(
    what: 'producers' | 'consumers' | 'pipesIn' | 'pipesOut',
    made: Parameters<typeof onClose>[0],
  ): void {
    this.#counts[what] += 1
    onClose(made, () => (this.#counts[what] -= 1))
  }

  ownLocally(transport: mediasoup.Transport): void {
    this.#local.add(transport)
    transport.observer.once('close', () => this.#local.delete(transport))
  }

  get #withoutExtensions(): RtpCapabilities {
    return { ...this.rtpCapabilities, headerExtensions: [] }
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
