/** VP8 in RTP (RFC 7741). */
import type { CodedFrame, Size, VideoCodec } from './codec.ts'

/** The size of the payload descriptor (section 4.2); undefined if the payload is shorter. */
function descriptorBytes(payload: Buffer): number | undefined {
  let bytes = 1
  if (payload[0]! & 0x80) {
    const extension = payload[bytes++] ?? 0
    if (extension & 0x80) bytes += (payload[bytes] ?? 0) & 0x80 ? 2 : 1
    if (extension & 0x40) bytes += 1
    if (extension & 0x30) bytes += 1
  }
  return bytes < payload.length ? bytes : undefined
}

/** Whether a frame begins here, with its first partition. */
const starts = (payload: Buffer): boolean => (payload[0]! & 0x17) === 0x10

function join(payloads: Buffer[]): CodedFrame | undefined {
  if (!starts(payloads[0]!)) return undefined
  const pieces: Buffer[] = []
  for (const payload of payloads) {
    const bytes = descriptorBytes(payload)
    if (bytes === undefined) return undefined
    pieces.push(payload.subarray(bytes))
  }
  const data = Buffer.concat(pieces)
  const isKey = (data[0]! & 1) === 0
  if (!isKey) return { data, isKey }
  const size = sizeOf(data)
  return size && { data, isKey, size }
}

/** Reads the size from a key frame (RFC 6386 section 9.1). */
function sizeOf(data: Buffer): Size | undefined {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) return undefined
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff }
}

export const vp8: VideoCodec = { id: 'V_VP8', starts, join }

/**
 * The beginning of an encoded black frame: the header, the bits that repeat each macroblock from the previous one, and
 * the first pixels.
 */
const BLACK_HEAD = Buffer.from('0bc7088585888584883f8200061604f70681649f6bdb9b', 'hex')
const BLACK_REST = Buffer.from('27387b', 'hex')
const BLACK_PIXELS = Buffer.from('fee6b500', 'hex')
const BYTES_PER_BLOCK = 0.4275

/** Makes a black key frame of any size: the encoder's output for one size, extended to this size. */
export function blackFrame({ width, height }: Size): Buffer {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16)
  const rest = Buffer.alloc(Math.ceil(blocks * BYTES_PER_BLOCK) + 6, BLACK_REST)
  const first = BLACK_HEAD.length + rest.length
  const head = Buffer.alloc(10)
  // A visible key frame of version 0.
  head.writeUIntLE((first << 5) | 0x10, 0, 3)
  head.writeUIntBE(0x9d012a, 3, 3)
  head.writeUInt16LE(width, 6)
  head.writeUInt16LE(height, 8)
  return Buffer.concat([head, BLACK_HEAD, rest, BLACK_PIXELS])
}
