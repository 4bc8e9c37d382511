/** The media of one meeting: brings every stream to all who may receive it. */
import type { Sfu, Transport } from '../../media/sfu.ts'
import type { RtpCapabilities, StreamKind } from '../../protocol/media.ts'
import type { Notification, ServerRequests } from '../../protocol/notifications.ts'
import type { RequestData } from '../../protocol/requests.ts'
import type { Participant } from '../roster/participant.ts'
import type { Direction } from './participant-media.ts'
import { Refusal } from '../../protocol/errors.ts'
import { traced } from '../../tracing/tracing.ts'
import { ActiveSpeaker } from './active-speaker.ts'
import { DataStreams } from './data-streams.ts'
import { MeetingRouter } from './meeting-router.ts'
import { Streams, type StreamsOptions } from './streams.ts'
import { Subscriptions } from './subscriptions.ts'

export interface MeetingMediaOptions extends Omit<StreamsOptions, 'router' | 'subscriptions' | 'onLost'> {
  sfu: Sfu
  /** Cameras that one client of ours receives at once. */
  maxVideoStreams: number
  find: (participantId: string) => Participant | undefined
  /** A worker died and no other can take its place. */
  onLost: () => Promise<void>
}

const OFF = {
  audio: 'disableMic',
  video: 'disableWebcam',
  share: 'disableShare',
  shareAudio: 'disableShare',
} as const satisfies Record<StreamKind, keyof ServerRequests>

export class MeetingMedia {
  readonly #options: MeetingMediaOptions
  readonly #router: MeetingRouter
  readonly #speaker = new ActiveSpeaker()
  /** Whose media was lost with a worker, and how often, until it is measured. */
  readonly workerLosses = new Map<string, number>()
  readonly subscriptions: Subscriptions
  readonly streams: Streams
  readonly data: DataStreams

