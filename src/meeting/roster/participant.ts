/**
 * One who is present: what the others know of it, what it may do, and its media on the server.
 */
import type { StreamKind } from '../../protocol/media.ts'
import type { Mode } from '../../protocol/modes.ts'
import type { Peer } from '../../protocol/notifications.ts'
import type { Grant } from '../../token/token.ts'
import type { Link } from '../link.ts'
import type { Member, MemberKind } from './member.ts'
import type { Authority } from './permissions.ts'
import type { LiveProducer } from '../media/participant-media.ts'
import type { Holder } from '../../shares.ts'
import { ParticipantMedia } from '../media/participant-media.ts'

/** Hears of the streams of a participant, to pass them on to another meeting. */
export interface Mirror {
  added(live: LiveProducer): void
  removed(live: LiveProducer): void
  /** It was paused or resumed. */
  changed(live: LiveProducer): void
  /** The participant left. */
  ended(): void
}

export interface ParticipantIdentity {
  participantId: string
  /** With which it came to this meeting. */
  grant: Grant
  name: string
  authority: Authority
  link: Link
  /** Default: a person. */
  kind?: Participant['kind'] | undefined
}

export class Participant implements Member {
  readonly id: string
  readonly kind: Exclude<MemberKind, 'egress' | 'agent'>
  readonly isVisible = true
  readonly grant: Grant
  readonly authority: Authority
  readonly link: Link
  name: string
  mode: Mode = 'SEND_AND_RECV'
  metaData: Record<string, unknown> = {}
  joined = false
  /** Its stay is on the way to the store, or there. */
  enrolled = false
  /** When it joined; 0 before. */
  joinedAt = 0
  readonly media: ParticipantMedia
  /** To other meetings. */
  readonly mirrors = new Set<Mirror>()
  /** Stands for a participant of another meeting; its streams are not its own to stop. */
  relayed: { stopKind(kind: StreamKind): void } | undefined
  /** What opens its chat socket. */
  chatTicket: string | undefined

  constructor(identity: ParticipantIdentity) {
    this.id = identity.participantId
    this.kind = identity.kind ?? 'person'
    this.grant = identity.grant
    this.name = identity.name
    this.authority = identity.authority
    this.link = identity.link
    this.media = new ParticipantMedia(identity.link)
  }

  get tokenId(): string {
    return this.grant.tokenId
  }

  /** On whose account it takes what the session shares. */
  get holder(): Required<Holder> {
    return { participantId: this.id, tokenId: this.tokenId }
  }

  get sends(): boolean {
    return this.mode === 'SEND_AND_RECV'
  }

  /** Whether a stream that it made may become one of the meeting. */
  get maySend(): boolean {
    return this.joined && this.sends
  }

  get receives(): boolean {
    return this.mode !== 'SIGNALLING_ONLY'
  }

  /** As the others see it. */
  toPeer(): Peer {
    return { id: this.id, displayName: this.name, mode: this.mode, metaData: this.metaData }
  }
}
