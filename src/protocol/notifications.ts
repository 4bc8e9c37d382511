/**
 * What the server sends without being asked (contract, signalling §2.4, §4.2 and §4.3). The types follow from the schemas,
 * which also generate `/asyncapi.json` and `docs/wire.md`. Tests check what is sent against them; the server does not.
 * `mediaReset`, `entryWithdrawn`, `entryQueued`, `rulesChanged`, `pollChanged`, `pollVoted`, `timerChanged`, `breakoutsChanged`, `breakoutAnnounced`
 * and `authorityChanged` are ours; published clients ignore methods they do not know.
 */
import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { MediaKind, RtpParameters, SctpStreamParameters, StreamKind } from './media.ts'
import { modeNames, type Mode } from './modes.ts'
import { Breakouts } from './breakouts.ts'
import { Poll, Vote } from './polls.ts'
import { Rules } from './rules.ts'
import type { LeaveReason } from './leave-reasons.ts'

const Text = Type.String()
/** Null stands for nobody or nothing. */
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const AppData = Type.Record(Type.String(), Type.Unknown())
const ModeName = Type.Unsafe<Mode>(
  Type.Enum([...modeNames], { description: 'CONFERENCE or VIEWER to a client that uses the old names.' }),
)
const Reason = Type.Unsafe<LeaveReason>(Type.Object({ code: Type.Integer(), message: Text }))
const StreamType = Type.String({ description: '`simple`, `simulcast` or `svc`.' })

/** A participant as seen by the others: in `join.peers` and, flat, in `newPeer`. */
export const Peer = Type.Object({
  id: Text,
  displayName: Text,
  mode: ModeName,
  metaData: AppData,
})
export type Peer = Static<typeof Peer>

const EntryDecision = Type.Union([Type.Literal('allowed'), Type.Literal('denied')])
export type EntryDecision = Static<typeof EntryDecision>

const PausedByServer = Type.Object({ peerId: Text, consumerId: Text, kind: StreamKind, reason: Text })

const Nothing = Type.Object({})
const OutputStatus = Type.String({
  description:
    'The output and its state, such as `RECORDING_STARTED`: `STARTING`, `STARTED`, `STOPPING` or `STOPPED`.',
})
const State = Type.Object({ status: OutputStatus })
/** `downstreamUrl` is an older name of `playbackHlsUrl`. */
const HlsAddresses = Type.Object({ playbackHlsUrl: Text, livestreamUrl: Text, downstreamUrl: Text })

