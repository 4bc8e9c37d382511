/** The media of one participant: its transports, and the streams on them. */
import type { Consumer, DataConsumer, DataProducer, Ingress, Producer, Transport } from '../../media/sfu.ts'
import type { MediaKind, RtpCapabilities, StreamKind } from '../../protocol/media.ts'
import type { Link } from '../link.ts'
import type { Quality } from './quality.ts'
import { Refusal } from '../../protocol/errors.ts'

/** A producer, with what the wire says about it. */
export interface LiveProducer {
  producer: Producer
  kind: StreamKind
  appData: Record<string, unknown>
}

/** A consumer, with its source and the reasons why it is paused. */
export interface LiveConsumer {
  consumer: Consumer
  ownerId: string
  kind: StreamKind
  pausedByClient: boolean
  /** By adaptive subscription, or because the participant receives as many cameras as it may. */
  pausedByServer: boolean
  /** The client chose its priority. */
  prioritisedByClient: boolean
  /** The client was offered it and has not answered yet. */
  offered: boolean
}

export interface LiveDataProducer {
  producer: DataProducer
  appData: Record<string, unknown>
}

export interface LiveDataConsumer {
  consumer: DataConsumer
  /** The client was offered it and has not answered yet. */
  offered: boolean
}

/** What a client sees of its own device. */
export interface DeviceReport {
  framesPercentDropped: number
  encodesTooSlowly: boolean
}

export type Direction = 'send' | 'receive'

export class ParticipantMedia {
  readonly #link: Link
  readonly transports = new Map<string, { transport: Transport; direction: Direction }>()
  readonly producers = new Map<string, LiveProducer>()
  /** By which a program on this machine sends what is among `producers`. */
  readonly ingresses = new Set<Ingress>()
  readonly consumers = new Map<string, LiveConsumer>()
  readonly dataProducers = new Map<string, LiveDataProducer>()
  readonly dataConsumers = new Map<string, LiveDataConsumer>()
  /** Producers that it receives or is about to, each with the transport that it comes over: one consumer for each. */
  readonly consuming = new Map<string, Transport>()
  /** Producers on their way, counted against the limit before they are there. */
  pendingProducers = 0
  pendingDataProducers = 0

  rtpCapabilities: RtpCapabilities | undefined
  /** Whether it receives what it did not ask for. */
  autoConsume = true
  /** Receives the cameras of the most recent speakers only. */
  adaptive = false
  /** Some of the cameras that it receives are paused by the server. */
  hasHeld = false
  /** Subscriptions that the participant requested or declined, by owner and kind; others follow `autoConsume`. */
  readonly #wishes = new Map<string, boolean>()

  /** The kinds of stream that are on, as the others were told. */
  readonly told = new Set<StreamKind>()
  /** The last measurement. */
  quality: Quality | undefined
  /** The worst that the client told of its device since the last measurement; null if it told nothing. */
  #device: DeviceReport | null = null

  constructor(link: Link) {
    this.#link = link
  }

