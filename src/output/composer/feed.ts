/**
 * Feeds the chunks of a composition to one ffmpeg after the other: a new one starts after the browser was restarted, or
 * after an ffmpeg ended.
 */
import { PassThrough } from 'node:stream'
import type { FfmpegChild } from '../ffmpeg.ts'
import type { Piece } from './matroska.ts'
import { isRunnable, Watchdog } from '../watchdog.ts'

/** An ffmpeg that reads nothing for so long hangs, or its target does. */
const HUNG_MS = 4500
/** What a slow target may leave waiting. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** A failure after this time has a new cause. */
const STEADY_MS = 60_000
const FINISH_MS = 8000
/** However busy it is. */
const LONGEST_FINISH_MS = 60_000

export interface FeedOptions {
  /** Starts an ffmpeg that reads from its standard input; undefined while its target is not known. */
  start: () => FfmpegChild | undefined
  /** One ended by itself. */
  onFailed: (problem: string) => void
  /** Default: 4500. */
  hungMs?: number
}

export class Feed {
  readonly #options: FeedOptions
  #init: Buffer | undefined
  #now: Fed | undefined
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
      if (!this.#now) return
      this.#now.write(init)
    }
    this.#now.write(bytes)
  }

  /** Resolves when all of them have ended. */
  async finish(): Promise<void> {
    this.#endNow()
    await Promise.all(this.#all)
  }

  #start(): Fed | undefined {
    const program = this.#options.start()
    if (!program) return undefined
    const one = new Fed(program, this.#options.hungMs ?? HUNG_MS)
    const startedAt = performance.now()
    const over = program.ended.then((problem) => {
      one.close()
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
    this.#now?.end()
    this.#now = undefined
  }
}

/** One ffmpeg that is fed. It is killed if it hangs; one that is slow because the machine is busy is left alone. */
class Fed {
  readonly #child: FfmpegChild['child']
  /** Leads to it. It hands over piece by piece, which shows whether pieces are taken. */
  readonly #line = new PassThrough()
  /** How much it was given, and took until the last look. */
  #given = 0
  #taken = 0
  #watchdog: Watchdog
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ child }: FfmpegChild, hungMs: number) {
    this.#child = child
    this.#line.pipe(child.stdin!)
    this.#watchdog = this.#watch(hungMs, () => this.#waiting === 0)
  }

  write(bytes: Buffer): void {
    this.#line.write(bytes)
    this.#given += bytes.length
    if (this.#waiting > MAX_WAITING_BYTES) this.#kill()
  }

  /** It gets no more, and finishes. */
  end(): void {
    this.#line.end()
    this.close()
    this.#watchdog = this.#watch(FINISH_MS, () => false)
    this.#timer = setTimeout(() => this.#kill(), LONGEST_FINISH_MS)
  }

  /** It has ended. */
  close(): void {
    this.#watchdog.close()
    clearTimeout(this.#timer)
  }

  get #waiting(): number {
    return this.#line.writableLength + this.#line.readableLength
  }

  #watch(limitMs: number, isDone: () => boolean): Watchdog {
    const isAlive = (): boolean => isDone() || this.#took() || isRunnable(this.#child.pid!)
    return new Watchdog({ limitMs, isAlive, onHung: () => this.#kill() })
  }

  /** Whether it took anything since the last look. */
  #took(): boolean {
    const before = this.#taken
    this.#taken = this.#given - this.#waiting
    return this.#taken > before
  }

  #kill(): void {
    this.#child.kill('SIGKILL')
  }
}
