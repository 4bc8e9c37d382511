/** Streams on an edge, as the home uses them. */
import type {
  Consumer,
  ConsumerEvents,
  DataConsumer,
  DataConsumerEvents,
  DataProducer,
  Producer,
  StreamStats,
} from '../../media/sfu.ts'
import type { MediaKind, RtpParameters } from '../../protocol/media.ts'
import type { SentConsumer, SentData, SentProducer } from './edge.ts'
import type { EdgeLink } from './edge-link.ts'
import { Remote, type Listener } from './remote.ts'

type SentMedia = SentProducer | SentConsumer

/** What producers and consumers have in common. */
class RemoteMedia<
  Sent extends SentMedia,
  Events extends { [E in keyof Events]: Listener },
> extends Remote<Events> {
  protected readonly sent: Sent
  #paused: boolean
  #scores: Sent['scores']

  constructor(link: EdgeLink, key: number, sent: Sent, paused: boolean, ended: () => void) {
    super(link, key, ended)
    this.sent = sent
    this.#paused = paused
    this.#scores = sent.scores
  }

  get id(): string {
    return this.sent.id
  }

  get kind(): MediaKind {
    return this.sent.kind
  }

  get type(): Sent['type'] {
    return this.sent.type
  }

  get paused(): boolean {
    return this.#paused
  }

  /** As of the last statistics. */
  get scores(): Sent['scores'] {
    return this.#scores
  }

  async pause(): Promise<void> {
    await this.call('pause', true)
    this.#paused = true
  }

  async resume(): Promise<void> {
    await this.call('pause', false)
    this.#paused = false
  }

  async stats(): Promise<StreamStats> {
    const { stats, scores } = (await this.call('stats')) as { stats: StreamStats; scores: Sent['scores'] }
    this.#scores = scores
    return stats
  }
}

export class RemoteProducer extends RemoteMedia<SentProducer, object> implements Producer {
  constructor(link: EdgeLink, key: number, sent: SentProducer, ended: () => void) {
    super(link, key, sent, sent.paused, ended)
  }

  hear(what: string): void {
    if (what === 'lost') this.over()
  }
}

export class RemoteConsumer extends RemoteMedia<SentConsumer, ConsumerEvents> implements Consumer {
  readonly producerId: string
  #producerPaused: boolean
  #layers: Consumer['layers']

  constructor(link: EdgeLink, key: number, producerId: string, sent: SentConsumer, ended: () => void) {
    super(link, key, sent, true, ended)
    this.producerId = producerId
    this.#producerPaused = sent.producerPaused
    this.#layers = sent.layers
  }

  get rtpParameters(): RtpParameters {
    return this.sent.rtpParameters
  }

  get producerPaused(): boolean {
    return this.#producerPaused
  }

  get layers(): Consumer['layers'] {
    return this.#layers
  }

  hear(what: string, value: unknown): void {
    if (what === 'layers') {
      this.#layers = value as Consumer['layers']
      this.emit('layersChanged', this.#layers)
    }
    if (what === 'producerPaused') {
      this.#producerPaused = value === true
      this.emit(this.#producerPaused ? 'producerPaused' : 'producerResumed')
    }
    if (what === 'producerClosed') {
      this.emit('producerClosed')
      this.over()
    }
    if (what === 'lost') this.over()
  }

  async setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
    await this.call('setPreferredLayers', layers)
  }

  async requestKeyFrame(): Promise<void> {
    await this.call('requestKeyFrame')
  }

  async setPriority(priority: number): Promise<void> {
    await this.call('setPriority', priority)
  }
}

export class RemoteData extends Remote<DataConsumerEvents> implements DataProducer, DataConsumer {
  readonly dataProducerId: string
  readonly #sent: SentData

  constructor(link: EdgeLink, key: number, sent: SentData, dataProducerId: string, ended: () => void) {
    super(link, key, ended)
    this.dataProducerId = dataProducerId
    this.#sent = sent
  }

  get id(): string {
    return this.#sent.id
  }

  get sctpStreamParameters(): SentData['sctpStreamParameters'] {
    return this.#sent.sctpStreamParameters
  }

  get label(): string {
    return this.#sent.label
  }

  get protocol(): string {
    return this.#sent.protocol
  }

  hear(what: string): void {
    if (what === 'producerClosed') {
      this.emit('producerClosed')
      this.over()
    }
    if (what === 'lost') this.over()
  }

  async stats(): Promise<unknown[]> {
    return ((await this.call('stats')) as { stats: unknown[] }).stats
  }
}
