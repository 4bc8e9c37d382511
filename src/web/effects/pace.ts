/** Whether this device keeps up with an effect. Pure: the callers measure. */

/** How long it must be too slow, so that a short load of another program counts for nothing. */
const WINDOW_MS = 5000
/** What one picture may cost: with more, fewer than five are shown in a second. */
const MAX_WORK_MS = 200
/** How much of the sound must be computed in time. */
const MIN_SOUND = 0.9

interface Work {
  atMs: number
  workMs: number
}

/** Counts the work on pictures. */
export class PicturePace {
  #last: Work[] = []
  #since: number | undefined

  /** Returns whether the device has been too slow for the whole window: its median picture costs too much. */
  add(workMs: number, atMs: number): boolean {
    this.#since ??= atMs
    this.#last = [...this.#last.filter((one) => one.atMs > atMs - WINDOW_MS), { atMs, workMs }]
    if (atMs - this.#since < WINDOW_MS) return false
    const sorted = this.#last.map((one) => one.workMs).sort((one, other) => one - other)
    return sorted[Math.floor(sorted.length / 2)]! > MAX_WORK_MS
  }
}

/** Counts the sound that was computed. */
export class SoundPace {
  #last: { atMs: number; soundMs: number }[] = []

  /** Returns whether in the whole window less sound was computed than time passed. */
  add(soundMs: number, atMs: number): boolean {
    this.#last = [...this.#last, { atMs, soundMs }]
    while (this.#last.length > 2 && this.#last[1]!.atMs <= atMs - WINDOW_MS) this.#last.shift()
    const first = this.#last[0]!
    const passed = atMs - first.atMs
    return passed >= WINDOW_MS && soundMs - first.soundMs < passed * MIN_SOUND
  }

  /** The sound stood still for another reason. */
  reset(): void {
    this.#last = []
  }
}