  heardOfDevice({ framesPercentDropped, encodesTooSlowly }: DeviceReport): void {
    this.#device = {
      framesPercentDropped: Math.max(framesPercentDropped, this.#device?.framesPercentDropped ?? 0),
      encodesTooSlowly: encodesTooSlowly || (this.#device?.encodesTooSlowly ?? false),
    }
  }

  /** Called by each measurement. */
  takeDevice(): DeviceReport | null {
    const device = this.#device
    this.#device = null
    return device
  }

  /** The newest transport of this direction. */
  transport(direction: Direction): Transport | undefined {
    let found: Transport | undefined
    for (const entry of this.transports.values()) if (entry.direction === direction) found = entry.transport
    return found
  }

  /** @throws {Refusal} NOT_FOUND; with `direction`, also if it has the other direction */
  requireTransport(transportId: string, direction?: Direction): Transport {
    const found = this.transports.get(transportId)
    if (!found || (direction !== undefined && found.direction !== direction))
      throw new Refusal('NOT_FOUND', { message: 'There is no such transport.' })
    return found.transport
  }

  /** @throws {Refusal} NOT_FOUND */
  requireConsumer(consumerId: string): LiveConsumer {
    const live = this.consumers.get(consumerId)
    if (!live) throw new Refusal('NOT_FOUND', { message: 'There is no such consumer.' })
    return live
  }

  /** Whether a stream of this kind is on. */
  has(kind: StreamKind): boolean {
    for (const live of this.producers.values()) if (live.kind === kind && !live.producer.paused) return true
    return false
  }

  /** The kinds of all its streams, paused or not. */
  kinds(): Set<StreamKind> {
    return new Set([...this.producers.values()].map(({ kind }) => kind))
  }

  /** Whether it is to receive this kind of somebody's streams. A screen counts as video, its sound as audio. */
  wants(ownerId: string, kind: StreamKind): boolean {
    return this.#wishes.get(`${mediaOf(kind)}:${ownerId}`) ?? this.autoConsume
  }

  wish(ownerId: string, media: MediaKind, wanted: boolean): void {
    this.#wishes.set(`${media}:${ownerId}`, wanted)
  }

  stopConsuming(which: (live: LiveConsumer) => boolean): void {
    for (const live of [...this.consumers.values()]) {
      if (!which(live)) continue
      live.consumer.close()
      this.forgetConsumer(live)
    }
  }

  stopConsumingData(which: (live: LiveDataConsumer) => boolean): void {
    for (const live of [...this.dataConsumers.values()]) {
      if (!which(live)) continue
      live.consumer.close()
      this.forgetDataConsumer(live)
    }
  }

  /**
   * A consumer closed. The client is notified, unless it has yet to answer the offer: a notification about a consumer
   * that it does not know is lost, and it would show a dead stream.
   */
  forgetConsumer({ consumer, offered }: LiveConsumer): void {
    this.consumers.delete(consumer.id)
    this.consuming.delete(consumer.producerId)
    if (!offered) this.#link.notify({ method: 'consumerClosed', consumerId: consumer.id })
  }

  forgetDataConsumer({ consumer, offered }: LiveDataConsumer): void {
    this.dataConsumers.delete(consumer.id)
    this.consuming.delete(consumer.dataProducerId)
    if (!offered) this.#link.notify({ method: 'dataConsumerClosed', dataConsumerId: consumer.id })
  }

  /** Stops receiving without a word: the client has stopped on its side. */
  closeConsumers(): void {
    for (const { consumer } of this.consumers.values()) consumer.close()
    for (const { consumer } of this.dataConsumers.values()) consumer.close()
    this.consumers.clear()
    this.dataConsumers.clear()
    this.consuming.clear()
  }

  closeTransport(direction: Direction): void {
    for (const [id, entry] of this.transports) {
      if (entry.direction !== direction) continue
      this.transports.delete(id)
      if (direction === 'send') this.dataProducers.clear()
      entry.transport.close()
    }
  }

  /** Closes everything that it has on the media server. Idempotent. */
  close(): void {
    for (const { transport } of this.transports.values()) transport.close()
    for (const ingress of this.ingresses) ingress.close()
    this.#forget()
  }

  /** Takes the transports and streams of another, which keeps nothing of them. */
  takeFrom(other: ParticipantMedia): void {
    this.rtpCapabilities = other.rtpCapabilities
    this.autoConsume = other.autoConsume
    this.adaptive = other.adaptive
    for (const [id, entry] of other.transports) this.transports.set(id, entry)
    for (const [id, live] of other.producers) this.producers.set(id, live)
    for (const [id, live] of other.dataProducers) this.dataProducers.set(id, live)
    other.#forget()
  }

  #forget(): void {
    this.transports.clear()
    this.ingresses.clear()
    this.producers.clear()
    this.consumers.clear()
    this.consuming.clear()
    this.dataProducers.clear()
    this.dataConsumers.clear()
  }
}

export function mediaOf(kind: StreamKind): MediaKind {
  return kind === 'audio' || kind === 'shareAudio' ? 'audio' : 'video'
}
