/** A meeting as one participant lives it: waiting, joining, being inside, coming back, leaving. */
import type { JoinReply, Notification } from '../protocol/notifications.ts'
import type { StreamKind } from '../protocol/media.ts'
import { Chat } from './chat.ts'
import { Devices, type DevicesOptions, type OwnKind } from './devices.ts'
import { Emitter } from './emitter.ts'
import { MeetingError, type DeviceError } from './errors.ts'
import { Lobby, type EntryRequest } from './lobby.ts'
import { Media, type MediaOptions } from './media.ts'
import { Moderation } from './moderation.ts'
import { missing, newParticipant, setState, type Participant, type Stream } from './participant.ts'
import { Signalling, type ServerRequestHandlers } from './signalling.ts'

export type MeetingState = 'connecting' | 'waiting' | 'joined' | 'reconnecting' | 'left'

/** Why it is over. Codes: contract, rest-and-tokens §5.5. */
export interface LeftReason {
  code: number
  message: string
  /** The server's refusal, where that is why. */
  error: MeetingError | undefined
}

/** A moderator asks us to send something. Nothing is sent until `accept()`. */
export interface DeviceRequest {
  device: OwnKind
  /** participantId of who asks. */
  from: string
  accept(): Promise<void>
  reject(): void
}

export interface MeetingEvents {
  stateChanged: [state: MeetingState]
  /** The server is back and still prepares its media; the meeting waits for it. The message says how far that is. */
  mediaPreparing: [message: string]
  participantJoined: [participant: Participant]
  participantLeft: [participant: Participant, reason: { code: number; message: string }]
  /** Name, mode, or what is on. */
  participantChanged: [participant: Participant]
  /** Our own name, which a backend or another client may change. */
  selfChanged: [self: Self]
  streamAdded: [stream: Stream, participant: Participant]
  streamRemoved: [stream: Stream, participant: Participant]
  streamChanged: [stream: Stream, participant: Participant]
  activeSpeakerChanged: [participantId: string | null]
  pinChanged: [participantId: string | null]
  entryRequested: [request: EntryRequest]
  /** It waits no more: answered, withdrawn or timed out. */
  entrySettled: [id: string]
  deviceRequested: [request: DeviceRequest]
  /** Own devices, what is wanted of them or what is sent of them. */
  devicesChanged: []
  /** A device that nobody waits for could not be had, or the server refused its stream. It is off. */
  deviceProblem: [error: DeviceError | MeetingError]
  left: [reason: LeftReason]
}

export interface Self {
  id: string
  name: string
  /** May answer entry requests. */
  canAdmit: boolean
  canModerate: boolean
}

/** Instants of the steps of joining, ms of `performance.now()`. */
export interface Timings {
  start: number
  initConfig?: number
  socket?: number
  entry?: number
  transports?: number
  joined?: number
  sendConnected?: number
  receiveConnected?: number
}

export interface MeetingOptions {
  url: string
  path: string
  token: string
  meetingId: string
  participantId: string
  name: string
  mic: MediaStreamTrack | boolean
  camera: MediaStreamTrack | boolean
  metaData: Record<string, unknown>
  iceServers: RTCIceServer[]
  /** Of the call that told where the socket is, so that the server's log ties them. */
  requestId?: string | undefined
  timings: Timings
  /** Instead of the browser's own. */
  openDevice?: NonNullable<DevicesOptions['open']>
  newDevice?: NonNullable<MediaOptions['newDevice']>
  /** How long what we send may differ from what the server says of it before all is made anew. Default 10 s. */
  disagreementMs?: number
}

type Named<M, N = Notification> = N extends { method: infer K } ? (M extends K ? N : never) : never
type NotificationHandlers = { [M in Notification['method']]: (notification: Named<M>) => void }

