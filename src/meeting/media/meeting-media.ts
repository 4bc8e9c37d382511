/**
 * The media of one meeting: who sends what, and that everyone who may receives it.
 */
import type { Router, Sfu, StreamStats, Transport } from '../../media/sfu.ts'
import type { RtpCapabilities, StreamKind } from '../../protocol/media.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { RequestData } from '../../protocol/requests.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertSmall } from '../app-json.ts'
import { pausedOwners } from './adaptive.ts'
import {
  mediaOf,
  subscriptionKey,
  type LiveConsumer,
  type LiveDataConsumer,
  type LiveProducer,
  type Participant,
} from '../roster/participant.ts'
import { deltaOf, qualityOf, type Delta, type Measured, type Quality } from './quality.ts'

export interface MeetingMediaOptions {
  sfu: Sfu
  /** For one participant. */
  maxProducers: number
  participants: () => Iterable<Participant>
  tellAll: (notification: Notification) => void
  /** A kind of stream of somebody went on or off. */
  onStream: (participant: Participant, kind: StreamKind, on: boolean) => void
  onError: (error: unknown, doing: string) => void
  /** The worker died and no other can take its place. */
  onLost: () => Promise<void>
}

/** More would never be looked at. */
const MAX_SPEAKERS = 64
/** Tries at another router after a worker's death, and the wait before each. */
const REPLACEMENT_WAITS_MS = [0, 200, 500, 1000, 2000]

export class MeetingMedia {
  readonly #options: MeetingMediaOptions
  #router: Promise<Router> | undefined
  #activeSpeaker: string | null = null
  /** Who spoke, most recent first. */
  #speakers: string[] = []
  /** What the router offers, by MIME type. */
  #videoCodecs: string[] = []
  /** Rises with each router, so that what was begun on an older one is not counted to a newer. */
  #generation = 0
  /** What was last measured of a stream. */
  readonly #measured = new WeakMap<LiveProducer | LiveConsumer, StreamStats>()

  constructor(options: MeetingMediaOptions) {
    this.#options = options
  }

  /** Opens the router ahead of the first request; a failure shows at that request. */
  warm(): void {
    this.#openRouter().catch(() => undefined)
  }

