/**
 * Every row of the wire (contract, signalling §4.1 to §4.3) with its state and the test that proves it. Generates
 * `docs/wire.md`; `test/wire-table.test.ts` compares both with the protocol and the tests.
 */
import type { TSchema } from 'typebox'
import { JoinReply, notifications, serverRequests } from '../../src/protocol/notifications.ts'
import { absentServices, requests } from '../../src/protocol/requests.ts'
import { fieldsOf } from './wire-shapes.ts'

export interface WireRow {
  name: string
  state: 'here' | 'ours' | 'refused (4021)' | 'never sent'
  /** The file and the title of a test, or the reason why there is none. */
  shown: string
}

const JOURNEY = 'journeys.test.ts: start, invite, join: two people see and hear each other'
const TWO = 'published-client.test.ts: two sides see and hear each other'
const LOBBY = 'published-client.test.ts: lobby: denied, then allowed'
const MODERATION = 'published-client.test.ts: moderation: 4008 without the right'
const MODES = 'published-client.test.ts: modes: a receiver sends nothing, and can return to sending'
const MANUAL = 'published-client.test.ts: manual consuming, pausing and quality'
const STORE = 'published-client.test.ts: realtime store: everybody sees the same last value'
const DATA = 'published-client.test.ts: data messages, reliable and unreliable'
const SWITCH = 'published-client.test.ts: switchTo: into another meeting with the own streams'
const RELAY = 'published-client.test.ts: media relay: requested, accepted, seen there, stopped'
const SHARE = 'published-client.test.ts: a shared screen arrives as its own kind'
const ALL_MODES = 'published-wire.test.ts: modes: between any two, by old names too'
const CODEC = 'published-wire.test.ts: a codec that a participant cannot decode'
const WIRE = 'wire.test.ts: '
const ABSENT = `${WIRE}services that do not exist here are refused immediately`
const DOOR = 'door.test.ts: '
const HOSTS = 'hosting.test.ts: hosts'
const BREAKOUTS = 'breakouts.test.ts: rooms'
const DEVICE = 'wire.test.ts: a device that does not keep up'
const POLLS = 'polls.test.ts: polls'

const WHITEBOARD = 'whiteboard.test.ts: one address for everybody'
const RECORDING = 'outputs.test.ts: a recording: acknowledged, reported in order to all'
const HLS = 'outputs.test.ts: HLS: its addresses come with its start'
const LIVESTREAM = 'outputs.test.ts: a livestream and a transcription use their own names'

const OLD = 'old-clients.test.ts: '

const here = (shown: string, ...names: string[]): WireRow[] =>
  names.map((name) => ({ name, state: 'here', shown }))
const ours = (shown: string, ...names: string[]): WireRow[] =>
  names.map((name) => ({ name, state: 'ours', shown }))
const never = (why: string, ...names: string[]): WireRow[] =>
  names.map((name) => ({ name, state: 'never sent', shown: why }))

