import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { Refusal } from '../protocol/errors.ts'
import { routerCodecs } from './codecs.ts'
import type { MediaLog } from './log.ts'
import { asMediaRefusal, workerGone } from './refusals.ts'
import { MediasoupRouter, type ProducerHomes, type RouterPlace } from './router.ts'
import type { Router, WorkerUsage } from './sfu.ts'
import { MediaStartError, WorkerUnusable } from './start-errors.ts'

export interface WorkerPoolOptions {
  workerBin: string
  workers: number
  firstPort: number
  listenIp: string
  announcedAddress?: string | undefined
  log?: MediaLog | undefined
}

/** A worker that has not said it runs after this long is taken for broken. */
const startTimeoutMs = 10_000
/** How long a new meeting waits for a dead worker's replacement when there is no other. */
const replacementWaitMs = 5000
/** After this a worker that was told to stop is killed. */
const stopTimeoutMs = 700
const firstRetryMs = 100
const longestRetryMs = 5000
/** A worker that lived this long died of something new, and its replacement is tried at once again. */
const settledMs = 30_000
/** What an empty meeting weighs against meetings in progress, in consumers: it will have some soon. */
const routerWeight = 4
/** Asked of the kernel for a worker's UDP socket, which all its clients share; it grants what it is configured to. */
const socketBufferBytes = 4 * 1024 * 1024

/** The workers, each with a port of its own; one that dies is replaced on the same port. */
export class WorkerPool {
  readonly ports: number[]
  readonly #slots: Slot[]
  #waiting = new Set<() => void>()
  #closed = false

  /**
   * @throws {WorkerUnusable} when the binary does not start
   * @throws {MediaStartError} when a port is taken or an address is not this machine's
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
    const homes: ProducerHomes = new Map()
    this.#slots = Array.from(
      { length: options.workers },
      (_, index) => new Slot(options, options.firstPort + index, homes, () => this.#wake()),
    )
    this.ports = this.#slots.map(({ port }) => port)
  }

  /**
   * A router on the least loaded worker; waits a little for a replacement when all are dead.
   * @throws {Refusal} MEDIA_UNAVAILABLE
   */
  async openRouter(): Promise<Router> {
    const deadline = Date.now() + replacementWaitMs
    for (;;) {
      const slot = this.#leastLoaded()
      if (slot) {
        try {
          return await slot.openRouter()
        } catch (error) {
          // The worker died under it: the next one will do.
          if (slot.live) throw asMediaRefusal(error, 'meeting', 'MEDIA_UNAVAILABLE')
        }
      } else if (!this.#slots.some((dead) => dead.coming) || !(await this.#woken(deadline - Date.now()))) {
        throw this.#closed ? new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }) : workerGone()
      }
    }
  }

