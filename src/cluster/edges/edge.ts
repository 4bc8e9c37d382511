/** This node as an edge of meetings whose home is another node: it carries the media of some members, and follows the home. */
import type {
  Consumer,
  DataConsumer,
  DataOptions,
  DataProducer,
  Producer,
  Router,
  Sfu,
  Transport,
  TransportOptions,
} from '../../media/sfu.ts'
import type { DtlsParameters, MediaKind, RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Channel } from './channel.ts'
import { ChannelSource, ServedSource } from './streams.ts'

/** What the home is told about an object when it is created. */
export type SentTransport = Pick<
  Transport,
  'id' | 'worker' | 'iceParameters' | 'iceCandidates' | 'dtlsParameters' | 'sctpParameters' | 'line'
>
export type SentProducer = Pick<Producer, 'id' | 'kind' | 'type' | 'paused' | 'scores'>
export type SentConsumer = Pick<
  Consumer,
  'id' | 'kind' | 'type' | 'rtpParameters' | 'producerPaused' | 'scores' | 'layers'
>
export type SentData = Pick<DataProducer, 'id' | 'sctpStreamParameters' | 'label' | 'protocol'>

/** An object that the home has created here. */
interface Made {
  transport?: Transport
  /** Those of the client of a transport. */
  rtpCapabilities?: RtpCapabilities
  /** The keys of the streams of a transport, which close with it. */
  streams?: Set<number>
  producer?: Producer
  consumer?: Consumer
  data?: DataProducer | DataConsumer
}

export class Edge {
  readonly #sfu: Sfu
  readonly #channel: Pick<Channel, 'call' | 'tell'>
  readonly #source: ChannelSource
  readonly #served: ServedSource | undefined
  readonly #routers = new Map<number, { router: Promise<Router>; members: Map<number, object> }>()
  /** By the keys that the home chose. */
  readonly #made = new Map<number, Made>()
  #isOver = false

  constructor(sfu: Sfu, channel: Pick<Channel, 'call' | 'tell'>) {
    this.#sfu = sfu
    this.#channel = channel
    this.#source = new ChannelSource(channel)
    this.#served = sfu.offers && new ServedSource(sfu.offers, channel)
  }

  /** Answers a call of the home. */
  async answer(method: string, args: unknown[]): Promise<unknown> {
    const served = this.#served?.answer(method, args)
    if (served) return served
    if (!CALLS.has(method)) throw new Refusal('METHOD_NOT_ALLOWED')
    return await (this as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...args)
  }

  /** Follows a message of the home. */
  hear(what: string, args: unknown[]): void {
    const [of, event] = args as [never, never]
    if (what === 'close') this.#close(of)
    if (what === 'closeRouter') this.#closeRouter(of)
    if (what === 'closeStream') this.#served?.close(of)
    if (what === 'stream') this.#source.hear(of, event)
  }

