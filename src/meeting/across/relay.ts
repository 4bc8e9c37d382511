/**
 * Relays a participant's streams to another meeting, requested there and consented to (contract, rest-and-tokens
 * §5.2). In the other meeting the participant appears as one of its own who only sends.
 */
import type { StreamKind } from '../../protocol/media.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Grant } from '../../token/token.ts'
import type { LiveProducer } from '../media/participant-media.ts'
import type { ProducerListener } from '../roster/participant.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { Participant } from '../roster/participant.ts'
import { ProgramLink } from '../roster/program-link.ts'
import { beyondShare, sharesOf } from '../../shares.ts'

/** What a relay needs from the meeting that it leads to. */
export interface RelayDestination {
  readonly meetingId: string
  readonly streams: {
    accepts(live: LiveProducer): boolean
    announce(participant: Participant, live: LiveProducer): void
    retract(participant: Participant, producerId: string): void
    tellState(participant: Participant, kind: StreamKind): void
  }
  readonly roster: { leave(participant: Participant, reason: LeaveReason): void }
}

/** A participant's request to be relayed. */
export interface RelayRequest {
  source: Participant
  sourceMeetingId: string
  /** The grant for the other meeting. */
  grant: Grant
  kinds: Set<StreamKind>
}

/**
 * Requests that wait for consent. A participant has at most one, the holders of one token at most half of them, and each
 * ends when its participant leaves.
 */
export class RelayRequests {
  readonly #pending = new Map<RelayRequest, ProducerListener>()

  /** Replaces an earlier request of the same participant. @throws {Refusal} RATE_LIMITED */
  add(request: RelayRequest, limit: number): void {
    const { source, sourceMeetingId } = request
    const before = this.get(sourceMeetingId, source.id)
    if (before) this.drop(before)
    const limits = sharesOf(limit)
    if (this.#pending.size >= limits.session)
      throw beyondShare('RATE_LIMITED', 'session', 'requests for a relay')
    if (this.#countOf(request) >= limits.token)
      throw beyondShare('RATE_LIMITED', 'token', 'requests for a relay')
    const listener: ProducerListener = {
      added: () => undefined,
      removed: () => undefined,
      changed: () => undefined,
      ended: () => this.drop(request),
    }
    this.#pending.set(request, listener)
    source.producerListeners.add(listener)
  }

  get(sourceMeetingId: string, sourceId: string): RelayRequest | undefined {
    for (const request of this.#pending.keys())
      if (request.sourceMeetingId === sourceMeetingId && request.source.id === sourceId) return request
    return undefined
  }

  drop(request: RelayRequest): void {
    request.source.producerListeners.delete(this.#pending.get(request)!)
    this.#pending.delete(request)
  }

  dropWhere(isMeant: (request: RelayRequest) => boolean): void {
    for (const request of [...this.#pending.keys()]) if (isMeant(request)) this.drop(request)
  }

  clear(): void {
    this.dropWhere(() => true)
  }

  /** How many requests have the same token, either of the two. */
  #countOf({ source, grant }: RelayRequest): number {
    let count = 0
    for (const other of this.#pending.keys())
      if (other.source.tokenId === source.tokenId || other.grant.tokenId === grant.tokenId) count++
    return count
  }
}

export class Relay implements ProducerListener {
  /** The participant in the other meeting. */
  readonly guest: Participant
  readonly #request: RelayRequest
  readonly #destination: RelayDestination
  readonly #passed = new Map<string, LiveProducer>()
  #stopped = false

  constructor(request: RelayRequest, destination: RelayDestination) {
    this.#request = request
    this.#destination = destination
    const { source } = request
    this.guest = new Participant({
      participantId: source.id,
      grant: request.grant,
      name: source.name,
      authority: { canAdmit: false, canModerate: false },
      kind: 'relay',
      link: new ProgramLink({
        // A meeting id contains no colon.
        connectionId: `relay:${request.sourceMeetingId}:${source.id}`,
        onClose: (reason) => this.stop(reason.message),
        answers: (withinMs) => source.link.answers(withinMs),
      }),
    })
    this.guest.relayed = { stopKind: (kind) => this.setKind(kind, false) }
  }

  get meetingId(): string {
    return this.#destination.meetingId
  }

  /** The guest has joined the other meeting. */
  start(): void {
    const { source } = this.#request
    source.producerListeners.add(this)
    for (const live of source.media.producers.values()) this.added(live)
  }

  added(live: LiveProducer): void {
    if (this.#stopped || !this.#request.kinds.has(live.kind) || !this.#destination.streams.accepts(live))
      return
    this.#passed.set(live.producer.id, live)
    this.#destination.streams.announce(this.guest, live)
  }

  removed(live: LiveProducer): void {
    if (!this.#passed.delete(live.producer.id)) return
    this.#destination.streams.retract(this.guest, live.producer.id)
  }

  changed(live: LiveProducer): void {
    if (this.#passed.has(live.producer.id)) this.#destination.streams.tellState(this.guest, live.kind)
  }

  ended(): void {
    this.stop('SOURCE_LEFT')
  }

  setKind(kind: StreamKind, on: boolean): void {
    const { kinds, source } = this.#request
    if (on) kinds.add(kind)
    else kinds.delete(kind)
    for (const live of source.media.producers.values()) {
      if (live.kind !== kind) continue
      if (on && !this.#passed.has(live.producer.id)) this.added(live)
      else if (!on) this.removed(live)
    }
  }

  /** Idempotent. Tells the participant why. */
  stop(reason: string): void {
    if (this.#stopped) return
    this.#stopped = true
    const { source } = this.#request
    source.producerListeners.delete(this)
    for (const live of [...this.#passed.values()]) this.removed(live)
    this.#destination.roster.leave(this.guest, leaveReason('REMOVE_PEER_MEDIA_RELAY_STOP'))
    source.link.notify({ method: 'mediaRelayStopped', meetingId: this.meetingId, reason })
  }
}
