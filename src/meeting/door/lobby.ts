/**
 * The entry requests of one meeting. Knows who asked and when, but nothing about the people inside.
 */
import type { Grant } from '../../token/token.ts'
import type { Link } from '../link.ts'
import type { Participant } from '../roster/participant.ts'

/** An entry request of one connection. */
export interface EntryRequest {
  grant: Grant
  participantId: string
  name: string
  /** What one who asks wrote for those who let people in. */
  message?: string
  /** A moderator lets this person in always. */
  isStanding?: boolean
  link: Link
  /** Default: a person. */
  kind?: Participant['kind']
  /** Called on admission. */
  admitted: (participant: Participant) => void
}

export interface LobbyOptions {
  /** A request is denied after this time without an answer. */
  timeoutMs: number
  /** Called when this many requests wait before this one, whenever the number changes. */
  onQueued: (request: EntryRequest, before: number) => void
  onTimeout: (request: EntryRequest) => void
}

interface Pending {
  request: EntryRequest
  askedAt: number
  timer: NodeJS.Timeout
  /** The number that was told last. */
  before?: number
}

export class Lobby {
  readonly #options: LobbyOptions
  readonly #pending = new Map<string, Pending>()

  #isTelling = false

  constructor(options: LobbyOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#pending.size
  }

  get(participantId: string): EntryRequest | undefined {
    return this.#pending.get(participantId)?.request
  }

  requests(): EntryRequest[] {
    return [...this.#pending.values()].map((entry) => entry.request)
  }

  /** The number of requests with this token. */
  countOf(tokenId: string): number {
    let count = 0
    for (const { request } of this.#pending.values()) if (request.grant.tokenId === tokenId) count++
    return count
  }

  /** All requests, with their times. */
  entries(): { request: EntryRequest; askedAt: number }[] {
    return [...this.#pending.values()]
  }

  /** Returns the request of the same participantId that this one replaces. */
  add(request: EntryRequest, askedAt: number): EntryRequest | undefined {
    const replaced = this.take(request.participantId)
    const timer = setTimeout(() => {
      if (this.take(request.participantId, request.link)) this.#options.onTimeout(request)
    }, this.#options.timeoutMs)
    timer.unref()
    this.#pending.set(request.participantId, { request, askedAt, timer })
    this.#tellQueue()
    return replaced
  }

  /** Removes and returns a request; with `link`, only if that connection still owns it. The first caller gets it. */
  take(participantId: string, link?: Link): EntryRequest | undefined {
    const entry = this.#pending.get(participantId)
    if (!entry || (link && entry.request.link !== link)) return undefined
    clearTimeout(entry.timer)
    this.#pending.delete(participantId)
    this.#tellQueue()
    return entry.request
  }

  /** Once for all that happens in this moment: many are let in, or leave, at once. */
  #tellQueue(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      let before = 0
      for (const entry of this.#pending.values()) {
        if (entry.before !== before) this.#options.onQueued(entry.request, before)
        entry.before = before++
      }
    })
  }
}
