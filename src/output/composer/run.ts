/** One output of a composition, from its start to its files. */
import type { OutputFile, OutputListener, OutputOrder, OutputProblem, OutputRun } from '../output.ts'
import { freeBytes, isDiskFull } from '../disk.ts'
import type { Captured } from './attempt.ts'
import type { ComposerLog, Compositions, Lease, Wanted } from './compositions.ts'
import type { Sink } from './sink.ts'

const LOOK_AT_DISK_MS = 5000
const DISK_FULL = 'The disk has no room left.'

export interface RunOptions {
  compositions: Pick<Compositions, 'lease'>
  order: OutputOrder<unknown>
  wanted: Omit<Wanted, 'source' | 'onBegun' | 'onPiece' | 'onFailed'>
  /** Called once it is sure that it is made. */
  openSink: (fail: (cause: unknown) => void) => Sink
  listener: OutputListener
  /** So much is left free, besides what finishing needs. */
  reserveBytes: number
  /** Returns the free space of a folder's disk. Default: asks the system. */
  freeBytes?: ((folder: string) => Promise<number>) | undefined
  log: ComposerLog
}

export class ComposedRun implements OutputRun {
  readonly #options: RunOptions
  readonly #lease: Lease
  readonly #sink: Sink
  readonly #timer: ReturnType<typeof setInterval>
  #hasStarted = false
  #isOver = false
  /** It has what was captured until then. */
  #until = Infinity
  #files: Promise<OutputFile[]> | undefined

  /** @throws {Refusal} this machine carries no more */
  constructor(options: RunOptions) {
    this.#options = options
    const { compositions, order, wanted, openSink } = options
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#lease = compositions.lease({
      ...wanted,
      source: order.source,
      onBegun: (begunAt) => this.#begin(begunAt),
      onPiece: (piece, init) => {
        if (!this.#isOver && piece.capturedAt <= this.#until) this.#take(piece, init)
      },
      onFailed: (cause) =>
        this.fail({
          reason: 'failed',
          message: 'The browser that draws it could not be kept running.',
          cause,
        }),
    })
    try {
      this.#sink = openSink((cause) => this.#failToWrite(cause))
    } catch (error) {
      this.#lease.release()
      throw error
    }
    this.#timer = setInterval(() => void this.#lookAtDisk(), LOOK_AT_DISK_MS)
    void this.#lookAtDisk()
  }

  /** Resolves when all of it is over. */
  readonly ended: Promise<void>
  #end!: () => void

  stop(): Promise<OutputFile[]> {
    return (this.#files ??= this.#finish().finally(this.#end))
  }

  /** Ends it by itself, with what there is. */
  fail(problem: OutputProblem): void {
    if (this.#files) return
    const { listener, log, order } = this.#options
    const files = this.stop().catch((error: unknown) => {
      log.warn({ err: error, outputId: order.outputId }, 'failed to finish an output')
      return []
    })
    void files.then((files) => listener.ended(problem, files))
  }

  /** What this output cannot take must not end the browser, which others share. */
  #take(piece: Captured, init: Buffer): void {
    try {
      this.#sink.take(piece, init)
      if (piece.isEntry) this.#begin(piece.capturedAt)
    } catch (cause) {
      this.#failToWrite(cause)
    }
  }

  #failToWrite(cause: unknown): void {
    if (isDiskFull(cause)) this.fail({ reason: 'disk-full', message: DISK_FULL, cause })
    else this.fail({ reason: 'failed', message: 'It could not be written.', cause })
  }

  #begin(begunAt: number): void {
    if (this.#hasStarted || this.#isOver) return
    this.#hasStarted = true
    this.#options.listener.started(performance.now() - begunAt)
  }

  async #finish(): Promise<OutputFile[]> {
    clearInterval(this.#timer)
    this.#until = performance.now()
    await this.#lease.flush(this.#until)
    this.#isOver = true
    this.#lease.release()
    return this.#sink.finish()
  }

  async #lookAtDisk(): Promise<void> {
    const { order, reserveBytes, freeBytes: look = freeBytes } = this.#options
    // A folder that is gone shows when it is written to.
    const free = await look(order.folder).catch(() => Infinity)
    if (free >= reserveBytes + this.#sink.neededBytes) return
    this.fail({ reason: 'disk-full', message: DISK_FULL })
  }
}