export const requestRows: WireRow[] = [
  ...here(TWO, 'requestEntry', 'getRouterRtpCapabilities', 'createWebRtcTransport', 'connectWebRtcTransport'),
  ...here(TWO, 'join', 'produce', 'closeProducer', 'definePeerLeftReason'),
  ...here(LOBBY, 'respondEntry'),
  ...here(MODERATION, 'closeRoom', 'removePeer', 'pinStateChanged'),
  ...here(MODERATION, 'enablePeerWebcam', 'disablePeerWebcam', 'disablePeerMic'),
  ...here(`${DOOR}moderating needs allow_mod`, 'enablePeerMic'),
  ...here(MANUAL, 'setConsumerPreferredLayers', 'pauseAllConsumers', 'resumeAllConsumers'),
  ...here(MANUAL, 'consumeAudioStreams', 'consumeVideoStreams', 'stopConsumingVideoStreams'),
  ...here(MANUAL, 'enableAdaptiveSubscription', 'disableAdaptiveSubscription'),
  ...here(`${WIRE}streams: paused, resumed, given a priority`, 'pauseConsumer', 'resumeConsumer'),
  ...here(
    `${WIRE}streams: paused, resumed, given a priority`,
    'setConsumerPriority',
    'requestConsumerKeyFrame',
  ),
  ...here(
    `${WIRE}streams: paused, resumed, given a priority`,
    'pauseProducer',
    'resumeProducer',
    'produceError',
  ),
  ...here(`${WIRE}streams: paused, resumed, given a priority`, 'stopConsumingAudioStreams'),
  ...here(`${WIRE}stats: of a participant, of one transport`, 'getTransportStats'),
  ...here(`${WIRE}transports: ICE is restarted`, 'restartIce', 'iceRestarted'),
  ...here(DATA, 'produceData'),
  ...here(`${WIRE}data streams: announced, counted, closed`, 'getDataProducerStats', 'getDataConsumerStats'),
  ...here(ALL_MODES, 'changeMode'),
  ...here(`${WIRE}a name is changed, another is asked to switch`, 'changeDisplayName', 'switchPeerRoom'),
  ...here(SWITCH, 'switchToMeeting'),
  ...here(STORE, 'realtimeStoreSet', 'realtimeStoreGet', 'realtimeStoreObserve'),
  ...here(`${WIRE}realtime store: limits, deletion, and the end of observing`, 'realtimeStoreStopObserve'),
  ...here(RELAY, 'mediaRelayRequestSent', 'respondToMediaRelayRequest', 'mediaRelayRequestStop'),
  ...here(`${WIRE}media relay: kinds can be switched`, 'enableRelayMedia', 'disableRelayMedia'),
  ...here(`${OLD}protoo: ping is answered in every state`, 'ping'),
  ...here(
    `${OLD}pubsub: one chat with the socket of 1.x`,
    'pubsubSubscribe',
    'pubsubPublish',
    'pubsubUnsubscribe',
  ),
  ...ours(JOURNEY, 'leave'),
  ...ours('journeys.test.ts: after the death of a media worker', 'rejoinMedia'),
  ...ours('journeys.test.ts: a shared screen is shown in front', 'disablePeerShare'),
  ...ours(`${DOOR}moderating needs allow_mod`, 'enablePeerShare'),
  ...ours(`${DOOR}a removed participant stays out`, 'liftRemoval'),
  ...ours(HOSTS, 'stopAll', 'setRules', 'setCoHost', 'renamePeer', 'lowerHands', 'setTimer', 'pauseTimer'),
  ...ours(
    BREAKOUTS,
    'openBreakouts',
    'assignBreakout',
    'enterBreakout',
    'announceBreakouts',
    'closeBreakouts',
  ),
  ...ours(DEVICE, 'reportDevice'),
  ...ours(POLLS, 'createPoll', 'votePoll', 'endPoll'),
  ...here(RECORDING, 'startRecording', 'stopRecording'),
  ...here(HLS, 'startHls', 'stopHls'),
  ...here(LIVESTREAM, 'startLivestream', 'stopLivestream', 'startTranscription', 'stopTranscription'),
  ...here(WHITEBOARD, 'startWhiteboard', 'stopWhiteboard'),
  ...[...absentServices].map((name): WireRow => ({ name, state: 'refused (4021)', shown: ABSENT })),
]

export const serverRequestRows: WireRow[] = [
  ...here(TWO, 'newConsumer', 'connectionSuccess'),
  ...here(MODERATION, 'close'),
  ...here(DATA, 'newDataConsumer'),
  ...here(MODERATION, 'enableWebcam', 'disableWebcam', 'pinStateChanged'),
  ...here(`${DOOR}moderating needs allow_mod`, 'enableMic', 'disableMic'),
  ...here(`${WIRE}a name is changed, another is asked to switch`, 'switchRoom'),
  ...ours(`${DOOR}moderating needs allow_mod`, 'enableShare', 'disableShare'),
  ...never('nothing here needs it: the server counts itself', 'statsData'),
]

