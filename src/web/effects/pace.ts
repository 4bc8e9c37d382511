/** Judges whether this device keeps up with an effect, by what the callers measure. */

/** The device must be too slow for this long, so that a short peak of another program is ignored. */
const WINDOW_MS = 5000
/** The most time per frame: above it, fewer than five frames a second are shown. */
const MAX_WORK_MS = 200
/** The share of the sound that must be processed in time. */
const MIN_SOUND = 0.9

interface Work {
  atMs: number
  workMs: number
}

/** The pace of video frames. */
export class PicturePace {
  #last: Work[] = []
  #since: number | undefined

  /** Adds one frame. Returns whether the device has been too slow for the whole window, by the median frame. */
  add(workMs: number, atMs: number): boolean {
    this.#since ??= atMs
    this.#last = [...this.#last.filter((one) => one.atMs > atMs - WINDOW_MS), { atMs, workMs }]
    if (atMs - this.#since < WINDOW_MS) return false
    const sorted = this.#last.map((one) => one.workMs).sort((one, other) => one - other)
    return sorted[Math.floor(sorted.length / 2)]! > MAX_WORK_MS
  }
}

/** The pace of sound. */
export class SoundPace {
  #last: { atMs: number; soundMs: number }[] = []

  /** Adds the sound processed so far. Returns whether it fell behind the clock over the whole window. */
  add(soundMs: number, atMs: number): boolean {
    this.#last = [...this.#last, { atMs, soundMs }]
    while (this.#last.length > 2 && this.#last[1]!.atMs <= atMs - WINDOW_MS) this.#last.shift()
    const first = this.#last[0]!
    const passed = atMs - first.atMs
    return passed >= WINDOW_MS && soundMs - first.soundMs < passed * MIN_SOUND
  }

  /** Starts over, because the sound stopped for another reason. */
  reset(): void {
    this.#last = []
  }
}