/** The fields of each notification, beside its `method`. */
export const notifications = {
  error: Type.Object({ code: Type.Integer(), name: Text, message: Text }),
  entryRequested: Type.Object({
    id: Text,
    name: Text,
    message: Type.Optional(Type.String({ description: 'What the person wrote; absent if nothing.' })),
  }),
  /** The request is no longer open: answered, withdrawn or timed out. */
  entryWithdrawn: Type.Object({ id: Text }),
  /** Sent to one who waits: how many asked before, whenever that changes. Says nothing about who. */
  entryQueued: Type.Object({ before: Type.Integer() }),
  entryResponded: Type.Object({
    id: Text,
    decision: EntryDecision,
    sessionId: Type.Optional(Text),
    switchingRoomId: Type.Optional(
      Type.String({ description: 'The meeting that a `switchToMeeting` leads to.' }),
    ),
    canModerate: Type.Optional(Type.Boolean()),
    canAdmit: Type.Optional(Type.Boolean()),
  }),
  newPeer: Peer,
  peerClosed: Type.Object({ peerId: Text, reason: Reason }),
  participantMediaStateChanged: Type.Object({ peerId: Text, kind: StreamKind, newState: Type.Boolean() }),
  consumerClosed: Type.Object({ consumerId: Text }),
  consumerPaused: Type.Object({ consumerId: Text }),
  consumerResumed: Type.Object({ consumerId: Text }),
  consumerLayersChanged: Type.Object({
    consumerId: Text,
    spatialLayer: nullable(Type.Integer()),
    temporalLayer: nullable(Type.Integer()),
  }),
  activeSpeaker: Type.Object({ peerId: nullable(Text) }),
  peerModeChanged: Type.Object({ peerId: Text, mode: ModeName }),
  peerDisplayNameChanged: Type.Object({ peerId: Text, displayName: Text, oldDisplayName: Text }),
  dataConsumerClosed: Type.Object({ dataConsumerId: Text }),
  realtimeStoreValueChanged: Type.Object({ key: Text, value: nullable(Text), updatedBy: Text }),
  unsupportedCodecAdded: Type.Object({ codec: Text, consumerPeerId: Text }),
  consumerPausedSubManager: PausedByServer,
  consumerResumedSubManager: PausedByServer,
  mediaRelayRequestReceived: Type.Object({ peerId: Text, meetingId: Text, displayName: Text }),
  mediaRelayRequestResponse: Type.Object({ decision: Text, decidedBy: Text, meetingId: Text }),
  mediaRelayStarted: Type.Object({ meetingId: Text }),
  mediaRelayStopped: Type.Object({ meetingId: Text, reason: Text }),
  /** Chat, for clients before 1.0. */
  pubsubMessage: Type.Object({
    id: Text,
    topic: Text,
    message: Text,
    payload: Type.Optional(Type.Unknown()),
    senderId: Text,
    senderName: Text,
    timestamp: Type.String({ description: 'ISO 8601.' }),
  }),
  recordingStateChanged: State,
  recordingStarted: Nothing,
  recordingStopped: Nothing,
  livestreamStateChanged: State,
  livestreamStarted: Nothing,
  livestreamStopped: Nothing,
  /** With the addresses from HLS_STARTED on. */
  hlsStateChanged: Type.Object({ status: OutputStatus, ...Type.Partial(HlsAddresses).properties }),
  hlsPlayableStateChanged: Type.Object({ isPlayable: Type.Literal(true), ...HlsAddresses.properties }),
  hlsStarted: Type.Object({ downstreamUrl: Text }),
  hlsStopped: Nothing,
  transcriptionStateChanged: Type.Object({ status: OutputStatus, id: Text }),
  transcriptionText: Type.Object({
    id: Text,
    participantId: Text,
    participantName: Text,
    text: Text,
    timestamp: Type.Integer({ description: 'When it was said; ms since the epoch.' }),
    type: Type.Union([Type.Literal('partial'), Type.Literal('final')]),
  }),
  /** The address of the page for everybody; it holds the credential for it. */
  whiteboardStarted: Type.Object({ url: Text }),
  whiteboardStopped: Nothing,
  /** What moderators decided, and who moderates besides those whose tokens say so. */
  rulesChanged: Type.Object({ ...Rules.properties, coHosts: Type.Array(Text) }),
  /** A poll was opened or has ended; all polls, to those who join. */
  pollChanged: Type.Object({ poll: Poll }),
  /** Somebody voted, or changed the vote; `vote` is absent if the poll is anonymous. */
  pollVoted: Type.Object({
    pollId: Text,
    counts: Type.Array(Type.Integer()),
    voters: Type.Integer(),
    vote: Type.Optional(Vote),
  }),
  /** Null: there is none. What is left is told rather than an instant, because clocks differ. */
  timerChanged: Type.Object({
    timer: nullable(Type.Object({ totalMs: Type.Integer(), leftMs: Type.Integer(), paused: Type.Boolean() })),
  }),
  /** The breakout rooms; null: there are none any more. */
  breakoutsChanged: Type.Object({ breakouts: nullable(Breakouts) }),
  /** Sent to those in breakout rooms: what a moderator says to all of them. */
  breakoutAnnounced: Type.Object({ name: Text, message: Text }),
  /** What the receiver may do from now on. */
  authorityChanged: Type.Object({ canModerate: Type.Boolean(), canAdmit: Type.Boolean() }),
  /** The media worker died and was replaced: build transports again. */
  mediaReset: Type.Object({}),
} as const satisfies Record<string, TObject>

type NotificationMethod = keyof typeof notifications
export type Notification = {
  [M in NotificationMethod]: { method: M } & Static<(typeof notifications)[M]>
}[NotificationMethod]

const Asked = Type.Object({ peerId: Text })

/** Events that the server sends and that the client acknowledges. */
export const serverRequests = {
  newConsumer: Type.Object({
    peerId: Text,
    producerId: Text,
    id: Text,
    kind: MediaKind,
    rtpParameters: RtpParameters,
    type: StreamType,
    appData: AppData,
    producerPaused: Type.Boolean(),
  }),
  newDataConsumer: Type.Object({
    peerId: Text,
    dataProducerId: Text,
    id: Text,
    sctpStreamParameters: SctpStreamParameters,
    label: Text,
    protocol: Text,
    appData: AppData,
  }),
  switchRoom: Type.Object({
    roomId: Text,
    token: nullable(Text),
    payload: Type.Optional(Type.Unknown()),
    peerId: Text,
  }),
  enableMic: Asked,
  disableMic: Asked,
  enableWebcam: Asked,
  disableWebcam: Asked,
  enableShare: Asked,
  disableShare: Asked,
  pinStateChanged: Type.Object({
    peerId: Text,
    state: Type.Object({ cam: Type.Optional(Type.Boolean()), share: Type.Optional(Type.Boolean()) }),
    pinnedBy: Text,
  }),
} as const satisfies Record<string, TObject>

export type ServerRequests = { [E in keyof typeof serverRequests]: Static<(typeof serverRequests)[E]> }

/** The answer to `join`. `peers` and `messages` must be there for the published client. */
export const JoinReply = Type.Object({
  peers: Type.Array(Peer),
  messages: Type.Array(Type.Unknown()),
  poll: Type.Array(Type.Unknown()),
  unsupportedCodecs: Type.Array(Text),
  pubSubUrl: Type.Optional(Type.String({ description: 'Where chat is, with the credential for it.' })),
  meetingId: Text,
  self: Type.Object({
    participantId: Text,
    displayName: Text,
    canModerate: Type.Boolean(),
    canAdmit: Type.Boolean(),
    sessionId: Text,
  }),
})
export type JoinReply = Static<typeof JoinReply>
