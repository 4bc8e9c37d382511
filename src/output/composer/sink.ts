/** A consumer of a composition's chunks. */
import type { OutputFile } from '../output.ts'
import type { Piece } from './matroska.ts'

export interface Sink {
  /** The disk space that finishing needs. */
  readonly neededBytes: number
  /**
   * Chunks come in order. `init` must precede the first chunk of each file; a different `init` means that the browser
   * was restarted.
   */
  take(piece: Piece, init: Buffer): void
  /** No chunk follows. Resolves with the closed files. */
  finish(): Promise<OutputFile[]>
}

export function both(one: Sink, other: Sink): Sink {
  return {
    get neededBytes() {
      return one.neededBytes + other.neededBytes
    },
    take(piece, init) {
      one.take(piece, init)
      other.take(piece, init)
    },
    finish: async () => (await Promise.all([one.finish(), other.finish()])).flat(),
  }
}
