/** Parses the RTP packets of a tap (RFC 3550 section 5.1). */

export interface RtpPacket {
  payloadType: number
  sequence: number
  timestamp: number
  marker: boolean
  payload: Buffer
}

const HEADER_BYTES = 12

/**
 * Skips contributing sources, header extension and padding; returns undefined if the packet is not RTP or has no
 * payload.
 */
export function parseRtp(packet: Buffer): RtpPacket | undefined {
  if (packet.length < HEADER_BYTES || packet[0]! >> 6 !== 2) return undefined
  let start = HEADER_BYTES + (packet[0]! & 0x0f) * 4
  if (packet[0]! & 0x10) {
    if (packet.length < start + 4) return undefined
    start += 4 + packet.readUInt16BE(start + 2) * 4
  }
  const end = packet.length - (packet[0]! & 0x20 ? packet[packet.length - 1]! : 0)
  if (start >= end) return undefined
  return {
    payloadType: packet[1]! & 0x7f,
    marker: packet[1]! >> 7 === 1,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    payload: packet.subarray(start, end),
  }
}

/** Unwraps a number that overflows: each value is taken as the one nearest to the previous value. */
export class Unwrapped {
  readonly #modulus: number
  #last: number | undefined

  constructor(bits: 16 | 32) {
    this.#modulus = 2 ** bits
  }

  of(value: number): number {
    if (this.#last === undefined) return (this.#last = value)
    const modulus = this.#modulus
    const ahead = (((value - this.#last) % modulus) + modulus) % modulus
    return (this.#last += ahead < modulus / 2 ? ahead : ahead - modulus)
  }
}
