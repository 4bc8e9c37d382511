import { setTimeout as delay } from 'node:timers/promises'
import type { types as mediasoup } from 'mediasoup'
import type { MediaAddress } from '../addresses.ts'
import { codecsWith, routerCodecs } from './codecs.ts'
import type { MediaLog } from '../log.ts'
import { SOCKET_BUFFER_BYTES } from '../ports.ts'
import { silentProtocols } from './reach.ts'
import { workerGone } from '../refusals.ts'
import type { WorkerUsage } from '../sfu.ts'
import type { Part, Worker } from './router.ts'
import { WorkerRouter, type ProducerHomes } from './worker-router.ts'
import type { HostLines } from './hosts.ts'
import { PIPE_TIMES, type PipeTimes } from './pipes.ts'
import type { SharedPort } from './shared-port.ts'
import { cannotListen, MediaUnreachable } from '../start-errors.ts'
import { isStopping, startWorker, stopWorker, workerDiedAtStart } from './worker-process.ts'

export interface SlotOptions {
  workerBin: string
  workers: number
  addresses: readonly MediaAddress[]
  /**
   * Aborted when the program must stop: from then on, the end of a worker is neither reported nor a reason to replace
   * it.
   */
  stopping?: AbortSignal | undefined
  workerLog?: Pick<mediasoup.WorkerSettings, 'logLevel' | 'logTags'>
  log?: MediaLog | undefined
  pipeTimes?: PipeTimes | undefined
  hostLines?: HostLines | undefined
  /** Another TCP port that leads to all workers. */
  shared?: SharedPort | undefined
}

const firstRetryMs = 100
const longestRetryMs = 5000
/** If a worker lived this long, its death has a new cause, and its replacement is started immediately. */
const settledMs = 30_000
/** The load of an empty meeting, in streams: it will soon have some. */
const meetingLoad = 4

/** The successive workers on one port. */
export class Slot implements Worker {
  readonly port: number
  /** The parts of meetings on it. */
  readonly parts = new Set<Part>()
  readonly #options: SlotOptions
  readonly #index: number
  readonly #homes: ProducerHomes
  readonly #revived: () => void
  #deaths = 0
  #diedAt: number | undefined
  readonly #routers = new Set<WorkerRouter>()
  #current: { worker: mediasoup.Worker; webRtcServer: mediasoup.WebRtcServer; startedAt: number } | undefined
  #replacing: Promise<void> | undefined
  /** Whether the last attempt to start a replacement failed. */
  failed = false
  #retryMs = firstRetryMs
  readonly #stop = new AbortController()

  constructor(
    options: SlotOptions,
    { index, port }: { index: number; port: number },
    homes: ProducerHomes,
    revived: () => void,
  ) {
    this.#options = options
    this.#homes = homes
    this.#index = index
    this.port = port
    this.#revived = revived
  }

  get live(): boolean {
    return this.#current !== undefined && !this.#current.worker.closed
  }

  /** Whether the worker is dead and its replacement is starting. */
  get coming(): boolean {
    return this.#replacing !== undefined && !this.#stop.signal.aborted
  }

  get load(): number {
    let load = 0
    for (const part of this.parts) load += Math.max(meetingLoad, part.load)
    return load
  }

