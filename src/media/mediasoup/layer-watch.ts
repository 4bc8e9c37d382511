/**
 * Sees to it that a receiver without an estimate of its bandwidth gets the layer that it prefers, or the nearest one that is
 * sent. For such receivers the worker chooses a layer when something happens, and not again if it cannot switch at that
 * moment because no sender report of that layer has arrived: the stream then stays at another layer, or stops for ever if
 * that layer is not sent any more. With an estimate, the worker chooses about every second.
 */
import type { types as mediasoup } from 'mediasoup'

/** Sender reports of video come about every second. */
const FIRST_MS = 1000
const LONGEST_MS = 8000

export type WatchedConsumer = Pick<
  mediasoup.Consumer,
  | 'type'
  | 'closed'
  | 'paused'
  | 'producerPaused'
  | 'score'
  | 'currentLayers'
  | 'preferredLayers'
  | 'setPreferredLayers'
  | 'rtpParameters'
  | 'on'
  | 'observer'
>

export class LayerWatch {
  readonly #consumer: WatchedConsumer
  readonly #isNeeded: boolean
  #timer: NodeJS.Timeout | undefined
  #waitMs = FIRST_MS
  /** Preferred layers that are on their way to the worker. */
  #changes = 0

  constructor(consumer: WatchedConsumer) {
    this.#consumer = consumer
    this.#isNeeded = consumer.type === 'simulcast' && !hasEstimate(consumer.rtpParameters)
    if (!this.#isNeeded) return
    const look = (): void => this.#look()
    consumer.on('layerschange', look)
    consumer.on('score', look)
    consumer.on('producerpause', look)
    consumer.on('producerresume', look)
    consumer.observer.on('pause', look)
    consumer.observer.on('resume', look)
    consumer.observer.on('close', look)
  }

  /** Sets the preferred layers. */
  async prefer(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
    this.#changes += 1
    try {
      await this.#consumer.setPreferredLayers(layers)
    } finally {
      this.#changes -= 1
      this.#look()
    }
  }

  #look(): void {
    if (!this.#isNeeded) return
    if (isRight(this.#consumer)) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#waitMs = FIRST_MS
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_MS)
      // Fails only if the stream closes at this moment.
      this.#chooseAnew().then(
        () => this.#look(),
        () => undefined,
      )
    }, this.#waitMs).unref()
  }

  /** The worker chooses when the preferred layers change. */
  async #chooseAnew(): Promise<void> {
    const { preferredLayers: wanted } = this.#consumer
    // Those that are on their way are newer, and make the worker choose too.
    if (!wanted || this.#changes > 0) return
    const { spatialLayer, temporalLayer = 0 } = wanted
    const other =
      temporalLayer > 0
        ? { spatialLayer, temporalLayer: temporalLayer - 1 }
        : { spatialLayer: spatialLayer > 0 ? spatialLayer - 1 : 1, temporalLayer }
    // Both at once, so that no request of the client comes between them and is overwritten.
    await Promise.all([this.#consumer.setPreferredLayers(other), this.#consumer.setPreferredLayers(wanted)])
  }
}

/** Whether nothing flows, nothing else is sent, or the nearest layer that is sent is the one that flows. */
function isRight(consumer: WatchedConsumer): boolean {
  const { closed, paused, producerPaused, score, currentLayers, preferredLayers } = consumer
  if (closed || paused || producerPaused || !preferredLayers) return true
  const sent = score.producerScores.flatMap((one, layer) => (one > 0 ? [layer] : []))
  const nearest = sent.findLast((layer) => layer <= preferredLayers.spatialLayer) ?? sent[0]
  return nearest === undefined || nearest === currentLayers?.spatialLayer
}

/** The worker's own condition. */
function hasEstimate({ codecs, headerExtensions = [] }: mediasoup.RtpParameters): boolean {
  const has = (extension: string, feedback: string): boolean =>
    headerExtensions.some(({ uri }) => uri.includes(extension)) &&
    codecs.some(({ rtcpFeedback = [] }) => rtcpFeedback.some(({ type }) => type === feedback))
  return has('transport-wide-cc', 'transport-cc') || has('abs-send-time', 'goog-remb')
}
