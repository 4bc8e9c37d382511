import { open, type FileHandle } from 'node:fs/promises'
import { sizeOfLength } from './ebml.ts'
import { sealFile, type FileIndex } from './seal.ts'
import {
  CLUSTER_HEAD_BYTES,
  CLUSTER_SIZE_AT,
  clusterHead,
  durationElement,
  fileHead,
  simpleBlock,
  VIDEO,
  type AUDIO,
  type Tracks,
} from './webm.ts'

export interface Block {
  track: typeof AUDIO | typeof VIDEO
  /** From the start of the file. */
  timeMs: number
  /** Whether it can be decoded without earlier ones. */
  isKey: boolean
  data: Buffer
}

/** A cluster ends at this length, or at a key frame after half of it. */
const CLUSTER_MS = 5000
const CLUSTER_BYTES = 4 * 2 ** 20

/**
 * A growing WebM file. Everything that was flushed can be played, wherever the file ends: the size of a cluster is
 * unknown until the next one starts.
 */
export class WebmFile {
  readonly path: string
  readonly tracks: Tracks
  #handle: FileHandle | undefined
  readonly #index: FileIndex
  #length = 0
  #pending: Buffer[] = []
  #pendingBytes = 0
  #patches: { at: number; bytes: Buffer }[] = []
  #cluster: { at: number; timeMs: number } | undefined
  /** The time of the last block, by track. */
  readonly #last: Partial<Record<number, number>> = {}
  #writing: Promise<void> = Promise.resolve()
  #problem: unknown

  /**
   * The file is created by the first flush.
   * @param startedAt ms since the epoch
   */
  constructor(path: string, tracks: Tracks, startedAt: number) {
    const { bytes, ...places } = fileHead(tracks, startedAt)
    this.path = path
    this.tracks = tracks
    this.#index = { ...places, points: [] }
    this.#append([bytes])
  }

  /** Whether the file was created. */
  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** The error of the last flush, if any. */
  get problem(): unknown {
    return this.#problem
  }

  /** Adds a block. It must not be earlier than the previous block of its track. */
  add(block: Block): void {
    const timeMs = Math.max(0, Math.round(block.timeMs), this.#last[block.track] ?? 0)
    this.#last[block.track] = timeMs
    if (this.#wantsCluster(block, timeMs)) this.#beginCluster(block, timeMs)
    this.#append(simpleBlock(block.track, timeMs - this.#cluster!.timeMs, block.isKey, block.data))
  }

  /** Writes the added blocks to the disk; do not wait for it. */
  flush(): void {
    const [bytes, at, patches] = [this.#pending, this.#length - this.#pendingBytes, this.#patches]
    if (bytes.length === 0 && patches.length === 0) return
    this.#pending = []
    this.#pendingBytes = 0
    this.#patches = []
    this.#writing = this.#writing
      .then(async () => {
        if (this.#problem) return
        const handle = (this.#handle ??= await open(this.path, 'wx+'))
        if (bytes.length > 0) await writeAll(handle, bytes, at)
        for (const patch of patches) await handle.write(patch.bytes, 0, patch.bytes.length, patch.at)
      })
      .catch((error: unknown) => {
        this.#problem = error
      })
  }

  /** Makes the file seekable and closes it. If something could not be written, the rest can be played. */
  async close(durationMs: number): Promise<void> {
    this.#endCluster(durationMs)
    this.flush()
    await this.#writing
    try {
      if (this.#problem || !this.#handle) return
      await sealFile(this.#handle, this.#index, { length: this.#length, durationMs, tracks: this.tracks })
    } finally {
      await this.#handle?.close()
    }
  }

  #wantsCluster({ track, isKey }: Block, timeMs: number): boolean {
    const cluster = this.#cluster
    if (!cluster) return true
    const age = timeMs - cluster.timeMs
    // The offset from the time of a cluster has 16 bits.
    if (age >= CLUSTER_MS || age < -30_000 || this.#length - cluster.at > CLUSTER_BYTES) return true
    return track === VIDEO && isKey && age >= CLUSTER_MS / 2
  }

  #beginCluster({ track, isKey }: Block, timeMs: number): void {
    this.#endCluster(timeMs)
    this.#cluster = { at: this.#length, timeMs }
    if (isKey && (track === VIDEO || !this.tracks.video))
      this.#index.points.push({ timeMs, position: this.#length - this.#index.segmentAt })
    this.#append([clusterHead(timeMs)])
  }

  #endCluster(timeMs: number): void {
    if (!this.#cluster) return
    const bytes = sizeOfLength(this.#length - this.#cluster.at - CLUSTER_HEAD_BYTES, 8)
    this.#patches.push({ at: this.#cluster.at + CLUSTER_SIZE_AT, bytes })
    this.#patches.push({ at: this.#index.durationAt, bytes: durationElement(timeMs) })
    this.#cluster = undefined
  }

  #append(bytes: Buffer[]): void {
    for (const piece of bytes) {
      this.#pending.push(piece)
      this.#pendingBytes += piece.length
      this.#length += piece.length
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer[], at: number): Promise<void> {
  const joined = Buffer.concat(bytes)
  for (let done = 0; done < joined.length;) {
    const { bytesWritten } = await handle.write(joined, done, joined.length - done, at + done)
    done += bytesWritten
  }
}
