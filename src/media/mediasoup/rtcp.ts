const HEADER_BYTES = 4
/**
 * The packet type of payload-specific feedback, which includes picture loss and full intra request (RFC 4585 section
 * 6.3, RFC 5104 section 4.3.1).
 */
const FEEDBACK = 206
const KEY_FRAME_FORMATS: readonly number[] = [1, 4]

/** Whether an RTCP packet, which may be compound (RFC 3550 section 6.1), requests a key frame. */
export function asksForKeyFrame(packet: Buffer): boolean {
  for (let at = 0; at + HEADER_BYTES <= packet.length;) {
    const format = packet.readUInt8(at) & 0x1f
    if (packet.readUInt8(at + 1) === FEEDBACK && KEY_FRAME_FORMATS.includes(format)) return true
    at += HEADER_BYTES * (packet.readUInt16BE(at + 2) + 1)
  }
  return false
}