  async routerRtpCapabilities(): Promise<RtpCapabilities> {
    return (await this.#openRouter()).rtpCapabilities
  }

  /** One transport for each direction: a newer one takes the place of the older. */
  async createTransport(
    participant: Participant,
    data: RequestData<'createWebRtcTransport'>,
  ): Promise<Transport> {
    if (data.producing === data.consuming) {
      throw new Refusal('INVALID_REQUEST', { message: 'A transport either produces or consumes.' })
    }
    const direction = data.producing ? 'send' : 'receive'
    const router = await this.#openRouter()
    const transport = await router.createTransport({
      direction,
      ...(data.preferredProtocol && { preferredProtocol: data.preferredProtocol }),
      ...(data.sctpCapabilities && { sctpCapabilities: data.sctpCapabilities }),
    })
    if (!this.#present(participant)) {
      transport.close()
      throw new Refusal('INVALID_STATE')
    }
    if (direction === 'send')
      for (const producerId of [...participant.producers.keys()]) this.#drop(participant, producerId)
    else this.#forgetConsumers(participant)
    this.#closeTransport(participant, direction)
    participant.transports.set(transport.id, { transport, direction })
    return transport
  }

  transport(participant: Participant, transportId: string): Transport {
    const found = participant.transports.get(transportId)
    if (!found) throw new Refusal('NOT_FOUND', { message: 'There is no such transport.' })
    return found.transport
  }

  async produce(participant: Participant, data: RequestData<'produce'>): Promise<{ id: string }> {
    if (!participant.sends) {
      throw new Refusal('INVALID_STATE', { message: 'Who only receives cannot send a stream.' })
    }
    const appData = data.appData ?? {}
    assertSmall('appData', appData)
    const entry = participant.transports.get(data.transportId)
    if (entry?.direction !== 'send')
      throw new Refusal('NOT_FOUND', { message: 'There is no such transport.' })
    if (participant.producers.size + participant.pendingProducers >= this.#options.maxProducers) {
      throw new Refusal('MAX_SPEAKER_REACHED')
    }
    const shared = appData.share === true
    const kind: StreamKind =
      data.kind === 'audio' ? (shared ? 'shareAudio' : 'audio') : shared ? 'share' : 'video'

    participant.pendingProducers += 1
    let live: LiveProducer
    try {
      const producer = await entry.transport.produce({
        kind: data.kind,
        rtpParameters: data.rtpParameters,
        watchLevel: kind === 'audio',
      })
      live = { producer, kind, appData }
    } finally {
      participant.pendingProducers -= 1
    }
    // It may have gone, changed its mode, or lost its transport meanwhile.
    if (!this.#maySend(participant) || !participant.transports.has(data.transportId)) {
      live.producer.close()
      throw new Refusal('INVALID_STATE')
    }
    this.announce(participant, live)
    for (const mirror of participant.mirrors) mirror.added(live)
    return { id: live.producer.id }
  }

  /** A stream that is there becomes one of the meeting. */
  announce(participant: Participant, live: LiveProducer): void {
    participant.producers.set(live.producer.id, live)
    this.tellState(participant, live.kind)
    for (const other of this.#options.participants())
      if (other !== participant) this.#consume(other, participant, live)
  }

  /** The reverse: the stream goes on, but not in this meeting. */
  retract(participant: Participant, producerId: string): void {
    const live = participant.producers.get(producerId)
    if (!live) return
    participant.producers.delete(producerId)
    for (const other of this.#options.participants())
      this.#stopConsuming(other, (consumer) => consumer.consumer.producerId === producerId)
    this.tellState(participant, live.kind)
  }

  async produceData(participant: Participant, data: RequestData<'produceData'>): Promise<{ id: string }> {
    if (!participant.sends) {
      throw new Refusal('INVALID_STATE', { message: 'Who only receives cannot send data.' })
    }
    const { transportId, sctpStreamParameters, label = '', protocol = '', appData = {} } = data
    assertSmall('appData', appData)
    const entry = participant.transports.get(transportId)
    if (entry?.direction !== 'send')
      throw new Refusal('NOT_FOUND', { message: 'There is no such transport.' })
    if (participant.dataProducers.size + participant.pendingDataProducers >= this.#options.maxProducers)
      throw new Refusal('MAX_SPEAKER_REACHED')
    participant.pendingDataProducers += 1
    const producer = await entry.transport
      .produceData({ sctpStreamParameters, label, protocol })
      .finally(() => (participant.pendingDataProducers -= 1))
    if (!this.#maySend(participant) || !participant.transports.has(transportId)) {
      producer.close()
      throw new Refusal('INVALID_STATE')
    }
    participant.dataProducers.set(producer.id, { producer, appData })
    for (const other of this.#options.participants())
      if (other !== participant) this.#consumeData(other, participant, producer.id)
    return { id: producer.id }
  }

  dataStats(participant: Participant, id: string): Promise<unknown[]> {
    const found = participant.dataProducers.get(id)?.producer ?? participant.dataConsumers.get(id)?.consumer
    if (!found) throw new Refusal('NOT_FOUND', { message: 'There is no such data stream.' })
    return found.stats()
  }

  /** A participant goes to another meeting with its transports and streams; here nobody receives them any more. */
  release(participant: Participant): void {
    for (const other of this.#options.participants()) {
      this.#stopConsuming(other, ({ ownerId }) => ownerId === participant.id)
      for (const live of [...other.dataConsumers.values()]) {
        if (!participant.dataProducers.has(live.consumer.dataProducerId)) continue
        live.consumer.close()
        this.#forgetDataConsumer(other, live)
      }
    }
    this.#forgetConsumers(participant)
  }

  /** The other side of `release`, before the newcomer joins. */
  adopt(participant: Participant, from: Participant): void {
    participant.rtpCapabilities = from.rtpCapabilities
    participant.autoConsume = from.autoConsume
    participant.adaptive = from.adaptive
    for (const [id, entry] of from.transports) {
      participant.transports.set(id, entry)
      // Its worker is not ours: the death of it is told by the transport alone.
      entry.transport.on('lost', () => {
        if (participant.transports.has(id) && this.#present(participant)) this.#rebuild(participant)
      })
    }
    for (const [id, live] of from.producers) participant.producers.set(id, live)
    for (const [id, data] of from.dataProducers) participant.dataProducers.set(id, data)
    from.forgetMedia()
  }

  /** What an adopted participant brought, to all who are there. */
  announceAll(participant: Participant): void {
    for (const live of [...participant.producers.values()]) this.announce(participant, live)
    for (const other of this.#options.participants()) {
      if (other === participant) continue
      for (const id of participant.dataProducers.keys()) this.#consumeData(other, participant, id)
    }
  }

  /** Video codecs of ours that this participant cannot decode. */
  unsupportedCodecs(participant: Participant): string[] {
    const { rtpCapabilities } = participant
    if (!rtpCapabilities?.codecs?.length || !participant.receives) return []
    const known = new Set(rtpCapabilities.codecs.map(({ mimeType }) => mimeType.toLowerCase()))
    return this.#videoCodecs.filter((mimeType) => !known.has(mimeType.toLowerCase()))
  }

  closeProducer(participant: Participant, producerId: string): void {
    if (!this.#drop(participant, producerId)) {
      throw new Refusal('NOT_FOUND', { message: 'There is no such producer.' })
    }
  }

  async pauseProducer(participant: Participant, producerId: string, paused: boolean): Promise<void> {
    const live = participant.producers.get(producerId)
    if (!live) throw new Refusal('NOT_FOUND', { message: 'There is no such producer.' })
    await (paused ? live.producer.pause() : live.producer.resume())
    this.#changed(participant, live)
  }

  consumer(participant: Participant, consumerId: string): LiveConsumer['consumer'] {
    return this.#liveConsumer(participant, consumerId).consumer
  }

  async pauseConsumer(participant: Participant, consumerId: string, paused: boolean): Promise<void> {
    const live = this.#liveConsumer(participant, consumerId)
    live.pausedByClient = paused
    await flow(live)
  }

  /** Answers the ids of those that could not be. */
  async pauseAllConsumers(
    participant: Participant,
    kind: StreamKind | 'all',
    paused: boolean,
  ): Promise<{ consumersWithIssues: string[] }> {
    const consumersWithIssues: string[] = []
    await Promise.all(
      [...participant.consumers].map(async ([consumerId, live]) => {
        if (kind !== 'all' && live.kind !== kind) return
        live.pausedByClient = paused
        await flow(live).catch(() => {
          if (participant.consumers.has(consumerId)) consumersWithIssues.push(consumerId)
        })
      }),
    )
    return { consumersWithIssues }
  }

  /** One asks for somebody's streams, or wants them no more. */
  subscribe(participant: Participant, ownerId: string, media: 'audio' | 'video', wanted: boolean): void {
    const owner = this.#find(ownerId)
    if (!owner?.joined) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    participant.subscriptions.set(subscriptionKey(ownerId, media), wanted)
    if (wanted) for (const live of owner.producers.values()) this.#consume(participant, owner, live)
    else {
      this.#stopConsuming(
        participant,
        (consumer) => consumer.ownerId === ownerId && mediaOf(consumer.kind) === media,
      )
    }
  }

  setAdaptive(participant: Participant, adaptive: boolean): void {
    participant.adaptive = adaptive
    this.#adapt(participant)
  }

  /** Of a participant's two transports, or of one of one's own, named as that client sees them (contract, signalling §4.1). */
  async transportStats(
    self: Participant,
    { peerId, transportId }: RequestData<'getTransportStats'>,
  ): Promise<unknown> {
    if (transportId !== undefined) this.transport(self, transportId)
    const of = peerId === undefined ? self : this.#find(peerId)
    if (!of) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    const statsOf = (direction: 'send' | 'receive') => {
      const transport = of.transport(direction)
      return transportId === undefined || transport?.id === transportId ? transport?.stats() : undefined
    }
    const [send, receive] = await Promise.all([statsOf('send'), statsOf('receive')])
    return {
      send: { stats: { sendBitrate: send?.receiveBitrate ?? 0, sendBytes: send?.receiveBytes ?? 0 } },
      recv: { stats: { recvBitrate: receive?.sendBitrate ?? 0, recvBytes: receive?.sendBytes ?? 0 } },
    }
  }

  /**
   * How well media flows to and from one participant. Asks for its own streams, its receiving transport and one stream
   * of each kind that it receives, however many there are: those share one network path.
   */
  async measure(participant: Participant): Promise<Quality> {
    const send: Measured['send'] = {}
    const receive: Measured['receive'] = {}
    let sendVideoHeight: number | null = null
    const sent = [...participant.producers.values()].filter(
      ({ kind }) => kind === 'audio' || kind === 'video',
    )
    const flowing = [...participant.consumers.values()].filter(
      (live) => !live.pausedByClient && !live.pausedByServer && !live.consumer.producerPaused,
    )
    const samples = (['audio', 'video'] as const).map((media) =>
      flowing.find(({ kind }) => mediaOf(kind) === media),
    )
    const [transport] = await Promise.all([
      participant.transport('receive')?.stats(),
      ...sent.map(async (live) => {
        const stats = await live.producer.stats()
        send[mediaOf(live.kind)] = this.#delta(live, stats)
        if (live.kind === 'video') sendVideoHeight = heightOf(live, stats)
      }),
      ...samples.map(async (live) => {
        if (!live) return
        const delta = this.#delta(live, await live.consumer.stats())
        const alike = flowing.filter(({ kind }) => mediaOf(kind) === mediaOf(live.kind)).length
        receive[mediaOf(live.kind)] = { ...delta, bitrate: delta.bitrate * alike }
      }),
    ])
    participant.quality = qualityOf({
      send,
      receive,
      receiveBitrate: transport?.sendBitrate ?? 0,
      sendVideoHeight,
    })
    return participant.quality
  }

  #delta(live: LiveProducer | LiveConsumer, stats: StreamStats): Delta {
    const delta = deltaOf(stats, this.#measured.get(live))
    this.#measured.set(live, stats)
    return delta
  }

  /** Everything that the others send, to one who came. */
  consumeAll(participant: Participant): void {
    for (const owner of this.#options.participants()) {
      if (owner === participant || !owner.joined) continue
      for (const live of owner.producers.values()) this.#consume(participant, owner, live)
      for (const id of owner.dataProducers.keys()) this.#consumeData(participant, owner, id)
    }
  }

  /** The client built its transports anew after `mediaReset`. */
  rejoin(participant: Participant, data: RequestData<'rejoinMedia'>): void {
    participant.rtpCapabilities = data.rtpCapabilities
    this.consumeAll(participant)
  }

  /** Brings a participant's media in line with its mode; the client closes its own side without a word. */
  followMode(participant: Participant): void {
    this.restrict(participant)
    this.consumeAll(participant)
  }

  /** Closes what a participant's mode has no place for. */
  restrict(participant: Participant): void {
    if (!participant.sends) {
      for (const producerId of [...participant.producers.keys()]) this.#drop(participant, producerId)
      this.#closeTransport(participant, 'send')
    }
    if (!participant.receives) {
      this.#forgetConsumers(participant)
      this.#closeTransport(participant, 'receive')
    }
  }

  /** Nothing of these kinds gets through any more. Answers the producers, for `closeProducers`. */
  async pauseKinds(participant: Participant, kinds: readonly StreamKind[]): Promise<string[]> {
    const paused = [...participant.producers.values()].filter((live) => kinds.includes(live.kind))
    await Promise.all(
      paused.map(async (live) => {
        try {
          await live.producer.pause()
          this.#changed(participant, live)
        } catch (error) {
          if (participant.producers.has(live.producer.id)) this.#options.onError(error, 'pausing a stream')
        }
      }),
    )
    return paused.map(({ producer }) => producer.id)
  }

  /** Those of these producers that are still there. */
  closeProducers(participant: Participant, producerIds: readonly string[]): void {
    for (const producerId of producerIds) this.#drop(participant, producerId)
  }

  /** The states and the active speaker, as a joiner must hear them. */
  statesOf(participants: readonly Participant[]): Notification[] {
    const states: Notification[] = []
    for (const participant of participants) {
      for (const kind of ['audio', 'video', 'share', 'shareAudio'] as const) {
        if (participant.has(kind)) {
          states.push({
            method: 'participantMediaStateChanged',
            peerId: participant.id,
            kind,
            newState: true,
          })
        }
      }
    }
    if (this.#activeSpeaker !== null) states.push({ method: 'activeSpeaker', peerId: this.#activeSpeaker })
    return states
  }

  /** Idempotent; a later request opens another router. */
  close(): void {
    this.#generation += 1
    this.#activeSpeaker = null
    const router = this.#router
    this.#router = undefined
    router?.then(
      (open) => open.close(),
      () => undefined,
    )
  }

  #openRouter(): Promise<Router> {
    if (this.#router) return this.#router
    const generation = ++this.#generation
    const opening = this.#options.sfu.openRouter().then((router) => {
      this.#videoCodecs = videoCodecsOf(router)
      router.on('died', () => {
        if (this.#generation === generation) this.#replaceRouter()
      })
      router.on('activeSpeaker', (producerId) => {
        if (this.#generation === generation) this.#setActiveSpeaker(producerId)
      })
      return router
    })
    this.#router = opening
    opening.catch(() => {
      if (this.#router === opening) this.#router = undefined
    })
    return opening
  }

  #replaceRouter(): void {
    this.#generation += 1
    this.#router = undefined
    this.#setActiveSpeaker(null)
    for (const participant of this.#options.participants()) {
      const kinds = new Set([...participant.producers.values()].map((live) => live.kind))
      // Those who came over from another meeting may have transports on a worker that lives.
      participant.closeMedia()
      for (const kind of kinds) this.tellState(participant, kind)
    }
    this.#reopen().catch((error: unknown) => this.#options.onError(error, 'replacing a dead media worker'))
  }

  async #reopen(): Promise<void> {
    for (const wait of REPLACEMENT_WAITS_MS) {
      if (wait > 0) await new Promise((done) => setTimeout(done, wait))
      try {
        await this.#openRouter()
      } catch (error) {
        this.#options.onError(error, 'opening another router')
        continue
      }
      for (const participant of [...this.#options.participants()]) {
        if (!participant.relayed) this.#tellToRebuild(participant)
      }
      return
    }
    await this.#options.onLost()
  }

  #setActiveSpeaker(producerId: string | null): void {
    let speaker: string | null = null
    if (producerId !== null) {
      for (const participant of this.#options.participants()) {
        if (participant.producers.has(producerId)) speaker = participant.id
      }
      // One who went to another meeting still speaks on this router.
      if (speaker === null) return
    }
    if (speaker === this.#activeSpeaker) return
    this.#activeSpeaker = speaker
    this.#options.tellAll({ method: 'activeSpeaker', peerId: speaker })
    if (speaker === null) return
    this.#speakers = [speaker, ...this.#speakers.filter((id) => id !== speaker)].slice(0, MAX_SPEAKERS)
    for (const participant of this.#options.participants()) if (participant.adaptive) this.#adapt(participant)
  }

  /** Tells all whether this kind is on, where that is not what they know. */
  tellState(participant: Participant, kind: StreamKind): void {
    const newState = participant.has(kind)
    if (participant.streaming.has(kind) === newState) return
    if (newState) participant.streaming.add(kind)
    else participant.streaming.delete(kind)
    this.#options.onStream(participant, kind, newState)
    this.#options.tellAll({ method: 'participantMediaStateChanged', peerId: participant.id, kind, newState })
  }

  /** A stream was paused or resumed; it may have ended meanwhile. */
  #changed(participant: Participant, live: LiveProducer): void {
    if (participant.producers.get(live.producer.id) !== live) return
    this.tellState(participant, live.kind)
    for (const mirror of participant.mirrors) mirror.changed(live)
  }

  #drop(participant: Participant, producerId: string): boolean {
    const live = participant.producers.get(producerId)
    if (!live) return false
    participant.producers.delete(producerId)
    for (const mirror of participant.mirrors) mirror.removed(live)
    live.producer.close()
    this.tellState(participant, live.kind)
    return true
  }

  #forgetConsumers(participant: Participant): void {
    for (const { consumer } of participant.consumers.values()) consumer.close()
    for (const { consumer } of participant.dataConsumers.values()) consumer.close()
    participant.consumers.clear()
    participant.dataConsumers.clear()
    participant.consuming.clear()
  }

  #closeTransport(participant: Participant, direction: 'send' | 'receive'): void {
    for (const [id, entry] of participant.transports) {
      if (entry.direction !== direction) continue
      participant.transports.delete(id)
      if (direction === 'send') participant.dataProducers.clear()
      entry.transport.close()
    }
  }

  #find(participantId: string): Participant | undefined {
    for (const other of this.#options.participants()) if (other.id === participantId) return other
    return undefined
  }

  #liveConsumer(participant: Participant, consumerId: string): LiveConsumer {
    const live = participant.consumers.get(consumerId)
    if (!live) throw new Refusal('NOT_FOUND', { message: 'There is no such consumer.' })
    return live
  }

  #stopConsuming(participant: Participant, which: (live: LiveConsumer) => boolean): void {
    for (const live of [...participant.consumers.values()]) {
      if (!which(live)) continue
      live.consumer.close()
      this.#forgetConsumer(participant, live)
    }
  }

  /**
   * It is closed. The client hears of it, unless it still has to answer the offer: what it is told of a consumer that it
   * does not know yet is lost, and it would show a dead stream.
   */
  #forgetConsumer(participant: Participant, { consumer, offered }: LiveConsumer): void {
    participant.consumers.delete(consumer.id)
    participant.consuming.delete(consumer.producerId)
    if (!offered) participant.link.notify({ method: 'consumerClosed', consumerId: consumer.id })
  }

