/** Reads a file piece by piece: so many bytes, or fewer at its end. */
import { open, type FileHandle } from 'node:fs/promises'
import { MeetingError } from '../../client/errors.ts'

const PIECE_BYTES = 64 * 1024
/** No element of a file that we play is larger. */
const MOST_BYTES = 64 * 1024 * 1024

export class FileReader {
  readonly #file: FileHandle
  #rest: Buffer = Buffer.alloc(0)

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** @throws {MeetingError} FILE_UNREADABLE */
  static async open(path: string): Promise<FileReader> {
    try {
      return new FileReader(await open(path))
    } catch (cause) {
      throw new MeetingError(0, 'FILE_UNREADABLE', 'The file cannot be read.', cause)
    }
  }

  /** The next bytes; fewer only at the end of the file. */
  async read(bytes: number): Promise<Buffer> {
    const taken = await this.peek(bytes)
    this.#rest = this.#rest.subarray(taken.length)
    return taken
  }

  /** The same, and they stay where they are. */
  async peek(bytes: number): Promise<Buffer> {
    if (bytes > MOST_BYTES) throw invalidFile('it has a part of more than 64 MiB')
    while (this.#rest.length < bytes) {
      const piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes - this.#rest.length))
      const { bytesRead } = await this.#file.read(piece)
      if (bytesRead === 0) break
      this.#rest = Buffer.concat([this.#rest, piece.subarray(0, bytesRead)])
    }
    return this.#rest.subarray(0, bytes)
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const { length } = await this.read(Math.min(left, PIECE_BYTES))
      if (length === 0) return
      left -= length
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

export function invalidFile(why: string): MeetingError {
  return new MeetingError(0, 'INVALID_FILE', `The file cannot be played: ${why}.`)
}
