/** Cuts encoded frames into the payloads of RTP packets. */

/** Fits every network, with the headers of IP, UDP, RTP and SRTP. */
export const PAYLOAD_BYTES = 1150

/** The first byte of the VP8 payload descriptor (RFC 7741 section 4.2), for the first packet of a frame and for later ones. */
const [START_OF_FRAME, REST_OF_FRAME] = [0x90, 0x80]
const HAS_PICTURE_ID = 0x80
const VP8_HEAD_BYTES = 4
const [SPS, PPS, STAP_A, FU_A] = [7, 8, 24, 28]

/** @param pictureId counts frames; 15 bits are used */
export function vp8Payloads(frame: Uint8Array, pictureId: number): Buffer[] {
  const most = PAYLOAD_BYTES - VP8_HEAD_BYTES
  const payloads: Buffer[] = []
  for (let at = 0; at < frame.length; at += most) {
    const head = Buffer.alloc(VP8_HEAD_BYTES)
    head[0] = at === 0 ? START_OF_FRAME : REST_OF_FRAME
    head[1] = HAS_PICTURE_ID
    head.writeUInt16BE(0x8000 | (pictureId & 0x7fff), 2)
    payloads.push(Buffer.concat([head, frame.subarray(at, at + most)]))
  }
  return payloads
}

/** @param frame NAL units behind start codes (ITU-T H.264 annex B) */
export function h264Payloads(frame: Uint8Array): Buffer[] {
  const units = unitsOfAnnexB(frame)
  const payloads: Buffer[] = []
  // Receivers expect the parameter sets in one packet with nothing else, or each in its own.
  const sets = units.filter((unit) => isParameterSet(unit))
  const setBytes = sets.reduce((sum, { length }) => sum + 2 + length, 1)
  if (sets.length > 1 && setBytes <= PAYLOAD_BYTES) payloads.push(aggregate(sets))
  else payloads.push(...sets.flatMap((unit) => fragments(unit)))
  payloads.push(...units.filter((unit) => !isParameterSet(unit)).flatMap((unit) => fragments(unit)))
  return payloads
}

/** The NAL units between start codes of three or four bytes. */
export function unitsOfAnnexB(frame: Uint8Array): Buffer[] {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const starts: { at: number; from: number }[] = []
  for (
    let at = bytes.indexOf('\0\0\x01', 0, 'latin1');
    at >= 0;
    at = bytes.indexOf('\0\0\x01', at + 3, 'latin1')
  )
    starts.push({ at: at > 0 && bytes[at - 1] === 0 ? at - 1 : at, from: at + 3 })
  return starts
    .map(({ from }, one) => bytes.subarray(from, starts[one + 1]?.at ?? bytes.length))
    .filter(({ length }) => length > 0)
}

/** Puts a start code before each of the units, which have their length before them as in MP4 and Matroska. */
export function annexB(frame: Uint8Array): Buffer {
  const bytes = Buffer.from(frame)
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    bytes.writeUInt32BE(1, at)
    at += 4 + length
  }
  return bytes
}

function isParameterSet(unit: Buffer): boolean {
  const type = unit[0]! & 0x1f
  return type === SPS || type === PPS
}

function aggregate(units: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([(units[0]![0]! & 0x60) | STAP_A]),
    ...units.flatMap((unit) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(unit.length)
      return [length, unit]
    }),
  ])
}

function fragments(unit: Buffer): Buffer[] {
  if (unit.length <= PAYLOAD_BYTES) return [unit]
  const [indicator, type] = [(unit[0]! & 0xe0) | FU_A, unit[0]! & 0x1f]
  const most = PAYLOAD_BYTES - 2
  const payloads: Buffer[] = []
  for (let at = 1; at < unit.length; at += most) {
    const [isFirst, isLast] = [at === 1, at + most >= unit.length]
    const head = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0) | type
    payloads.push(Buffer.concat([Buffer.from([indicator, head]), unit.subarray(at, at + most)]))
  }
  return payloads
}
