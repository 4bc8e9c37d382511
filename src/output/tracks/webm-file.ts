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
  /** From the file's beginning. */
  timeMs: number
  /** Can be decoded without those before it. */
  isKey: boolean
  data: Buffer
}

/** A cluster ends when it is this long, or at a key frame when it is half as long. */
const CLUSTER_MS = 5000
const CLUSTER_BYTES = 4 * 2 ** 20

/**
 * A WebM file that grows. What has been flushed can be played, wherever the file ends: a cluster's size stays unknown until the
 * next one begins.
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
  /** The last block's, of each track. */
  readonly #last: Partial<Record<number, number>> = {}
  #writing: Promise<void> = Promise.resolve()
  #problem: unknown

  /**
   * Opens it with the first flush.
   * @param startedAt ms since the epoch
   */
  constructor(path: string, tracks: Tracks, startedAt: number) {
    const { bytes, ...places } = fileHead(tracks, startedAt)
    this.path = path
    this.tracks = tracks
    this.#index = { ...places, points: [] }
    this.#append([bytes])
  }

  /** Whether the file is there and ours. */
  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** What went wrong with the last flush. */
  get problem(): unknown {
    return this.#problem
  }

  /** Takes a block, which may not be earlier than the one before it of the same track. */
  add(block: Block): void {
    const timeMs = Math.max(0, Math.round(block.timeMs), this.#last[block.track] ?? 0)
    this.#last[block.track] = timeMs
    if (this.#wantsCluster(block, timeMs)) this.#beginCluster(block, timeMs)
    this.#append(simpleBlock(block.track, timeMs - this.#cluster!.timeMs, block.isKey, block.data))
  }

  /** Brings to the disk what was added. Not to be waited for. */
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

  /** Makes it seekable and closes it. What could not be written is missing, and the rest can be played. */
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
    // The distance to a cluster's time has 16 bits.
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
