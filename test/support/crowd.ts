/** People of a load test in one meeting, who reach it by different nodes, and what each of them receives. */
import { setTimeout as delay } from 'node:timers/promises'
import { keepSending } from '../../src/load/keep-sending.ts'
import { LoadParticipant } from '../../src/load/participant.ts'
import { Source } from '../../src/load/streams.ts'

export interface Sends {
  audioBitrate?: number
  videoBitrate?: number
  layers?: number
}

/** Long enough on a machine five times slower. */
const PATIENCE_MS = 60_000

export class Crowd {
  readonly people = new Map<string, LoadParticipant>()
  /** Who lost its connection, and why. */
  readonly lost = new Map<string, string>()
  readonly #meetingId: string
  readonly #token: string
  readonly #sources = new Map<string, Source>()
  readonly #sending: LoadParticipant[] = []
  readonly #stop: () => void
  #ssrc = 1

  constructor(meetingId: string, token: string) {
    this.#meetingId = meetingId
    this.#token = token
    this.#stop = keepSending(this.#sending)
  }

  /** @param url the address of the node by which it comes */
  async join(url: string, participantId: string, sends: Sends = {}): Promise<LoadParticipant> {
    const { audioBitrate = 0, videoBitrate = 0, layers = 1 } = sends
    const sources: Source[] = []
    if (audioBitrate > 0) sources.push(new Source('audio', audioBitrate, this.#ssrc++))
    if (videoBitrate > 0) {
      sources.push(new Source('video', videoBitrate, this.#ssrc, layers))
      this.#ssrc += layers
    }
    const participant = new LoadParticipant({
      url,
      path: '/socket.io',
      token: this.#token,
      meetingId: this.#meetingId,
      participantId,
      sources,
      sourceOf: (producerId) => this.#sources.get(producerId),
      onProducer: (producerId, source) => this.#sources.set(producerId, source),
      onDelay: () => undefined,
      mayAim: () => undefined,
      onLost: (why) => this.lost.set(participantId, why),
    })
    await participant.join()
    this.people.set(participantId, participant)
    this.#sending.push(participant)
    return participant
  }

  /** Packets that arrived so far, and that did not. */
  async count(): Promise<{ received: number; lost: number }> {
    // Those under way arrive.
    await delay(300)
    const arrivals = [...this.people.values()].flatMap(({ arrivals }) => [...arrivals.values()])
    return {
      received: arrivals.reduce((sum, { received }) => sum + received, 0),
      lost: arrivals.reduce((sum, { lost }) => sum + lost, 0),
    }
  }

  /** Waits until somebody has lost its connection; it may join again then. */
  async gone(participantId: string): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS
    while (!this.lost.has(participantId)) {
      if (performance.now() > giveUpAt) throw new Error(`${participantId} was not cut off`)
      await delay(50)
    }
    this.lost.delete(participantId)
    this.#forget(participantId)
  }

  async leave(participantId: string): Promise<void> {
    await this.people.get(participantId)?.leave()
    this.#forget(participantId)
  }

  #forget(participantId: string): void {
    const participant = this.people.get(participantId)
    this.people.delete(participantId)
    if (participant) this.#sending.splice(this.#sending.indexOf(participant), 1)
  }

  /** Waits until this many streams flow to a participant, each with this many frames more than now. */
  async flows(participantId: string, streams: number, frames = 10): Promise<void> {
    const participant = this.people.get(participantId)!
    const before = new Map([...participant.arrivals].map(([id, { frames }]) => [id, frames]))
    const flowing = (): number =>
      [...participant.arrivals].filter(([id, arrival]) => arrival.frames >= (before.get(id) ?? 0) + frames)
        .length
    const giveUpAt = performance.now() + PATIENCE_MS
    while (flowing() < streams) {
      if (performance.now() > giveUpAt)
        throw new Error(`${flowing()} of ${streams} streams flow to ${participantId}`)
      await delay(100)
    }
  }

  async close(): Promise<void> {
    this.#stop()
    await Promise.all([...this.people.values()].map((participant) => participant.leave()))
  }
}