export const notificationRows: WireRow[] = [
  ...here(WHITEBOARD, 'whiteboardStarted', 'whiteboardStopped'),
  ...here('published-client.test.ts: each refusal reaches join() with its code', 'error'),
  ...here(LOBBY, 'entryRequested', 'entryResponded'),
  ...here(TWO, 'newPeer', 'peerClosed', 'participantMediaStateChanged'),
  ...here(SHARE, 'consumerClosed'),
  ...here(`${WIRE}streams: paused, resumed, given a priority`, 'consumerPaused', 'consumerResumed'),
  ...here(`${WIRE}everybody is told who speaks`, 'activeSpeaker'),
  ...here(MANUAL, 'consumerLayersChanged'),
  ...here(`${WIRE}adaptive subscription: the cameras of recent speakers`, 'consumerPausedSubManager'),
  ...here(`${WIRE}adaptive subscription: the cameras of recent speakers`, 'consumerResumedSubManager'),
  ...here(MODES, 'peerModeChanged'),
  ...here(`${WIRE}a name is changed, another is asked to switch`, 'peerDisplayNameChanged'),
  ...here(`${WIRE}data streams: announced, counted, closed`, 'dataConsumerClosed'),
  ...here(STORE, 'realtimeStoreValueChanged'),
  ...here(CODEC, 'unsupportedCodecAdded'),
  ...here(
    RELAY,
    'mediaRelayRequestReceived',
    'mediaRelayRequestResponse',
    'mediaRelayStarted',
    'mediaRelayStopped',
  ),
  ...here(`${OLD}pubsub: one chat with the socket of 1.x`, 'pubsubMessage'),
  ...here(RECORDING, 'recordingStateChanged', 'recordingStarted', 'recordingStopped'),
  ...here(HLS, 'hlsStateChanged', 'hlsPlayableStateChanged', 'hlsStarted', 'hlsStopped'),
  ...here(LIVESTREAM, 'livestreamStateChanged', 'livestreamStarted', 'livestreamStopped'),
  ...here(LIVESTREAM, 'transcriptionStateChanged', 'transcriptionText'),
  ...ours(`${DOOR}lobby: denied, withdrawn`, 'entryWithdrawn'),
  ...ours('entry.test.ts: those who wait are told how many are before them', 'entryQueued'),
  ...ours(HOSTS, 'rulesChanged', 'authorityChanged', 'timerChanged'),
  ...ours(BREAKOUTS, 'breakoutsChanged', 'breakoutAnnounced'),
  ...ours(POLLS, 'pollChanged', 'pollVoted'),
  ...ours('journeys.test.ts: after the death of a media worker', 'mediaReset'),
  ...never('clients restart ICE themselves when a transport fails', 'restartIce'),
  ...never('clients only store them', 'consumerScore', 'producerScore'),
  ...never(
    'the service is refused with 4021',
    'translationStateChanged',
    ...['translationText', 'translationLanguageChanged'],
    ...['connectionOpen', 'connectionClose', 'connectionChatMessage', 'connectionParticipantJoined'],
    ...['connectionParticipantLeft', 'agentStateChanged', 'agentTranscript', 'agentMetrics', 'addCharacter'],
    ...['removeCharacter', 'characterStateChanged', 'characterMessage', 'userMessage', 'characterData'],
    'characterError',
  ),
  ...never('failures are answered where they were asked for', 'mediaRelayError'),
]

export const chatRows: WireRow[] = [
  ...here(
    'published-client.test.ts: chat: live to all with the sender of the server',
    'Subscribe',
    'Publish',
    'Ack',
    'ServerBatch',
    'Welcome',
  ),
  ...here('src/api/chat/sockets.test.ts: an unsubscribed listener gets nothing', 'Unsubscribe', 'GetHistory'),
  ...here('src/api/chat/sockets.test.ts: a socket that does not answer a ping is closed', 'Ping', 'Pong'),
]

/**
 * The differences between generations of published clients, oldest first; `protocol/clients.ts` has the code for each
 * row.
 */
