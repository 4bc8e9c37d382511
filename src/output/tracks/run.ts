import type {
  OutputFile,
  OutputListener,
  OutputOrder,
  OutputRun,
  OutputWatcher,
  SourceStream,
} from '../output.ts'
import { freeBytes, isDiskFull } from '../disk.ts'
import type { Part, PartFile } from './part.ts'
import type { StreamReceiver } from './receiver.ts'
import type { RecorderOptions } from './recorder.ts'

/** Frames are written this much later than they come, in order and with times that have settled. */
export const HOLD_MS = 700
/** A stream that is on but silent holds up the file no longer than this. */
const PATIENCE_MS = 3000
const TICK_MS = 250
const DISK_CHECK_MS = 5000

/** What participant and track recordings have in common: a clock that ticks, a disk that fills, an end. */
export abstract class RecordingRun<Config extends { participantId: string }> implements OutputRun {
  protected readonly order: OutputOrder<Config>
  protected readonly options: RecorderOptions
  readonly #listener: OutputListener
  readonly #finish: (parts: PartFile[]) => Promise<OutputFile[]>
  #unwatch: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #diskCheckedAt = -Infinity
  #isStarted = false
  #stopping: Promise<OutputFile[]> | undefined

  /** @param finish makes what was asked for of the parts */
  constructor(
    order: OutputOrder<Config>,
    listener: OutputListener,
    options: RecorderOptions,
    finish: (parts: PartFile[]) => Promise<OutputFile[]>,
  ) {
    this.order = order
    this.options = options
    this.#listener = listener
    this.#finish = finish
  }

  begin(): this {
    const watcher: OutputWatcher = {
      tell: () => undefined,
      offer: (stream) => {
        // Nobody but its receivers can decode it.
        const isOurs = stream.ownerId === this.order.config.participantId && this.takes(stream)
        if (isOurs && stream.appData.isEncrypted !== true) this.take(stream)
      },
      withdraw: (producerId) => this.withdraw(producerId),
      close: () => this.#stopTicking(),
    }
    this.#unwatch = this.order.source.watch(watcher)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    return this
  }

  stop(): Promise<OutputFile[]> {
    return (this.#stopping ??= this.#end())
  }

  /** Whether a stream of our participant is of a kind that is recorded. */
  protected abstract takes(stream: SourceStream): boolean
  protected abstract take(stream: SourceStream): void
  protected abstract withdraw(producerId: string): void
  /** Writes what has come; answers what went wrong with a file. */
  protected abstract write(now: number): unknown
  /** Closes all files. */
  protected abstract close(now: number): Promise<PartFile[]>

  protected started(): void {
    if (this.#isStarted || this.#stopping) return
    this.#isStarted = true
    this.#listener.started()
  }

  #tick(): void {
    const now = this.options.now()
    try {
      const problem = this.write(now)
      if (problem) this.#fail(problem)
      else if (now - this.#diskCheckedAt >= DISK_CHECK_MS) {
        this.#diskCheckedAt = now
        void this.#checkDisk()
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #checkDisk(): Promise<void> {
    const { reserveBytes, freeBytes: look = freeBytes } = this.options
    const free = await look(this.order.folder).catch((error: unknown) => {
      this.options.log.warn({ err: error }, 'failed to look at the free space of the disk')
      return Infinity
    })
    if (free < reserveBytes)
      await this.#endBy('disk-full', 'The disk is almost full, so the recording ended.')
  }

  #fail(cause: unknown): void {
    if (isDiskFull(cause)) void this.#endBy('disk-full', 'The disk is full, so the recording ended.', cause)
    else void this.#endBy('failed', 'The recording could not be written.', cause)
  }

  async #endBy(reason: 'failed' | 'disk-full', message: string, cause?: unknown): Promise<void> {
    if (this.#stopping) return
    this.#stopping = this.#end()
    const files = await this.#stopping.catch((error: unknown) => {
      this.options.log.warn({ err: error, outputId: this.order.outputId }, 'failed to finish a recording')
      return []
    })
    this.#listener.ended({ reason, message, ...(cause !== undefined && { cause }) }, files)
  }

  #stopTicking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #end(): Promise<OutputFile[]> {
    this.#stopTicking()
    this.#unwatch?.()
    return this.#finish(await this.close(this.options.now()))
  }
}

/** Until when frames may be written: a stream of sound that is on is waited for, so that a late packet is not lost. */
export function writableUntil(
  now: number,
  voices: readonly StreamReceiver[],
  part: Part | undefined,
): number {
  let until = now - HOLD_MS
  for (const voice of voices) {
    if (voice.offAt !== undefined || now - voice.heardAt > PATIENCE_MS) continue
    const known = voice.knownUntil ?? part?.soundEnd ?? until
    until = Math.min(until, Math.max(known, now - PATIENCE_MS))
  }
  return until
}