  #forgetDataConsumer(participant: Participant, { consumer, offered }: LiveDataConsumer): void {
    participant.dataConsumers.delete(consumer.id)
    participant.consuming.delete(consumer.dataProducerId)
    if (!offered) participant.link.notify({ method: 'dataConsumerClosed', dataConsumerId: consumer.id })
  }

  /** All its media is gone: its client makes it anew. */
  #rebuild(participant: Participant): void {
    const kinds = new Set([...participant.producers.values()].map((live) => live.kind))
    participant.closeMedia()
    for (const kind of kinds) this.tellState(participant, kind)
    this.#tellToRebuild(participant)
  }

  #tellToRebuild(participant: Participant): void {
    if (participant.link.resetsMedia && participant.joined) participant.link.notify({ method: 'mediaReset' })
    else participant.link.drop()
  }

  /** Brings the cameras that one receives in line with who speaks. */
  #adapt(participant: Participant): void {
    const cameras = [...participant.consumers].filter(([, { kind }]) => kind === 'video')
    const owners = [...new Set(cameras.map(([, { ownerId }]) => ownerId))]
    const paused = participant.adaptive ? pausedOwners(owners, this.#speakers) : new Set<string>()
    for (const [consumerId, live] of cameras) {
      const pause = paused.has(live.ownerId)
      // The client cannot be told yet; it is looked at again when it has answered.
      if (pause === live.pausedByServer || live.offered) continue
      live.pausedByServer = pause
      flow(live).catch((error: unknown) => {
        if (participant.consumers.has(consumerId)) this.#options.onError(error, 'adapting a subscription')
      })
      participant.link.notify({
        method: pause ? 'consumerPausedSubManager' : 'consumerResumedSubManager',
        peerId: live.ownerId,
        consumerId,
        kind: live.kind,
        reason: 'leastDominance',
      })
    }
  }

  #consumeData(participant: Participant, owner: Participant, dataProducerId: string): void {
    const transport = participant.transport('receive')
    const data = owner.dataProducers.get(dataProducerId)
    if (!participant.joined || !participant.receives || !transport?.sctpParameters || !data) return
    if (participant.consuming.has(dataProducerId)) return
    participant.consuming.set(dataProducerId, transport)
    this.#deliverData(participant, owner, dataProducerId, transport).catch((error: unknown) => {
      if (!stopTrying(participant, dataProducerId, transport)) return
      if (owner.dataProducers.has(dataProducerId) && participant.joined)
        this.#options.onError(error, 'delivering data')
    })
  }

  async #deliverData(
    participant: Participant,
    owner: Participant,
    dataProducerId: string,
    transport: Transport,
  ): Promise<void> {
    const consumer = await transport.consumeData({ dataProducerId })
    const { link, consuming } = participant
    const data = owner.dataProducers.get(dataProducerId)
    if (!participant.joined || !data || consuming.get(dataProducerId) !== transport) {
      consumer.close()
      stopTrying(participant, dataProducerId, transport)
      return
    }
    const { id, sctpStreamParameters, label, protocol } = consumer
    const receiving: LiveDataConsumer = { consumer, offered: true }
    participant.dataConsumers.set(id, receiving)
    consumer.on('producerClosed', () => this.#forgetDataConsumer(participant, receiving))
    const taken = await link.request('newDataConsumer', {
      peerId: owner.id,
      dataProducerId,
      id,
      sctpStreamParameters,
      label,
      protocol,
      appData: data.appData,
    })
    receiving.offered = false
    if (participant.dataConsumers.get(id) !== receiving) {
      link.notify({ method: 'dataConsumerClosed', dataConsumerId: id })
    } else if (!taken) {
      consumer.close()
      this.#forgetDataConsumer(participant, receiving)
    }
  }

  #maySend(participant: Participant): boolean {
    return participant.joined && participant.sends
  }

  /** Whether it still belongs to the meeting; its requests may outlive it by a moment. */
  #present(participant: Participant): boolean {
    for (const other of this.#options.participants()) if (other === participant) return true
    return false
  }

  #consume(participant: Participant, owner: Participant, live: LiveProducer): void {
    const { id } = live.producer
    const transport = participant.transport('receive')
    if (!participant.joined || !participant.receives || !transport || !participant.rtpCapabilities) return
    if (participant.consuming.has(id) || !participant.wants(owner.id, live.kind)) return
    participant.consuming.set(id, transport)
    this.#deliver(participant, owner, live, transport).catch((error: unknown) => {
      if (!stopTrying(participant, id, transport)) return
      // A stream that ended on the way is nobody's failure.
      if (owner.producers.has(id) && participant.joined) this.#options.onError(error, 'delivering a stream')
    })
  }

  async #deliver(
    participant: Participant,
    owner: Participant,
    live: LiveProducer,
    transport: Transport,
  ): Promise<void> {
    const { producer, kind, appData } = live
    const rtpCapabilities = participant.rtpCapabilities!
    const router = await this.#openRouter()
    if (!router.canConsume(producer.id, rtpCapabilities)) {
      stopTrying(participant, producer.id, transport)
      return
    }
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities })
    const { link, consuming } = participant
    const wanted = participant.joined && owner.producers.has(producer.id) && participant.wants(owner.id, kind)
    if (!wanted || consuming.get(producer.id) !== transport) {
      consumer.close()
      stopTrying(participant, producer.id, transport)
      return
    }
    const { id: consumerId, producerPaused } = consumer
    const receiving: LiveConsumer = {
      consumer,
      ownerId: owner.id,
      kind,
      pausedByClient: false,
      pausedByServer: false,
      offered: true,
    }
    const tellPaused = (): void => {
      if (receiving.offered) return
      link.notify({ method: consumer.producerPaused ? 'consumerPaused' : 'consumerResumed', consumerId })
    }
    participant.consumers.set(consumerId, receiving)
    consumer.on('producerClosed', () => this.#forgetConsumer(participant, receiving))
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
    if (participant.consumers.get(consumerId) !== receiving) {
      link.notify({ method: 'consumerClosed', consumerId })
    } else if (taken) {
      if (consumer.producerPaused !== producerPaused) tellPaused()
      if (participant.adaptive) this.#adapt(participant)
      await flow(receiving)
    } else {
      consumer.close()
      this.#forgetConsumer(participant, receiving)
    }
  }
}

