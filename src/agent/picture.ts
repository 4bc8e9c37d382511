/** Turns what an app publishes as video into frames with the times at which they are due. */
import { extname } from 'node:path'
import { MeetingError } from '../client/errors.ts'
import { annexB, h264Payloads, vp8Payloads } from '../rtp/payloads.ts'
import type { SentCodec } from './capabilities.ts'
import { readIvf } from './files/ivf.ts'
import { invalidFile } from './files/read.ts'
import { readWebm, type WebmFrame } from './files/webm.ts'

export type PictureCodec = Exclude<SentCodec, 'opus'>

/** An encoded frame that is to be sent. H264 has start codes, and the parameter sets before each key frame. */
export interface PictureFrame {
  data: Uint8Array
  /** From the first frame. Frames are sent when they are due, and their times must not go back. */
  atMs: number
}

export interface Pictures {
  codec: PictureCodec
  frames: AsyncIterable<PictureFrame>
}

/**
 * The frames of a file, with its codec; the file is opened to see it.
 * @param loop begins again at the end
 * @throws {MeetingError} UNKNOWN_FILE, FILE_UNREADABLE, INVALID_FILE
 */
export async function picturesOf(path: string, loop: boolean): Promise<Pictures> {
  const read = readerOf(path)
  const probe = read()
  const first = (await probe.next()) as IteratorResult<PictureFrame & { codec: PictureCodec }, unknown>
  await probe.return(undefined)
  if (first.done) throw invalidFile('it has no frame')
  return { codec: first.value.codec, frames: loop ? endless(read) : read() }
}

type Frames = AsyncGenerator<PictureFrame & { codec: PictureCodec }>

function readerOf(path: string): () => Frames {
  switch (extname(path).toLowerCase()) {
    case '.ivf':
      return () => framesOfIvf(path)
    case '.webm':
    case '.mkv':
      return () => framesOfWebm(path)
    default:
      throw new MeetingError(0, 'UNKNOWN_FILE', 'Video is published from .ivf, .webm and .mkv files.')
  }
}

async function* framesOfIvf(path: string): Frames {
  for await (const { codec, data, atMs } of readIvf(path)) {
    if (codec !== 'VP80') throw invalidFile('its video is not VP8')
    yield { codec: 'vp8', data, atMs }
  }
}

async function* framesOfWebm(path: string): Frames {
  for await (const frame of readWebm(path, ['V_VP8', 'V_MPEG4/ISO/AVC'])) {
    if (frame.codecId === 'V_VP8') yield { codec: 'vp8', data: frame.data, atMs: frame.atMs }
    else yield { codec: 'h264', data: withParameterSets(frame), atMs: frame.atMs }
  }
}

/** The parameter sets are in the head of the file, but are sent with each key frame (ISO/IEC 14496-15 section 5.3.3.1). */
function withParameterSets({ data, isKey, configuration }: WebmFrame): Buffer {
  const frame = annexB(data)
  if (!isKey || !configuration || configuration.length < 7) return frame
  if ((configuration[4]! & 3) !== 3) throw invalidFile('the lengths in its frames have not four bytes')
  const sets: Buffer[] = []
  let at = 5
  for (const mask of [0x1f, 0xff])
    for (let left = (configuration[at++] ?? 0) & mask; left > 0 && at + 2 <= configuration.length; left--) {
      const end = at + 2 + configuration.readUInt16BE(at)
      sets.push(Buffer.from([0, 0, 0, 1]), configuration.subarray(at + 2, end))
      at = end
    }
  return Buffer.concat([...sets, frame])
}

/** A frame lasts as long as the one before it, so the last one does not meet the first. */
async function* endless(read: () => AsyncIterable<PictureFrame>): AsyncGenerator<PictureFrame> {
  for (let beginMs = 0; ;) {
    let [firstMs, lastMs, stepMs] = [undefined as number | undefined, 0, 40]
    for await (const frame of read()) {
      firstMs ??= frame.atMs
      const atMs = frame.atMs - firstMs
      if (atMs > lastMs) stepMs = atMs - lastMs
      lastMs = atMs
      yield { ...frame, atMs: beginMs + atMs }
    }
    if (firstMs === undefined) return
    beginMs += lastMs + stepMs
  }
}

export function payloadsOf(codec: PictureCodec, frame: Uint8Array, pictureId: number): Buffer[] {
  return codec === 'vp8' ? vp8Payloads(frame, pictureId) : h264Payloads(frame)
}