  constructor(options: MeetingMediaOptions) {
    this.#options = options
    const { onLost, onError } = options
    this.#router = new MeetingRouter({
      ...options,
      onSpeaker: (producerId) => this.#setSpeaker(producerId),
      onLost,
    })
    this.subscriptions = new Subscriptions({
      router: this.#router,
      speaker: this.#speaker,
      maxVideoStreams: options.maxVideoStreams,
      find: options.find,
      onError,
    })
    this.streams = new Streams({
      ...options,
      router: this.#router,
      subscriptions: this.subscriptions,
      onLost: (participant) => this.#lose(participant),
    })
    this.data = new DataStreams(options)
  }

  /** Opens the router ahead of the first request; a failure shows at that request. */
  warm(): void {
    this.#router.open().catch(() => undefined)
  }

  /** Idempotent; a later request opens another router. */
  close(): void {
    this.#speaker.set(null)
    this.#router.close()
  }

  async routerRtpCapabilities(): Promise<RtpCapabilities> {
    return (await this.#router.open()).rtpCapabilities
  }

  /** One transport for each direction: a newer one takes the place of the older. */
  async createTransport(
    participant: Participant,
    data: RequestData<'createWebRtcTransport'>,
  ): Promise<Transport> {
    if (data.producing === data.consuming) {
      throw new Refusal('INVALID_REQUEST', { message: 'A transport either produces or consumes.' })
    }
    const direction: Direction = data.producing ? 'send' : 'receive'
    const router = await this.#router.open()
    const transport = await traced(
      'transport',
      () =>
        router.createTransport({
          direction,
          member: participant.media,
          near: participant.link.node,
          // Pages that record run on this machine, and may not reach others.
          ...(!participant.isVisible && { staysHere: true }),
          ...(data.preferredProtocol && { preferredProtocol: data.preferredProtocol }),
          ...(data.sctpCapabilities && { sctpCapabilities: data.sctpCapabilities }),
        }),
      { attributes: { 'anteroom.direction': direction } },
    )
    if (!this.#isHere(participant)) {
      transport.close()
      throw new Refusal('INVALID_STATE')
    }
    const { media } = participant
    if (direction === 'send') this.streams.closeProducers(participant, [...media.producers.keys()])
    else media.closeConsumers()
    media.closeTransport(direction)
    media.transports.set(transport.id, { transport, direction })
    this.#watch(participant, transport)
    return transport
  }

  /** A participant moves to another meeting with its transports and streams; nobody here receives them any more. */
  release({ id, media }: Participant): void {
    for (const { media: other } of this.#options.participants()) {
      other.stopConsuming(({ ownerId }) => ownerId === id)
      other.stopConsumingData(({ consumer }) => media.dataProducers.has(consumer.dataProducerId))
    }
    media.closeConsumers()
  }

  /** The other side of `release`, before the newcomer joins. */
  adopt(participant: Participant, from: Participant): void {
    const { media } = participant
    media.takeFrom(from.media)
    for (const { transport } of media.transports.values()) this.#watch(participant, transport)
  }

  /** Announces the streams of an adopted participant to everybody present; closes those that this meeting does not accept. */
  announceAll(participant: Participant): void {
    const { producers, dataProducers } = participant.media
    for (const live of [...producers.values()])
      if (this.streams.accepts(live)) this.streams.announce(participant, live)
      else this.streams.closeProducers(participant, [live.producer.id])
    for (const id of dataProducers.keys()) this.data.announce(participant, id)
  }

  /** Offers all streams of the others to a new participant. */
  consumeAll(participant: Participant): void {
    for (const owner of this.#options.participants()) {
      if (owner === participant || !owner.joined) continue
      const { producers, dataProducers } = owner.media
      for (const live of producers.values()) this.subscriptions.consume(participant, owner, live)
      for (const id of dataProducers.keys()) this.data.consume(participant, owner, id)
    }
  }

  /** The client has rebuilt its transports after `mediaReset`. */
  rejoin(participant: Participant, data: RequestData<'rejoinMedia'>): void {
    participant.media.rtpCapabilities = data.rtpCapabilities
    this.consumeAll(participant)
  }

  /** Brings a participant's media in line with its mode; the client closes its own side without a word. */
  followMode(participant: Participant): void {
    this.restrict(participant)
    this.consumeAll(participant)
  }

  /** Closes what a participant's mode has no place for. */
  restrict(participant: Participant): void {
    const { media, sends, receives } = participant
    if (!sends) {
      this.streams.closeProducers(participant, [...media.producers.keys()])
      media.closeTransport('send')
    }
    this.#stopForbidden(participant)
    if (!receives) {
      media.closeConsumers()
      media.closeTransport('receive')
    }
  }

  /** A participant who switches here may bring what the rules of this session forbid; its client is told to stop. */
  #stopForbidden(participant: Participant): void {
    const kinds = this.streams.forbidden(participant)
    const live = [...participant.media.producers.values()].filter(({ kind }) => kinds.includes(kind))
    this.streams.closeProducers(
      participant,
      live.map(({ producer }) => producer.id),
    )
    for (const event of new Set(kinds.map((kind) => OFF[kind])))
      void participant.link.request(event, { peerId: 'server' })
  }

  /** Video codecs of ours that this participant cannot decode. */
  unsupportedCodecs({ media: { rtpCapabilities }, receives }: Participant): string[] {
    if (!rtpCapabilities?.codecs?.length || !receives) return []
    const known = new Set(rtpCapabilities.codecs.map(({ mimeType }) => mimeType.toLowerCase()))
    return this.#router.videoCodecs.filter((mimeType) => !known.has(mimeType.toLowerCase()))
  }

  /**
   * Statistics of a participant's two transports, or of one of the caller's own, named as that client sees them
   * (contract, signalling §4.1).
   */
  async transportStats(
    self: Participant,
    { peerId, transportId }: RequestData<'getTransportStats'>,
  ): Promise<unknown> {
    if (transportId !== undefined) self.media.requireTransport(transportId)
    const of = peerId === undefined ? self : this.#options.find(peerId)
    if (!of) throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    const statsOf = (direction: Direction) => {
      const transport = of.media.transport(direction)
      return transportId === undefined || transport?.id === transportId ? transport?.stats() : undefined
    }
    const [send, receive] = await Promise.all([statsOf('send'), statsOf('receive')])
    return {
      send: { stats: { sendBitrate: send?.receiveBitrate ?? 0, sendBytes: send?.receiveBytes ?? 0 } },
      recv: { stats: { recvBitrate: receive?.sendBitrate ?? 0, recvBytes: receive?.sendBytes ?? 0 } },
    }
  }

  /** The states of streams and the active speaker, for somebody who joins. */
  statesOf(participants: readonly Participant[]): Notification[] {
    const states = this.streams.statesOf(participants)
    const peerId = this.#speaker.current
    return peerId === null ? states : [...states, { method: 'activeSpeaker', peerId }]
  }

  #setSpeaker(producerId: string | null): void {
    let speaker: string | null = null
    if (producerId !== null) {
      for (const { id, media } of this.#options.participants())
        if (media.producers.has(producerId)) speaker = id
      // A participant who moved to another meeting still speaks on this router.
      if (speaker === null) return
    }
    if (!this.#speaker.set(speaker)) return
    this.#options.tellAll({ method: 'activeSpeaker', peerId: speaker })
    if (speaker !== null) this.subscriptions.speakerChanged(this.#options.participants())
  }

  #watch(participant: Participant, transport: Transport): void {
    transport.on('lost', () => {
      if (participant.media.transports.get(transport.id)?.transport === transport) this.#lose(participant)
    })
  }

  /** A participant's worker died: its media must be rebuilt, the others are not affected. */
  #lose(participant: Participant): void {
    if (!this.#isHere(participant)) return
    this.workerLosses.set(participant.id, (this.workerLosses.get(participant.id) ?? 0) + 1)
    this.#forget(participant)
    this.#router.recover().then(
      (isThere) => {
        if (isThere && this.#isHere(participant)) this.#tellToRebuild(participant)
      },
      (error: unknown) => this.#options.onError(error, 'failed to replace a dead media worker'),
    )
  }

  #forget(participant: Participant): void {
    const { media } = participant
    if (this.#speaker.current === participant.id) this.#setSpeaker(null)
    const kinds = media.kinds()
    this.streams.depart(participant)
    for (const live of media.producers.values())
      for (const listener of participant.producerListeners) listener.removed(live)
    media.close()
    for (const kind of kinds) this.streams.tellState(participant, kind)
  }

  /** All its media is lost: its client rebuilds it. */
  #tellToRebuild({ link, joined }: Participant): void {
    if (link.isOwnClient && joined) link.notify({ method: 'mediaReset' })
    else link.drop()
  }

  /** Whether it still belongs to the meeting; its requests may outlive it by a moment. */
  #isHere(participant: Participant): boolean {
    return this.#options.find(participant.id) === participant
  }
}