  /** Call this when the connection to the home is lost: closes everything, as nobody controls it any more. */
  close(): void {
    this.#isOver = true
    this.#source.lose()
    this.#served?.closeAll()
    for (const key of [...this.#routers.keys()]) this.#closeRouter(key)
    for (const { transport } of this.#made.values()) transport?.close()
    this.#made.clear()
  }

  openRouter(key: number): Promise<void> {
    const router = this.#sfu.openRouter({ elsewhere: this.#source, findsSpeaker: false })
    this.#routers.set(key, { router, members: new Map() })
    return router.then((open) => {
      if (this.#isOver) open.close()
    })
  }

  async createTransport(
    key: number,
    routerKey: number,
    memberKey: number,
    options: TransportOptions,
  ): Promise<SentTransport> {
    const opened = this.#routers.get(routerKey)
    if (!opened) throw gone()
    const { router, members } = opened
    const member = members.get(memberKey) ?? {}
    members.set(memberKey, member)
    const transport = await (await router).createTransport({ ...options, member })
    this.#keep(key, { transport, streams: new Set() }, transport)
    transport.on('line', () => this.#channel.tell('line', key, transport.line))
    transport.on('lost', () => {
      this.#forget(key)
      this.#channel.tell('lost', key)
    })
    const { id, worker, iceParameters, iceCandidates, dtlsParameters, sctpParameters, line } = transport
    return {
      id,
      worker,
      iceParameters,
      iceCandidates,
      dtlsParameters,
      line,
      ...(sctpParameters && { sctpParameters }),
    }
  }

  async connectTransport(key: number, dtlsParameters: DtlsParameters): Promise<void> {
    await this.#transport(key).connect(dtlsParameters)
  }

  restartIce(key: number): Promise<unknown> {
    return this.#transport(key).restartIce()
  }

  async produce(
    key: number,
    transportKey: number,
    options: { kind: MediaKind; rtpParameters: RtpParameters },
  ): Promise<SentProducer> {
    const producer = await this.#transport(transportKey).produce(options)
    this.#keep(key, { producer }, producer, transportKey)
    const { id, kind, type, paused, scores } = producer
    return { id, kind, type, paused, scores }
  }

  /** @param rtpCapabilities undefined: those of the last call */
  async consume(
    key: number,
    transportKey: number,
    producerId: string,
    rtpCapabilities: RtpCapabilities | undefined,
  ): Promise<SentConsumer> {
    const transport = this.#transport(transportKey)
    const made = this.#made.get(transportKey)!
    if (rtpCapabilities) made.rtpCapabilities = rtpCapabilities
    const consumer = await transport.consume({ producerId, rtpCapabilities: made.rtpCapabilities! })
    this.#keep(key, { consumer }, consumer, transportKey)
    consumer.on('producerClosed', () => {
      this.#made.delete(key)
      this.#channel.tell('producerClosed', key)
    })
    consumer.on('producerPaused', () => this.#channel.tell('producerPaused', key, true))
    consumer.on('producerResumed', () => this.#channel.tell('producerPaused', key, false))
    consumer.on('layersChanged', (layers) => this.#channel.tell('layers', key, layers))
    const { id, kind, type, rtpParameters, producerPaused, scores, layers } = consumer
    return { id, kind, type, rtpParameters, producerPaused, scores, layers }
  }

  async produceData(key: number, transportKey: number, options: DataOptions): Promise<SentData> {
    return this.#keepData(key, transportKey, await this.#transport(transportKey).produceData(options))
  }

  async consumeData(key: number, transportKey: number, dataProducerId: string): Promise<SentData> {
    const consumer = await this.#transport(transportKey).consumeData({ dataProducerId })
    consumer.on('producerClosed', () => {
      this.#made.delete(key)
      this.#channel.tell('producerClosed', key)
    })
    return this.#keepData(key, transportKey, consumer)
  }

  async pause(key: number, paused: boolean): Promise<void> {
    const stream = this.#stream(key)
    await (paused ? stream.pause() : stream.resume())
  }

  async setPreferredLayers(
    key: number,
    layers: Parameters<Consumer['setPreferredLayers']>[0],
  ): Promise<void> {
    await this.#consumer(key).setPreferredLayers(layers)
  }

  async setPriority(key: number, priority: number): Promise<void> {
    await this.#consumer(key).setPriority(priority)
  }

  async requestKeyFrame(key: number): Promise<void> {
    await this.#consumer(key).requestKeyFrame()
  }

  /** Scores travel with the statistics, so that a change of them alone sends nothing. */
  async stats(key: number): Promise<{ stats: unknown; scores?: unknown }> {
    const { transport, producer, consumer, data } = this.#made.get(key) ?? {}
    const stream = producer ?? consumer
    if (stream) return { stats: await stream.stats(), scores: stream.scores }
    const other = transport ?? data
    if (!other) throw gone()
    return { stats: await other.stats() }
  }

  #keepData(key: number, transportKey: number, data: DataProducer | DataConsumer): SentData {
    this.#keep(key, { data }, data, transportKey)
    const { id, sctpStreamParameters, label, protocol } = data
    return { id, sctpStreamParameters, label, protocol }
  }

  #keep(key: number, made: Made, closable: { close(): void }, transportKey?: number): void {
    const streams = transportKey === undefined ? undefined : this.#made.get(transportKey)?.streams
    if (this.#isOver || (transportKey !== undefined && !streams)) {
      closable.close()
      throw gone()
    }
    streams?.add(key)
    this.#made.set(key, made)
  }

  #close(key: number): void {
    const { transport, producer, consumer, data } = this.#made.get(key) ?? {}
    this.#forget(key)
    for (const made of [transport, producer, consumer, data]) made?.close()
  }

  #forget(key: number): void {
    for (const stream of this.#made.get(key)?.streams ?? []) this.#made.delete(stream)
    this.#made.delete(key)
  }

  #closeRouter(key: number): void {
    const opened = this.#routers.get(key)
    this.#routers.delete(key)
    opened?.router.then(
      (router) => router.close(),
      () => undefined,
    )
  }

  #transport(key: number): Transport {
    const transport = this.#made.get(key)?.transport
    if (!transport) throw gone()
    return transport
  }

  #consumer(key: number): Consumer {
    const consumer = this.#made.get(key)?.consumer
    if (!consumer) throw gone()
    return consumer
  }

  #stream(key: number): Producer | Consumer {
    const { producer, consumer } = this.#made.get(key) ?? {}
    const stream = producer ?? consumer
    if (!stream) throw gone()
    return stream
  }
}

/** The methods that a home may call. */
const CALLS: ReadonlySet<string> = new Set<keyof Edge>([
  'openRouter',
  'createTransport',
  'connectTransport',
  'restartIce',
  'produce',
  'consume',
  'produceData',
  'consumeData',
  'pause',
  'setPreferredLayers',
  'setPriority',
  'requestKeyFrame',
  'stats',
])

function gone(): Refusal {
  return new Refusal('INVALID_STATE', { reason: 'closed' })
}
