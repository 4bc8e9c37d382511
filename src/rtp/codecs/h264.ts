/** H.264 in RTP (RFC 6184), packetization modes 0 and 1. */
import { BitReader } from './bits.ts'
import type { CodedFrame, Size, VideoCodec } from './codec.ts'

const [IDR, SPS, PPS, DELIMITER, STAP_A, FU_A] = [5, 7, 8, 9, 24, 28]

function starts(payload: Buffer): boolean {
  const type = payload[0]! & 0x1f
  if (type === SPS || type === DELIMITER || type === STAP_A) return true
  // A slice that starts with the first macroblock of the frame.
  if (type === FU_A) return (payload[1]! & 0x80) !== 0 && (payload[2] ?? 0) >> 7 === 1
  return (payload[1] ?? 0) >> 7 === 1
}

/** Returns the NAL units; undefined if the beginning of one is missing. */
function unitsOf(payloads: Buffer[]): Buffer[] | undefined {
  const units: Buffer[] = []
  let pieces: Buffer[] | undefined
  for (const payload of payloads) {
    const type = payload[0]! & 0x1f
    if (type === STAP_A) {
      for (let at = 1; at + 2 < payload.length;) {
        const end = at + 2 + payload.readUInt16BE(at)
        units.push(payload.subarray(at + 2, end))
        at = end
      }
    } else if (type === FU_A) {
      if (payload.length < 3) return undefined
      if (payload[1]! & 0x80) pieces = [Buffer.from([(payload[0]! & 0xe0) | (payload[1]! & 0x1f)])]
      if (!pieces) return undefined
      pieces.push(payload.subarray(2))
      if (payload[1]! & 0x40) {
        units.push(Buffer.concat(pieces))
        pieces = undefined
      }
    } else if (type > 0 && type < STAP_A) units.push(payload)
  }
  return pieces ? undefined : units.filter((unit) => unit.length > 0)
}

/** Keeps the parameter sets, because senders do not repeat them with each key frame. */
export function h264(): VideoCodec {
  let sps: Buffer | undefined
  let pps: Buffer | undefined
  return {
    id: 'V_MPEG4/ISO/AVC',
    starts,
    join(payloads): CodedFrame | undefined {
      const units = unitsOf(payloads)
      if (!units) return undefined
      for (const unit of units) {
        // Copies, because the original buffers are larger.
        if ((unit[0]! & 0x1f) === SPS && unit.length > 3) sps = Buffer.from(unit)
        if ((unit[0]! & 0x1f) === PPS) pps = Buffer.from(unit)
      }
      const isKey = units.some((unit) => (unit[0]! & 0x1f) === IDR)
      const pictures = units.filter((unit) => ![SPS, PPS, DELIMITER].includes(unit[0]! & 0x1f))
      if (pictures.length === 0) return undefined
      if (!isKey) return { data: prefixed(pictures), isKey }
      if (!sps || !pps) return undefined
      // Writes them before each key frame, so that the size may change.
      return {
        data: prefixed([sps, pps, ...pictures]),
        isKey,
        size: sizeOf(sps),
        configuration: configurationOf(sps, pps),
      }
    },
  }
}

/** Puts the length before each unit. */
function prefixed(units: Buffer[]): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(unit.length)
      return [length, unit]
    }),
  )
}

/** The decoder configuration (ISO/IEC 14496-15 section 5.3.3.1). */
function configurationOf(sps: Buffer, pps: Buffer): Buffer {
  const lengths = [Buffer.alloc(2), Buffer.alloc(2)] as const
  lengths[0].writeUInt16BE(sps.length)
  lengths[1].writeUInt16BE(pps.length)
  const head = Buffer.from([1, sps[1]!, sps[2]!, sps[3]!, 0xff, 0xe1])
  return Buffer.concat([head, lengths[0], sps, Buffer.from([1]), lengths[1], pps])
}

/** Reads the size (H.264 section 7.3.2.1.1). */
function sizeOf(sps: Buffer): Size {
  // Without the emulation prevention bytes.
  const bits = new BitReader(
    Buffer.from(sps.toString('latin1').replaceAll('\0\0\x03', '\0\0'), 'latin1').subarray(1),
  )
  const profile = bits.read(8)
  bits.read(16)
  bits.golomb()
  let chroma = 1
  if ([100, 110, 122, 244, 44, 83, 86, 118, 128].includes(profile)) {
    chroma = bits.golomb()
    if (chroma === 3) bits.read(1)
    bits.golomb()
    bits.golomb()
    bits.read(1)
    if (bits.read(1))
      for (let list = 0; list < (chroma === 3 ? 12 : 8); list++)
        if (bits.read(1)) skipScaling(bits, list < 6 ? 16 : 64)
  }
  bits.golomb()
  const order = bits.golomb()
  if (order === 0) bits.golomb()
  else if (order === 1) {
    bits.read(1)
    bits.signedGolomb()
    bits.signedGolomb()
    for (let left = bits.golomb(); left > 0 && left < 256; left--) bits.signedGolomb()
  }
  bits.golomb()
  bits.read(1)
  const [columns, rows, isProgressive] = [bits.golomb() + 1, bits.golomb() + 1, bits.read(1)]
  if (!isProgressive) bits.read(1)
  bits.read(1)
  const crop = bits.read(1) ? [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()] : [0, 0, 0, 0]
  const [unitX, unitY] = [chroma === 1 || chroma === 2 ? 2 : 1, (chroma === 1 ? 2 : 1) * (2 - isProgressive)]
  return {
    width: columns * 16 - (crop[0]! + crop[1]!) * unitX,
    height: rows * 16 * (2 - isProgressive) - (crop[2]! + crop[3]!) * unitY,
  }
}

function skipScaling(bits: BitReader, count: number): void {
  for (let at = 0, last = 8, next = 8; at < count; at++) {
    if (next !== 0) next = (last + bits.signedGolomb() + 256) % 256
    last = next === 0 ? last : next
  }
}
