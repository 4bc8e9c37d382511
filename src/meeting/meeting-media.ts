/**
 * The media of one meeting: who sends what, and that everyone who may receives it.
 */
import type { Consumer, Router, Sfu, Transport } from '../media/sfu.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { Notification } from '../protocol/notifications.ts'
import type { RequestData } from '../protocol/requests.ts'
import type { LiveProducer, Participant } from './participant.ts'
import { Refusal } from '../protocol/errors.ts'

export interface MeetingMediaOptions {
  sfu: Sfu
  /** For one participant. */
  maxProducers: number
  participants: () => Iterable<Participant>
  tellAll: (notification: Notification) => void
  onError: (error: unknown, doing: string) => void
  /** The worker died and no other can take its place. */
  onLost: () => Promise<void>
}

/** Bytes of JSON that a producer's `appData` may take; it is echoed to every receiver. */
const MAX_APP_DATA_BYTES = 4096
/** Tries at another router after a worker's death, and the wait before each. */
const REPLACEMENT_WAITS_MS = [0, 200, 500, 1000, 2000]

export class MeetingMedia {
  readonly #options: MeetingMediaOptions
  #router: Promise<Router> | undefined
  #activeSpeaker: string | null = null
  /** Rises with each router, so that what was begun on an older one is not counted to a newer. */
  #generation = 0

  constructor(options: MeetingMediaOptions) {
    this.#options = options
  }

  /** Opens the router ahead of the first request; a failure shows at that request. */
  warm(): void {
    this.#openRouter().catch(() => undefined)
  }

  async routerRtpCapabilities(): Promise<unknown> {
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
    for (const [id, older] of participant.transports) {
      if (older.direction !== direction) continue
      if (direction === 'send')
        for (const producerId of [...participant.producers.keys()]) this.#drop(participant, producerId)
      else this.#forgetConsumers(participant)
      older.transport.close()
      participant.transports.delete(id)
    }
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
    if (JSON.stringify(appData).length > MAX_APP_DATA_BYTES) {
      throw new Refusal('INVALID_REQUEST', { message: `appData is over ${MAX_APP_DATA_BYTES} bytes.` })
    }
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
      live = { producer, kind, appData, paused: false }
    } finally {
      participant.pendingProducers -= 1
    }
    // It may have gone, changed its mode, or lost its transport meanwhile.
    if (!this.#maySend(participant) || !participant.transports.has(data.transportId)) {
      live.producer.close()
      throw new Refusal('INVALID_STATE')
    }
    participant.producers.set(live.producer.id, live)
    this.#tellState(participant, kind, true)
    for (const other of this.#options.participants())
      if (other !== participant) this.#consume(other, participant, live)
    return { id: live.producer.id }
  }

  closeProducer(participant: Participant, producerId: string): void {
    if (!this.#drop(participant, producerId)) {
      throw new Refusal('NOT_FOUND', { message: 'There is no such producer.' })
    }
  }

  async pauseProducer(participant: Participant, producerId: string, paused: boolean): Promise<void> {
    const live = participant.producers.get(producerId)
    if (!live) throw new Refusal('NOT_FOUND', { message: 'There is no such producer.' })
    live.paused = paused
    await (paused ? live.producer.pause() : live.producer.resume())
    this.#tellState(participant, live.kind, participant.has(live.kind))
  }

  consumer(participant: Participant, consumerId: string): Consumer {
    const consumer = participant.consumers.get(consumerId)
    if (!consumer) throw new Refusal('NOT_FOUND', { message: 'There is no such consumer.' })
    return consumer
  }

