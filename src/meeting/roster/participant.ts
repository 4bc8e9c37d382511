/**
 * One who is present: what the others know of it, what it may do, and its media on the server.
 */
import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from '../../media/sfu.ts'
import type { RtpCapabilities, StreamKind } from '../../protocol/media.ts'
import type { Mode } from '../../protocol/modes.ts'
import type { Peer } from '../../protocol/notifications.ts'
import type { Grant } from '../../token/token.ts'
import type { Link } from '../link.ts'
import type { Authority } from './permissions.ts'
import type { Quality } from '../media/quality.ts'
import type { Holder } from '../../shares.ts'

/** A producer with what the wire says of it. */
export interface LiveProducer {
  producer: Producer
  kind: StreamKind
  appData: Record<string, unknown>
}

/** A consumer with whose stream it is and why it stands still. */
export interface LiveConsumer {
  consumer: Consumer
  ownerId: string
  kind: StreamKind
  pausedByClient: boolean
  /** By adaptive subscription. */
  pausedByServer: boolean
  /** The client was offered it and has not answered yet. */
  offered: boolean
}

export interface LiveDataConsumer {
  consumer: DataConsumer
  /** The client was offered it and has not answered yet. */
  offered: boolean
}

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
}

export class Participant {
  readonly id: string
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
  /** As last measured. */
  quality: Quality | undefined
  /** The kinds of stream that the others know to be on. */
  readonly streaming = new Set<StreamKind>()

  rtpCapabilities: RtpCapabilities | undefined
  readonly transports = new Map<string, { transport: Transport; direction: 'send' | 'receive' }>()
  readonly producers = new Map<string, LiveProducer>()
  readonly consumers = new Map<string, LiveConsumer>()
  readonly dataProducers = new Map<string, { producer: DataProducer; appData: Record<string, unknown> }>()
  readonly dataConsumers = new Map<string, LiveDataConsumer>()
  /** To other meetings. */
  readonly mirrors = new Set<Mirror>()
  /** Producers on their way, counted against the limit before they are there. */
  pendingProducers = 0
  pendingDataProducers = 0
  /** Producers that it receives or is about to, each with the transport that it comes over: one consumer for each. */
  readonly consuming = new Map<string, Transport>()

  /** Whether it receives what it did not ask for. */
  autoConsume = true
  /** What it asked for or declined, by `subscriptionKey`; the rest follows `autoConsume`. */
  readonly subscriptions = new Map<string, boolean>()
  /** Receives the cameras of the most recent speakers only. */
  adaptive = false
  /** Stands for a participant of another meeting; its streams are not its own to stop. */
  relayed: { stopKind(kind: StreamKind): void } | undefined
  /** What opens its chat socket. */
  chatTicket: string | undefined

  constructor(identity: ParticipantIdentity) {
    this.id = identity.participantId
    this.grant = identity.grant
    this.name = identity.name
    this.authority = identity.authority
    this.link = identity.link
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

  /** Whether it is to receive this kind of somebody's streams. A screen counts as video, its sound as audio. */
  wants(ownerId: string, kind: StreamKind): boolean {
    return this.subscriptions.get(subscriptionKey(ownerId, mediaOf(kind))) ?? this.autoConsume
  }

  has(kind: StreamKind): boolean {
    for (const live of this.producers.values()) if (live.kind === kind && !live.producer.paused) return true
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
    this.dataProducers.clear()
    this.dataConsumers.clear()
  }
}

export function mediaOf(kind: StreamKind): 'audio' | 'video' {
  return kind === 'audio' || kind === 'shareAudio' ? 'audio' : 'video'
}

export function subscriptionKey(ownerId: string, media: 'audio' | 'video'): string {
  return `${media}:${ownerId}`
}
