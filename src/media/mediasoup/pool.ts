import { Refusal } from '../../protocol/errors.ts'
import type { MediaLog } from '../log.ts'
import type { Placement } from '../placement.ts'
import { workerGone } from '../refusals.ts'
import type { MediaStatus, Router, RouterOptions, WorkerUsage } from '../sfu.ts'
import { MediasoupRouter, type Workers } from './router.ts'
import type { ProducerHomes } from './worker-router.ts'
import { Slot, type SlotOptions } from './slot.ts'
import { droppedByPort } from './socket-drops.ts'

export interface WorkerPoolOptions extends SlotOptions {
  firstPort: number
  /** Default: `auto`. */
  placement?: Placement | undefined
}

/** The workers, each with its own port. A dead worker is replaced on the same port. */
export class WorkerPool implements Workers {
  readonly ports: number[]
  readonly log: MediaLog | undefined
  readonly placement: Placement
  readonly homes: ProducerHomes = new Map()
  readonly #slots: Slot[]
  readonly #tried: boolean
  #waiting = new Set<() => void>()
  #closed = false

  /**
   * @throws {WorkerUnusable} if the binary does not start
   * @throws {MediaUnreachable} if it does not answer at its announced address
   * @throws {StartError} if a port is taken or an address does not belong to this machine
   * @throws the reason of `stopping` if the program must stop
   */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options)
    const starts = await Promise.allSettled(pool.#slots.map((slot) => slot.start()))
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed) {
      await pool.close()
      throw failed.reason
    }
    return pool
  }

  private constructor(options: WorkerPoolOptions) {
    this.log = options.log
    this.placement = options.placement ?? 'auto'
    this.#slots = Array.from(
      { length: options.workers },
      (_, index) =>
        new Slot(options, { index, port: options.firstPort + index }, this.homes, () => this.#wake()),
    )
    this.ports = this.#slots.map(({ port }) => port)
    this.#tried = options.addresses.every(({ isOwn }) => isOwn)
  }

  /** The current status. */
  get status(): MediaStatus {
    const workers = this.#slots.filter(({ live }) => live).length
    if (workers > 0) return { available: true, ports: this.ports, workers, tried: this.#tried }
    return {
      available: false,
      reason: this.#closed
        ? 'Media is off: the server is stopping.'
        : 'Media is off: no media worker runs; the log says why, and another start is tried every few seconds.',
      isComing: this.#slots.some(({ coming, failed }) => coming && !failed),
    }
  }

  /** Waits a short time for a replacement if all workers are dead. @throws {Refusal} MEDIA_UNAVAILABLE */
  openRouter(options?: RouterOptions): Promise<Router> {
    return MediasoupRouter.open(this, options)
  }

  all(): readonly Slot[] {
    return this.#slots
  }

  async revived(deadline: number): Promise<void> {
    if (this.#slots.some(({ coming }) => coming) && (await this.#woken(deadline - performance.now()))) return
    throw this.#closed ? new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }) : workerGone()
  }

  async usage(): Promise<WorkerUsage[]> {
    const [dropped, ...all] = await Promise.all([droppedByPort(), ...this.#slots.map((slot) => slot.usage())])
    return all.flatMap((usage, index) =>
      usage ? [{ index, ...usage, droppedDatagrams: dropped?.get(usage.port) }] : [],
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await Promise.all(this.#slots.map((slot) => slot.close()))
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Returns false if nothing changed within `ms`. */
  async #woken(ms: number): Promise<boolean> {
    if (ms <= 0) return false
    return await new Promise<boolean>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(wake)
        resolve(false)
      }, ms)
      this.#waiting.add(wake)
    })
  }
}
