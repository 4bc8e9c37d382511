/**
 * Requests a video in the size in which it is shown, and pauses it while it is not shown. Sizes change often and
 * answers take time: one request runs at a time, and the newest wish counts.
 */
import { MeetingError } from './errors.ts'

/** The sizes that a sender announced. */
export interface SentSizes {
  /** Width of the largest layer, in px. */
  width: number
  /** Number of layers, each half as wide as the next. */
  layers: number
}

/** A layer this much narrower than its place still looks sharp enough. */
const SHARP_ENOUGH = 0.8
const RETRY_MS = 1000
const UNKNOWN_WIDTH = 1280

/** Reads the producer's `appData` (contract, signalling §3.3); missing values are assumed to be usual. */
export function sentSizesOf(appData: Record<string, unknown>): SentSizes {
  const { width, encodings } = appData
  return {
    width: typeof width === 'number' && width > 0 ? width : UNKNOWN_WIDTH,
    layers: Array.isArray(encodings) && encodings.length > 0 ? encodings.length : 1,
  }
}

/** Returns the smallest layer that looks sharp at this width. */
export function layerFor(shownWidth: number, { width, layers }: SentSizes): number {
  for (let layer = 0; layer < layers - 1; layer++)
    if (width / 2 ** (layers - 1 - layer) >= shownWidth * SHARP_ENOUGH) return layer
  return layers - 1
}

interface Wish {
  paused: boolean
  /** Undefined if the sender sends one size. */
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
  /** Until `show` is called, the video arrives as the server sends it. */
  #now: Wish = { paused: false, layer: undefined }
  #wish: Wish = this.#now
  #isAsking = false
  #isOver = false

  constructor(options: ShowingOptions) {
    this.#options = options
  }

  /** @param width in device px; 0 if it is not shown */
  show(width: number): void {
    const { sent } = this.#options
    const layer = width > 0 && sent.layers > 1 ? layerFor(width, sent) : this.#wish.layer
    this.#wish = { paused: width <= 0, layer }
    void this.#ask()
  }

  /** Stops sending requests. */
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
      // It ended with its consumer or connection, and the next one starts again; after too many requests, try again.
      if (error instanceof MeetingError && error.reason === 'RATE_LIMITED')
        later(() => void this.#ask(), RETRY_MS)
    } finally {
      this.#isAsking = false
    }
  }
}
