/**
 * The requests of a connection: each method, the states in which it may be sent, and the shape of its data.
 * Names and shapes: contract, signalling §4.1. Unknown fields are ignored, as upstream does.
 */
import { Type, type Static, type TSchema } from 'typebox'
import {
  DtlsParameters,
  MediaKind,
  PreferredProtocol,
  RtpCapabilities,
  RtpParameters,
  SctpCapabilities,
  SctpStreamParameters,
  StreamKind,
} from './media.ts'
import { Announcement, NewBreakouts } from './breakouts.ts'
import { Choices, NewPoll } from './polls.ts'
import { Rules } from './rules.ts'
import { StartHls, StartLivestream, StartRecording, StartTranscription } from './outputs.ts'

/**
 * - `arrived`: the token is valid; nothing was requested yet
 * - `waiting`: in the lobby
 * - `admitted`: may set up its media, and join
 * - `inside`: a participant, seen by the others
 * - `gone`
 */
export type ConnectionState = 'arrived' | 'waiting' | 'admitted' | 'inside' | 'gone'

const Id = Type.String({ minLength: 1, maxLength: 128 })
const Name = Type.String({ maxLength: 256 })
const Empty = Type.Object({})
const Peer = Type.Object({ peerId: Id })
const ConsumerId = Type.Object({ consumerId: Id })
const ProducerId = Type.Object({ producerId: Id })
const TransportId = Type.Object({ transportId: Id })
const Topic = Type.String({ minLength: 1, maxLength: 256 })
const Key = Type.String({ minLength: 1, maxLength: 256 })
const ConsumerKinds = Type.Union([Type.Literal('all'), StreamKind])
/** With an underscore here and nowhere else (contract, signalling §4.1). */
const RelayKind = Type.Union([...StreamKind.anyOf, Type.Literal('share_audio')])
/** The app's own data, passed on unread; `meeting/app-json.ts` limits its size. */
const AppData = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), { maxProperties: 64 })

/** The client's description of its device, browser and SDK; recorded with the stay. */
const DeviceInfo = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 32 })

const always: ConnectionState[] = ['arrived', 'waiting', 'admitted', 'inside']
const within: ConnectionState[] = ['admitted', 'inside']
const inside: ConnectionState[] = ['inside']

