import { open, type FileHandle } from 'node:fs/promises'
import { ID, readHead, sizeOfLength } from './ebml.ts'
import {
  cuesOf,
  durationElement,
  readDate,
  seekHead,
  AUDIO,
  CLUSTER_SIZE_AT,
  VIDEO,
  type CuePoint,
  type FileHead,
} from './webm.ts'
import { durationOf } from '../../rtp/codecs/opus.ts'
import type { Size } from '../../rtp/codecs/codec.ts'

export interface FileIndex extends Omit<FileHead, 'bytes'> {
  points: CuePoint[]
}

/**
 * Writes the index for seeking, and the length of the file. The order matters: a half-sealed file can be played and
 * sealed again.
 */
export async function sealFile(
  handle: FileHandle,
  index: FileIndex,
  { length, durationMs, tracks }: { length: number; durationMs: number; tracks: { video: unknown } },
): Promise<void> {
  const cues = cuesOf(index.points, tracks.video ? VIDEO : AUDIO)
  const hasCues = index.points.length > 0
  const put = (bytes: Buffer, at: number) => handle.write(bytes, 0, bytes.length, at)
  if (hasCues) await put(cues, length)
  await put(durationElement(durationMs), index.durationAt)
  const end = length + (hasCues ? cues.length : 0)
  await put(sizeOfLength(end - index.segmentAt, 8), index.segmentSizeAt)
  if (hasCues) {
    const positions = { info: index.infoAt - index.segmentAt, tracks: index.tracksAt - index.segmentAt }
    await put(seekHead({ ...positions, cues: length - index.segmentAt }), index.seekHeadAt)
  }
  await handle.sync()
}

/** The content of one of our files. */
export interface Scan {
  /** Ms since the epoch. */
  startedAt: number
  durationMs: number
  size: Size | undefined
  hasVideo: boolean
  isSealed: boolean
}

interface Scanning extends Scan {
  index: FileIndex
  /** The end of the last complete block. */
  length: number
  /** Clusters whose size is missing. */
  open: { at: number; end: number }[]
}

/**
 * Completes a file that a killed process left behind: cuts off an incomplete block and writes what is missing.
 * Undefined if the file contains nothing to play.
 */
export async function repairFile(path: string): Promise<Scan | undefined> {
  const handle = await open(path, 'r+')
  try {
    const { size } = await handle.stat()
    const scan = await scanFile(handle, size)
    if (!scan || scan.isSealed) return scan
    if (scan.index.points.length === 0 && scan.durationMs === 0) return undefined
    await handle.truncate(scan.length)
    for (const { at, end } of scan.open) {
      const bytes = sizeOfLength(end - at - CLUSTER_SIZE_AT - 8, 8)
      await handle.write(bytes, 0, bytes.length, at + CLUSTER_SIZE_AT)
    }
    const { index, length, durationMs, hasVideo } = scan
    await sealFile(handle, index, { length, durationMs, tracks: { video: hasVideo } })
    return scan
  } finally {
    await handle.close()
  }
}

const WINDOW_BYTES = 2 ** 18

/** Reads parts of a file, and skips most of it. */
class Window {
  readonly #handle: FileHandle
  #bytes = Buffer.alloc(0)
  #at = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Returns the bytes at this position; fewer at the end of the file. */
  async read(at: number, length: number): Promise<Buffer> {
    if (at < this.#at || at + length > this.#at + this.#bytes.length) {
      const buffer = Buffer.alloc(Math.max(WINDOW_BYTES, length))
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at)
      this.#bytes = buffer.subarray(0, bytesRead)
      this.#at = at
    }
    return this.#bytes.subarray(at - this.#at, at - this.#at + length)
  }
}

