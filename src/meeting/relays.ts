/**
 * Streams of a participant that also go to another meeting, asked for there and consented to (contract, rest-and-tokens
 * §5.2). In the other meeting the participant is seen as one of its own who only sends.
 */
import type { StreamKind } from '../protocol/media.ts'
import type { LeaveReason } from '../protocol/leave-reasons.ts'
import type { Grant } from '../token/token.ts'
import type { Link } from './link.ts'
import type { LiveProducer, Mirror } from './participant.ts'
import { leaveReason } from '../protocol/leave-reasons.ts'
import { Participant } from './participant.ts'

/** What a relay needs of the meeting that it leads to. */
export interface RelayDestination {
  readonly meetingId: string
  readonly media: {
    announce(participant: Participant, live: LiveProducer): void
    retract(participant: Participant, producerId: string): void
  }
  leave(participant: Participant, reason: LeaveReason): void
}

/** Somebody asks to be relayed. */
export interface RelayRequest {
  source: Participant
  sourceMeetingId: string
  /** Shown for the meeting that is asked. */
  grant: Grant
  kinds: Set<StreamKind>
}

export class Relay implements Mirror {
  /** The participant, as the other meeting has it. */
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
      link: new RelayLink(request.sourceMeetingId, source.id, (reason) => this.stop(reason.message)),
    })
    this.guest.relayed = { stopKind: (kind) => this.setKind(kind, false) }
  }

  get meetingId(): string {
    return this.#destination.meetingId
  }

  /** The guest has joined the other meeting. */
  start(): void {
    const { source } = this.#request
    source.mirrors.add(this)
    for (const live of source.producers.values()) this.added(live)
  }

  added(live: LiveProducer): void {
    if (this.#stopped || !this.#request.kinds.has(live.kind)) return
    this.#passed.set(live.producer.id, live)
    this.#destination.media.announce(this.guest, live)
  }

  removed(live: LiveProducer): void {
    if (!this.#passed.delete(live.producer.id)) return
    this.#destination.media.retract(this.guest, live.producer.id)
  }

  ended(): void {
    this.stop('SOURCE_LEFT')
  }

  setKind(kind: StreamKind, on: boolean): void {
    const { kinds, source } = this.#request
    if (on) kinds.add(kind)
    else kinds.delete(kind)
    for (const live of source.producers.values()) {
      if (live.kind !== kind) continue
      if (on && !this.#passed.has(live.producer.id)) this.added(live)
      else if (!on) this.removed(live)
    }
  }

  /** Idempotent. The participant hears why. */
  stop(reason: string): void {
    if (this.#stopped) return
    this.#stopped = true
    const { source } = this.#request
    source.mirrors.delete(this)
    for (const live of [...this.#passed.values()]) this.removed(live)
    this.#destination.leave(this.guest, leaveReason('REMOVE_PEER_MEDIA_RELAY_STOP'))
    source.link.notify({ method: 'mediaRelayStopped', meetingId: this.meetingId, reason })
  }
}

/** Nobody listens there: what matters is only that it is to end. */
class RelayLink implements Link {
  readonly connectionId: string
  readonly resetsMedia = false
  readonly close: (reason: LeaveReason) => void

  constructor(sourceMeetingId: string, sourceId: string, onClose: (reason: LeaveReason) => void) {
    this.connectionId = `relay:${sourceMeetingId}:${sourceId}`
    this.close = onClose
  }

  notify(): void {
    return undefined
  }

  request(): Promise<boolean> {
    return Promise.resolve(false)
  }

  drop(): void {
    this.close(leaveReason('UNKNOWN'))
  }
}