  /** Of a participant's two transports, named as that client sees them (contract, signalling §4.1). */
  async transportStats(self: Participant, participantId: string | undefined): Promise<unknown> {
    let of = self
    for (const other of this.#options.participants()) if (other.id === participantId) of = other
    const [send, receive] = await Promise.all([
      of.transport('send')?.stats(),
      of.transport('receive')?.stats(),
    ])
    return {
      send: { stats: { sendBitrate: send?.receiveBitrate ?? 0, sendBytes: send?.receiveBytes ?? 0 } },
      recv: { stats: { recvBitrate: receive?.sendBitrate ?? 0, recvBytes: receive?.sendBytes ?? 0 } },
    }
  }

  /** Everything that the others send, to one who came. */
  consumeAll(participant: Participant): void {
    for (const owner of this.#options.participants()) {
      if (owner === participant || !owner.joined) continue
      for (const live of owner.producers.values()) this.#consume(participant, owner, live)
    }
  }

  /** The client built its transports anew after `mediaReset`. */
  rejoin(participant: Participant, data: RequestData<'rejoinMedia'>): void {
    participant.rtpCapabilities = data.rtpCapabilities
    this.consumeAll(participant)
  }

  /** Brings a participant's media in line with its mode; the client closes its own side without a word. */
  followMode(participant: Participant): void {
    if (!participant.sends) {
      for (const producerId of [...participant.producers.keys()]) this.#drop(participant, producerId)
    }
    if (participant.receives) this.consumeAll(participant)
    else {
      for (const consumer of participant.consumers.values()) consumer.close()
      this.#forgetConsumers(participant)
    }
  }

  async pauseKinds(participant: Participant, kinds: readonly StreamKind[]): Promise<void> {
    await Promise.all(
      [...participant.producers.values()]
        .filter((live) => kinds.includes(live.kind))
        .map((live) =>
          live.producer.pause().catch((error: unknown) => this.#options.onError(error, 'pausing a stream')),
        ),
    )
  }

  closeKinds(participant: Participant, kinds: readonly StreamKind[]): void {
    for (const [producerId, live] of [...participant.producers]) {
      if (kinds.includes(live.kind)) this.#drop(participant, producerId)
    }
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
      participant.forgetMedia()
      for (const kind of kinds) this.#tellState(participant, kind, false)
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
        if (participant.link.resetsMedia && participant.joined)
          participant.link.notify({ method: 'mediaReset' })
        else participant.link.drop()
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
    }
    if (speaker === this.#activeSpeaker) return
    this.#activeSpeaker = speaker
    this.#options.tellAll({ method: 'activeSpeaker', peerId: speaker })
  }

  #tellState(participant: Participant, kind: StreamKind, newState: boolean): void {
    this.#options.tellAll({ method: 'participantMediaStateChanged', peerId: participant.id, kind, newState })
  }

  #drop(participant: Participant, producerId: string): boolean {
    const live = participant.producers.get(producerId)
    if (!live) return false
    participant.producers.delete(producerId)
    live.producer.close()
    if (!participant.has(live.kind)) this.#tellState(participant, live.kind, false)
    return true
  }

  #forgetConsumers(participant: Participant): void {
    participant.consumers.clear()
    participant.consuming.clear()
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
    if (!participant.joined || !participant.receives || participant.consuming.has(live.producer.id)) return
    const transport = participant.transport('receive')
    const { rtpCapabilities } = participant
    if (!transport || !rtpCapabilities) return
    participant.consuming.add(live.producer.id)
    this.#deliver(participant, owner, live, transport).catch((error: unknown) => {
      participant.consuming.delete(live.producer.id)
      // A stream that ended on the way is nobody's failure.
      if (owner.producers.has(live.producer.id) && participant.joined) {
        this.#options.onError(error, 'delivering a stream')
      }
    })
  }

  async #deliver(
    participant: Participant,
    owner: Participant,
    live: LiveProducer,
    transport: Transport,
  ): Promise<void> {
    const router = await this.#openRouter()
    const rtpCapabilities = participant.rtpCapabilities!
    if (!router.canConsume(live.producer.id, rtpCapabilities)) return
    const consumer = await transport.consume({ producerId: live.producer.id, rtpCapabilities })
    if (!participant.joined || !owner.producers.has(live.producer.id)) {
      consumer.close()
      participant.consuming.delete(live.producer.id)
      return
    }
    participant.consumers.set(consumer.id, consumer)
    const { link } = participant
    const consumerId = consumer.id
    const forget = (): void => {
      participant.consumers.delete(consumerId)
      participant.consuming.delete(live.producer.id)
      link.notify({ method: 'consumerClosed', consumerId })
    }
    consumer.on('producerClosed', forget)
    consumer.on('producerPaused', () => link.notify({ method: 'consumerPaused', consumerId }))
    consumer.on('producerResumed', () => link.notify({ method: 'consumerResumed', consumerId }))
    consumer.on('layersChanged', (layers) =>
      link.notify({
        method: 'consumerLayersChanged',
        consumerId,
        spatialLayer: layers?.spatialLayer ?? null,
        temporalLayer: layers?.temporalLayer ?? null,
      }),
    )
    const acknowledged = await link.request('newConsumer', {
      peerId: owner.id,
      producerId: live.producer.id,
      id: consumerId,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters,
      type: consumer.type,
      appData: live.appData,
      producerPaused: consumer.producerPaused,
    })
    if (!participant.consumers.has(consumerId)) return
    if (acknowledged) await consumer.resume()
    else {
      consumer.close()
      forget()
    }
  }
}
