/** Opus (RFC 6716, RFC 7845). */

export const OPUS_RATE = 48_000
/** 20 ms of silence. */
export const SILENCE = Buffer.from([0xf8, 0xff, 0xfe])
export const SILENCE_MS = 20

const MS_OF_CONFIG = [10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20]

/** The duration of a packet, from its first byte (RFC 6716 section 3.1). */
export function durationOf(packet: Buffer): number {
  const config = packet[0]! >> 3
  const frameMs = MS_OF_CONFIG[config] ?? 2.5 * 2 ** (config & 3)
  const code = packet[0]! & 3
  return frameMs * (code === 0 ? 1 : code === 3 ? (packet[1] ?? 1) & 0x3f : 2)
}

/** The data that a player needs before the first packet (RFC 7845 section 5.1): two channels, nothing to skip. */
export const OPUS_HEAD = Buffer.concat([
  Buffer.from('OpusHead'),
  Buffer.from([1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]),
])
