/** Puts the packets of speech in order. */
import type { RtpPacket } from '../../rtp/packet.ts'

export type SpeechPacket = Pick<RtpPacket, 'sequence' | 'timestamp' | 'payload'>

/** The distance between two timestamps; negative if the second is earlier. */
export const ticksBetween = (from: number, to: number): number => (to - from) | 0

const sequencesBetween = (from: number, to: number): number => ((to - from) << 16) >> 16

/**
 * How many packets wait for a missing one. A retransmission takes a round trip; with 20 ms per packet, this is 160 ms.
 */
const PATIENCE = 8
/** A larger jump is a new start. */
const MAX_JUMP = 500

/** Returns packets in the order of sending, each once; packets that arrive too late are dropped. */
export class Reorder {
  #next: number | undefined
  readonly #waiting = new Map<number, SpeechPacket>()

  push(packet: SpeechPacket): SpeechPacket[] {
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

  /** Returns the waiting packets without waiting for missing ones. */
  flush(): SpeechPacket[] {
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

  #takeReady(): SpeechPacket[] {
    const ready: SpeechPacket[] = []
    for (;;) {
      const packet = this.#waiting.get(this.#next!)
      if (!packet) return ready
      ready.push(packet)
      this.#waiting.delete(packet.sequence)
      this.#next = (packet.sequence + 1) & 0xffff
    }
  }
}