const LEFT_BY_OURSELVES = { code: 1101, message: 'MANUAL_LEAVE_CALLED' }
const GAVE_UP = { code: 1102, message: 'WEBSOCKET_CONNECTION_ATTEMPTS_EXHAUSTED' }
const JOIN_FAILED = { code: 1103, message: 'JOIN_ROOM_FAILED' }
/** For the server to hear that we leave, before the connection ends. */
const LEAVE_TIMEOUT_MS = 500
/** How soon, and how often, one who was inside tries again while the server can save nothing. */
const UNSAVED_RETURN_MS = 2000
const MAX_UNSAVED_RETURNS = 150
const DISAGREEMENT_MS = 10_000
/** How soon a server that prepares its media is asked again. */
export const PREPARING_MS = 3000
/** How long a replaced media server may take to say so. */
const REPLACEMENT_MS = 5000

export class Meeting extends Emitter<MeetingEvents> {
  readonly meetingId: string
  readonly self: Self
  readonly timings: Timings
  /** The others, by id. */
  readonly participants = new Map<string, Participant>()
  readonly lobby: Lobby
  readonly moderation: Moderation
  readonly devices: Devices
  readonly chat = new Chat()
  activeSpeakerId: string | null = null
  pinnedId: string | null = null
  sessionId: string | undefined
  readonly #options: MeetingOptions
  readonly #signalling: Signalling
  readonly #notifications = this.#handlers()
  #media: Media
  /** What the others know to be on of us, by the server's word. */
  readonly #told = new Set<StreamKind>()
  #disagreement: ReturnType<typeof setTimeout> | undefined
  #state: MeetingState = 'connecting'
  #refusal: MeetingError | undefined
  #restarting = false
  #preparing: string | undefined
  #unsavedReturns = 0
  #accepted: { resolve: () => void; reject: (error: MeetingError) => void } | undefined
  /** Settles when the server took the request to come in: waiting or let in. */
  readonly accepted: Promise<void>

