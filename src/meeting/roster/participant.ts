/**
 * A participant: what the others know about it, what it may do, and its media on the server.
 */
import type { StreamKind } from '../../protocol/media.ts'
import type { Mode } from '../../protocol/modes.ts'
import type { Peer } from '../../protocol/notifications.ts'
import type { Grant } from '../../token/token.ts'
import type { Link } from '../link.ts'
import type { Member, MemberKind } from './member.ts'
import type { Authority } from './permissions.ts'
import type { SwitchableKind } from './rules.ts'
import type { LiveProducer } from '../media/participant-media.ts'
import type { Holder } from '../../shares.ts'
import { ParticipantMedia } from '../media/participant-media.ts'

/** Follows the streams of a participant, to relay them to another meeting. */
export interface ProducerListener {
  added(live: LiveProducer): void
  removed(live: LiveProducer): void
  /** The stream was paused or resumed. */
  changed(live: LiveProducer): void
  /** The participant left. */
  ended(): void
}

export interface ParticipantIdentity {
  participantId: string
  /** The grant with which it entered this meeting. */
  grant: Grant
  name: string
  authority: Authority
  isCoHost?: boolean
  link: Link
  /** Default: a person. */
  kind?: Participant['kind'] | undefined
}

export class Participant implements Member {
  readonly id: string
  /** An `egress` is a page that records: it has a seat that nobody sees or counts. */
  readonly kind: Exclude<MemberKind, 'agent'>
  readonly grant: Grant
  authority: Authority
  /** Moderates by the decision of a moderator, not by its token. */
  isCoHost: boolean
  /** What a moderator asked it to turn on, which the session's rules then allow. */
  readonly askedFor = new Set<SwitchableKind>()
  readonly link: Link
  name: string
  mode: Mode = 'SEND_AND_RECV'
  metaData: Record<string, unknown> = {}
  joined = false
  /** Whether its stay has been, or is being, written to the store. */
  enrolled = false
  /** When it joined; 0 before that. */
  joinedAt = 0
  readonly media: ParticipantMedia
  /** Its relays to other meetings. */
  readonly producerListeners = new Set<ProducerListener>()
  /** Whether it represents a participant of another meeting; then it cannot stop its own streams. */
  relayed: { stopKind(kind: StreamKind): void } | undefined
  /** The secret that opens its chat socket. */
  chatTicket: string | undefined

  constructor(identity: ParticipantIdentity) {
    this.id = identity.participantId
    this.kind = identity.kind ?? 'person'
    this.grant = identity.grant
    this.name = identity.name
    this.authority = identity.authority
    this.isCoHost = identity.isCoHost ?? false
    this.link = identity.link
    this.media = new ParticipantMedia(identity.link)
  }

  get isVisible(): boolean {
    return this.kind !== 'egress'
  }

  get tokenId(): string {
    return this.grant.tokenId
  }

  /** The holder whose shares of the session's resources it uses. */
  get holder(): Required<Holder> {
    return { participantId: this.id, tokenId: this.tokenId }
  }

  get sends(): boolean {
    return this.mode === 'SEND_AND_RECV'
  }

  /** Whether a stream that it created may become part of the meeting. */
  get maySend(): boolean {
    return this.joined && this.sends
  }

  get receives(): boolean {
    return this.mode !== 'SIGNALLING_ONLY'
  }

  /** The participant as the others see it. */
  toPeer(): Peer {
    return { id: this.id, displayName: this.name, mode: this.mode, metaData: this.metaData }
  }
}