const generationRows: readonly (readonly [
  what: string,
  protoo: string,
  before: string,
  eleven: string,
  one: string,
])[] = [
  ['versions of js-sdk', '0.0.71 – 0.1.6', '0.2.7 – 0.7.1', '0.11', '1.x'],
  ['versions of react-sdk', '0.1.77 – 0.2.3', '0.3 – 0.8', '0.13', '1.x'],
  [
    'recognised by',
    'the WebSocket subprotocol `protoo`',
    'nothing: the default; up to 0.3.0 codecs in `join` begin with `mimeType`',
    '`join.batchingEnabled`, and a `deviceInfo.sdkVersion` of `0.…` or `pubsub…` requests',
    '`join.batchingEnabled`',
  ],
  ['socket', '`wss://<host>/` or `signalingUrl`, protoo', 'socket.io', 'socket.io', 'socket.io'],
  ['requests entry', 'as soon as the socket is open', 'after `connectionSuccess`', 'the same', 'the same'],
  [
    'notifications',
    'one by one, fields under `data`',
    'one by one, flat',
    'also in `batchNotification`',
    'the same',
  ],
  [
    'a refused request',
    '`ok: false` with `errorCode` and `errorReason`',
    '`error` beside `data.status`: up to 0.5.7 read nothing else',
    '`data.status: "error"`; for `pubsub…` also `error`, and nothing else is read',
    '`data.status: "error"`',
  ],
  [
    'a refusal that the SDK does not report',
    'a notification `error` as well; before 0.1.4 for HLS too, which 0.0.84 – 0.0.101 then report twice',
    'the same',
    'the same',
    'none: each reaches the app',
  ],
  [
    'refused at the socket',
    'notification `error`, request `close`, then close code 4000',
    '`error`, then `close`',
    'the same',
    'the same',
  ],
  ['chat', '`pubsub…` requests', 'the same', 'the same', 'a socket of its own, `pubSubUrl`'],
  [
    'topics after a lost connection',
    'restored by the server for 120 s',
    'the same',
    'the same',
    'subscribed to again by the client',
  ],
  ['mode', 'in the query of the socket', 'in the query; from 0.5.3 also in `join`', 'in `join`', 'in `join`'],
  [
    'names of modes',
    'CONFERENCE, VIEWER (before 0.1.4)',
    'as the query named its own',
    'the same',
    'the same',
  ],
  [
    'leaving on purpose',
    'closes the socket (1000, 1005)',
    'disconnects; from 0.3.10 `definePeerLeftReason` first, and waits for the answer',
    'the same',
    'the same, without waiting',
  ],
  [
    'the camera after a lost connection',
    'sent again by the client; by 0.0.71 only when the app switches it off and on',
    'up to 0.2.10 only when the app switches it off and on',
    'sent again by the client',
    'the same',
  ],
  [
    'header extensions of RTP',
    'from Chromium 140 on it sends sound level, send time and the stream ids alone, with the same numbers whatever opens first',
    'up to 0.3.0 the same; the server recognises such a client only at `join`, leaves that unanswered, and makes it start over with a second `entryResponded`; later versions: all',
    'all',
    'all',
  ],
  ['keep-alive', 'request `ping` every 2 s in every state', "socket.io's", "socket.io's", "socket.io's"],
  [
    'a refused init-config',
    'ignored: the client connects to the address in `data` and gets the refusal there',
    'up to 0.2.10 the same; later the state FAILED',
    '`error` and the state FAILED',
    '`join()` rejects',
  ],
]

export function wireDocument(): string {
  const table = (rows: WireRow[]): string =>
    [
      '| message | state | shown by |',
      '|---|---|---|',
      ...rows.map(({ name, state, shown }) => `| \`${name}\` | ${state} | ${shown} |`),
    ].join('\n')
  const requestTable = [
    '| message | state | may be sent while | shown by |',
    '|---|---|---|---|',
    ...requestRows.map(({ name, state, shown }) => {
      const known = (requests as Record<string, { states: readonly string[] } | undefined>)[name]
      return `| \`${name}\` | ${state} | ${(known?.states ?? ['inside']).join(', ')} | ${shown} |`
    }),
  ].join('\n')
  const shapes = (schemas: Record<string, TSchema>): string =>
    [
      '| message | fields |',
      '|---|---|',
      ...Object.entries(schemas).map(
        ([name, schema]) =>
          `| \`${name}\` | ${
            fieldsOf(schema)
              .map((field) => `\`${field.replaceAll('|', '\\|')}\``)
              .join(', ') || 'none'
          } |`,
      ),
    ].join('\n')
  const generations = [
    '| | protoo | socket.io before 0.11 | 0.11 | 1.x |',
    '|---|---|---|---|---|',
    ...generationRows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n')
  return `# The wire, message by message

Generated by \`npm run wire-table\`, and checked by \`test/wire-table.test.ts\`. *here*: as the published clients expect it; *ours*: known to our own client
alone, published ones ignore it; *refused (4021)*: answered at once with \`ADD_ON_SERVICES_DISABLED\`.

## Client to server

The state of a connection decides what it may send.

${requestTable}

## Server to client, with an answer

${table(serverRequestRows)}

## Notifications

${table(notificationRows)}

## Chat frames

${table(chatRows)}

## Shapes

\`/asyncapi.json\` on your server (AsyncAPI 3.0) has the same as JSON Schema, and the requests. \`?\` marks a field that may be missing.
The fields of a notification are beside its \`method\`. The shapes are those of \`src/protocol/notifications.ts\`; every message that a wire test
receives is checked against them. \`RtpParameters\` and \`SctpStreamParameters\` are mediasoup's.

### Notifications

${shapes(notifications)}

### Events with an answer, and the answer to \`join\`

${shapes({ ...serverRequests, 'answer to join': JoinReply })}

## Generations of clients

No client reports its version reliably, so the server recognises it by its behaviour. Clients before 0.0.71 cannot connect to another server.

${generations}

Requests with which clients clean up (\`closeProducer\`, \`stopConsuming…\`, \`pubsubUnsubscribe\`, \`definePeerLeftReason\`, \`ping\`) succeed
in every state, even if the object no longer exists (old-clients.test.ts).
`
}
