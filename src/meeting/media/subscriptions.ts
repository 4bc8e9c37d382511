/** Who receives whose audio and video, and when it is paused. */
import type { Transport } from '../../media/sfu.ts'
import type { MediaKind, StreamKind } from '../../protocol/media.ts'
import type { Participant } from '../roster/participant.ts'
import type { ActiveSpeaker } from './active-speaker.ts'
import type { MeetingRouter } from './meeting-router.ts'
import type { LiveConsumer, LiveProducer } from './participant-media.ts'
import { Refusal } from '../../protocol/errors.ts'
import { ADAPTIVE_CAMERAS, pausedOwners, priorityOf } from './adaptive.ts'
import { beginDelivery, giveUp, isDue } from './delivery.ts'
import { mediaOf } from './participant-media.ts'

export interface SubscriptionsOptions {
  router: MeetingRouter
  speaker: ActiveSpeaker
  /** Cameras that one client of ours receives at once. */
  maxVideoStreams: number
  find: (participantId: string) => Participant | undefined
  onError: (error: unknown, doing: string) => void
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  /** Whose cameras come first on narrow lines: who speaks, or spoke last. */
  #prioritised: string | null = null

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Brings a stream to a participant, if it may and wants to receive it and does not already. */
  consume(participant: Participant, owner: Participant, live: LiveProducer): void {
    const { media } = participant
    const { id } = live.producer
    const transport = media.transport('receive')
    if (!participant.joined || !participant.receives || !transport || !media.rtpCapabilities) return
    if (!media.wants(owner.id, live.kind) || !beginDelivery(media, id, transport)) return
    this.#deliver(participant, owner, live, transport).catch((error: unknown) => {
      if (!giveUp(media, id, transport)) return
      // A client that cannot decode it goes without.
      if (error instanceof Refusal && error.code === 'CODEC_NOT_SUPPORTED') return
      // Ignore a stream that ended in the meantime.
      if (owner.media.producers.has(id) && participant.joined)
        this.#options.onError(error, 'failed to deliver a stream')
    })
  }

  /** A participant asks for somebody's streams, or wants them no more. @throws {Refusal} NOT_FOUND */
  subscribe(participant: Participant, ownerId: string, kind: MediaKind, wanted: boolean): void {
    const owner = this.#options.find(ownerId)
    if (!owner?.joined) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    const { media } = participant
    media.wish(ownerId, kind, wanted)
    if (wanted) for (const live of owner.media.producers.values()) this.consume(participant, owner, live)
    else media.stopConsuming((live) => live.ownerId === ownerId && mediaOf(live.kind) === kind)
  }

  async pauseConsumer(participant: Participant, consumerId: string, paused: boolean): Promise<void> {
    const live = participant.media.requireConsumer(consumerId)
    live.pausedByClient = paused
    await applyPauseState(live)
    // A video that is not watched makes room for another.
    if (live.kind === 'video') this.adapt(participant)
  }

  /** A client's own choice holds from here on. @throws {Refusal} NOT_FOUND */
  async setPriority({ media }: Participant, consumerId: string, priority: number): Promise<void> {
    const live = media.requireConsumer(consumerId)
    live.prioritisedByClient = true
    await live.consumer.setPriority(priority)
  }

  /** Somebody else speaks: brings what everybody receives in line with it. */
  speakerChanged(participants: Iterable<Participant>): void {
    const { current } = this.#options.speaker
    const before = this.#prioritised
    this.#prioritised = current ?? before
    for (const participant of participants) {
      this.adapt(participant)
      if (current === null || current === before) continue
      for (const live of participant.media.consumers.values())
        if (live.kind === 'video' && (live.ownerId === current || live.ownerId === before))
          this.#prioritise(participant, live)
    }
  }

  #prioritise({ media }: Participant, live: LiveConsumer): void {
    if (live.prioritisedByClient) return
    const { consumer, kind, ownerId } = live
    consumer.setPriority(priorityOf(kind, ownerId === this.#prioritised)).catch((error: unknown) => {
      if (media.consumers.get(consumer.id) === live)
        this.#options.onError(error, 'failed to set the priority of a stream')
    })
  }

  /** Answers the ids of those that could not be. */
  async pauseAllConsumers(
    { media: { consumers } }: Participant,
    kind: StreamKind | 'all',
    paused: boolean,
  ): Promise<{ consumersWithIssues: string[] }> {
    const consumersWithIssues: string[] = []
    await Promise.all(
      [...consumers].map(async ([consumerId, live]) => {
        if (kind !== 'all' && live.kind !== kind) return
        live.pausedByClient = paused
        await applyPauseState(live).catch(() => {
          if (consumers.has(consumerId)) consumersWithIssues.push(consumerId)
        })
      }),
    )
    return { consumersWithIssues }
  }

  setAdaptive(participant: Participant, adaptive: boolean): void {
    participant.media.adaptive = adaptive
    this.adapt(participant)
  }

  /** Brings the cameras that a participant receives in line with who speaks and with how many it may receive. */
  adapt({ media, link }: Participant): void {
    const limit = Math.min(
      media.adaptive ? ADAPTIVE_CAMERAS : Infinity,
      link.isOwnClient ? this.#options.maxVideoStreams : Infinity,
    )
    if (limit === Infinity && !media.hasHeld) return
    const cameras = [...media.consumers].filter(([, { kind }]) => kind === 'video')
    const lookedAt = cameras.filter(([, { pausedByClient }]) => !pausedByClient)
    const owners = [...new Set(lookedAt.map(([, { ownerId }]) => ownerId))]
    const paused = pausedOwners(owners, this.#options.speaker.recent, limit)
    media.hasHeld = paused.size > 0
    for (const [consumerId, live] of cameras) {
      const pause = paused.has(live.ownerId)
      // The client cannot be notified yet; this runs again after its answer.
      if (pause === live.pausedByServer || live.offered) continue
      live.pausedByServer = pause
      applyPauseState(live).catch((error: unknown) => {
        if (media.consumers.has(consumerId)) this.#options.onError(error, 'failed to adapt a subscription')
      })
      link.notify({
        method: pause ? 'consumerPausedSubManager' : 'consumerResumedSubManager',
        peerId: live.ownerId,
        consumerId,
        kind: live.kind,
        reason: 'leastDominance',
      })
    }
  }

  async #deliver(
    participant: Participant,
    owner: Participant,
    live: LiveProducer,
    transport: Transport,
  ): Promise<void> {
    const { media, link } = participant
    const { producer, kind, appData } = live
    const rtpCapabilities = media.rtpCapabilities!
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities })
    const isThere = participant.joined && owner.media.producers.has(producer.id)
    if (!isThere || !media.wants(owner.id, kind) || !isDue(media, producer.id, transport)) {
      consumer.close()
      giveUp(media, producer.id, transport)
      return
    }
    const { id: consumerId, producerPaused } = consumer
    const receiving: LiveConsumer = {
      consumer,
      ownerId: owner.id,
      kind,
      pausedByClient: false,
      pausedByServer: false,
      prioritisedByClient: false,
      offered: true,
    }
    const tellPaused = (): void => {
      if (receiving.offered) return
      link.notify({ method: consumer.producerPaused ? 'consumerPaused' : 'consumerResumed', consumerId })
    }
    media.consumers.set(consumerId, receiving)
    consumer.on('producerClosed', () => {
      media.forgetConsumer(receiving)
      if (kind === 'video') this.adapt(participant)
      // It goes on at its sender, and was lost on the way.
      if (owner.media.producers.get(producer.id) === live) this.consume(participant, owner, live)
    })
    consumer.on('producerPaused', tellPaused)
    consumer.on('producerResumed', tellPaused)
    consumer.on('layersChanged', (layers) =>
      link.notify({
        method: 'consumerLayersChanged',
        consumerId,
        spatialLayer: layers?.spatialLayer ?? null,
        temporalLayer: layers?.temporalLayer ?? null,
      }),
    )
    const taken = await link.request('newConsumer', {
      peerId: owner.id,
      producerId: producer.id,
      id: consumerId,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters,
      type: consumer.type,
      appData,
      producerPaused,
    })
    receiving.offered = false
    if (media.consumers.get(consumerId) !== receiving) {
      link.notify({ method: 'consumerClosed', consumerId })
    } else if (taken) {
      if (consumer.producerPaused !== producerPaused) tellPaused()
      if (kind === 'share' || (kind === 'video' && owner.id === this.#prioritised))
        this.#prioritise(participant, receiving)
      if (kind === 'video') this.adapt(participant)
      await applyPauseState(receiving)
    } else {
      consumer.close()
      media.forgetConsumer(receiving)
    }
  }
}

/** Resumes a stream when its client has accepted it and nothing pauses it. */
function applyPauseState({ consumer, pausedByClient, pausedByServer, offered }: LiveConsumer): Promise<void> {
  return pausedByClient || pausedByServer || offered ? consumer.pause() : consumer.resume()
}
