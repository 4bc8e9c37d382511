/** The streams that participants send: offers each to all who may receive it, and announces its state. */
import type { Ingress, IngressOptions } from '../../media/sfu.ts'
import type { MediaKind, StreamKind } from '../../protocol/media.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { RequestData } from '../../protocol/requests.ts'
import type { MeetingStream, Onlooker } from '../roster/member.ts'
import type { Onlookers } from '../roster/onlookers.ts'
import type { Participant } from '../roster/participant.ts'
import type { MeetingRouter } from './meeting-router.ts'
import type { LiveProducer } from './participant-media.ts'
import type { Subscriptions } from './subscriptions.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertSmall } from '../app-json.ts'

export interface StreamsOptions {
  /** For one participant. */
  maxProducers: number
  participants: () => Iterable<Participant>
  /** The meeting accepts only what the server cannot decode. */
  requiresEncryption: () => boolean
  tellAll: (notification: Notification) => void
  onlookers: Onlookers
  /** A kind of stream of somebody went on or off. */
  onStream: (participant: Participant, kind: StreamKind, on: boolean) => void
  /** Why the rules of the session forbid this participant a stream of this kind, if they do. */
  refusalToSend: (participant: Participant, kind: StreamKind) => Refusal | undefined
  onError: (error: unknown, doing: string) => void
  router: MeetingRouter
  subscriptions: Subscriptions
  /** The worker that a participant was on died. */
  onLost: (participant: Participant) => void
}

const KINDS = ['audio', 'video', 'share', 'shareAudio'] as const satisfies StreamKind[]

export class Streams {
  readonly #options: StreamsOptions

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** @throws {Refusal} INVALID_STATE, NOT_FOUND, MAX_SPEAKER_REACHED, ENCRYPTION_REQUIRED */
  async produce(participant: Participant, data: RequestData<'produce'>): Promise<{ id: string }> {
    const { media } = participant
    assertSends(participant)
    const appData = data.appData ?? {}
    assertSmall('appData', appData)
    this.#assertEncrypted(appData)
    const transport = media.requireTransport(data.transportId, 'send')
    this.#assertRoom(participant)
    const kind = kindOf(data.kind, appData.share === true)
    this.#assertAllowed(participant, kind)

    media.pendingProducers += 1
    const producer = await transport
      .produce({ kind: data.kind, rtpParameters: data.rtpParameters, watchLevel: kind === 'audio' })
      .finally(() => (media.pendingProducers -= 1))
    // In the meantime it may have left, changed its mode, or lost its transport.
    if (!participant.maySend || !media.transports.has(data.transportId)) {
      producer.close()
      throw new Refusal('INVALID_STATE')
    }
    const forbidden = this.#options.refusalToSend(participant, kind)
    if (forbidden) {
      producer.close()
      throw forbidden
    }
    const live: LiveProducer = { producer, kind, appData }
    this.announce(participant, live)
    for (const listener of participant.producerListeners) listener.added(live)
    return { id: producer.id }
  }

