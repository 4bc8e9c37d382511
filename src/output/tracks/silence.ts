import { SILENCE, SILENCE_MS } from './codecs/opus.ts'

export interface Sound {
  timeMs: number
  data: Buffer
}

/**
 * Lays packets of sound end to end, as players count them and not their times: a gap becomes silence, and what comes twice is
 * dropped. So the sound is where it belongs, also where a clock drifts or packets are missing.
 */
export class SoundTrack {
  #end: number

  constructor(startMs: number) {
    this.#end = startMs
  }

  /** Where the next packet goes. */
  get endMs(): number {
    return this.#end
  }

  place(timeMs: number, durationMs: number, data: Buffer): Sound[] {
    // One that follows may be a whole packet off before anything is done about it; a gap is filled as close as silence allows.
    const off = timeMs - this.#end
    if (off <= -SILENCE_MS) return []
    const placed = off >= SILENCE_MS ? this.fillTo(timeMs - SILENCE_MS / 2) : []
    placed.push({ timeMs: this.#end, data })
    this.#end += durationMs
    return placed
  }

  /** Silence up to a time, or a little beyond. */
  fillTo(timeMs: number): Sound[] {
    const placed: Sound[] = []
    for (; this.#end < timeMs; this.#end += SILENCE_MS) placed.push({ timeMs: this.#end, data: SILENCE })
    return placed
  }
}
