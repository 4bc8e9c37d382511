/** The running compositions, within the budget of this machine. Outputs of one meeting with the same look share one. */
import { Refusal } from '../../protocol/errors.ts'
import type { Composition } from '../../protocol/outputs.ts'
import type { OutputSource } from '../output.ts'
import { Attempt, type Browsers, type Captured } from './attempt.ts'
import { canShare } from './budget.ts'

export type OutputKind = 'recording' | 'hls' | 'livestream'

const LIMITS = { recording: 'RECORDING_LIMIT', hls: 'HLS_LIMIT', livestream: 'LIVESTREAM_LIMIT' } as const
const TOPICS = { recording: 'RECORDING_LAYOUT', hls: 'HLS_LAYOUT', livestream: 'LIVE_STREAM_LAYOUT' }
/** So many browsers in a row that gave nothing: it will not work, unless an output has patience. */
const MAX_FAILURES = 3
/** Before any but the first of them is followed by another. */
const PAUSE_MS = 1000

export interface ComposerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface CompositionsOptions {
  browsers: Browsers
  max: number
  log: ComposerLog
}

export interface Wanted {
  kind: OutputKind
  composition: Composition
  /** The preferred codec of the video, and whether another one is accepted. */
  codec: 'avc1' | 'vp8'
  takesAnyCodec: boolean
  /** For so long, browsers that give nothing are followed by others. */
  patienceMs?: number | undefined
  source: OutputSource
  /** The capture has started, then by `performance.now()`. Not called if it had started before. */
  onBegun: (begunAt: number) => void
  onPiece: (piece: Captured, init: Buffer) => void
  /** The composition cannot continue. */
  onFailed: (error: Error) => void
}

/** The use of a composition by one output. */
export interface Lease {
  /** Resolves when everything that was captured until then, by `performance.now()`, has arrived. */
  flush(until: number): Promise<void>
  release(): void
}

interface Running {
  wanted: Wanted
  users: Set<Wanted>
  attempt: Attempt
  failures: number
  /** Ends it, where some output has patience. */
  timer?: ReturnType<typeof setTimeout> | undefined
}

export class Compositions {
  readonly #options: CompositionsOptions
  readonly #running = new Set<Running>()
  /** Browsers that are being closed. */
  readonly #ending = new Set<Promise<void>>()

  constructor(options: CompositionsOptions) {
    this.#options = options
  }

  /** @throws {Refusal} if this machine carries no more */
  lease(wanted: Wanted): Lease {
    const running = this.#find(wanted) ?? this.#begin(wanted)
    running.users.add(wanted)
    void running.attempt.follow()
    return {
      flush: (until) => running.attempt.flush(until),
      release: () => this.#release(running, wanted),
    }
  }

  async close(): Promise<void> {
    for (const running of this.#running) this.#end(running)
    await Promise.all(this.#ending)
  }

  #find({ source, composition, codec, takesAnyCodec }: Wanted): Running | undefined {
    return [...this.#running].find(
      ({ wanted }) =>
        wanted.source.sessionId === source.sessionId &&
        (takesAnyCodec || wanted.codec === codec) &&
        canShare(composition, wanted.composition),
    )
  }

  #begin(wanted: Wanted): Running {
    const { max } = this.#options
    if (this.#running.size >= max) throw new Refusal(LIMITS[wanted.kind])
    const users = new Set<Wanted>()
    const running: Running = { wanted, users, failures: 0, attempt: undefined! }
    running.attempt = this.#attempt(running)
    this.#running.add(running)
    return running
  }

  #attempt(running: Running): Attempt {
    const { browsers, log } = this.#options
    const { composition, codec, source } = running.wanted
    return new Attempt({
      browsers,
      composition,
      codec,
      source,
      topics: () => [...new Set([...running.users].map(({ kind }) => TOPICS[kind]))],
      onBegun: (begunAt) => {
        for (const user of [...running.users]) user.onBegun(begunAt)
      },
      onPiece: (piece, init) => {
        running.failures = 0
        clearTimeout(running.timer)
        for (const user of [...running.users]) user.onPiece(piece, init)
      },
      onFailed: (error) => {
        const { meetingId, sessionId } = source
        // Keep track of its `close`, so that it is awaited.
        this.#watch(running.attempt.close())
        if (!this.#running.has(running)) return
        log.warn({ meetingId, sessionId, err: error }, 'lost the browser of a composition')
        this.#follow(running, error)
      },
    })
  }

  /** Starts another browser after one that failed, or gives up. */
  #follow(running: Running, error: Error): void {
    const patienceMs = Math.max(0, ...[...running.users].map((user) => user.patienceMs ?? 0))
    if (++running.failures === 1) {
      if (patienceMs > 0) running.timer = setTimeout(() => this.#giveUp(running, error), patienceMs)
      running.attempt = this.#attempt(running)
    } else if (patienceMs === 0 && running.failures >= MAX_FAILURES) this.#giveUp(running, error)
    else
      setTimeout(() => {
        if (this.#running.has(running)) running.attempt = this.#attempt(running)
      }, PAUSE_MS)
  }

  #giveUp(running: Running, error: Error): void {
    const users = [...running.users]
    this.#end(running)
    for (const user of users) user.onFailed(error)
  }

  #release(running: Running, wanted: Wanted): void {
    running.users.delete(wanted)
    if (running.users.size === 0) this.#end(running)
    else void running.attempt.follow()
  }

  #end(running: Running): void {
    clearTimeout(running.timer)
    if (this.#running.delete(running)) this.#watch(running.attempt.close())
  }

  #watch(ending: Promise<void>): void {
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }
}
