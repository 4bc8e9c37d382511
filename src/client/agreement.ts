/**
 * What we send must be what the server tells the others of us. Both change at nearly the same time; where they differ for
 * long, one change was missed.
 */
import type { StreamKind } from '../protocol/media.ts'

const PATIENCE_MS = 10_000

export class Agreement {
  /** What the others know to be on of us, by the server's word. */
  readonly #told = new Set<StreamKind>()
  readonly #patienceMs: number
  readonly #onBroken: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param onBroken called when both have differed for `patienceMs` */
  constructor(onBroken: () => void, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
    this.#onBroken = onBroken
  }

  /** The server told the others that this kind of ours is on or off. */
  tell(kind: StreamKind, on: boolean): void {
    if (on) this.#told.add(kind)
    else this.#told.delete(kind)
  }

  /** The server has told nothing yet. */
  reset(): void {
    this.#told.clear()
  }

  /** @param sent what the server is known to have of us; undefined while we are not inside */
  compare(sent: ReadonlySet<StreamKind> | undefined): void {
    const agrees = !sent || (sent.size === this.#told.size && [...sent].every((kind) => this.#told.has(kind)))
    if (agrees) this.close()
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#onBroken()
      }, this.#patienceMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
