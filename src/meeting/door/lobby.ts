/**
 * The entry requests of one meeting. Knows who asked and when, and nothing of the people inside.
 */
import type { Grant } from '../../token/token.ts'
import type { Link } from '../link.ts'
import type { Participant } from '../roster/participant.ts'

/** One who asks to come in, by one connection. */
export interface Visitor {
  grant: Grant
  participantId: string
  name: string
  link: Link
  /** Default: a person. */
  kind?: Participant['kind']
  /** Called when it is let in. */
  admitted: (participant: Participant) => void
}

export interface LobbyOptions {
  /** Nobody answers for so long: denied. */
  timeoutMs: number
  onTimeout: (request: Visitor) => void
}

export class Lobby {
  readonly #options: LobbyOptions
  readonly #pending = new Map<string, { request: Visitor; askedAt: number; timer: NodeJS.Timeout }>()

  constructor(options: LobbyOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#pending.size
  }

  get(participantId: string): Visitor | undefined {
    return this.#pending.get(participantId)?.request
  }

  requests(): Visitor[] {
    return [...this.#pending.values()].map((entry) => entry.request)
  }

  /** How many asked with this token. */
  countOf(tokenId: string): number {
    let count = 0
    for (const { request } of this.#pending.values()) if (request.grant.tokenId === tokenId) count++
    return count
  }

  /** With when each asked. */
  entries(): { request: Visitor; askedAt: number }[] {
    return [...this.#pending.values()]
  }

  /** Returns the request of the same participantId that this one takes the place of. */
  add(request: Visitor, askedAt: number): Visitor | undefined {
    const replaced = this.take(request.participantId)
    const timer = setTimeout(() => {
      if (this.take(request.participantId, request.link)) this.#options.onTimeout(request)
    }, this.#options.timeoutMs)
    timer.unref()
    this.#pending.set(request.participantId, { request, askedAt, timer })
    return replaced
  }

  /** Removes and returns a request; with `link`, only if it is still that connection's. The first to take it has it. */
  take(participantId: string, link?: Link): Visitor | undefined {
    const entry = this.#pending.get(participantId)
    if (!entry || (link && entry.request.link !== link)) return undefined
    clearTimeout(entry.timer)
    this.#pending.delete(participantId)
    return entry.request
  }
}
