/** Empties this node before it ends. Its meetings may end by themselves until a deadline; the others then move to other nodes. */

export interface DrainOptions {
  /** The meetings that are open here. */
  open: () => Iterable<string>
  /** How many people are inside. */
  sizeOf: (meetingId: string) => Promise<number>
  /** Whether another node takes meetings. */
  hasSuccessor: () => boolean
  /** Disconnects everybody, and hands the meeting to another node. */
  handOver: (meetingId: string) => Promise<void>
  /** Tells the other nodes whether this one takes meetings. */
  announce: () => Promise<void>
  onError: (error: unknown, doing: string) => void
  /** Monotonic, in ms. */
  now: () => number
  wait: (ms: number) => Promise<void>
}

/** By then balancers and other nodes know of the drain, so that people who are disconnected come back through another node. */
const NOTICE_MS = 3000
/** How many people move per second, so that no other node is flooded. */
const PEOPLE_PER_SECOND = 20
const LOOK_MS = 250

interface Run {
  begunAt: number
  deadline: number
  isOver: boolean
}

export class Drain {
  readonly #options: DrainOptions
  readonly #ended = Promise.withResolvers<undefined>()
  #run: Run | undefined

  constructor(options: DrainOptions) {
    this.#options = options
  }

  get isOn(): boolean {
    return this.#run !== undefined
  }

  /** Resolves when a drain has emptied this node. */
  get ended(): Promise<unknown> {
    return this.#ended.promise
  }

  /** Takes no new meetings from now on, and moves the last one by the deadline. A second call changes the deadline. */
  begin(withinMs: number): void {
    const { now, announce, onError } = this.#options
    const deadline = now() + withinMs
    if (this.#run) {
      this.#run.deadline = deadline
      return
    }
    const run = (this.#run = { begunAt: now(), deadline, isOver: false })
    announce()
      // The next renewal of the lease announces it too.
      .catch((error: unknown) => onError(error, 'failed to tell other nodes that this one is drained'))
      .then(() => this.#empty(run))
      .then(
        (isEmpty) => {
          if (isEmpty) this.#ended.resolve(undefined)
        },
        (error: unknown) => onError(error, 'failed to drain this node'),
      )
  }

  /** Takes meetings again. Those that have moved stay where they are. */
  async cancel(): Promise<void> {
    if (this.#run) this.#run.isOver = true
    this.#run = undefined
    await this.#options.announce()
  }

  /** Call this when the server stops: it then neither takes nor moves meetings. */
  stop(): void {
    this.#run ??= { begunAt: 0, deadline: 0, isOver: true }
    this.#run.isOver = true
  }

  /** Resolves with true when no meeting is left, or with false when the drain is cancelled before. */
  async #empty(run: Run): Promise<boolean> {
    const { open, hasSuccessor, handOver, now, wait } = this.#options
    for (;;) {
      const sizes = await this.#sizes()
      if (run.isOver) return false
      if ([...open()].length === 0 && now() >= run.begunAt + NOTICE_MS) return true
      const [smallest] = sizes
      if (smallest && hasSuccessor() && now() >= this.#moveAt(run, sizes)) {
        const [meetingId, people] = smallest
        await handOver(meetingId)
        await wait((people / PEOPLE_PER_SECOND) * 1000)
      } else await wait(LOOK_MS)
    }
  }

  /** When moving must begin, so that the last meeting moves before the deadline. */
  #moveAt({ begunAt, deadline }: Run, sizes: [string, number][]): number {
    const people = sizes.reduce((sum, [, size]) => sum + size, 0)
    return Math.max(begunAt + NOTICE_MS, deadline - (people / PEOPLE_PER_SECOND) * 1000)
  }

  /** The smallest first, because the large meetings may have ended before their turn. */
  async #sizes(): Promise<[meetingId: string, people: number][]> {
    const { open, sizeOf } = this.#options
    const sizes = await Promise.all(
      [...open()].map(async (meetingId): Promise<[string, number]> => [meetingId, await sizeOf(meetingId)]),
    )
    return sizes.sort(([, one], [, other]) => one - other)
  }
}
