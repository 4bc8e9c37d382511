/**
 * Asks the server for a picture in the size in which it is shown, and for none while it is not shown. Sizes change often and
 * answers take time: one request flies at a time, and the newest wish is the one that counts.
 */
import { MeetingError } from './errors.ts'

/** What a sender said of its picture. */
export interface SentSizes {
  /** Of the largest layer, in px. */
  width: number
  /** How many sizes are sent, each half as wide as the next. */
  layers: number
}

/** A layer that is this much narrower than the place where it is shown still looks sharp enough. */
const SHARP_ENOUGH = 0.8
const RETRY_MS = 1000
const UNKNOWN_WIDTH = 1280

/** From the producer's `appData` (contract, signalling §3.3); what is not said is taken to be usual. */
export function sentSizesOf(appData: Record<string, unknown>): SentSizes {
  const { width, encodings } = appData
  return {
    width: typeof width === 'number' && width > 0 ? width : UNKNOWN_WIDTH,
    layers: Array.isArray(encodings) && encodings.length > 0 ? encodings.length : 1,
  }
}

/** The smallest layer that looks sharp when it is shown this wide. */
export function layerFor(shownWidth: number, { width, layers }: SentSizes): number {
  for (let layer = 0; layer < layers - 1; layer++)
    if (width / 2 ** (layers - 1 - layer) >= shownWidth * SHARP_ENOUGH) return layer
  return layers - 1
}

interface Wish {
  paused: boolean
  /** Undefined where the sender sends one size. */
  layer: number | undefined
}

export interface ShowingOptions {
  consumerId: string
  sent: SentSizes
  request: (method: string, data: object) => Promise<unknown>
  /** Default: `setTimeout`. */
  later?: (work: () => void, ms: number) => void
}

export class Showing {
  readonly #options: ShowingOptions
  /** Until somebody says how it is shown, it comes as the server sends it. */
  #now: Wish = { paused: false, layer: undefined }
  #wish: Wish = this.#now
  #isAsking = false
  #isOver = false

  constructor(options: ShowingOptions) {
    this.#options = options
  }

  /** @param width in device px; 0: it is not shown */
  show(width: number): void {
    const { sent } = this.#options
    const layer = width > 0 && sent.layers > 1 ? layerFor(width, sent) : this.#wish.layer
    this.#wish = { paused: width <= 0, layer }
    void this.#ask()
  }

  /** Asks for nothing any more. */
  end(): void {
    this.#isOver = true
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const { consumerId, request, later = setTimeout } = this.#options
    try {
      while (!this.#isOver) {
        const [now, { paused, layer }] = [this.#now, this.#wish]
        if (layer !== undefined && layer !== now.layer && !paused) {
          await request('setConsumerPreferredLayers', { consumerId, spatialLayer: layer, temporalLayer: 2 })
          this.#now = { ...this.#now, layer }
        } else if (paused !== now.paused) {
          await request(paused ? 'pauseConsumer' : 'resumeConsumer', { consumerId })
          this.#now = { ...this.#now, paused }
        } else return
      }
    } catch (error) {
      // Gone with its consumer or its connection, and made anew with the next; too many requests are asked again.
      if (error instanceof MeetingError && error.reason === 'RATE_LIMITED')
        later(() => void this.#ask(), RETRY_MS)
    } finally {
      this.#isAsking = false
    }
  }
}