  /** Adds an existing stream to the meeting. */
  announce(participant: Participant, live: LiveProducer): void {
    participant.media.producers.set(live.producer.id, live)
    this.tellState(participant, live.kind)
    for (const other of this.#options.participants())
      if (other !== participant) this.#options.subscriptions.consume(other, participant, live)
    this.#options.onlookers.offer(this.#streamOf(participant, live))
  }

  /** A stream that a program on this machine sends on behalf of a participant. */
  async bring(participant: Participant, options: IngressOptions & { shared?: boolean }): Promise<Ingress> {
    assertSends(participant)
    this.#assertEncrypted({})
    this.#assertRoom(participant)
    const { media } = participant
    const { shared = false, ...ingressOptions } = options
    const kind = kindOf(options.kind, shared)
    this.#assertAllowed(participant, kind)
    media.pendingProducers += 1
    const ingress = await this.#options.router
      .open()
      .then((router) =>
        router.openIngress({ ...ingressOptions, member: media, watchLevel: kind === 'audio' }),
      )
      .finally(() => (media.pendingProducers -= 1))
    if (!participant.maySend) {
      ingress.close()
      throw new Refusal('INVALID_STATE')
    }
    media.ingresses.add(ingress)
    ingress.on('closed', () => media.ingresses.delete(ingress))
    ingress.on('lost', () => {
      if (media.producers.has(ingress.producer.id)) this.#options.onLost(participant)
    })
    this.announce(participant, { producer: ingress.producer, kind, appData: { share: shared } })
    return ingress
  }

  /** Offers an onlooker everything that is sent. */
  offerAll(onlooker: Onlooker): void {
    for (const owner of this.#options.participants()) {
      if (!owner.joined) continue
      for (const live of owner.media.producers.values()) onlooker.offer(this.#streamOf(owner, live))
    }
  }

  /** Whether a stream may be sent to this meeting. */
  accepts({ appData }: Pick<LiveProducer, 'appData'>): boolean {
    return isMarkedEncrypted(appData) || !this.#options.requiresEncryption()
  }

  /** Whether the meeting has, or may have, streams that only their receivers can decode (contract, outputs §8). */
  isEncrypted(): boolean {
    if (this.#options.requiresEncryption()) return true
    for (const { media } of this.#options.participants())
      for (const { appData } of media.producers.values()) if (isMarkedEncrypted(appData)) return true
    return false
  }

  /** A participant leaves with all that it sends. */
  depart(participant: Participant): void {
    for (const producerId of participant.media.producers.keys()) this.#options.onlookers.withdraw(producerId)
  }

  /** The reverse: the stream continues, but not in this meeting. */
  retract(participant: Participant, producerId: string): void {
    const live = participant.media.producers.get(producerId)
    if (!live) return
    participant.media.producers.delete(producerId)
    this.#options.onlookers.withdraw(producerId)
    for (const { media } of this.#options.participants())
      media.stopConsuming(({ consumer }) => consumer.producerId === producerId)
    this.tellState(participant, live.kind)
  }

  /** @throws {Refusal} NOT_FOUND */
  closeProducer(participant: Participant, producerId: string): void {
    if (!this.#drop(participant, producerId)) throw noProducer()
  }

  /** Closes those of these producers that still exist. */
  closeProducers(participant: Participant, producerIds: readonly string[]): void {
    for (const producerId of producerIds) this.#drop(participant, producerId)
  }

  /** @throws {Refusal} NOT_FOUND */
  async pauseProducer(participant: Participant, producerId: string, paused: boolean): Promise<void> {
    const live = participant.media.producers.get(producerId)
    if (!live) throw noProducer()
    if (!paused) this.#assertAllowed(participant, live.kind)
    await (paused ? live.producer.pause() : live.producer.resume())
    this.#changed(participant, live)
  }

  /** Nothing of these kinds gets through any more. Answers the producers, for `closeProducers`. */
  async pauseKinds(participant: Participant, kinds: readonly StreamKind[]): Promise<string[]> {
    const { producers } = participant.media
    const paused = [...producers.values()].filter((live) => kinds.includes(live.kind))
    await Promise.all(
      paused.map(async (live) => {
        try {
          await live.producer.pause()
          this.#changed(participant, live)
        } catch (error) {
          if (producers.has(live.producer.id)) this.#options.onError(error, 'failed to pause a stream')
        }
      }),
    )
    return paused.map(({ producer }) => producer.id)
  }

  /** Announces whether this kind is on, if that differs from the last announcement. */
  tellState(participant: Participant, kind: StreamKind): void {
    const { media, id: peerId } = participant
    const newState = media.has(kind)
    if (media.told.has(kind) === newState) return
    if (newState) media.told.add(kind)
    else media.told.delete(kind)
    this.#options.onStream(participant, kind, newState)
    this.#options.tellAll({ method: 'participantMediaStateChanged', peerId, kind, newState })
  }

  #assertEncrypted(appData: LiveProducer['appData']): void {
    if (!this.accepts({ appData })) throw new Refusal('ENCRYPTION_REQUIRED')
  }

  #assertRoom({ media }: Participant): void {
    if (media.producers.size + media.pendingProducers >= this.#options.maxProducers)
      throw new Refusal('MAX_SPEAKER_REACHED')
  }

  #assertAllowed(participant: Participant, kind: StreamKind): void {
    const forbidden = this.#options.refusalToSend(participant, kind)
    if (forbidden) throw forbidden
  }

  /** What this participant sends although the rules forbid it. */
  forbidden(participant: Participant): StreamKind[] {
    return KINDS.filter(
      (kind) => participant.media.has(kind) && this.#options.refusalToSend(participant, kind) !== undefined,
    )
  }

  #streamOf({ id, name }: Participant, { producer, kind, appData }: LiveProducer): MeetingStream {
    return {
      producerId: producer.id,
      ownerId: id,
      ownerName: name,
      kind,
      appData,
      open: async (options) =>
        (await this.#options.router.open()).openTap({ producerId: producer.id, ...options }),
    }
  }

  /** A stream was paused or resumed; it may have ended in the meantime. */
  #changed(participant: Participant, live: LiveProducer): void {
    if (participant.media.producers.get(live.producer.id) !== live) return
    this.tellState(participant, live.kind)
    for (const listener of participant.producerListeners) listener.changed(live)
  }

  #drop(participant: Participant, producerId: string): boolean {
    const { producers } = participant.media
    const live = producers.get(producerId)
    if (!live) return false
    producers.delete(producerId)
    this.#options.onlookers.withdraw(producerId)
    for (const listener of participant.producerListeners) listener.removed(live)
    live.producer.close()
    this.tellState(participant, live.kind)
    return true
  }

  /** The streams that are on, for somebody who joins. */
  statesOf(participants: readonly Participant[]): Notification[] {
    return participants.flatMap(({ id: peerId, media }) =>
      KINDS.filter((kind) => media.has(kind)).map((kind) => ({
        method: 'participantMediaStateChanged' as const,
        peerId,
        kind,
        newState: true,
      })),
    )
  }
}

/** As clients mark it in `produce`; nothing else on the wire tells (contract, outputs §8). */
function isMarkedEncrypted(appData: LiveProducer['appData']): boolean {
  return appData.isEncrypted === true
}

function assertSends({ sends }: Participant): void {
  if (!sends)
    throw new Refusal('INVALID_STATE', { message: 'A participant that only receives cannot send a stream.' })
}

function kindOf(kind: MediaKind, isShared: boolean): StreamKind {
  if (kind === 'audio') return isShared ? 'shareAudio' : 'audio'
  return isShared ? 'share' : 'video'
}

function noProducer(): Refusal {
  return new Refusal('NOT_FOUND', { message: 'There is no such producer.' })
}