export const requests = {
  requestEntry: {
    states: ['arrived'],
    data: Type.Object({
      name: Type.Optional(Type.Union([Name, Type.Null()])),
      message: Type.Optional(
        Type.String({ maxLength: 200, description: 'Of one who asks, for those who let people in.' }),
      ),
    }),
  },
  definePeerLeftReason: {
    states: always,
    data: Type.Object({ leaveReason: Type.Optional(Name) }),
    alwaysAnswered: true,
  },
  /** Keep-alive of protoo clients, every 2 s; answered in every state (contract, older-clients §2.1). */
  ping: { states: always, data: Empty, alwaysAnswered: true },
  leave: { states: always, data: Empty },

  getRouterRtpCapabilities: { states: within, data: Empty },
  createWebRtcTransport: {
    states: within,
    opensMedia: true,
    data: Type.Object({
      preferredProtocol: Type.Optional(PreferredProtocol),
      producing: Type.Boolean(),
      consuming: Type.Boolean(),
      sctpCapabilities: Type.Optional(SctpCapabilities),
    }),
  },
  connectWebRtcTransport: {
    states: within,
    data: Type.Object({ transportId: Id, dtlsParameters: DtlsParameters }),
  },
  /** Sent inside a meeting, it completes a `switchToMeeting` (contract, signalling §4.5). */
  join: {
    states: within,
    data: Type.Object({
      displayName: Type.Optional(Type.Union([Name, Type.Null()])),
      rtpCapabilities: Type.Optional(RtpCapabilities),
      mode: Type.Optional(Name),
      autoConsume: Type.Optional(Type.Boolean()),
      metaData: Type.Optional(Type.Union([AppData, Type.Null()])),
      batchingEnabled: Type.Optional(Type.Boolean()),
      deviceInfo: Type.Optional(Type.Union([DeviceInfo, Type.Null()])),
      switchingRoom: Type.Optional(Type.Boolean()),
    }),
  },

  produce: {
    states: inside,
    opensMedia: true,
    data: Type.Object({
      transportId: Id,
      kind: MediaKind,
      rtpParameters: RtpParameters,
      appData: Type.Optional(AppData),
    }),
  },
  closeProducer: { states: inside, data: ProducerId, alwaysAnswered: true },
  pauseProducer: { states: inside, data: ProducerId },
  resumeProducer: { states: inside, data: ProducerId },
  produceError: { states: inside, data: Type.Object({ mediaType: Type.Optional(Name) }) },
  pauseConsumer: { states: inside, data: ConsumerId },
  resumeConsumer: { states: inside, data: ConsumerId },
  setConsumerPreferredLayers: {
    states: inside,
    data: Type.Object({
      consumerId: Id,
      spatialLayer: Type.Integer({ minimum: 0, maximum: 31 }),
      temporalLayer: Type.Optional(Type.Integer({ minimum: 0, maximum: 31 })),
    }),
  },
  requestConsumerKeyFrame: { states: inside, data: ConsumerId },
  restartIce: { states: within, data: TransportId },
  getTransportStats: {
    states: inside,
    data: Type.Object({ peerId: Type.Optional(Id), transportId: Type.Optional(Id) }),
  },
  /** What a client sees of its own device while that does not keep up. */
  reportDevice: {
    states: inside,
    data: Type.Object({
      framesPercentDropped: Type.Number({
        minimum: 0,
        maximum: 100,
        description:
          'Of the frames of one picture that arrived, those not shown because decoding came too late.',
      }),
      encodesTooSlowly: Type.Boolean({
        description: 'Whether the browser sends a smaller picture because its processor is busy.',
      }),
    }),
  },
  produceData: {
    states: inside,
    opensMedia: true,
    data: Type.Object({
      transportId: Id,
      sctpStreamParameters: SctpStreamParameters,
      label: Type.Optional(Name),
      protocol: Type.Optional(Name),
      appData: Type.Optional(AppData),
    }),
  },
  pauseAllConsumers: { states: inside, data: Type.Object({ kind: Type.Optional(ConsumerKinds) }) },
  resumeAllConsumers: { states: inside, data: Type.Object({ kind: Type.Optional(ConsumerKinds) }) },
  consumeAudioStreams: { states: inside, data: Peer },
  consumeVideoStreams: { states: inside, data: Peer },
  stopConsumingAudioStreams: { states: inside, data: Peer, alwaysAnswered: true },
  stopConsumingVideoStreams: { states: inside, data: Peer, alwaysAnswered: true },
  setConsumerPriority: {
    states: inside,
    data: Type.Object({ consumerId: Id, priority: Type.Integer({ minimum: 1, maximum: 255 }) }),
  },
  enableAdaptiveSubscription: { states: inside, data: Empty },
  disableAdaptiveSubscription: { states: inside, data: Empty },
  iceRestarted: { states: within, data: TransportId },
  getDataProducerStats: { states: inside, data: Type.Object({ dataProducerId: Id }) },
  getDataConsumerStats: { states: inside, data: Type.Object({ dataConsumerId: Id }) },
  changeMode: { states: inside, data: Type.Object({ mode: Name }) },
  rejoinMedia: { states: inside, opensMedia: true, data: Type.Object({ rtpCapabilities: RtpCapabilities }) },

  respondEntry: {
    states: inside,
    data: Type.Object({
      id: Id,
      decision: Type.Union([Type.Literal('allowed'), Type.Literal('denied')]),
      /** Ours. The next time, this person need not ask. */
      always: Type.Optional(Type.Boolean()),
    }),
  },

  liftRemoval: { states: inside, data: Peer },

  changeDisplayName: { states: inside, data: Type.Object({ displayName: Name }) },
  switchToMeeting: {
    states: inside,
    data: Type.Object({
      meetingId: Type.String({ minLength: 1, maxLength: 256 }),
      participantId: Type.Optional(Id),
      secret: Type.String({ maxLength: 8192 }),
    }),
  },
  switchPeerRoom: {
    states: inside,
    data: Type.Object({
      peerId: Id,
      roomId: Type.String({ minLength: 1, maxLength: 256 }),
      token: Type.Optional(Type.Union([Type.String({ maxLength: 8192 }), Type.Null()])),
      payload: Type.Optional(Type.Unknown()),
    }),
  },

  /** Chat of clients before 1.0 (contract, older-clients §5). The chat limits its size. */
  pubsubSubscribe: { states: inside, data: Type.Object({ topic: Topic }) },
  pubsubUnsubscribe: { states: inside, data: Type.Object({ topic: Topic }), alwaysAnswered: true },
  pubsubPublish: {
    states: inside,
    data: Type.Object({
      topic: Topic,
      /** Any JSON; from 0.5.2 on, the SDK requires a text. */
      message: Type.Optional(Type.Unknown()),
      options: Type.Optional(
        Type.Union([
          Type.Object({
            persist: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
            sendOnly: Type.Optional(Type.Union([Type.Array(Id, { maxItems: 1000 }), Type.Null()])),
          }),
          Type.Null(),
        ]),
      ),
      payload: Type.Optional(Type.Unknown()),
    }),
  },

  realtimeStoreSet: {
    states: inside,
    data: Type.Object({
      key: Key,
      /** The realtime store limits its size and refuses it with its own code. */
      value: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    }),
  },
  realtimeStoreGet: { states: inside, data: Type.Object({ key: Key }) },
  realtimeStoreObserve: { states: inside, data: Type.Object({ key: Key }) },
  realtimeStoreStopObserve: { states: inside, data: Type.Object({ key: Key }) },

  mediaRelayRequestSent: {
    states: inside,
    data: Type.Object({
      meetingId: Type.String({ minLength: 1, maxLength: 256 }),
      secret: Type.String({ maxLength: 8192 }),
      kinds: Type.Optional(Type.Array(RelayKind, { maxItems: 8 })),
    }),
  },
  respondToMediaRelayRequest: {
    states: inside,
    data: Type.Object({ decision: Name, decidedBy: Type.Optional(Id), peerId: Id, meetingId: Id }),
  },
  mediaRelayRequestStop: { states: inside, data: Type.Object({ meetingId: Id }) },
  enableRelayMedia: { states: inside, data: Type.Object({ meetingId: Id, kind: RelayKind }) },
  disableRelayMedia: { states: inside, data: Type.Object({ meetingId: Id, kind: RelayKind }) },

  closeRoom: { states: inside, data: Empty },
  /** `mayReturn`: the participant may join again, and asks again if the token asks. */
  removePeer: {
    states: inside,
    data: Type.Object({ peerId: Id, mayReturn: Type.Optional(Type.Boolean()) }),
  },
  /** Stops the streams of this kind of everybody else; screen audio goes with the screen. */
  stopAll: {
    states: inside,
    data: Type.Object({
      kind: Type.Union([Type.Literal('audio'), Type.Literal('video'), Type.Literal('share')]),
    }),
  },
  setRules: { states: inside, data: Type.Partial(Rules) },
  /** Makes a participant a co-host for this session, or takes that back. */
  setCoHost: { states: inside, data: Type.Object({ peerId: Id, coHost: Type.Boolean() }) },
  renamePeer: { states: inside, data: Type.Object({ peerId: Id, displayName: Name }) },
  createPoll: { states: inside, data: NewPoll },
  /** Votes in a poll, or changes the vote. */
  votePoll: { states: inside, data: Type.Object({ pollId: Id, choices: Choices }) },
  endPoll: { states: inside, data: Type.Object({ pollId: Id }) },
  /** Starts a timer that everybody sees; null stops it. */
  setTimer: {
    states: inside,
    data: Type.Object({
      seconds: Type.Union([Type.Integer({ minimum: 1, maximum: 86_400 }), Type.Null()]),
    }),
  },
  /** Pauses the timer, or lets it go on. */
  pauseTimer: { states: inside, data: Type.Object({ paused: Type.Boolean() }) },
  openBreakouts: { states: inside, data: NewBreakouts },
  /** Assigns a participant to a breakout room, or with null to none. */
  assignBreakout: {
    states: inside,
    data: Type.Object({ peerId: Id, roomId: Type.Union([Id, Type.Null()]) }),
  },
  /** Asks for the way into a breakout room. */
  enterBreakout: { states: inside, data: Type.Object({ roomId: Id }) },
  /** Says something in all breakout rooms. */
  announceBreakouts: { states: inside, data: Type.Object({ message: Announcement }) },
  /** Calls everybody back from the breakout rooms. */
  closeBreakouts: { states: inside, data: Empty },
  lowerHands: { states: inside, data: Type.Object({ peerIds: Type.Array(Id, { maxItems: 200 }) }) },
  enablePeerMic: { states: inside, data: Peer },
  disablePeerMic: { states: inside, data: Peer },
  enablePeerWebcam: { states: inside, data: Peer },
  disablePeerWebcam: { states: inside, data: Peer },
  enablePeerShare: { states: inside, data: Peer },
  disablePeerShare: { states: inside, data: Peer },
  pinStateChanged: {
    states: inside,
    data: Type.Object({
      peerId: Id,
      state: Type.Object({ cam: Type.Optional(Type.Boolean()), share: Type.Optional(Type.Boolean()) }),
    }),
  },

  startRecording: { states: inside, data: StartRecording },
  stopRecording: { states: inside, data: Empty },
  startLivestream: { states: inside, data: StartLivestream },
  stopLivestream: { states: inside, data: Empty },
  startHls: { states: inside, data: StartHls },
  stopHls: { states: inside, data: Empty },
  startTranscription: { states: inside, data: StartTranscription },
  stopTranscription: { states: inside, data: Empty },
  startWhiteboard: {
    states: inside,
    data: Type.Object({ version: Type.Optional(Type.String({ maxLength: 20 })) }),
  },
  stopWhiteboard: { states: inside, data: Empty },
} as const satisfies Record<
  string,
  {
    states: readonly ConnectionState[]
    data: TSchema
    /**
     * Succeeds even if there is nothing to do, in any state and at any rate: clients clean up with it while others
     * leave, and some clients cannot leave or stay connected after a refusal (contract, older-clients §0, rule 6).
     */
    alwaysAnswered?: true
    /** Costs a media worker more than forwarding packets, so it is rate-limited (`MAX_MEDIA_OPENINGS_PER_MINUTE`). */
    opensMedia?: true
  }
