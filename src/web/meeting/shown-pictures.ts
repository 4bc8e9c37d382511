/**
 * Tracks how wide each video of the others is shown, in device px. The widest place of a stream counts; a stream
 * without a place is not sent. While the page is hidden, only places in the small window above it count.
 */
import type { Meeting, Stream } from '../../client/client.ts'

export interface ShownPicturesOptions {
  page: Pick<Document, 'hidden' | 'addEventListener' | 'removeEventListener'>
  /** Delays a call, so that a video that moves from one place to another is not paused in between. */
  later: (work: () => void) => void
}

type Source = Pick<Meeting, 'on' | 'participants'>

interface Place {
  width: number
  floats: boolean
}

export class ShownPictures {
  readonly #options: ShownPicturesOptions
  /** Widths of the places where a stream is shown. */
  readonly #places = new WeakMap<Stream, Map<object, Place>>()
  readonly #said = new WeakMap<Stream, number>()
  #meeting: Source | undefined
  #isPlanned = false
  #floats = false

  constructor(options: ShownPicturesOptions) {
    this.#options = options
  }

  /** Returns a function that stops it. */
  listen(meeting: Source): () => void {
    const { page } = this.#options
    const plan = (): void => this.#plan()
    this.#meeting = meeting
    page.addEventListener('visibilitychange', plan)
    const stop = meeting.on('streamAdded', plan)
    plan()
    return () => {
      stop()
      page.removeEventListener('visibilitychange', plan)
      this.#meeting = undefined
    }
  }

  /** Whether a small window above the page is open. */
  set floats(floats: boolean) {
    this.#floats = floats
    this.#plan()
  }

  /**
   * A place shows the stream at this width; 0 if it does not.
   *
   * @param floats whether the place is in the small window above the page
   */
  place(place: object, stream: Stream, width: number, floats = false): void {
    const places = this.#places.get(stream) ?? new Map<object, Place>()
    this.#places.set(stream, places)
    if (width > 0) places.set(place, { width, floats })
    else places.delete(place)
    this.#plan()
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#options.later(() => {
      this.#isPlanned = false
      this.#say()
    })
  }

  #say(): void {
    for (const { streams } of this.#meeting?.participants.values() ?? []) {
      for (const stream of streams.values()) {
        if (stream.kind !== 'video' && stream.kind !== 'share') continue
        const seen = [...(this.#places.get(stream)?.values() ?? [])].filter((place) =>
          place.floats ? this.#floats : !this.#options.page.hidden,
        )
        const width = Math.max(0, ...seen.map((place) => place.width))
        if (this.#said.get(stream) === width) continue
        this.#said.set(stream, width)
        stream.show(width)
      }
    }
  }
}
