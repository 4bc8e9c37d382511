/**
 * How wide each picture of the others is shown, in device px: what is shown twice counts at its larger size, what is shown
 * nowhere is not sent. Nothing is sent while the window is hidden.
 */
import type { Meeting, Stream } from '../../client/client.ts'

export interface ShownPicturesOptions {
  page: Pick<Document, 'hidden' | 'addEventListener' | 'removeEventListener'>
  /** Runs it a little later: a picture that moves from one place to another is never shown nowhere in between. */
  later: (work: () => void) => void
}

type Source = Pick<Meeting, 'on' | 'participants'>

export class ShownPictures {
  readonly #options: ShownPicturesOptions
  /** Widths of the places where a stream is shown. */
  readonly #places = new WeakMap<Stream, Map<object, number>>()
  readonly #said = new WeakMap<Stream, number>()
  #meeting: Source | undefined
  #isPlanned = false

  constructor(options: ShownPicturesOptions) {
    this.#options = options
  }

  /** Returns the way to stop. */
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

  /** A place shows this stream so wide. 0: it does not. */
  place(place: object, stream: Stream, width: number): void {
    const places = this.#places.get(stream) ?? new Map<object, number>()
    this.#places.set(stream, places)
    if (width > 0) places.set(place, width)
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
        const widths = this.#places.get(stream)?.values() ?? []
        const width = this.#options.page.hidden ? 0 : Math.max(0, ...widths)
        if (this.#said.get(stream) === width) continue
        this.#said.set(stream, width)
        stream.show(width)
      }
    }
  }
}
