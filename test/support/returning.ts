/** People without a browser who come back by themselves when they lose their connection, as the clients that they stand for do. */
import { setTimeout as delay } from 'node:timers/promises'
import { reconnectDelay } from '../../src/client/signalling.ts'
import { keepSending } from '../../src/load/keep-sending.ts'
import { LoadParticipant } from '../../src/load/participant.ts'
import { Source, type Arrival } from '../../src/load/streams.ts'

/** When each client tries again, in ms. */
export const clients = {
  'our client': { wait: (attempt: number) => reconnectDelay(attempt, Math.random()), attempts: 60 },
  /** `reconnectionDelay: 5000` with the jitter and the maximum of socket.io, ten times. */
  'js-sdk': { wait: () => Math.min(5000, 5000 * (0.5 + Math.random())), attempts: 10 },
} as const
export type Client = keyof typeof clients

/** What ends a connection without ending the stay of its client in the meeting. */
const LOST = ['the connection was lost', 'the server cannot be reached']
/** A stream that brought nothing for so long does not flow. */
const SILENT_MS = 500
/** Everything flows again if it has done so for this long. */
const HOLDS_MS = 1500

export interface Place {
  url: string
  token: string
  meetingId: string
}

export interface Returning {
  participantId: string
  client: Client
  /** Undefined while it is away. */
  inside: LoadParticipant | undefined
  /** Why it is out for good. */
  out: string | undefined
  /** Why attempts to come back failed, since `look` was called. */
  failures: string[]
  /** When it was cut off, and when it had joined again, since `look` was called. */
  lostAt: number | undefined
  joinedAt: number | undefined
  /** Since when everything that is sent to it flows; undefined while something does not. */
  flowsSince: number | undefined
  /** Whether something did not flow at a moment since `look` was called. */
  wasDisturbed: boolean
}

export class ReturningPeople {
  readonly all: Returning[] = []
  readonly #place: Place
  readonly #sources = new Map<string, Source>()
  readonly #sending: LoadParticipant[] = []
  readonly #stop: () => void
  readonly #senders = new Set<string>()
  #latest = new WeakMap<Arrival, { frames: number; at: number }>()
  #isOver = false
  #ssrc = 1

  constructor(place: Place) {
    this.#place = place
    this.#stop = keepSending(this.#sending)
  }

  async add(participantId: string, client: Client, sends: boolean): Promise<void> {
    const one: Returning = {
      participantId,
      client,
      inside: undefined,
      out: undefined,
      failures: [],
      lostAt: undefined,
      joinedAt: undefined,
      flowsSince: undefined,
      wasDisturbed: false,
    }
    if (sends) this.#senders.add(participantId)
    await this.#join(one)
    this.all.push(one)
  }

  /** Begins to measure: from now on everything counts anew. */
  look(): void {
    for (const one of this.all) {
      one.failures = []
      one.lostAt = one.joinedAt = one.flowsSince = undefined
      one.wasDisturbed = false
    }
  }

  /** Whether everybody receives everybody who sends, and has done so for a while. Ask often. */
  allFlows(now: number): boolean {
    for (const one of this.all) {
      const others = this.#senders.size - (this.#senders.has(one.participantId) ? 1 : 0)
      const arrivals = [...(one.inside?.arrivals.values() ?? [])]
      // Sound and picture of each.
      if (arrivals.filter((arrival) => this.#flows(arrival, now)).length >= 2 * others) one.flowsSince ??= now
      else {
        one.flowsSince = undefined
        one.wasDisturbed = true
      }
    }
    return this.all.every(({ flowsSince }) => flowsSince !== undefined && now - flowsSince >= HOLDS_MS)
  }

  #flows(arrival: Arrival, now: number): boolean {
    const latest = this.#latest.get(arrival) ?? { frames: 0, at: -Infinity }
    if (arrival.frames > latest.frames) {
      latest.frames = arrival.frames
      latest.at = now
      this.#latest.set(arrival, latest)
    }
    return now - latest.at < SILENT_MS
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#stop()
    await Promise.all(this.all.map(async ({ inside }) => inside?.leave()))
  }

  async #join(one: Returning): Promise<void> {
    const { participantId } = one
    const sources = this.#senders.has(participantId)
      ? [new Source('audio', 32_000, this.#ssrc++), new Source('video', 100_000, this.#ssrc++)]
      : []
    const participant: LoadParticipant = new LoadParticipant({
      ...this.#place,
      path: '/socket.io',
      participantId,
      sources,
      sourceOf: (producerId) => this.#sources.get(producerId),
      onProducer: (producerId, source) => this.#sources.set(producerId, source),
      onDelay: () => undefined,
      mayAim: () => undefined,
      retries: 0,
      onLost: (why) => {
        if (one.inside === participant) void this.#comeBack(one, why)
      },
    })
    try {
      await participant.join()
    } catch (error) {
      await participant.leave()
      throw error
    }
    one.inside = participant
    this.#sending.push(participant)
  }

  async #comeBack(one: Returning, why: string): Promise<void> {
    if (this.#isOver) return
    one.lostAt ??= performance.now()
    one.joinedAt = undefined
    this.#sending.splice(this.#sending.indexOf(one.inside!), 1)
    one.inside = undefined
    // To the app of a published client, this is the end of the meeting.
    if (!LOST.includes(why)) {
      one.out = why
      return
    }
    const { wait, attempts } = clients[one.client]
    for (let attempt = 0; attempt < attempts && !this.#hasEnded(); attempt++) {
      await delay(wait(attempt))
      try {
        await this.#join(one)
        one.joinedAt = performance.now()
        return
      } catch (error) {
        one.failures.push((error as Error).message)
      }
    }
    if (!this.#hasEnded()) one.out = `${attempts} attempts failed: ${one.failures.join('; ')}`
  }

  #hasEnded(): boolean {
    return this.#isOver
  }
}
