/** VP9 in RTP (RFC 9628). */
import { BitReader } from './bits.ts'
import type { CodedFrame, Size, VideoCodec } from './codec.ts'

interface Piece {
  isInter: boolean
  /** Whether it begins a frame of one layer. */
  begins: boolean
  layer: number
  data: Buffer
}

/** Reads the payload descriptor (section 4.2). */
function pieceOf(payload: Buffer): Piece | undefined {
  const flags = payload[0]!
  let at = 1
  let layer = 0
  if (flags & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1
  if (flags & 0x20) {
    layer = ((payload[at++] ?? 0) >> 1) & 7
    // TL0PICIDX exists in non-flexible mode only.
    if (!(flags & 0x10)) at++
  }
  if ((flags & 0x50) === 0x50)
    for (let references = 0; references < 3; references++) if (!((payload[at++] ?? 0) & 1)) break
  if (flags & 0x02) at += structureBytes(payload, at)
  if (at >= payload.length) return undefined
  return { isInter: (flags & 0x40) !== 0, begins: (flags & 0x08) !== 0, layer, data: payload.subarray(at) }
}

/** The size of the scalability structure. */
function structureBytes(payload: Buffer, start: number): number {
  const head = payload[start] ?? 0
  let at = start + 1
  if (head & 0x10) at += ((head >> 5) + 1) * 4
  if (head & 0x08) {
    const pictures = payload[at++] ?? 0
    for (let picture = 0; picture < pictures; picture++) at += 1 + (((payload[at] ?? 0) >> 2) & 3)
  }
  return at - start
}

function starts(payload: Buffer): boolean {
  const piece = pieceOf(payload)
  return piece?.begins === true && piece.layer === 0
}

function join(payloads: Buffer[]): CodedFrame | undefined {
  const layers: Buffer[][] = []
  let isKey = false
  for (const payload of payloads) {
    const piece = pieceOf(payload)
    if (!piece || (layers.length === 0 && !piece.begins)) return undefined
    if (layers.length === 0) isKey = !piece.isInter && piece.layer === 0
    if (piece.begins) layers.push([])
    layers.at(-1)!.push(piece.data)
  }
  const frames = layers.map((pieces) => Buffer.concat(pieces))
  const data = frames.length === 1 ? frames[0]! : superframe(frames)
  return { data, isKey, ...(isKey && { size: sizeOf(frames.at(-1)!) ?? sizeOf(frames[0]!) }) }
}

/** Joins several layers of one frame, with their lengths (VP9 bitstream, annex B). */
function superframe(frames: Buffer[]): Buffer {
  const head = 0xd8 | (frames.length - 1)
  const index = Buffer.alloc(2 + frames.length * 4)
  index[0] = index[index.length - 1] = head
  for (const [at, frame] of frames.entries()) index.writeUInt32LE(frame.length, 1 + at * 4)
  return Buffer.concat([...frames, index])
}

/** Reads the size from a key frame (VP9 bitstream, section 6.2). */
function sizeOf(frame: Buffer): Size | undefined {
  const bits = new BitReader(frame)
  if (bits.read(2) !== 2) return undefined
  const profile = bits.read(1) + 2 * bits.read(1)
  if (profile === 3) bits.read(1)
  const [showsExisting, isInter] = [bits.read(1), bits.read(1)]
  bits.read(2)
  if (showsExisting || isInter || bits.read(24) !== 0x498342) return undefined
  if (profile >= 2) bits.read(1)
  const isRgb = bits.read(3) === 7
  if (!isRgb) bits.read(1)
  if (profile % 2 === 1) bits.read(isRgb ? 1 : 3)
  return { width: bits.read(16) + 1, height: bits.read(16) + 1 }
}

export const vp9: VideoCodec = { id: 'V_VP9', starts, join }
