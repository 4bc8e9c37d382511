/** The options and the events of a meeting. */
import type { Rules } from '../protocol/rules.ts'
import type { DevicesOptions, OwnKind } from './devices.ts'
import type { Encryption } from './encryption/encryption.ts'
import type { DeviceError, MeetingError } from './errors.ts'
import type { EntryRequest } from './lobby.ts'
import type { MediaOptions } from './media.ts'
import type { Caption, OutputName, OutputState } from './output-state.ts'
import type { Poll } from './polls.ts'
import type { AnyStream, Participant, Stream } from './participant.ts'

export type MeetingState = 'connecting' | 'waiting' | 'joined' | 'reconnecting' | 'left'

/** Why the meeting ended for us. Codes: contract, rest-and-tokens §5.5. */
export interface LeftReason {
  code: number
  message: string
  /** The server's refusal, if that is the reason. */
  error: MeetingError | undefined
}

/** A moderator asks us to send a stream. Nothing is sent until `accept()`. */
export interface DeviceRequest {
  device: OwnKind
  /** The participantId of the moderator. */
  from: string
  accept(): Promise<void>
  reject(): void
}

/** Where a moderator, or the server, asks us to go. */
export interface SwitchRequest {
  meetingId: string
  /** The token to enter with; undefined: the one that we first came with. */
  token: string | undefined
  /** What the sender added; of a breakout room `BreakoutSwitch`. */
  payload: unknown
  /** The participantId of the moderator, or `server`. */
  from: string
}

export interface MeetingEvents<S extends AnyStream = Stream> {
  stateChanged: [state: MeetingState]
  /** How many people asked to join before us and still wait; `meeting.queuedBehind` has it too. */
  queueChanged: [before: number]
  /** The server is back but still prepares its media, and the meeting waits for it. The message tells the progress. */
  mediaPreparing: [message: string]
  participantJoined: [participant: Participant<S>]
  participantLeft: [participant: Participant<S>, reason: { code: number; message: string }]
  /** The name, the mode, or what is on has changed. */
  participantChanged: [participant: Participant<S>]
  /** Our own name has changed; a backend or another client may change it. */
  selfChanged: [self: Self]
  streamAdded: [stream: S, participant: Participant<S>]
  streamRemoved: [stream: S, participant: Participant<S>]
  streamChanged: [stream: S, participant: Participant<S>]
  activeSpeakerChanged: [participantId: string | null]
  pinChanged: [participantId: string | null]
  entryRequested: [request: EntryRequest]
  /** The request no longer waits: it was answered, withdrawn, or timed out. */
  entrySettled: [id: string]
  deviceRequested: [request: DeviceRequest]
  /** Our devices, the wishes for them, or their streams have changed. */
  devicesChanged: []
  /** A device that no call waits for could not be opened, or the server refused its stream. It is off. */
  deviceProblem: [error: DeviceError | MeetingError]
  /** A recording, a broadcast or the transcription starts or stops. */
  outputChanged: [name: OutputName, state: OutputState]
  /** A recording, a broadcast or the transcription ended because of an error; the meeting continues. */
  outputFailed: [error: MeetingError]
  /** A moderator changed what the others may do, or who moderates too. */
  rulesChanged: [rules: MeetingRules]
  /** A moderator started, paused or stopped the timer. */
  timerChanged: [timer: Timer | undefined]
  /** The breakout rooms, or who is in them, have changed; `meeting.breakouts.rooms` has it too. */
  breakoutsChanged: []
  /** A moderator says something to all breakout rooms. */
  breakoutAnnounced: [announcement: { name: string; text: string }]
  /** We are asked to go to another meeting, such as a breakout room or back from it. Nothing happens by itself. */
  switchRequested: [to: SwitchRequest]
  /** A poll was opened, somebody voted, or it has ended. */
  pollChanged: [poll: Poll]
  /** A piece of transcribed speech. */
  captionHeard: [caption: Caption]
  left: [reason: LeftReason]
}

/** A time that runs out for all. */
export interface Timer {
  totalMs: number
  /** In ms of `performance.now()` of this page; means nothing while it is paused. */
  endsAt: number
  /** What is left while it is paused; undefined while it runs. */
  pausedLeftMs: number | undefined
}

/** What moderators decided for this session. */
export interface MeetingRules extends Rules {
  /** The participantIds of those who moderate for this session, besides those whose tokens say so. */
  coHosts: readonly string[]
}

export interface Self {
  id: string
  name: string
  /** Whether we may answer entry requests. */
  canAdmit: boolean
  canModerate: boolean
}

/** Times of the steps of joining, in ms of `performance.now()`. */
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

export interface CoreOptions {
  url: string
  path: string
  token: string
  meetingId: string
  participantId: string
  name: string
  metaData: Record<string, unknown>
  message?: string
  iceServers: RTCIceServer[]
  /** Asks again when one who waited is let in, if `iceServers` is empty. */
  iceServersOnceAdmitted?: () => Promise<RTCIceServer[]>
  /** The id of the call that returned the socket's address, to connect them in the server's log. */
  requestId?: string | undefined
  timings: Timings
  /** How long our streams may differ from the server's view before everything is rebuilt. Default 10 s. */
  disagreementMs?: number
}

export interface MeetingOptions extends CoreOptions {
  mic: MediaStreamTrack | boolean
  camera: MediaStreamTrack | boolean
  encryption?: Encryption | undefined
  /** The address of the server's REST, for files; default: none can be shared. */
  filesUrl?: string
  maxFileBytes?: number
  /** Replaces the browser's own devices. */
  openDevice?: NonNullable<DevicesOptions['open']>
  processTrack?: NonNullable<DevicesOptions['processTrack']>
  newDevice?: NonNullable<MediaOptions['newDevice']>
}

/** Emits an event of the meeting. */
export type Tell<S extends AnyStream = Stream> = <E extends keyof MeetingEvents<S>>(
  event: E,
  ...values: MeetingEvents<S>[E]
) => void
