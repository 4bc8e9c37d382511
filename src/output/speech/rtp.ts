/** Reads RTP (RFC 3550) and puts its packets in order. */

export interface RtpPacket {
  /** 0 to 65535, around and around. */
  sequence: number
  /** Of the first sample; 0 to 2³² − 1, around and around. */
  timestamp: number
  payload: Uint8Array
}

/** Undefined for what is no RTP, and for a packet without a payload. */
export function readRtp(packet: Buffer): RtpPacket | undefined {
  if (packet.length < 12 || packet[0]! >> 6 !== 2) return undefined
  let start = 12 + (packet[0]! & 0x0f) * 4
  if (packet[0]! & 0x10) {
    if (packet.length < start + 4) return undefined
    start += 4 + packet.readUInt16BE(start + 2) * 4
  }
  const padding = packet[0]! & 0x20 ? packet.at(-1)! : 0
  const end = packet.length - padding
  if (end <= start) return undefined
  return {
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    payload: packet.subarray(start, end),
  }
}

/** From one timestamp to another, which may be before it. */
export const ticksBetween = (from: number, to: number): number => (to - from) | 0

const sequencesBetween = (from: number, to: number): number => ((to - from) << 16) >> 16

/** How many packets wait for one that is missing. A retransmission takes a round trip: at 20 ms each, these are 160 ms. */
const PATIENCE = 8
/** A larger jump is a new beginning. */
const MAX_JUMP = 500

/** Gives packets out in the order in which they were sent, each once; what comes too late is dropped. */
export class Reorder {
  #next: number | undefined
  readonly #waiting = new Map<number, RtpPacket>()

  push(packet: RtpPacket): RtpPacket[] {
    this.#next ??= packet.sequence
    const ahead = sequencesBetween(this.#next, packet.sequence)
    if (Math.abs(ahead) > MAX_JUMP) {
      const rest = this.flush()
      this.#next = (packet.sequence + 1) & 0xffff
      return [...rest, packet]
    }
    if (ahead < 0) return []
    this.#waiting.set(packet.sequence, packet)
    const given = this.#takeReady()
    if (this.#waiting.size >= PATIENCE) given.push(...this.flush())
    return given
  }

  /** Gives out what waits, and waits for nothing that is missing. */
  flush(): RtpPacket[] {
    const next = this.#next
    if (next === undefined) return []
    const rest = [...this.#waiting.values()].sort(
      (one, other) => sequencesBetween(next, one.sequence) - sequencesBetween(next, other.sequence),
    )
    this.#waiting.clear()
    const last = rest.at(-1)
    if (last) this.#next = (last.sequence + 1) & 0xffff
    return rest
  }

  #takeReady(): RtpPacket[] {
    const ready: RtpPacket[] = []
    for (;;) {
      const packet = this.#waiting.get(this.#next!)
      if (!packet) return ready
      ready.push(packet)
      this.#waiting.delete(packet.sequence)
      this.#next = (packet.sequence + 1) & 0xffff
    }
  }
}