/** A stream does not come over this transport after all. Says whether it was to, still. */
function stopTrying({ consuming }: Participant, producerId: string, transport: Transport): boolean {
  return consuming.get(producerId) === transport && consuming.delete(producerId)
}

/** Lets a stream through when its client has taken it and nobody wants it to stand still. */
function flow({ consumer, pausedByClient, pausedByServer, offered }: LiveConsumer): Promise<void> {
  return pausedByClient || pausedByServer || offered ? consumer.pause() : consumer.resume()
}

/** Lines of the highest encoding of a camera that flows, as far as its client said how it encodes. */
function heightOf({ appData }: LiveProducer, { activeEncodings }: StreamStats): number | null {
  const { height, encodings } = appData
  if (typeof height !== 'number' || activeEncodings === 0) return null
  const encoding: unknown = Array.isArray(encodings) ? encodings[activeEncodings - 1] : undefined
  const { scaleResolutionDownBy = 1 } = (encoding ?? {}) as { scaleResolutionDownBy?: unknown }
  return typeof scaleResolutionDownBy === 'number' && scaleResolutionDownBy >= 1
    ? Math.round(height / scaleResolutionDownBy)
    : height
}

function videoCodecsOf({ rtpCapabilities }: Router): string[] {
  const all = (rtpCapabilities.codecs ?? []).map(({ mimeType }) => mimeType)
  return [...new Set(all)].filter((mimeType) => /^video\/(?!rtx)/i.test(mimeType))
}
