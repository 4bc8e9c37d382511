import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { createWorker, type types as mediasoup } from 'mediasoup'
import { Refusal } from '../../protocol/errors.ts'
import type { MediaAddress } from '../addresses.ts'
import { routerCodecs } from './codecs.ts'
import type { MediaLog } from '../log.ts'
import { SOCKET_BUFFER_BYTES } from '../ports.ts'
import { silentProtocols } from './reach.ts'
import { asMediaRefusal, workerGone } from '../refusals.ts'
import { MediasoupRouter, type ProducerHomes, type RouterPlace } from './router.ts'
import type { MediaStatus, Router, WorkerUsage } from '../sfu.ts'
import { droppedByPort } from './socket-drops.ts'
import { cannotListen, MediaUnreachable, WorkerUnusable } from '../start-errors.ts'

export interface WorkerPoolOptions {
  workerBin: string
  workers: number
  firstPort: number
  addresses: readonly MediaAddress[]
  /** Aborted when the program is told to stop: a worker that ends from then on is neither reported nor replaced. */
  stopping?: AbortSignal | undefined
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

/** Workers that run. However the process ends, none is left behind; killed itself, it leaves them a closed pipe, on which they end. */
const processes = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL')
})

/** The workers, each with a port of its own; one that dies is replaced on the same port. */
export class WorkerPool {
  readonly ports: number[]
  readonly #slots: Slot[]
  readonly #tried: boolean
  #waiting = new Set<() => void>()
  #closed = false

  /**
   * @throws {WorkerUnusable} when the binary does not start
   * @throws {MediaUnreachable} when it does not answer where it is announced
   * @throws {StartError} when a port is taken or an address is not this machine's
   * @throws the reason of `stopping` when the program is told to stop
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
    this.#tried = options.addresses.every(({ isOwn }) => isOwn)
  }

  /** As it is at this moment. */
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

