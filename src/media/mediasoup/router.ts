/**
 * The media of one meeting, on as many workers as it needs: each member is on one worker, and streams are piped between
 * workers.
 */
import type { RtpCapabilities } from '../../protocol/media.ts'
import type { MediaLog } from '../log.ts'
import type {
  Ingress,
  IngressOptions,
  Router,
  RouterEvents,
  RouterOptions,
  Tap,
  TapOptions,
  Transport,
  TransportOptions,
} from '../sfu.ts'
import type { ProducerHomes, WorkerRouter } from './worker-router.ts'
import { Listeners } from '../listeners.ts'
import { choosePlace, loadOf, type Placement } from '../placement.ts'
import { asMediaRefusal, closed } from '../refusals.ts'
import { Speakers } from './speakers.ts'

/** A worker as a meeting uses it. */
export interface Worker {
  readonly live: boolean
  /** The load of all meetings on it, in streams. */
  readonly load: number
  openRouter(
    options: RouterOptions & {
      useVoice: (producerId: string) => () => void
      left: (router: WorkerRouter) => void
    },
  ): Promise<WorkerRouter>
  readonly parts: Set<Part>
}

export interface Workers {
  readonly log: MediaLog | undefined
  readonly placement: Placement
  readonly homes: ProducerHomes
  all(): readonly Worker[]
  /**
   * Resolves when a worker runs again. @throws {Refusal} MEDIA_UNAVAILABLE if none runs by the deadline or ever will
   */
  revived(deadline: number): Promise<void>
}

/** How long a meeting waits for the replacement of a dead worker if there is no other. */
const REPLACEMENT_WAIT_MS = 5000

/** The part of a meeting on one worker. */
export class Part {
  readonly opened: Promise<WorkerRouter>
  /** Undefined while the router is being opened. */
  router: WorkerRouter | undefined
  members = 0

  constructor(opened: Promise<WorkerRouter>) {
    this.opened = opened
  }

  get load(): number {
    const none = { producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
    return loadOf({ ...(this.router?.counts ?? none), members: this.members })
  }
}

/** The place of a member. */
interface Seat {
  part: Promise<Part>
  uses: number
}

export class MediasoupRouter implements Router {
  readonly #workers: Workers
  readonly #options: RouterOptions
  readonly #parts = new Map<Worker, Part>()
  readonly #seats = new Map<object, Seat>()
  readonly #listeners: Listeners<RouterEvents>
  readonly #speakers: Speakers
  #rtpCapabilities!: RtpCapabilities
  #closed = false

  /** @throws {Refusal} MEDIA_UNAVAILABLE */
  static async open(workers: Workers, options: RouterOptions = {}): Promise<MediasoupRouter> {
    const router = new MediasoupRouter(workers, options)
    const first = await router.#ear()
    router.#rtpCapabilities = first.rtpCapabilities
    return router
  }

