/**
 * One who is present: what the others know of it, what it may do, and its media on the server.
 */
import type { Consumer, Producer, Transport } from '../media/sfu.ts'
import type { RtpCapabilities, StreamKind } from '../protocol/media.ts'
import type { Mode } from '../protocol/modes.ts'
import type { Peer } from '../protocol/notifications.ts'
import type { Link } from './link.ts'
import type { Authority } from './permissions.ts'

/** A producer with what the wire says of it. */
export interface LiveProducer {
  producer: Producer
  kind: StreamKind
  appData: Record<string, unknown>
  paused: boolean
}

export interface ParticipantIdentity {
  participantId: string
  tokenId: string
  name: string
  authority: Authority
  link: Link
}

export class Participant {
  readonly id: string
  readonly tokenId: string
  readonly authority: Authority
  readonly link: Link
  name: string
  mode: Mode = 'SEND_AND_RECV'
  metaData: Record<string, unknown> = {}
  joined = false

  rtpCapabilities: RtpCapabilities | undefined
  readonly transports = new Map<string, { transport: Transport; direction: 'send' | 'receive' }>()
  readonly producers = new Map<string, LiveProducer>()
  readonly consumers = new Map<string, Consumer>()
  /** Producers on their way, counted against the limit before they are there. */
  pendingProducers = 0
  /** Producers it receives or is about to: one consumer for each, however its requests overlap. */
  readonly consuming = new Set<string>()

  constructor(identity: ParticipantIdentity) {
    this.id = identity.participantId
    this.tokenId = identity.tokenId
    this.name = identity.name
    this.authority = identity.authority
    this.link = identity.link
  }

  get sends(): boolean {
    return this.mode === 'SEND_AND_RECV'
  }

  get receives(): boolean {
    return this.mode !== 'SIGNALLING_ONLY'
  }

  /** As the others see it. */
  toPeer(): Peer {
    return { id: this.id, displayName: this.name, mode: this.mode, metaData: this.metaData }
  }

  /** The newest transport of this direction. */
  transport(direction: 'send' | 'receive'): Transport | undefined {
    let found: Transport | undefined
    for (const entry of this.transports.values()) if (entry.direction === direction) found = entry.transport
    return found
  }

  has(kind: StreamKind): boolean {
    for (const live of this.producers.values()) if (live.kind === kind && !live.paused) return true
    return false
  }

  /** Closes everything it has on the media server. */
  closeMedia(): void {
    for (const { transport } of this.transports.values()) transport.close()
    this.forgetMedia()
  }

  /** Drops references to media that is gone already. */
  forgetMedia(): void {
    this.transports.clear()
    this.producers.clear()
    this.consumers.clear()
    this.consuming.clear()
  }
}
