/**
 * A media server whose worker is still being prepared: it is off, with a sentence that tells the progress, then
 * switches on without a restart.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { MediaLog } from './log.ts'
import { prepareWorker, sentenceOf } from './preparation.ts'
import { refusalOfMedia } from './refusals.ts'
import type {
  MediaStatus,
  Preparing,
  Router,
  RouterOptions,
  Sfu,
  StreamSource,
  TcpTarget,
  WorkerUsage,
} from './sfu.ts'

export interface ComingOptions {
  /** Path of the script that prepares the worker. */
  script: string
  /** Looks for a worker that was put there in the meantime; returns its path if there is one. */
  find: () => string | undefined
  /** Starts the media server on the worker at this path. */
  start: (workerBin: string) => Promise<Sfu>
  stopping?: AbortSignal | undefined
  log?: MediaLog | undefined
}

/** How often the log reports progress. */
const TELL_MS = 30_000
const FIRST_RETRY_MS = 60_000
const LONGEST_RETRY_MS = 16 * 60_000

export class ComingSfu implements Sfu {
  readonly #options: ComingOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #ended: Promise<void>
  #sfu: Sfu | undefined
  #preparing: Preparing | undefined = { done: 0, total: 0, secondsLeft: null }
  #reason = ''
  #toldAt = 0
  #toldStep = ''

  constructor(options: ComingOptions) {
    this.#options = options
    const { stopping } = options
    this.#signal = stopping ? AbortSignal.any([this.#stop.signal, stopping]) : this.#stop.signal
    this.#ended = this.#prepare().catch((error: unknown) => {
      if (this.#signal.aborted) return
      options.log?.error({ err: error }, 'failed to prepare the media worker')
      this.#preparing = undefined
      this.#reason = 'Media is off: the media worker could not be prepared; the log says why.'
    })
  }

  get status(): MediaStatus {
    return this.#sfu?.status ?? this.#without
  }

  openRouter(options?: RouterOptions): Promise<Router> {
    return this.#sfu?.openRouter(options) ?? Promise.reject(refusalOfMedia(this.#without))
  }

  get #without(): Extract<MediaStatus, { available: false }> {
    const preparing = this.#preparing
    return preparing
      ? { available: false, reason: sentenceOf(preparing), isComing: false, preparing }
      : { available: false, reason: this.#reason, isComing: false }
  }

  get offers(): StreamSource | undefined {
    return this.#sfu?.offers
  }

  usage(): Promise<WorkerUsage[]> {
    return this.#sfu?.usage() ?? Promise.resolve([])
  }

  tcpTarget(usernameFragment: string): TcpTarget | undefined {
    return this.#sfu?.tcpTarget(usernameFragment)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
    await this.#sfu?.close()
  }

  async #prepare(): Promise<void> {
    const { script, log } = this.#options
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      this.#preparing = { done: 0, total: 0, secondsLeft: null }
      const startedAt = performance.now()
      const outcome = await prepareWorker(script, this.#signal, {
        onTold: (told) => this.#hear(told),
        onSaid: (text) => log?.info({ said: text }, 'preparing the media worker'),
      })
      if (this.#signal.aborted) return
      if (outcome.bin !== null) {
        const seconds = Math.round((performance.now() - startedAt) / 1000)
        log?.info({ worker: outcome.bin, source: outcome.source, seconds }, 'prepared the media worker')
        if (await this.#start(outcome.bin)) return
      } else {
        this.#reason = outcome.reason
        this.#preparing = undefined
        log?.error({ reason: outcome.reason }, 'failed to prepare the media worker')
        // Only a change on this machine can help, so look for a worker and do not try again.
        if (!outcome.passing) {
          const found = await this.#found()
          if (found === undefined || (await this.#start(found))) return
        }
      }
      if (!(await this.#pause(retryMs))) return
    }
  }

  /** Returns true if media is on or the program is being stopped. */
  async #start(workerBin: string): Promise<boolean> {
    const { start, log } = this.#options
    try {
      const sfu = await start(workerBin)
      if (this.#signal.aborted) {
        await sfu.close()
        return true
      }
      this.#sfu = sfu
      const { status } = sfu
      if (status.available) log?.info({ workers: status.workers, ports: status.ports }, 'media is on')
      return true
    } catch (error) {
      if (this.#signal.aborted) return true
      this.#preparing = undefined
      this.#reason = `Media is off: ${(error as Error).message}`
      log?.error({ err: error }, 'failed to start media')
      return false
    }
  }

  /** Returns undefined if the program is being stopped. */
  async #found(): Promise<string | undefined> {
    for (;;) {
      if (!(await this.#pause(FIRST_RETRY_MS))) return undefined
      const found = this.#options.find()
      if (found !== undefined) return found
    }
  }

  /** Returns false if the program is being stopped. */
  #pause(ms: number): Promise<boolean> {
    return delay(ms, true, { signal: this.#signal, ref: false }).catch(() => false)
  }

  #hear({ step, ...preparing }: Preparing & { step: string }): void {
    this.#preparing = preparing
    const now = performance.now()
    if (step === this.#toldStep && now - this.#toldAt < TELL_MS) return
    this.#toldStep = step
    this.#toldAt = now
    this.#options.log?.info({ step, ...preparing }, 'preparing the media worker')
  }
}
