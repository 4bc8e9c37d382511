/** Puts the packets of speech in order. */
import type { RtpPacket } from '../rtp.ts'

export type SpeechPacket = Pick<RtpPacket, 'sequence' | 'timestamp' | 'payload'>

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

  /** Gives out what waits, and waits for nothing that is missing. */
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
