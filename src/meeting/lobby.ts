/**
 * The entry requests of one meeting. Knows who asked and when, and nothing of the people inside.
 */
import type { Grant } from '../token/token.ts'
import type { Link } from './link.ts'

export interface EntryRequest {
  participantId: string
  name: string
  grant: Grant
  link: Link
  /** What `meeting/` calls when it is decided; set by the one who waits. */
  settle: (outcome: EntryOutcome) => void
}

export type EntryOutcome = 'allowed' | 'denied' | 'timeout' | 'ended' | 'replaced'

export interface LobbyOptions {
  /** Nobody answers for so long: denied. */
  timeoutMs: number
  onTimeout: (request: EntryRequest) => void
}

export class Lobby {
  readonly #options: LobbyOptions
  readonly #pending = new Map<string, { request: EntryRequest; timer: NodeJS.Timeout }>()

  constructor(options: LobbyOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#pending.size
  }

  requests(): EntryRequest[] {
    return [...this.#pending.values()].map((entry) => entry.request)
  }

  /** Returns the request of the same participantId that this one takes the place of. */
  add(request: EntryRequest): EntryRequest | undefined {
    const replaced = this.take(request.participantId)
    const timer = setTimeout(() => {
      if (this.take(request.participantId, request.link)) this.#options.onTimeout(request)
    }, this.#options.timeoutMs)
    timer.unref()
    this.#pending.set(request.participantId, { request, timer })
    return replaced
  }

  /** Removes and returns a request; with `link`, only if it is still that connection's. The first to take it has it. */
  take(participantId: string, link?: Link): EntryRequest | undefined {
    const entry = this.#pending.get(participantId)
    if (!entry || (link && entry.request.link !== link)) return undefined
    clearTimeout(entry.timer)
    this.#pending.delete(participantId)
    return entry.request
  }
}
