/** A meeting as one participant lives it: waiting, joining, being inside, coming back, leaving. */
import type { JoinReply, Notification, ServerRequests } from '../protocol/notifications.ts'
import type { StreamKind } from '../protocol/media.ts'
import { Chat } from './chat.ts'
import { Devices } from './devices.ts'
import { Emitter } from './emitter.ts'
import { MeetingError, type DeviceError } from './errors.ts'
import { Lobby, type EntryRequest } from './lobby.ts'
import { Media } from './media.ts'
import { Moderation } from './moderation.ts'
import { missing, newParticipant, type Participant, type Stream } from './participant.ts'
import { Signalling } from './signalling.ts'

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
  device: 'mic' | 'camera' | 'share'
  /** participantId of who asks. */
  from: string
  accept(): Promise<void>
  reject(): void
}

export interface MeetingEvents {
  stateChanged: [state: MeetingState]
  participantJoined: [participant: Participant]
  participantLeft: [participant: Participant, reason: { code: number; message: string }]
  /** Name, mode, or what is on. */
  participantChanged: [participant: Participant]
  streamAdded: [stream: Stream, participant: Participant]
  streamRemoved: [stream: Stream, participant: Participant]
  streamChanged: [stream: Stream, participant: Participant]
  activeSpeakerChanged: [participantId: string | null]
  pinChanged: [participantId: string | null]
  entryRequested: [request: EntryRequest]
  /** It waits no more: answered, withdrawn or timed out. */
  entrySettled: [id: string]
  deviceRequested: [request: DeviceRequest]
  /** Own devices or what is sent of them. */
  devicesChanged: []
  deviceProblem: [error: DeviceError]
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
}

