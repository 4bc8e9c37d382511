/** A transport on an edge, as the home uses it. */
import type {
  Consumer,
  DataConsumer,
  DataOptions,
  DataProducer,
  Producer,
  Transport,
  TransportEvents,
  TransportLine,
  TransportStats,
} from '../../media/sfu.ts'
import type {
  DtlsParameters,
  IceParameters,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
} from '../../protocol/media.ts'
import type { SentConsumer, SentData, SentProducer, SentTransport } from './edge.ts'
import type { EdgeLink } from './edge-link.ts'
import { RemoteConsumer, RemoteData, RemoteProducer } from './remote-streams.ts'
import { Remote } from './remote.ts'

/** What the home does when something begins or ends on an edge. */
export interface RemoteEvents {
  /** Returns what to call when it ends. */
  onProducer: (producerId: string, isVoice: boolean) => () => void
  onConsumer: () => () => void
  onTransport: () => () => void
}

export class RemoteTransport extends Remote<TransportEvents> implements Transport {
  readonly #sent: SentTransport
  readonly #events: RemoteEvents
  readonly #streams = new Set<{ over(): void }>()
  #line: TransportLine
  #rtpCapabilities: RtpCapabilities | undefined

  constructor(link: EdgeLink, key: number, sent: SentTransport, events: RemoteEvents) {
    super(link, key, events.onTransport())
    this.#sent = sent
    this.#events = events
    this.#line = sent.line
  }

  get id(): string {
    return this.#sent.id
  }

  get worker(): number {
    return this.#sent.worker
  }

  get node(): string {
    return this.link.nodeId
  }

  get line(): TransportLine {
    return this.#line
  }

  get iceParameters(): Transport['iceParameters'] {
    return this.#sent.iceParameters
  }

  get iceCandidates(): Transport['iceCandidates'] {
    return this.#sent.iceCandidates
  }

  get dtlsParameters(): Transport['dtlsParameters'] {
    return this.#sent.dtlsParameters
  }

  get sctpParameters(): Transport['sctpParameters'] & {} {
    return this.#sent.sctpParameters!
  }

  hear(what: string, value: unknown): void {
    if (what === 'line') {
      this.#line = value as TransportLine
      this.emit('line')
    }
    if (what === 'lost') {
      this.emit('lost')
      this.over()
    }
  }

  override over(): void {
    super.over()
    for (const stream of [...this.#streams]) stream.over()
  }

  async connect(dtlsParameters: DtlsParameters): Promise<void> {
    await this.call('connectTransport', dtlsParameters)
  }

  async restartIce(): Promise<IceParameters> {
    return (await this.call('restartIce')) as IceParameters
  }

  produce({
    watchLevel = false,
    ...options
  }: {
    kind: MediaKind
    rtpParameters: RtpParameters
    watchLevel?: boolean
  }): Promise<Producer> {
    return this.#make('produce', [options], (sent: SentProducer, key, ended) => {
      const end = this.#events.onProducer(sent.id, watchLevel && options.kind === 'audio')
      return new RemoteProducer(this.link, key, sent, () => {
        end()
        ended()
      })
    })
  }

  async consume({
    producerId,
    rtpCapabilities,
  }: {
    producerId: string
    rtpCapabilities: RtpCapabilities
  }): Promise<Consumer> {
    // They are long and rarely change, so the edge keeps them.
    const more = rtpCapabilities === this.#rtpCapabilities ? undefined : rtpCapabilities
    this.#rtpCapabilities = rtpCapabilities
    return this.#make('consume', [producerId, more], (sent: SentConsumer, key, ended) => {
      const end = this.#events.onConsumer()
      return new RemoteConsumer(this.link, key, producerId, sent, () => {
        end()
        ended()
      })
    })
  }

  produceData(options: DataOptions): Promise<DataProducer> {
    return this.#make('produceData', [options], (sent: SentData, key, ended) => {
      const end = this.#events.onProducer(sent.id, false)
      return new RemoteData(this.link, key, sent, '', () => {
        end()
        ended()
      })
    })
  }

  consumeData({ dataProducerId }: { dataProducerId: string }): Promise<DataConsumer> {
    return this.#make(
      'consumeData',
      [dataProducerId],
      (sent: SentData, key, ended) => new RemoteData(this.link, key, sent, dataProducerId, ended),
    )
  }

  async stats(): Promise<TransportStats> {
    return ((await this.call('stats')) as { stats: TransportStats }).stats
  }

  #make<Made extends Remote<never> & { hear(what: string, value: unknown): void }>(
    method: string,
    args: unknown[],
    build: (sent: never, key: number, ended: () => void) => Made,
  ): Promise<Made> {
    return this.link.make(method, [this.key, ...args], (sent, key) => {
      const made = build(sent, key, () => this.#streams.delete(made))
      this.#streams.add(made)
      return made
    })
  }
}