  constructor(options: MeetingOptions) {
    super()
    this.#options = options
    this.meetingId = options.meetingId
    this.timings = options.timings
    this.self = { id: options.participantId, name: options.name, canAdmit: false, canModerate: false }
    this.accepted = new Promise((resolve, reject) => {
      this.#accepted = { resolve, reject }
    })
    this.accepted.catch(() => undefined)
    const request = (method: string, data?: object): Promise<unknown> =>
      this.#signalling.request(method, data)
    this.lobby = new Lobby(
      (id, decision) => request('respondEntry', { id, decision }),
      (id) => this.emit('entrySettled', id),
    )
    this.moderation = new Moderation(request)
    this.devices = new Devices({
      mic: options.mic,
      camera: options.camera,
      ...(options.openDevice && { open: options.openDevice }),
      onChange: () => {
        this.#compare()
        this.emit('devicesChanged')
      },
      onProblem: (error) => this.emit('deviceProblem', error),
    })
    this.#signalling = new Signalling(
      {
        url: options.url,
        path: options.path,
        query: {
          roomId: options.meetingId,
          peerId: options.participantId,
          secret: options.token,
          mode: 'SEND_AND_RECV',
          lib: 'socket',
          sdk: 'anteroom',
          ...(options.requestId !== undefined && { requestId: options.requestId }),
        },
      },
      {
        ready: () => void this.#enter(),
        notification: (notification) => this.#hear(notification),
        requests: this.#requests(),
        closed: (reason) => this.#finish({ ...reason, error: this.#refusal }),
        lost: () => this.#lost(),
        gaveUp: () =>
          this.#finish({
            ...GAVE_UP,
            error: new MeetingError(0, 'CONNECTION_FAILED', 'The server cannot be reached.'),
          }),
      },
    )
    this.#media = this.#newMedia()
    globalThis.addEventListener('online', this.#online)
  }

  get state(): MeetingState {
    return this.#state
  }

  /** Whether the connection is away because the server said that it restarts; for as long as the state is `reconnecting`. */
  get serverRestarts(): boolean {
    return this.#restarting && this.#state === 'reconnecting'
  }

  /** How far the server's media is, as a sentence; for as long as the connection waits for that. */
  get mediaPreparing(): string | undefined {
    return this.#state === 'reconnecting' || this.#state === 'connecting' ? this.#preparing : undefined
  }

  /** Out of our own will. The devices are let go of at once. */
  async leave(): Promise<void> {
    if (this.#state === 'left') return
    this.devices.close()
    const told = this.#signalling.connected
      ? this.#signalling.request('leave').catch(() => undefined)
      : Promise.resolve()
    await Promise.race([told, new Promise((done) => setTimeout(done, LEAVE_TIMEOUT_MS))])
    this.#finish({ ...LEFT_BY_OURSELVES, error: undefined })
  }

  stats(): Promise<{ send: RTCStatsReport | undefined; receive: RTCStatsReport | undefined }> {
    return this.#media.stats()
  }

  readonly #online = (): void => {
    this.#signalling.renew()
    this.#signalling.hurry()
  }

  #setState(state: MeetingState): void {
    if (this.#state === state || this.#state === 'left') return
    this.#state = state
    this.emit('stateChanged', state)
  }

  async #enter(): Promise<void> {
    this.timings.socket ??= performance.now()
    this.#preparing = undefined
    try {
      await this.#signalling.request('requestEntry', { name: this.#options.name })
      this.#accepted?.resolve()
      if (this.#state === 'connecting' && this.sessionId === undefined) this.#setState('waiting')
    } catch (error) {
      // The server says why in a notification and closes; without one the connection was lost, and comes back.
      if (error instanceof MeetingError && error.code !== 0) this.#refusal ??= error
    }
  }

  async #join(): Promise<void> {
    this.timings.entry ??= performance.now()
    const media = this.#renewMedia()
    try {
      await media.open()
      this.timings.transports ??= performance.now()
      const request = {
        displayName: this.#options.name,
        rtpCapabilities: media.rtpCapabilities,
        mode: 'SEND_AND_RECV',
        metaData: this.#options.metaData,
        batchingEnabled: true,
      }
      await this.#signalling.request<JoinReply>('join', request, (reply) => this.#welcome(reply))
      if (media !== this.#media || media.closed) return
    } catch (error) {
      if (media !== this.#media || media.closed || !this.#signalling.connected) return
      // One who was inside comes back as soon as the server can write that down again.
      const returns = this.#state === 'reconnecting'
      const unsaved = error instanceof MeetingError && error.reason === 'STORE_UNAVAILABLE'
      if (returns && unsaved && ++this.#unsavedReturns <= MAX_UNSAVED_RETURNS) {
        setTimeout(() => this.#signalling.renew(), UNSAVED_RETURN_MS)
        return
      }
      this.#signalling.close()
      this.#finish({ ...JOIN_FAILED, error: asMeetingError(error) })
      return
    }
    this.#restarting = false
    this.#unsavedReturns = 0
    this.timings.joined ??= performance.now()
    this.#setState('joined')
    this.devices.attach(media)
  }

  #welcome(reply: JoinReply): void {
    this.self.id = reply.self.participantId
    this.self.name = reply.self.displayName
    this.self.canAdmit = reply.self.canAdmit
    this.self.canModerate = reply.self.canModerate
    this.sessionId = reply.self.sessionId
    this.#told.clear()
    this.chat.open(reply.pubSubUrl)
    // Who speaks is told again.
    this.activeSpeakerId = null
    for (const id of missing(this.participants.keys(), reply.peers)) {
      this.#forget(id, { code: 1007, message: 'UNKNOWN' })
    }
    for (const peer of reply.peers) this.#meet(peer)
  }

  /** What is on of a peer is told after it. */
  #meet(peer: Parameters<typeof newParticipant>[0]): void {
    const known = this.participants.get(peer.id)
    if (known) {
      Object.assign(known, newParticipant(peer), { streams: known.streams })
      this.emit('participantChanged', known)
      return
    }
    const participant = newParticipant(peer)
    this.participants.set(participant.id, participant)
    this.emit('participantJoined', participant)
  }

  #forget(id: string, reason: { code: number; message: string }): void {
    const participant = this.participants.get(id)
    if (!participant) return
    this.#media.forget(id)
    this.participants.delete(id)
    if (this.pinnedId === id) {
      this.pinnedId = null
      this.emit('pinChanged', null)
    }
    this.emit('participantLeft', participant, reason)
  }

  #hear(notification: Notification): void {
    // A newer server may say what is not known here.
    const handle = this.#notifications[notification.method] as
      ((notification: Notification) => void) | undefined
    handle?.(notification)
  }

  /** What is done about each thing that the server says; what nothing follows from says why. */
  #handlers(): NotificationHandlers {
    const ignored = (): void => undefined
    const settled = ({ id }: { id: string }): void => this.lobby.settle(id)
    return {
      error: ({ code, name, message }) => {
        // No refusal: the connection is about to be cut, and comes back by itself.
        if (name === 'SERVER_STOPPING') this.#restarting = true
        else if (name === 'MEDIA_PREPARING') {
          this.#signalling.tryAgainIn(PREPARING_MS)
          this.#preparing = message
          this.emit('mediaPreparing', message)
        } else if (name !== 'TOO_SLOW') this.#refusal = new MeetingError(code, name, message)
      },
      entryResponded: ({ id, sessionId }) => {
        if (id !== this.self.id || sessionId === undefined) return settled({ id })
        this.sessionId = sessionId
        void this.#join()
      },
      entryRequested: ({ id, name }) => {
        const request = { id, name }
        this.lobby.requests.set(id, request)
        this.emit('entryRequested', request)
      },
      entryWithdrawn: settled,
      newPeer: (peer) => {
        if (peer.id !== this.self.id) this.#meet(peer)
      },
      peerClosed: ({ peerId, reason }) => this.#forget(peerId, reason),
      peerModeChanged: ({ peerId, mode }) => this.#change(peerId, (participant) => (participant.mode = mode)),
      peerDisplayNameChanged: ({ peerId, displayName }) => {
        if (peerId !== this.self.id)
          return this.#change(peerId, (participant) => (participant.name = displayName))
        this.self.name = displayName
        this.emit('selfChanged', this.self)
      },
      participantMediaStateChanged: ({ peerId, kind, newState }) => {
        if (peerId !== this.self.id)
          return this.#change(peerId, (participant) => setState(participant, kind, newState))
        if (newState) this.#told.add(kind)
        else this.#told.delete(kind)
        this.#compare()
      },
      activeSpeaker: ({ peerId }) => {
        this.activeSpeakerId = peerId
        this.emit('activeSpeakerChanged', peerId)
      },
      consumerClosed: ({ consumerId }) => this.#media.drop(consumerId),
      consumerPaused: ({ consumerId }) => this.#media.setPaused(consumerId, true),
      consumerResumed: ({ consumerId }) => this.#media.setPaused(consumerId, false),
      mediaReset: () => void this.#rebuildMedia(),
      // The picture itself tells its size.
      consumerLayersChanged: ignored,
      // VP8, the first that each server offers, is what we send; nothing falls back from there.
      unsupportedCodecAdded: ignored,
      // Adaptive subscription, data channels, the realtime store and relays are only told of to clients that ask for them.
      consumerPausedSubManager: ignored,
      consumerResumedSubManager: ignored,
      dataConsumerClosed: ignored,
      realtimeStoreValueChanged: ignored,
      mediaRelayRequestReceived: ignored,
      mediaRelayRequestResponse: ignored,
      mediaRelayStarted: ignored,
      mediaRelayStopped: ignored,
      // Chat goes over a socket of its own.
      pubsubMessage: ignored,
    }
  }

  #change(id: string, change: (participant: Participant) => void): void {
    const participant = this.participants.get(id)
    if (!participant) return
    change(participant)
    this.emit('participantChanged', participant)
  }

  #requests(): ServerRequestHandlers {
    const ask =
      (device: OwnKind, accept: () => Promise<void>) =>
      ({ peerId }: { peerId: string }): void =>
        this.emit('deviceRequested', { device, from: peerId, accept, reject: () => undefined })
    return {
      newConsumer: (payload) => this.#media.consume(payload),
      disableMic: () => this.devices.disableMic(),
      disableWebcam: () => this.devices.disableCamera(),
      disableShare: () => this.devices.stopShare(),
      enableMic: ask('mic', () => this.devices.enableMic()),
      enableWebcam: ask('camera', () => this.devices.enableCamera()),
      enableShare: ask('share', () => this.devices.startShare()),
      pinStateChanged: ({ peerId, state }) => {
        const pinned = state.cam === true || state.share === true
        this.pinnedId = pinned ? peerId : this.pinnedId === peerId ? null : this.pinnedId
        this.emit('pinChanged', this.pinnedId)
      },
      switchRoom: () => undefined,
      // Our transports carry no data, so none is offered.
      newDataConsumer: () => undefined,
    }
  }

  /**
   * What we send must be what the server tells the others of us. Both change at nearly the same time; where they differ for
   * long, one of the two was missed, and all is made anew.
   */
  #compare(): void {
    const { sent } = this.devices
    const agreed = sent.size === this.#told.size && [...sent].every((kind) => this.#told.has(kind))
    if (agreed || this.#state !== 'joined') {
      clearTimeout(this.#disagreement)
      this.#disagreement = undefined
      return
    }
    this.#disagreement ??= setTimeout(() => {
      this.#disagreement = undefined
      console.warn('what is sent is not what the server says; the connection is made anew')
      this.#signalling.renew()
    }, this.#options.disagreementMs ?? DISAGREEMENT_MS)
  }

  async #rebuildMedia(): Promise<void> {
    const media = this.#renewMedia()
    try {
      await media.open()
      await this.#signalling.request('rejoinMedia', { rtpCapabilities: media.rtpCapabilities })
      if (media === this.#media) this.devices.attach(media)
    } catch (error) {
      if (media !== this.#media || media.closed) return
      console.error(error)
      this.#signalling.renew()
    }
  }

  /** What was sent and received ends here. */
  #closeMedia(): void {
    this.devices.detach()
    this.#media.close()
  }

  #renewMedia(): Media {
    this.#closeMedia()
    return (this.#media = this.#newMedia())
  }

  #mediaLost(media: Media, atOnce: boolean): void {
    const renew = (): void => {
      if (media === this.#media && this.#state === 'joined') this.#signalling.renew()
    }
    if (atOnce) renew()
    else setTimeout(renew, REPLACEMENT_MS)
  }

  #lost(): void {
    // Before the state changes: whoever shows the lobby looks at it then.
    this.lobby.requests.clear()
    if (this.#state === 'joined') this.#setState('reconnecting')
    else if (this.#state === 'waiting') this.#setState('connecting')
    this.#closeMedia()
    this.chat.close()
  }

  #newMedia(): Media {
    const { iceServers, newDevice } = this.#options
    const media: Media = new Media({
      request: (method, data) => this.#signalling.request(method, data),
      iceServers,
      ...(newDevice && { newDevice }),
      onState: (direction, state) => {
        if (state !== 'connected') return
        if (direction === 'send') this.timings.sendConnected ??= performance.now()
        else this.timings.receiveConnected ??= performance.now()
      },
      onStream: (stream) => {
        const participant = this.participants.get(stream.participantId)
        if (!participant) return
        participant.streams.set(stream.id, stream)
        this.emit('streamAdded', stream, participant)
      },
      onStreamGone: (stream) => {
        const participant = this.participants.get(stream.participantId)
        if (!participant?.streams.delete(stream.id)) return
        this.emit('streamRemoved', stream, participant)
      },
      onStreamChanged: (stream) => {
        const participant = this.participants.get(stream.participantId)
        if (participant) this.emit('streamChanged', stream, participant)
      },
      onLost: (atOnce) => this.#mediaLost(media, atOnce),
    })
    return media
  }

  #finish(reason: LeftReason): void {
    if (this.#state === 'left') return
    this.devices.close()
    this.#signalling.close()
    this.#media.close()
    this.chat.close()
    clearTimeout(this.#disagreement)
    globalThis.removeEventListener('online', this.#online)
    this.#accepted?.reject(
      reason.error ?? new MeetingError(reason.code, reason.message, 'The meeting was left.'),
    )
    this.#setState('left')
    this.emit('left', reason)
  }
}

function asMeetingError(error: unknown): MeetingError {
  if (error instanceof MeetingError) return error
  return new MeetingError(0, 'MEDIA_FAILED', 'This browser could not set up the media of the meeting.', error)
}