  private constructor(workers: Workers, options: RouterOptions) {
    this.#workers = workers
    this.#options = options
    this.#listeners = new Listeners(workers.log)
    this.#speakers = new Speakers({
      log: workers.log,
      ear: () => this.#ear(),
      onSpeaker: (producerId) => this.#listeners.emit('activeSpeaker', producerId),
    })
  }

  /** All workers have the same capabilities. */
  get rtpCapabilities(): RtpCapabilities {
    return this.#rtpCapabilities
  }

  on<E extends keyof RouterEvents>(event: E, listener: RouterEvents[E]): void {
    this.#listeners.on(event, listener)
  }

  async ready(): Promise<void> {
    await this.#ear()
  }

  createTransport({ member = {}, ...options }: TransportOptions): Promise<Transport> {
    return this.#seated(member, (router, leave) => router.createTransport(options, leave))
  }

  openIngress({ member = {}, ...options }: IngressOptions): Promise<Ingress> {
    return this.#seated(member, (router, leave) => router.openIngress(options, leave))
  }

  async openTap(options: TapOptions): Promise<Tap> {
    if (this.#closed) throw closed('meeting')
    const home = this.#workers.homes.get(options.producerId)
    const worker = this.#workers
      .all()
      .find(({ parts }) => [...parts].some(({ router }) => router === home?.router))
    // On the worker of its producer, the tap dies only with its stream.
    const router = worker?.live ? await this.#partOn(worker).opened : await this.#ear()
    return await router.openTap(options)
  }

  get load(): number {
    let load = 0
    for (const part of this.#parts.values()) load += part.load
    return load
  }

  listenTo(producerId: string): () => void {
    return this.#speakers.use(producerId)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#speakers.close()
    for (const { router } of this.#parts.values()) router?.release()
  }

  /** Creates something for a member on the member's worker, or on another one if that dies in the meantime. */
  async #seated<T>(
    member: object,
    make: (router: WorkerRouter, leave: () => void) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      if (this.#closed) throw closed('meeting')
      const seat = this.#seatOf(member)
      seat.uses += 1
      const leave = (): void => {
        seat.uses -= 1
        if (seat.uses > 0) return
        if (this.#seats.get(member) === seat) this.#seats.delete(member)
        seat.part.then(
          (part) => (part.members -= 1),
          () => undefined,
        )
      }
      let router: WorkerRouter | undefined
      try {
        router = await (await seat.part).opened
        return await make(router, leave)
      } catch (error) {
        leave()
        if (!router?.died) throw error
      }
    }
  }

  #seatOf(member: object): Seat {
    const known = this.#seats.get(member)
    if (known) return known
    const seat = { part: this.#place(), uses: 0 }
    this.#seats.set(member, seat)
    return seat
  }

  /** Chooses a worker for one more member and counts the member there. @throws {Refusal} MEDIA_UNAVAILABLE */
  async #place(): Promise<Part> {
    const deadline = performance.now() + REPLACEMENT_WAIT_MS
    for (;;) {
      const worker = this.#choose()
      if (!worker) {
        await this.#workers.revived(deadline)
        continue
      }
      const part = this.#partOn(worker)
      part.members += 1
      try {
        await part.opened
        return part
      } catch (error) {
        part.members -= 1
        // The worker died during the attempt: continue with the next one.
        if (worker.live) throw asMediaRefusal(error, 'meeting', 'MEDIA_UNAVAILABLE')
      }
    }
  }

  #choose(): Worker | undefined {
    const live = this.#workers.all().filter((worker) => worker.live)
    const loads = live.map((worker) => {
      const own = this.#parts.get(worker)
      return { load: worker.load, own: own && { members: own.members, load: own.load } }
    })
    const chosen = choosePlace(loads, this.#workers.placement)
    return chosen === undefined ? undefined : live[chosen]
  }

  /** Returns an existing router of the meeting, or opens one. */
  async #ear(): Promise<WorkerRouter> {
    for (const { router } of this.#parts.values()) if (router) return router
    const part = await this.#place()
    part.members -= 1
    return await part.opened
  }

  #partOn(worker: Worker): Part {
    const known = this.#parts.get(worker)
    if (known) return known
    const forget = (): void => {
      worker.parts.delete(part)
      if (this.#parts.get(worker) === part) this.#parts.delete(worker)
    }
    const part: Part = new Part(
      worker.openRouter({
        ...this.#options,
        useVoice: (producerId) =>
          this.#options.findsSpeaker === false ? () => undefined : this.#speakers.use(producerId),
        left: (router) => {
          forget()
          if (!router.died) return
          for (const [member, seat] of this.#seats)
            seat.part.then(
              (sat) => {
                if (sat === part && this.#seats.get(member) === seat) this.#seats.delete(member)
              },
              () => undefined,
            )
          this.#speakers.lost(router)
        },
      }),
    )
    this.#parts.set(worker, part)
    worker.parts.add(part)
    part.opened.then((router) => {
      part.router = router
      if (this.#closed) router.release()
    }, forget)
    return part
  }
}
