/**
 * Feeds the chunks of a composition to one ffmpeg after the other: a new one starts after the browser was restarted, or
 * after an ffmpeg ended.
 */
import { PassThrough } from 'node:stream'
import type { FfmpegChild } from '../ffmpeg.ts'
import type { Piece } from './matroska.ts'

/** An ffmpeg that reads nothing for so long hangs, or its target does. */
const HUNG_MS = 4500
/** What a slow target may leave waiting. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** A failure after this time has a new cause. */
const STEADY_MS = 60_000
const FINISH_MS = 8000

export interface FeedOptions {
  /** Starts an ffmpeg that reads from its standard input; undefined while its target is not known. */
  start: () => FfmpegChild | undefined
  /** One ended by itself. */
  onFailed: (problem: string) => void
}

export class Feed {
  readonly #options: FeedOptions
  #init: Buffer | undefined
  #now: FfmpegChild | undefined
  /** Leads to the present one. It hands over piece by piece, which shows whether pieces are taken. */
  #line = new PassThrough()
  /** How much the present one was given and took, and when it last took something. */
  #given = 0
  #taken = 0
  #tookAt = 0
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
      this.#given = this.#taken = 0
      this.#tookAt = performance.now()
      this.#line = new PassThrough()
      this.#line.pipe(this.#now.child.stdin!)
      this.#write(init)
    }
    this.#write(bytes)
    if (this.#hangs()) this.#now.child.kill('SIGKILL')
  }

  #write(bytes: Buffer): void {
    this.#line.write(bytes)
    this.#given += bytes.length
  }

  #hangs(): boolean {
    const waiting = this.#line.writableLength + this.#line.readableLength
    const now = performance.now()
    const taken = this.#given - waiting
    if (taken > this.#taken) this.#tookAt = now
    this.#taken = taken
    return waiting > MAX_WAITING_BYTES || (waiting > 0 && now - this.#tookAt > HUNG_MS)
  }

  /** Resolves when all of them have ended. */
  async finish(): Promise<void> {
    this.#endNow()
    await Promise.all(this.#all)
  }

  #start(): FfmpegChild | undefined {
    const one = this.#options.start()
    if (!one) return undefined
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
    this.#line.end()
    const timer = setTimeout(() => one.child.kill('SIGKILL'), FINISH_MS)
    void one.ended.then(() => clearTimeout(timer))
  }
}
