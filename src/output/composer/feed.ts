/**
 * Feeds the chunks of a composition to one ffmpeg after the other: a new one starts after the browser was restarted, or
 * after an ffmpeg ended.
 */
import type { FfmpegChild } from './ffmpeg.ts'
import type { Piece } from './matroska.ts'

/** If this much waits for an ffmpeg, it or its target hangs. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** A failure after this time has a new cause. */
const STEADY_MS = 60_000
const FINISH_MS = 8000

export interface FeedOptions {
  /** Starts an ffmpeg that reads from its standard input. */
  start: () => FfmpegChild
  /** Called when an ffmpeg ended by itself. */
  onFailed: (problem: string) => void
}

export class Feed {
  readonly #options: FeedOptions
  #init: Buffer | undefined
  #now: FfmpegChild | undefined
  readonly #all = new Set<Promise<unknown>>()
  #pauseUntil = 0
  #pauseMs = FIRST_PAUSE_MS

  constructor(options: FeedOptions) {
    this.#options = options
  }

  take({ bytes, isEntry }: Piece, init: Buffer): void {
    if (init !== this.#init) this.#endNow()
    this.#init = init
    if (!this.#now) {
      if (!isEntry || performance.now() < this.#pauseUntil) return
      this.#now = this.#start()
      this.#now.child.stdin!.write(init)
    }
    const { child } = this.#now
    child.stdin!.write(bytes)
    if (child.stdin!.writableLength > MAX_WAITING_BYTES) child.kill('SIGKILL')
  }

  /** Resolves when all of them have ended. */
  async finish(): Promise<void> {
    this.#endNow()
    await Promise.all(this.#all)
  }

  #start(): FfmpegChild {
    const one = this.#options.start()
    const startedAt = performance.now()
    const over = one.ended.then((problem) => {
      this.#all.delete(over)
      if (this.#now !== one) return
      this.#now = undefined
      const now = performance.now()
      this.#pauseMs =
        now - startedAt > STEADY_MS ? FIRST_PAUSE_MS : Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
      this.#pauseUntil = now + this.#pauseMs
      this.#options.onFailed(problem ?? 'it ended')
    })
    this.#all.add(over)
    return one
  }

  #endNow(): void {
    const one = this.#now
    if (!one) return
    this.#now = undefined
    one.child.stdin!.end()
    const timer = setTimeout(() => one.child.kill('SIGKILL'), FINISH_MS)
    void one.ended.then(() => clearTimeout(timer))
  }
}