>

export type RequestMethod = keyof typeof requests

/** Whether a request with this method is never refused. */
export function isAlwaysAnswered(method: string | undefined): boolean {
  return (
    method !== undefined &&
    Object.hasOwn(requests, method) &&
    'alwaysAnswered' in requests[method as RequestMethod]
  )
}

/** Whether a request with this method opens a stream or a transport. */
export function opensMedia(method: RequestMethod): boolean {
  return 'opensMedia' in requests[method]
}

export type RequestData<M extends RequestMethod> = Static<(typeof requests)[M]['data']>

/**
 * Methods of the published client for services that this server does not offer. They are refused with 4021, which the client reports to the app.
 */
export const absentServices: ReadonlySet<string> = new Set([
  'startTranslation',
  'stopTranslation',
  'changeTranslationLanguage',
  'startVideo',
  'stopVideo',
  'pauseVideo',
  'resumeVideo',
  'seekVideo',
  'joinCharacter',
  'leaveCharacter',
  'sendCharacterMessage',
  'interruptCharacter',
  'openConnection',
  'closeConnection',
  'connectionSwitchPeerRoom',
  'connectionSendChatMessage',
  'connectionCloseRoom',
  'applyNetworkThrottle',
  'resetNetworkThrottle',
])

/** The method of a message before validation. */
export function methodOf(message: unknown): string | undefined {
  const { method } = (message ?? {}) as { method?: unknown }
  return typeof method === 'string' ? method : undefined
}
