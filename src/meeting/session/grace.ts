export interface GraceOptions {
  /** How long a session outlives its last participant. */
  graceMs: number
  /** How long an admitted connection may take to join. */
  joinTimeoutMs: number
  /** Whether there is an admitted connection that has not joined yet. */
  isSomebodyEntering: () => boolean
  onOver: () => void
}

/** The grace period of an empty session, counted from when the last participant left. */
export class Grace {
  readonly #options: GraceOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: GraceOptions) {
    this.#options = options
  }

  /** Does nothing if the period is already running. */
  begin(atLeastMs = 0): void {
    if (this.#timer) return
    const { joinTimeoutMs, isSomebodyEntering, onOver } = this.#options
    const graceMs = Math.max(this.#options.graceMs, atLeastMs)
    const over = (): void => {
      this.#timer = undefined
      onOver()
    }
    this.#timer = setTimeout(() => {
      // Applicants who are about to join extend the period once, however many there are.
      const moreMs = isSomebodyEntering() ? joinTimeoutMs - graceMs : 0
      if (moreMs > 0) this.#timer = setTimeout(over, moreMs).unref()
      else over()
    }, graceMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