async function scanFile(handle: FileHandle, fileBytes: number): Promise<Scanning | undefined> {
  const window = new Window(handle)
  const first = readHead(await window.read(0, 12))
  if (first?.id !== ID.head || first.size === undefined) return undefined
  const segmentStart = first.bytes + first.size
  const segment = readHead(await window.read(segmentStart, 12))
  if (segment?.id !== ID.segment) return undefined
  const segmentAt = segmentStart + segment.bytes
  const scan: Scanning = {
    startedAt: 0,
    durationMs: 0,
    size: undefined,
    hasVideo: false,
    isSealed: segment.size !== undefined && segmentAt + segment.size === fileBytes,
    index: {
      segmentSizeAt: segmentStart + 4,
      segmentAt,
      seekHeadAt: segmentAt,
      infoAt: 0,
      durationAt: 0,
      tracksAt: 0,
      points: [],
    },
    length: segmentAt,
    open: [],
  }
  let declared = 0
  for (let at = segmentAt; at < fileBytes;) {
    const head = readHead(await window.read(at, 12))
    if (!head) break
    if (head.id === ID.cluster) at = await scanCluster(window, at, fileBytes, scan)
    else {
      if (head.size === undefined || at + head.bytes + head.size > fileBytes) break
      const content = at + head.bytes
      if (head.id === ID.info) {
        scan.index.infoAt = at
        scan.index.durationAt = content
        declared = readInfo(await window.read(content, head.size), scan)
      } else if (head.id === ID.tracks) {
        scan.index.tracksAt = at
        readTracks(await window.read(content, head.size), scan)
      }
      // An old index is written again.
      at = content + head.size
      if (head.id !== ID.cues) scan.length = at
    }
  }
  if (scan.isSealed) scan.durationMs = Math.max(scan.durationMs, declared)
  return scan.index.tracksAt > 0 ? scan : undefined
}

/** Returns the length that the file states, in ms. */
function readInfo(content: Buffer, scan: Scan): number {
  let declared = 0
  for (let at = 0; at < content.length;) {
    const head = readHead(content, at)
    if (head?.size === undefined) break
    const value = content.subarray(at + head.bytes, at + head.bytes + head.size)
    if (head.id === ID.duration) declared = value.readDoubleBE()
    if (head.id === ID.date) scan.startedAt = readDate(value)
    at += head.bytes + head.size
  }
  return declared
}

function readTracks(content: Buffer, scan: Scan): void {
  const visit = (start: number, end: number, size: { width: number; height: number }): void => {
    for (let at = start; at < end;) {
      const head = readHead(content, at)
      if (head?.size === undefined) return
      const [from, to] = [at + head.bytes, at + head.bytes + head.size]
      if (head.id === ID.track) visit(from, to, size)
      if (head.id === ID.video) {
        visit(from, to, size)
        scan.hasVideo = true
        scan.size = size
      }
      if (head.id === ID.pixelWidth) size.width = content.readUIntBE(from, head.size)
      if (head.id === ID.pixelHeight) size.height = content.readUIntBE(from, head.size)
      at = to
    }
  }
  visit(0, content.length, { width: 0, height: 0 })
}

/** Returns the position of the next element. */
async function scanCluster(
  window: Window,
  start: number,
  fileBytes: number,
  scan: Scanning,
): Promise<number> {
  const cluster = readHead(await window.read(start, 12))!
  const end =
    cluster.size === undefined ? fileBytes : Math.min(fileBytes, start + cluster.bytes + cluster.size)
  let timeMs = 0
  let isFirst = true
  let at = start + cluster.bytes
  while (at < end) {
    const head = readHead(await window.read(at, 12))
    if (head?.size === undefined || at + head.bytes + head.size > end) break
    const content = at + head.bytes
    if (head.id === ID.timestamp) timeMs = (await window.read(content, head.size)).readUIntBE(0, head.size)
    else if (head.id === ID.simpleBlock) {
      const block = await window.read(content, Math.min(head.size, 8))
      const track = block[0]! & 0x7f
      const isKey = (block[3]! & 0x80) !== 0
      if (isFirst && isKey && (track === VIDEO || !scan.hasVideo))
        scan.index.points.push({ timeMs, position: start - scan.index.segmentAt })
      isFirst = false
      const lasts = track === AUDIO ? durationOf(block.subarray(4)) : 0
      scan.durationMs = Math.max(scan.durationMs, timeMs + block.readInt16BE(1) + lasts)
      scan.length = content + head.size
    } else if (head.id !== ID.void) break
    at = content + head.size
  }
  const isCut = cluster.size === undefined || start + cluster.bytes + cluster.size > fileBytes
  // A cluster without a complete block is cut off.
  if (isCut && !isFirst) scan.open.push({ at: start, end: scan.length })
  // Anything other than a block ends the cluster: either the next cluster, or an incomplete write.
  return at
}
