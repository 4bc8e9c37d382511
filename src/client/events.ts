/** What a meeting is made from, and what it tells. */
import type { DevicesOptions, OwnKind } from './devices.ts'
import type { DeviceError, MeetingError } from './errors.ts'
import type { EntryRequest } from './lobby.ts'
import type { MediaOptions } from './media.ts'
import type { Participant, Stream } from './participant.ts'

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

/** Tells whoever listens to the meeting. */
export type Tell = <E extends keyof MeetingEvents>(event: E, ...values: MeetingEvents[E]) => void
