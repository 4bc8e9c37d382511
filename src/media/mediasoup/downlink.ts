/**
 * Follows the bandwidth of the line to one client, so that a narrowing line loses little voice and a widening one is
 * soon noticed.
 */
import type { types as mediasoup } from 'mediasoup'
import {
  fellSharply,
  follow,
  retreatBitrate,
  tryBitrate,
  type Act,
  type Downlink,
  type Look,
} from './downlink-rule.ts'

/** The part of mediasoup's transport that it needs. */
export type Line = Pick<
  mediasoup.WebRtcTransport,
  'on' | 'enableTraceEvent' | 'getStats' | 'setMaxOutgoingBitrate'
>

/** The worker's event about its estimate. */
interface Estimate {
  availableBitrate: number
  desiredBitrate: number
}

/** Removes the limit of the outgoing bitrate. */
const NO_LIMIT = 0

export class DownlinkControl {
  readonly #line: Line
  readonly #consumers = new Set<mediasoup.Consumer>()
  #state: Downlink = { is: 'open' }
  #before = 0
  #isLooking = false

  constructor(line: Line) {
    this.#line = line
    line.on('trace', ({ type, info }) => {
      if (type !== 'bwe' || this.#isLooking) return
      this.#isLooking = true
      // The call fails if the transport closes at this moment.
      this.#look(info as Estimate)
        .catch(() => undefined)
        .finally(() => (this.#isLooking = false))
    })
    line.enableTraceEvent(['bwe']).catch(() => undefined)
  }

  /** Adds a consumer that is sent on this line. */
  add(consumer: mediasoup.Consumer): void {
    if (consumer.kind !== 'video') return
    this.#consumers.add(consumer)
    consumer.observer.once('close', () => this.#consumers.delete(consumer))
  }

  async #look({ availableBitrate: available, desiredBitrate: desired }: Estimate): Promise<void> {
    const before = this.#before
    this.#before = available
    const [stats] = fellSharply({ available, before }) ? await this.#line.getStats() : []
    const look: Look = {
      nowMs: performance.now(),
      available,
      before,
      desired,
      isShort: [...this.#consumers].some(isShort),
      lost: stats?.rtpPacketLossSent ?? 0,
    }
    const { state, act } = follow(this.#state, look)
    this.#state = state
    if (act) await this.#act(act, look, stats?.rtpSendBitrate ?? available)
  }

  async #act(act: Act, look: Look, sent: number): Promise<void> {
    const line = this.#line
    if (act === 'release') await line.setMaxOutgoingBitrate(NO_LIMIT)
    if (act === 'try') {
      const bitrate = tryBitrate(look.available)
      await line.setMaxOutgoingBitrate(bitrate)
      // When the limit changes, the worker tries the previous one, so that one must be above the estimate.
      await line.setMaxOutgoingBitrate(Math.round(bitrate * 1.2))
    }
    if (act === 'retreat') {
      const bitrate = retreatBitrate(look, sent)
      this.#before = bitrate
      await line.setMaxOutgoingBitrate(bitrate)
      await this.#divideAnew()
    }
  }

  /** The worker distributes bandwidth when a client's wish changes, otherwise up to a second later. */
  async #divideAnew(): Promise<void> {
    for (const consumer of this.#consumers) {
      const wanted = consumer.preferredLayers
      if (!isFlowing(consumer) || !wanted?.temporalLayer) continue
      const fewer = { ...wanted, temporalLayer: wanted.temporalLayer - 1 }
      // Both at once, so that no request of the client comes between them and is overwritten.
      await Promise.all([consumer.setPreferredLayers(fewer), consumer.setPreferredLayers(wanted)])
      return
    }
  }
}

function isFlowing({ closed, paused, producerPaused }: mediasoup.Consumer): boolean {
  return !closed && !paused && !producerPaused
}

/** Whether the client gets lower layers than it wants. */
function isShort(consumer: mediasoup.Consumer): boolean {
  const { preferredLayers: wanted, currentLayers: sent } = consumer
  if (!wanted || !isFlowing(consumer)) return false
  return !sent || sent.spatialLayer < wanted.spatialLayer
}