  async usage(): Promise<WorkerUsage[]> {
    const all = await Promise.all(this.#slots.map((slot) => slot.usage()))
    return all.flatMap((usage, index) => (usage ? [{ index, ...usage }] : []))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await Promise.all(this.#slots.map((slot) => slot.close()))
  }

  #leastLoaded(): Slot | undefined {
    return this.#slots
      .filter(({ live }) => live)
      .reduce<Slot | undefined>((best, slot) => (best && best.load <= slot.load ? best : slot), undefined)
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** False when nothing changed in `ms`. */
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

/** One worker after another on one port. */
class Slot {
  readonly port: number
  readonly #options: WorkerPoolOptions
  readonly #homes: ProducerHomes
  readonly #revived: () => void
  #routers = new Set<MediasoupRouter>()
  #consumers = 0
  #opening = 0
  #current: { worker: mediasoup.Worker; webRtcServer: mediasoup.WebRtcServer; startedAt: number } | undefined
  #replacing: Promise<void> | undefined
  #retryMs = firstRetryMs
  readonly #stop = new AbortController()

  constructor(options: WorkerPoolOptions, port: number, homes: ProducerHomes, revived: () => void) {
    this.#options = options
    this.#homes = homes
    this.port = port
    this.#revived = revived
  }

  get live(): boolean {
    return this.#current !== undefined && !this.#current.worker.closed
  }

  /** Dead, with a replacement on its way. */
  get coming(): boolean {
    return this.#replacing !== undefined && !this.#stop.signal.aborted
  }

  /** In consumers. */
  get load(): number {
    return this.#consumers + routerWeight * (this.#routers.size + this.#opening)
  }

  async start(): Promise<void> {
    const worker = await startWorker(this.#options.workerBin)
    if (this.#stopped()) {
      await stopWorker(worker)
      return
    }
    let webRtcServer
    try {
      webRtcServer = await worker.createWebRtcServer({ listenInfos: this.#listenInfos() })
    } catch (error) {
      await stopWorker(worker)
      throw this.#startError(error)
    }
    this.#current = { worker, webRtcServer, startedAt: Date.now() }
    worker.once('died', (error) => this.#died(worker, error))
    // close() came while the server was made: it has seen no worker to stop.
    if (this.#stopped()) await this.close()
    this.#revived()
  }

  /** @throws what mediasoup throws */
  async openRouter(): Promise<Router> {
    const current = this.#current
    if (!current) throw workerGone()
    this.#opening++
    try {
      const place: RouterPlace = {
        log: this.#options.log,
        webRtcServer: current.webRtcServer,
        homes: this.#homes,
        countConsumers: (change) => (this.#consumers += change),
        left: (router) => this.#routers.delete(router),
      }
      const router = await MediasoupRouter.open(
        await current.worker.createRouter({ mediaCodecs: routerCodecs }),
        place,
      )
      // It may have died with its last answer on the way.
      if (this.#current !== current) throw workerGone()
      this.#routers.add(router)
      return router
    } finally {
      this.#opening--
    }
  }

  /** Undefined while there is no worker. */
  async usage(): Promise<{ cpuSeconds: number; routers: number } | undefined> {
    try {
      const used = await this.#current?.worker.getResourceUsage()
      return used && { cpuSeconds: (used.ru_utime + used.ru_stime) / 1000, routers: this.#routers.size }
    } catch {
      // It died while it was asked.
      return undefined
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const current = this.#current
    this.#current = undefined
    for (const router of [...this.#routers]) router.close()
    if (current) await stopWorker(current.worker)
    await this.#replacing
  }

  #died(worker: mediasoup.Worker, error: Error): void {
    const { log } = this.#options
    const livedMs = this.#current ? Date.now() - this.#current.startedAt : 0
    if (livedMs >= settledMs) this.#retryMs = firstRetryMs
    this.#current = undefined
    log?.error({ err: error, pid: worker.pid, port: this.port }, 'a media worker died; starting another')
    // First the replacement, so that a meeting which opens a router at once finds one coming.
    this.#replacing ??= this.#replace().finally(() => (this.#replacing = undefined))
    for (const router of [...this.#routers]) router.workerDied()
  }

  async #replace(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await delay(this.#retryMs, undefined, { signal })
        this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
        await this.start()
        return
      } catch (error) {
        if (this.#stopped()) return
        this.#options.log?.error({ err: error, port: this.port }, 'no replacement for the media worker yet')
      }
    }
  }

  /** A method, since it changes across an `await` and the compiler would not expect that of a property. */
  #stopped(): boolean {
    return this.#stop.signal.aborted
  }

  #listenInfos(): mediasoup.TransportListenInfo[] {
    const { listenIp, announcedAddress } = this.#options
    const address = {
      ip: listenIp,
      port: this.port,
      ...(announcedAddress === undefined ? {} : { announcedAddress }),
    }
    return [
      { protocol: 'udp', ...address, sendBufferSize: socketBufferBytes, recvBufferSize: socketBufferBytes },
      { protocol: 'tcp', ...address },
    ]
  }

  #startError(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error)
    if (/not available/i.test(message)) {
      return new MediaStartError(
        `Media cannot listen on ${this.#options.listenIp}: it is no address of this machine; set HOST to one that is, and ANNOUNCED_ADDRESS to what clients reach.`,
        { cause: error },
      )
    }
    if (/invalid IP/i.test(message)) {
      return new MediaStartError(
        `HOST is ${this.#options.listenIp}, and media can listen on an address only: set HOST to one of this machine, or to 0.0.0.0.`,
        { cause: error },
      )
    }
    if (/in use/i.test(message)) {
      return new MediaStartError(
        `Port ${this.port}, which media needs over UDP and TCP, is in use; set MEDIA_PORT to the first of ${this.#options.workers} free ports, or stop the program that has it.`,
        { cause: error },
      )
    }
    return new MediaStartError(
      `Media cannot listen on ${this.#options.listenIp} port ${this.port} (${message}); set MEDIA_PORT or HOST to what it may use.`,
      { cause: error },
    )
  }
}

/** @throws {WorkerUnusable} */
async function startWorker(workerBin: string): Promise<mediasoup.Worker> {
  const starting = createWorker({ workerBin, logLevel: 'error' })
  const timeout = new AbortController()
  try {
    const worker = await Promise.race([
      starting,
      delay(startTimeoutMs, undefined, { signal: timeout.signal, ref: false }),
    ])
    if (worker) return worker
  } catch (error) {
    throw new WorkerUnusable(`${workerBin} does not start`, { cause: error })
  } finally {
    timeout.abort()
  }
  starting.then(
    (late) => late.close(),
    () => undefined,
  )
  throw new WorkerUnusable(`${workerBin} started and said nothing for ${startTimeoutMs} ms`)
}

/** Resolves when the process is gone; kills it if it does not go. */
async function stopWorker(worker: mediasoup.Worker): Promise<void> {
  if (worker.subprocessClosed) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      try {
        process.kill(worker.pid, 'SIGKILL')
      } catch {
        // It went by itself just now.
      }
      resolve()
    }, stopTimeoutMs)
    worker.once('subprocessclose', () => {
      clearTimeout(timer)
      resolve()
    })
    worker.close()
  })
}
