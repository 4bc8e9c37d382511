import { SILENCE, SILENCE_MS } from '../../rtp/codecs/opus.ts'

export interface Sound {
  timeMs: number
  data: Buffer
}

/**
 * Joins packets of sound without gaps, because players count packets and ignore their times: a gap becomes silence, and
 * duplicates are dropped. This keeps the sound in place even if a clock drifts or packets are missing.
 */
export class SoundTrack {
  #end: number

  constructor(startMs: number) {
    this.#end = startMs
  }

  /** The position of the next packet. */
  get endMs(): number {
    return this.#end
  }

  place(timeMs: number, durationMs: number, data: Buffer): Sound[] {
    // The next packet may be a whole packet off before anything is corrected; a gap is filled as precisely as silence
    // allows.
    const off = timeMs - this.#end
    if (off <= -SILENCE_MS) return []
    const placed = off >= SILENCE_MS ? this.fillTo(timeMs - SILENCE_MS / 2) : []
    placed.push({ timeMs: this.#end, data })
    this.#end += durationMs
    return placed
  }

  /** Adds silence up to a time, or slightly beyond. */
  fillTo(timeMs: number): Sound[] {
    const placed: Sound[] = []
    for (; this.#end < timeMs; this.#end += SILENCE_MS) placed.push({ timeMs: this.#end, data: SILENCE })
    return placed
  }
}
