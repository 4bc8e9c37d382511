/**
 * Compares the streams that we send with those that the server reports to others. Both change at nearly the same time;
 * if they differ for long, one change was missed.
 */
import type { StreamKind } from '../protocol/media.ts'

const PATIENCE_MS = 10_000

export class Agreement {
  /** Our streams that are on, as the server told the others. */
  readonly #told = new Set<StreamKind>()
  readonly #patienceMs: number
  readonly #onBroken: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param onBroken called if both have differed for `patienceMs` */
  constructor(onBroken: () => void, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
    this.#onBroken = onBroken
  }

  /** The server told the others that this kind of ours is on or off. */
  tell(kind: StreamKind, on: boolean): void {
    if (on) this.#told.add(kind)
    else this.#told.delete(kind)
  }

  /** Forgets what the server told. */
  reset(): void {
    this.#told.clear()
  }

  /** @param sent our streams that the server is known to have; undefined while we are not inside */
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
