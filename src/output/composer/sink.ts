/** What is made from the pieces of a composition. */
import type { OutputFile } from '../output.ts'
import type { Piece } from './matroska.ts'

export interface Sink {
  /** So much room on the disk does finishing take. */
  readonly neededBytes: number
  /** In order. `init` belongs before the first piece of each file; another `init` means that the browser was started anew. */
  take(piece: Piece, init: Buffer): void
  /** No piece follows. Resolves with the files, closed. */
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