const LEFT_BY_OURSELVES = { code: 1101, message: 'MANUAL_LEAVE_CALLED' }
const GAVE_UP = { code: 1102, message: 'WEBSOCKET_CONNECTION_ATTEMPTS_EXHAUSTED' }
const JOIN_FAILED = { code: 1103, message: 'JOIN_ROOM_FAILED' }
/** For the server to hear that we leave, before the connection ends. */
const LEAVE_TIMEOUT_MS = 500
/** How soon, and how often, one who was inside tries again while the server can save nothing. */
const UNSAVED_RETURN_MS = 2000
const MAX_UNSAVED_RETURNS = 150

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
  #media: Media
  #state: MeetingState = 'connecting'
  #refusal: MeetingError | undefined
  #restarting = false
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
    this.lobby = new Lobby((id, decision) => request('respondEntry', { id, decision }))
    this.moderation = new Moderation(request)
    this.devices = new Devices({
      mic: options.mic,
      camera: options.camera,
      send: (kind, track) => this.#media.send(kind, track),
      replace: (kind, track) => this.#media.replace(kind, track),
      stop: (kind) => this.#media.stop(kind),
      onChange: () => this.emit('devicesChanged'),
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
        request: (event, payload) => this.#answer(event, payload),
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

  /** Out of our own will. The devices are let go of. */
  async leave(): Promise<void> {
    if (this.#state === 'left') return
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
    this.#media.close()
    const media = (this.#media = this.#newMedia())
    try {
      await media.open()
      this.timings.transports ??= performance.now()
      const reply = await this.#signalling.request<JoinReply>('join', {
        displayName: this.#options.name,
        rtpCapabilities: media.rtpCapabilities,
        mode: 'SEND_AND_RECV',
        metaData: this.#options.metaData,
        batchingEnabled: true,
      })
      this.#welcome(reply)
    } catch (error) {
      if (media !== this.#media || !this.#signalling.connected) return
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
    await this.devices.resume().catch((error: unknown) => console.error(error))
  }

  #welcome(reply: JoinReply): void {
    this.self.id = reply.self.participantId
    this.self.name = reply.self.displayName
    this.self.canAdmit = reply.self.canAdmit
    this.self.canModerate = reply.self.canModerate
    this.sessionId = reply.self.sessionId
    this.chat.open(reply.pubSubUrl)
    for (const id of missing(this.participants.keys(), reply.peers)) {
      this.#forget(id, { code: 1007, message: 'UNKNOWN' })
    }
    for (const peer of reply.peers) this.#meet(peer)
  }

  #meet(peer: Parameters<typeof newParticipant>[0]): void {
    const known = this.participants.get(peer.id)
    if (known) {
      known.name = peer.displayName
      known.mode = peer.mode
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
    this.participants.delete(id)
    if (this.pinnedId === id) {
      this.pinnedId = null
      this.emit('pinChanged', null)
    }
    this.emit('participantLeft', participant, reason)
  }

  #hear(notification: Notification): void {
    switch (notification.method) {
      case 'error':
        // No refusal: the connection is about to be cut, and comes back by itself.
        if (notification.name === 'SERVER_STOPPING') {
          this.#restarting = true
          return
        }
        if (notification.name === 'TOO_SLOW') return
        this.#refusal = new MeetingError(notification.code, notification.name, notification.message)
        return
      case 'entryResponded':
        if (notification.id === this.self.id && notification.sessionId !== undefined) {
          this.sessionId = notification.sessionId
          void this.#join()
        } else if (this.lobby.requests.delete(notification.id)) this.emit('entrySettled', notification.id)
        return
      case 'entryRequested': {
        const request = { id: notification.id, name: notification.name }
        this.lobby.requests.set(request.id, request)
        this.emit('entryRequested', request)
        return
      }
      case 'entryWithdrawn':
        if (this.lobby.requests.delete(notification.id)) this.emit('entrySettled', notification.id)
        return
      case 'newPeer':
        if (notification.id !== this.self.id) this.#meet(notification)
        return
      case 'peerClosed':
        this.#forget(notification.peerId, notification.reason)
        return
      case 'participantMediaStateChanged':
        this.#mediaState(notification.peerId, notification.kind, notification.newState)
        return
      case 'consumerClosed':
        this.#media.drop(notification.consumerId)
        return
      case 'consumerPaused':
      case 'consumerResumed': {
        const stream = this.#media.setPaused(
          notification.consumerId,
          notification.method === 'consumerPaused',
        )
        const owner = stream && this.participants.get(stream.participantId)
        if (stream && owner) this.emit('streamChanged', stream, owner)
        return
      }
      case 'activeSpeaker':
        this.activeSpeakerId = notification.peerId
        this.emit('activeSpeakerChanged', notification.peerId)
        return
      case 'peerModeChanged': {
        const participant = this.participants.get(notification.peerId)
        if (!participant) return
        participant.mode = notification.mode
        this.emit('participantChanged', participant)
        return
      }
      case 'mediaReset':
        void this.#rebuildMedia()
        return
      default:
        return
    }
  }

  #mediaState(id: string, kind: StreamKind, on: boolean): void {
    const participant = this.participants.get(id)
    if (!participant) return
    if (kind === 'audio') participant.micOn = on
    else if (kind === 'video') participant.cameraOn = on
    else if (kind === 'share') participant.shareOn = on
    this.emit('participantChanged', participant)
  }

  async #answer(event: string, payload: never): Promise<void> {
    switch (event) {
      case 'newConsumer':
        return this.#media.consume(payload)
      case 'disableMic':
        return this.devices.disableMic()
      case 'disableWebcam':
        return this.devices.disableCamera()
      case 'disableShare':
        return this.devices.stopShare()
      case 'enableMic': {
        this.#deviceRequested('mic', payload, () => this.devices.enableMic())
        return
      }
      case 'enableWebcam': {
        this.#deviceRequested('camera', payload, () => this.devices.enableCamera())
        return
      }
      case 'enableShare': {
        this.#deviceRequested('share', payload, () => this.devices.startShare())
        return
      }
      case 'pinStateChanged': {
        const { peerId, state } = payload as ServerRequests['pinStateChanged']
        const pinned = state.cam === true || state.share === true
        this.pinnedId = pinned ? peerId : this.pinnedId === peerId ? null : this.pinnedId
        this.emit('pinChanged', this.pinnedId)
        return
      }
      default:
        return
    }
  }

  #deviceRequested(
    device: DeviceRequest['device'],
    payload: { peerId: string },
    accept: () => Promise<void>,
  ): void {
    this.emit('deviceRequested', { device, from: payload.peerId, accept, reject: () => undefined })
  }

  async #rebuildMedia(): Promise<void> {
    this.#media.close()
    const media = (this.#media = this.#newMedia())
    try {
      await media.open()
      await this.#signalling.request('rejoinMedia', { rtpCapabilities: media.rtpCapabilities })
      await this.devices.resume()
    } catch (error) {
      console.error(error)
      if (media === this.#media) this.#signalling.renew()
    }
  }

  #lost(): void {
    if (this.#state === 'joined') this.#setState('reconnecting')
    else if (this.#state === 'waiting') this.#setState('connecting')
    this.#media.close()
    this.chat.close()
    this.lobby.requests.clear()
  }

  #newMedia(): Media {
    return new Media({
      signalling: this.#signalling,
      iceServers: this.#options.iceServers,
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
    })
  }

  #finish(reason: LeftReason): void {
    if (this.#state === 'left') return
    this.#signalling.close()
    this.#media.close()
    this.chat.close()
    this.devices.close()
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