  /**
   * A router on the least loaded worker; waits a little for a replacement when all are dead.
   * @throws {Refusal} MEDIA_UNAVAILABLE
   */
  async openRouter(): Promise<Router> {
    const deadline = performance.now() + replacementWaitMs
    for (;;) {
      const slot = this.#leastLoaded()
      if (slot) {
        try {
          return await slot.openRouter()
        } catch (error) {
          // The worker died under it: the next one will do.
          if (slot.live) throw asMediaRefusal(error, 'meeting', 'MEDIA_UNAVAILABLE')
        }
      } else if (
        !this.#slots.some((dead) => dead.coming) ||
        !(await this.#woken(deadline - performance.now()))
      ) {
        throw this.#closed ? new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }) : workerGone()
      }
    }
  }

  async usage(): Promise<WorkerUsage[]> {
    const [dropped, ...all] = await Promise.all([droppedByPort(), ...this.#slots.map((slot) => slot.usage())])
    return all.flatMap((usage, index) =>
      usage ? [{ index, ...usage, droppedDatagrams: dropped?.get(this.ports[index]!) }] : [],
    )
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
  /** Whether the last start of a replacement failed. */
  failed = false
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
    const { stopping } = this.#options
    const gaveUp = stopping ? AbortSignal.any([this.#stop.signal, stopping]) : this.#stop.signal
    const worker = await startWorker(this.#options.workerBin, gaveUp)
    let webRtcServer
    try {
      webRtcServer = await worker
        .createWebRtcServer({ listenInfos: this.#listenInfos() })
        .catch((error: unknown) => {
          throw worker.closed ? workerDiedAtStart(this.#options.workerBin, error) : this.#startError(error)
        })
      await this.#assertReached(worker, webRtcServer)
    } catch (error) {
      await stopWorker(worker)
      gaveUp.throwIfAborted()
      throw error
    }
    this.#current = { worker, webRtcServer, startedAt: performance.now() }
    this.failed = false
    worker.once('died', (error) => this.#died(worker, error))
    // close() came meanwhile: it has seen no worker to stop.
    if (this.#stopped()) await this.close()
    this.#revived()
  }

  /**
   * Tries what clients are told, where that is an address of this machine.
   * @throws {MediaUnreachable}
   */
  async #assertReached(worker: mediasoup.Worker, webRtcServer: mediasoup.WebRtcServer): Promise<void> {
    const own = this.#options.addresses.filter(({ isOwn }) => isOwn)
    if (own.length === 0) return
    const router = await worker.createRouter()
    const { port } = this
    try {
      const { iceParameters } = await router.createWebRtcTransport({ webRtcServer, enableTcp: true })
      const silent = await Promise.all(
        own.map(async ({ announced: address }) => ({
          address,
          protocols: await silentProtocols({ address, port }, iceParameters),
        })),
      )
      for (const { address, protocols } of silent) {
        if (protocols.length > 0) throw new MediaUnreachable(address, port, protocols)
      }
    } catch (error) {
      throw worker.closed ? workerDiedAtStart(this.#options.workerBin, error) : error
    } finally {
      router.close()
    }
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
    const livedMs = this.#current ? performance.now() - this.#current.startedAt : 0
    if (livedMs >= settledMs) this.#retryMs = firstRetryMs
    this.#current = undefined
    if (this.#options.stopping?.aborted) return
    // First the replacement, so that a meeting which opens a router at once finds one coming.
    this.#replacing ??= this.#replace(worker, error).finally(() => (this.#replacing = undefined))
    for (const router of [...this.#routers]) router.workerDied()
  }

  async #replace(dead: mediasoup.Worker, error: Error): Promise<void> {
    const { log, stopping } = this.#options
    const { port } = this
    // The terminal's Ctrl-C goes to the workers too, and their end may be known here before the signal is.
    if (!(await this.#waitForTry())) return
    log?.error({ err: error, pid: dead.pid, port }, 'a media worker died; starting another')
    do {
      try {
        await this.start()
        return
      } catch (error) {
        if (this.#stopped() || stopping?.aborted) return
        this.failed = true
        log?.error({ err: error, port }, 'no replacement for the media worker yet')
      }
    } while (await this.#waitForTry())
  }

  /** Resolves when the next start is due: longer each time; with false when there is to be none. */
  async #waitForTry(): Promise<boolean> {
    const { signal } = this.#stop
    await delay(this.#retryMs, undefined, { signal }).catch(() => undefined)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
    return !signal.aborted && !this.#options.stopping?.aborted
  }

  /** A method, since it changes across an `await` and the compiler would not expect that of a property. */
  #stopped(): boolean {
    return this.#stop.signal.aborted
  }

  #listenInfos(): mediasoup.TransportListenInfo[] {
    return this.#options.addresses.flatMap(({ ip, announced }) => {
      const address = {
        ip,
        port: this.port,
        ...(announced !== ip && { announcedAddress: announced }),
        // Else it would take the IPv4 port too, which has a socket of its own.
        flags: { ipv6Only: true },
      }
      return [
        {
          protocol: 'udp' as const,
          ...address,
          sendBufferSize: SOCKET_BUFFER_BYTES,
          recvBufferSize: SOCKET_BUFFER_BYTES,
        },
        { protocol: 'tcp' as const, ...address },
      ]
    })
  }

  #startError(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error)
    const { addresses, workers } = this.#options
    return cannotListen(message, { addresses, port: this.port, workers }, { cause: error })
  }
}

const workerDiedAtStart = (workerBin: string, cause: unknown): WorkerUnusable =>
  new WorkerUnusable(`${workerBin} ended while it was started`, { cause })

/**
 * @throws {WorkerUnusable}
 * @throws the reason of `gaveUp`, when that is aborted first
 */
async function startWorker(workerBin: string, gaveUp: AbortSignal): Promise<mediasoup.Worker> {
  gaveUp.throwIfAborted()
  const { starting, child } = spawnWorker(workerBin)
  const settled = new AbortController()
  try {
    const worker = await Promise.race([
      starting,
      delay(startTimeoutMs, undefined, { signal: AbortSignal.any([gaveUp, settled.signal]), ref: false }),
    ])
    if (worker && !gaveUp.aborted) return worker
  } catch (error) {
    // A worker ends by itself too when it gets the signal that stops us.
    if (!gaveUp.aborted) throw new WorkerUnusable(`${workerBin} does not start`, { cause: error })
  } finally {
    settled.abort()
  }
  // It may say nothing, now or ever, so it cannot be asked to end.
  child?.kill('SIGKILL')
  starting.then(
    (late) => late.close(),
    () => undefined,
  )
  gaveUp.throwIfAborted()
  throw new WorkerUnusable(`${workerBin} started and said nothing for ${startTimeoutMs} ms`)
}

/**
 * A worker that is being started, with its process. mediasoup would end its workers by itself when this process is told to
 * stop; but when, and in which order, the program decides.
 */
function spawnWorker(workerBin: string): {
  starting: Promise<mediasoup.Worker>
  child: ChildProcess | undefined
} {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const before = signals.map((signal) => process.listeners(signal))
  let child: ChildProcess | undefined
  const onProcess = (message: unknown): void => {
    const started = (message as { process: ChildProcess }).process
    child = started
    processes.add(started)
    for (const event of ['exit', 'error']) started.once(event, () => processes.delete(started))
  }
  subscribe('child_process', onProcess)
  try {
    // It spawns before it returns its promise.
    return { starting: createWorker({ workerBin, logLevel: 'error' }), child }
  } finally {
    unsubscribe('child_process', onProcess)
    for (const [at, signal] of signals.entries())
      for (const listener of process.listeners(signal))
        if (!before[at]!.includes(listener)) process.off(signal, listener)
  }
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
