/** Elements of EBML (RFC 8794), from which Matroska and WebM are built (RFC 9559). */

export const ID = {
  head: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  void: 0xec,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  date: 0x4461,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  lacing: 0x9c,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  seekPreRoll: 0x56bb,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
} as const

/** The size of an element whose end is not known yet. */
export const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])

export function idBytes(id: number): Buffer {
  return Buffer.from(id.toString(16), 'hex')
}

function sizeBytes(size: number): Buffer {
  let length = 1
  while (size >= 2 ** (7 * length) - 1) length++
  return sizeOfLength(size, length)
}

/** Encodes a size in the given number of bytes, so that it can overwrite another one. */
export function sizeOfLength(size: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = length - 1, rest = size; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  bytes[0]! |= 1 << (8 - length)
  return bytes
}

export function element(id: number, ...content: Buffer[]): Buffer {
  const body = content.length === 1 ? content[0]! : Buffer.concat(content)
  return Buffer.concat([idBytes(id), sizeBytes(body.length), body])
}

/** Encodes an unsigned integer; with `length` in a fixed size, so that it can be overwritten later. */
export function unsigned(id: number, value: number, length = 0): Buffer {
  let bytes = value.toString(16).padStart(length * 2, '0')
  if (bytes.length % 2) bytes = `0${bytes}`
  return element(id, Buffer.from(bytes, 'hex'))
}

export function double(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return element(id, bytes)
}

export function text(id: number, value: string): Buffer {
  return element(id, Buffer.from(value))
}

/** Reserves space for a later element; 2 to 127 bytes. */
export function filler(bytes: number): Buffer {
  return element(ID.void, Buffer.alloc(bytes - 2))
}

export interface Head {
  id: number
  /** Undefined if it is unknown. */
  size: number | undefined
  /** The size of the id and the size field. */
  bytes: number
}

/** Reads the id and size of an element; undefined if the bytes end before or are invalid. */
export function readHead(bytes: Buffer, at = 0): Head | undefined {
  const first = bytes[at]
  if (!first) return undefined
  const idLength = Math.clz32(first) - 23
  const sizeAt = at + idLength
  const sizeFirst = bytes[sizeAt]
  if (idLength > 4 || !sizeFirst) return undefined
  const sizeLength = Math.clz32(sizeFirst) - 23
  if (sizeAt + sizeLength > bytes.length) return undefined
  const most = (1 << (8 - sizeLength)) - 1
  let size = sizeFirst & most
  let allOnes = size === most
  for (let next = 1; next < sizeLength; next++) {
    const byte = bytes[sizeAt + next]!
    allOnes &&= byte === 0xff
    size = size * 256 + byte
  }
  return {
    id: bytes.readUIntBE(at, idLength),
    size: allOnes ? undefined : size,
    bytes: idLength + sizeLength,
  }
}
