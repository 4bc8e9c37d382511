import { parseScalabilityMode, type types as mediasoup } from 'mediasoup'
import type { RtpParameters } from '../../protocol/media.ts'
import { fromMediasoupRtpParameters } from './convert.ts'
import { LayerWatch } from './layer-watch.ts'
import type { MediaLog } from '../log.ts'
import { Listeners } from '../listeners.ts'
import { refusing } from '../refusals.ts'
import type { Consumer, ConsumerEvents, StreamStats } from '../sfu.ts'
import { toStreamStats } from './stats.ts'

/**
 * The layer that a client receives first. A browser ignores a request for a key frame within 300 ms of the last one,
 * whichever layer it is for, and the worker repeats a request only after a second. If it started with the highest
 * layer, the first bandwidth estimates would often switch to a lower one before the key frame arrives, and the video
 * would start a second late.
 */
export const firstSpatialLayer = 1

/** A stream that one client receives. */
export class MediasoupConsumer implements Consumer {
  readonly producerId: string
  readonly rtpParameters: RtpParameters
  readonly type: Consumer['type']
  readonly #consumer: mediasoup.Consumer
  readonly #listeners: Listeners<ConsumerEvents>
  readonly #watch: LayerWatch
  /** The layers to send after the first frame was sent; undefined from then on. */
  #layersAfterFirst: { spatialLayer: number; temporalLayer?: number } | undefined

  /** @param producerId the producer's own id, not that of a piped copy */
  constructor(consumer: mediasoup.Consumer, producerId: string, log: MediaLog | undefined) {
    this.#consumer = consumer
    this.producerId = producerId
    this.#listeners = new Listeners(log)
    this.#watch = new LayerWatch(consumer)
    this.rtpParameters = fromMediasoupRtpParameters(consumer.rtpParameters)
    // Only pipe transports have consumers of the fourth type, and none of these is one.
    this.type = consumer.type as Consumer['type']
    consumer.on('producerclose', () => {
      this.#listeners.emit('producerClosed')
      this.#listeners.clear()
    })
    consumer.on('transportclose', () => this.#listeners.clear())
    consumer.on('producerpause', () => this.#listeners.emit('producerPaused'))
    consumer.on('producerresume', () => this.#listeners.emit('producerResumed'))
    if (this.type !== 'simple') this.#layersAfterFirst = this.#clamp({ spatialLayer: Infinity })
    consumer.on('layerschange', (layers) => {
      if (layers) this.#passFirst()
      this.#listeners.emit(
        'layersChanged',
        layers ? { spatialLayer: layers.spatialLayer, temporalLayer: layers.temporalLayer } : null,
      )
    })
    consumer.on('score', ({ score, producerScore }) =>
      this.#listeners.emit('score', { score, producerScore }),
    )
  }

  get id(): string {
    return this.#consumer.id
  }

  get kind(): Consumer['kind'] {
    return this.#consumer.kind
  }

  get producerPaused(): boolean {
    return this.#consumer.producerPaused
  }

  get paused(): boolean {
    return this.#consumer.paused
  }

  get scores(): Consumer['scores'] {
    const { score, producerScore } = this.#consumer.score
    return { score, producerScore }
  }

  get layers(): Consumer['layers'] {
    const layers = this.#consumer.currentLayers
    return layers ? { spatialLayer: layers.spatialLayer, temporalLayer: layers.temporalLayer } : null
  }

  on<E extends keyof ConsumerEvents>(event: E, listener: ConsumerEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  pause(): Promise<void> {
    return refusing('consumer', () => this.#consumer.pause())
  }

  resume(): Promise<void> {
    return refusing('consumer', () => this.#consumer.resume())
  }

  async setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
    // A stream with one layer has no choice; published clients send the request anyway.
    if (this.type === 'simple') return
    const preferred = this.#clamp(layers)
    // A change before the first frame would delay it.
    if (this.#layersAfterFirst && !this.#consumer.closed) this.#layersAfterFirst = preferred
    else await refusing('consumer', () => this.#watch.prefer(preferred))
  }

  #clamp(layers: { spatialLayer: number; temporalLayer?: number }): typeof layers {
    return clampLayers(layers, this.#consumer.rtpParameters.encodings?.[0]?.scalabilityMode)
  }

  #passFirst(): void {
    const layers = this.#layersAfterFirst
    if (!layers) return
    this.#layersAfterFirst = undefined
    // Fails only if the stream closes at this moment.
    this.#watch.prefer(layers).catch(() => undefined)
  }

  setPriority(priority: number): Promise<void> {
    return refusing('consumer', () => this.#consumer.setPriority(priority))
  }

  requestKeyFrame(): Promise<void> {
    return refusing('consumer', () => this.#consumer.requestKeyFrame())
  }

  async stats(): Promise<StreamStats> {
    const entries = await refusing('consumer', () => this.#consumer.getStats())
    return toStreamStats(entries, 'outbound-rtp', this.#consumer.rtpParameters.codecs[0]?.clockRate ?? 90_000)
  }

  close(): void {
    this.#listeners.clear()
    this.#consumer.close()
  }
}

/**
 * Clamps layers to those of `scalabilityMode` (`S3T3`): negative and invalid values become the lowest, larger ones the
 * highest.
 */
export function clampLayers(
  layers: { spatialLayer: number; temporalLayer?: number },
  scalabilityMode: string | undefined,
): { spatialLayer: number; temporalLayer?: number } {
  const { spatialLayers, temporalLayers } = parseScalabilityMode(scalabilityMode)
  const spatialLayer = clamp(layers.spatialLayer, spatialLayers - 1)
  if (layers.temporalLayer === undefined) return { spatialLayer }
  return { spatialLayer, temporalLayer: clamp(layers.temporalLayer, temporalLayers - 1) }
}

function clamp(value: number, max: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), 0), max)
}