  async start(): Promise<void> {
    const { stopping } = this.#options
    const gaveUp = stopping ? AbortSignal.any([this.#stop.signal, stopping]) : this.#stop.signal
    const worker = await startWorker(this.#options, gaveUp)
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
      if (await isStopping(gaveUp)) gaveUp.throwIfAborted()
      throw error
    }
    this.#current = { worker, webRtcServer, startedAt: performance.now() }
    this.failed = false
    worker.once('died', (error) => this.#died(worker, error))
    // close() was called in the meantime and found no worker to stop.
    if (this.#stopped()) await this.close()
    this.#revived()
  }

  /**
   * Tests the addresses that clients get, as far as they belong to this machine.
   * @throws {MediaUnreachable}
   */
  async #assertReached(worker: mediasoup.Worker, webRtcServer: mediasoup.WebRtcServer): Promise<void> {
    const own = this.#options.addresses.filter(({ isOwn }) => isOwn)
    if (own.length === 0) return
    const { port } = this
    let router
    try {
      router = await worker.createRouter()
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
      router?.close()
    }
  }

  /** @throws mediasoup's errors */
  async openRouter({
    useVoice,
    left,
    payloadTypes,
    elsewhere,
  }: Parameters<Worker['openRouter']>[0]): Promise<WorkerRouter> {
    const current = this.#current
    if (!current) throw workerGone()
    const mediaCodecs = payloadTypes ? codecsWith(payloadTypes) : routerCodecs
    const router = new WorkerRouter(await current.worker.createRouter({ mediaCodecs }), {
      log: this.#options.log,
      index: this.#index,
      webRtcServer: current.webRtcServer,
      shared: this.#options.shared?.wayTo({ host: this.#ownHost(), port: this.port }),
      homes: this.#homes,
      pipeTimes: this.#options.pipeTimes ?? PIPE_TIMES,
      hostLines: this.#options.hostLines,
      elsewhere,
      useVoice,
      left: (gone) => {
        this.#routers.delete(gone)
        left(gone)
      },
    })
    // The worker may have died after it sent its answer.
    if (this.#current !== current) throw workerGone()
    this.#routers.add(router)
    return router
  }

  /** Undefined if there is no worker. */
  async usage(): Promise<Omit<WorkerUsage, 'index'> | undefined> {
    try {
      const used = await this.#current?.worker.getResourceUsage()
      if (!used) return undefined
      const total = { members: 0, producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
      for (const { members } of this.parts) total.members += members
      for (const { counts } of this.#routers) {
        total.producers += counts.producers
        total.consumers += counts.consumers
        total.pipesIn += counts.pipesIn
        total.pipesOut += counts.pipesOut
      }
      return {
        port: this.port,
        cpuSeconds: (used.ru_utime + used.ru_stime) / 1000,
        routers: this.#routers.size,
        ...total,
        ...(this.#diedAt !== undefined && {
          deaths: this.#deaths,
          diedAgoMs: performance.now() - this.#diedAt,
        }),
      }
    } catch {
      // The worker died during the request.
      return undefined
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const current = this.#current
    this.#current = undefined
    for (const router of [...this.#routers]) router.release()
    if (current) await stopWorker(current.worker)
    await this.#replacing
  }

  #died(worker: mediasoup.Worker, error: Error): void {
    const livedMs = this.#current ? performance.now() - this.#current.startedAt : 0
    if (livedMs >= settledMs) this.#retryMs = firstRetryMs
    this.#current = undefined
    if (this.#options.stopping?.aborted) return
    // Start the replacement first, so that a meeting that opens a router immediately finds it starting.
    this.#replacing ??= this.#replace(worker, error).finally(() => (this.#replacing = undefined))
    for (const router of [...this.#routers]) router.workerDied()
  }

  async #replace(dead: mediasoup.Worker, error: Error): Promise<void> {
    const { log, stopping } = this.#options
    const { port } = this
    // The replacement does not wait for this.
    void isStopping(stopping).then((is) => {
      if (!is && !this.#stopped())
        log?.error({ err: error, pid: dead.pid, port }, 'restarting a media worker that died')
    })
    if (!(await this.#waitForTry())) return
    this.#deaths++
    this.#diedAt = performance.now()
    do {
      try {
        await this.start()
        return
      } catch (error) {
        if (this.#stopped() || stopping?.aborted) return
        this.failed = true
        log?.error({ err: error, port }, 'failed to replace a media worker; trying again')
      }
    } while (await this.#waitForTry())
  }

  /** Resolves when the next start is due, after a longer wait each time; with false if there will be none. */
  async #waitForTry(): Promise<boolean> {
    const { signal } = this.#stop
    await delay(this.#retryMs, undefined, { signal }).catch(() => undefined)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
    return !signal.aborted && !this.#options.stopping?.aborted
  }

  /** Where this process reaches the worker. */
  #ownHost(): string {
    const { ip } = this.#options.addresses[0]!
    return ip === '0.0.0.0' ? '127.0.0.1' : ip === '::' ? '::1' : ip
  }

  /** A method, because the value changes across an `await`, which the compiler would not expect of a property. */
  #stopped(): boolean {
    return this.#stop.signal.aborted
  }

  #listenInfos(): mediasoup.TransportListenInfo[] {
    const { addresses } = this.#options
    return [...new Set(addresses.map(({ ip }) => ip))].flatMap((ip) => {
      const announced = addresses.filter((address) => address.ip === ip).map((address) => address.announced)
      const elsewhere = announced.find((address) => address !== ip)
      const address = {
        ip,
        port: this.port,
        ...(elsewhere !== undefined && {
          announcedAddress: elsewhere,
          exposeInternalIp: announced.includes(ip),
        }),
        // Otherwise it would take the IPv4 port too, which has its own socket.
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
