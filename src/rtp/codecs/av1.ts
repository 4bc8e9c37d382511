/** AV1 in RTP (RTP payload format for AV1, version 1.0). */
import { BitReader } from './bits.ts'
import type { CodedFrame, Size, VideoCodec } from './codec.ts'

const [SEQUENCE_HEADER, TEMPORAL_DELIMITER, TILE_LIST, PADDING] = [1, 2, 8, 15]

/** Reads a LEB128 number: groups of seven bits, lowest first. */
function readLeb128(bytes: Buffer, start: number): { value: number; next: number } {
  let value = 0
  let next = start
  for (let group = 0; group < 8; group++) {
    const byte = bytes[next++] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * group)
    if (!(byte & 0x80)) break
  }
  return { value, next }
}

function leb128(value: number): Buffer {
  const bytes: number[] = []
  do {
    const rest = Math.floor(value / 128)
    bytes.push((value % 128) | (rest > 0 ? 0x80 : 0))
    value = rest
  } while (value > 0)
  return Buffer.from(bytes)
}

/** Whether no part of a frame precedes it. */
const starts = (payload: Buffer): boolean => (payload[0]! & 0x80) === 0

/** Returns the OBUs of a frame; one OBU may be spread over several payloads. */
function unitsOf(payloads: Buffer[]): Buffer[] | undefined {
  const units: Buffer[] = []
  let open: Buffer[] | undefined
  for (const payload of payloads) {
    const [continues, goesOn, count] = [payload[0]! & 0x80, payload[0]! & 0x40, (payload[0]! >> 4) & 3]
    const elements: Buffer[] = []
    for (let at = 1; at < payload.length;) {
      const isLast = count > 0 && elements.length === count - 1
      const { value, next } = isLast ? { value: payload.length - at, next: at } : readLeb128(payload, at)
      if (next + value > payload.length) return undefined
      elements.push(payload.subarray(next, next + value))
      at = next + value
    }
    if (Boolean(continues) !== Boolean(open)) return undefined
    for (const [at, element] of elements.entries()) {
      const pieces: Buffer[] = at === 0 && open ? open : []
      pieces.push(element)
      open = undefined
      if (at === elements.length - 1 && goesOn) open = pieces
      else units.push(Buffer.concat(pieces))
    }
  }
  return open ? undefined : units.filter((unit) => unit.length > 0)
}

/** Adds the length to an OBU, as files need it. */
function sized(unit: Buffer): Buffer {
  const head = unit.subarray(0, unit[0]! & 0x04 ? 2 : 1)
  if (unit[0]! & 0x02) return unit
  const body = unit.subarray(head.length)
  return Buffer.concat([Buffer.from([head[0]! | 0x02]), head.subarray(1), leb128(body.length), body])
}

function join(payloads: Buffer[]): CodedFrame | undefined {
  const units = unitsOf(payloads)
  if (!units) return undefined
  const typeOf = (unit: Buffer): number => (unit[0]! >> 3) & 0x0f
  const kept = units
    .filter((unit) => ![TEMPORAL_DELIMITER, TILE_LIST, PADDING].includes(typeOf(unit)))
    .map((unit) => sized(unit))
  if (kept.length === 0) return undefined
  const data = Buffer.concat(kept)
  const header = kept.find((unit) => typeOf(unit) === SEQUENCE_HEADER)
  if (!header) return { data, isKey: false }
  const { size, head } = readSequenceHeader(header)
  return { data, isKey: true, size, configuration: Buffer.concat([head, header]) }
}

/**
 * Reads the sequence header (AV1 bitstream, section 5.5), and returns the first four bytes of `av1C` (AV1 in ISOBMFF,
 * section 2.3).
 */
function readSequenceHeader(unit: Buffer): { size: Size; head: Buffer } {
  const { next } = readLeb128(unit, unit[0]! & 0x04 ? 2 : 1)
  const bits = new BitReader(unit.subarray(next))
  const profile = bits.read(3)
  bits.read(1)
  const isReduced = bits.read(1)
  let [level, tier] = [0, 0]
  if (isReduced) level = bits.read(5)
  else {
    let [hasDecoderModel, delayBits] = [0, 0]
    if (bits.read(1)) {
      bits.read(64)
      if (bits.read(1)) bits.golomb()
      hasDecoderModel = bits.read(1)
      if (hasDecoderModel) {
        delayBits = bits.read(5) + 1
        bits.read(42)
      }
    }
    const hasInitialDelay = bits.read(1)
    const points = bits.read(5) + 1
    for (let point = 0; point < points; point++) {
      bits.read(12)
      const [pointLevel, pointTier] = [bits.read(5), 0]
      const pointTierRead = pointLevel > 7 ? bits.read(1) : pointTier
      if (point === 0) [level, tier] = [pointLevel, pointTierRead]
      if (hasDecoderModel && bits.read(1)) bits.read(2 * delayBits + 1)
      if (hasInitialDelay && bits.read(1)) bits.read(4)
    }
  }
  const [widthBits, heightBits] = [bits.read(4) + 1, bits.read(4) + 1]
  const size = { width: bits.read(widthBits) + 1, height: bits.read(heightBits) + 1 }
  // Browsers send only 8 bits and 4:2:0.
  return { size, head: Buffer.from([0x81, (profile << 5) | level, (tier << 7) | 0x0c, 0]) }
}

export const av1: VideoCodec = { id: 'V_AV1', starts, join }
