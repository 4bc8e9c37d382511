/**
 * What the generations of published clients understand. What they say of their version is not to be relied on (some name
 * an older one, react-sdk its own), so each is judged by what it shows: a sign is seen, and from then on the traits in its row hold. `docs/wire.md` lists the generations and their signs.
 */
import type { MediaKind, RtpCapabilities, RtpParameters } from './media.ts'
import type { Mode } from './modes.ts'
import type { Notification, Peer } from './notifications.ts'
import type { RequestData } from './requests.ts'

export interface ClientTraits {
  /** How messages are wrapped: socket.io packets, or the JSON of protoo (js-sdk before 0.2). */
  envelope: 'socket.io' | 'protoo'
  /** Listens to `batchNotification`. A client that does not would lose what is bundled. */
  bundles: boolean
  /** Reads a refusal in `data.status`. A client that does not takes it for success unless `error` stands beside it. */
  readsStatus: boolean
  /** Tells its app of every refused request. Before 1.0 most refusals stay inside the SDK. */
  reportsRefusals: boolean
  /** Tells its app of a refused `startHls` or `stopHls` by an error code of its own. */
  reportsHls: boolean
  /** Rejects a `publish()` that is refused. */
  reportsPublishing: boolean
  /** Knows the modes as CONFERENCE and VIEWER. */
  oldModes: boolean
  /**
   * Numbers RTP header extensions as an offer does that begins with sound, even where its own begins with pictures
   * (mediasoup-client before 3.15).
   */
  numbersSoundFirst: boolean
  /** Its browser numbers them in the order of its media sections and refuses any other (Chromium 140 and later). */
  numbersInOrder: boolean
}

const unknown: ClientTraits = {
  envelope: 'socket.io',
  bundles: false,
  readsStatus: false,
  reportsRefusals: false,
  reportsHls: true,
  reportsPublishing: true,
  oldModes: false,
  numbersSoundFirst: false,
  numbersInOrder: false,
}

/** What a client can show, and what follows from it. */
const signs = {
  /** The WebSocket subprotocol `protoo`. */
  protoo: { envelope: 'protoo', numbersSoundFirst: true, reportsPublishing: false },
  /**
   * `mode` in the socket's query is CONFERENCE or VIEWER (before 0.1.4). HLS is not reported before 0.0.84; nothing tells
   * 0.0.84 to 0.0.101 apart from these, so their apps hear of its refusal twice.
   */
  oldMode: { oldModes: true, reportsHls: false },
  /** `join` carries `batchingEnabled: true` (js-sdk 0.11 and later, and our own client). */
  batching: { bundles: true, readsStatus: true, reportsRefusals: true },
  /** `join` names a version of an SDK before 1.0: of js-sdk or of react-sdk, which both went to 1.0 together. */
  beforeOne: { reportsRefusals: false },
  /** Chat over the signalling socket (before 1.0). */
  pubsub: { reportsRefusals: false },
  /**
   * `join` describes each codec with `mimeType` before `kind`, as mediasoup-client before 3.15 does (js-sdk before 0.3.2).
   * 0.3.0 alone rejects a refused `publish()`; nothing tells it apart, so its apps hear of the refusal twice.
   */
  mimeTypeFirst: { numbersSoundFirst: true, reportsPublishing: false },
  /** The user agent is Chromium 140 or later. */
  chromium140: { numbersInOrder: true },
} as const satisfies Record<string, Partial<ClientTraits>>

export type ClientSign = keyof typeof signs

/** The traits of a client that has shown these signs, the latest last. */
export function traitsOf(...shown: ClientSign[]): ClientTraits {
  return Object.assign({ ...unknown }, ...shown.map((sign) => signs[sign])) as ClientTraits
}

/** The traits after one more sign. */
export function learn(traits: ClientTraits, sign: ClientSign): ClientTraits {
  return { ...traits, ...signs[sign] }
}

/** The signs in `join`. */
export function signsOfJoin({
  batchingEnabled,
  deviceInfo,
  rtpCapabilities,
}: Pick<RequestData<'join'>, 'batchingEnabled' | 'deviceInfo' | 'rtpCapabilities'>): ClientSign[] {
  const version = deviceInfo?.sdkVersion
  const keys = Object.keys(rtpCapabilities?.codecs?.[0] ?? {})
  const mimeTypeFirst = keys.includes('mimeType') && keys.indexOf('mimeType') < keys.indexOf('kind')
  return [
    ...(batchingEnabled ? (['batching'] as const) : []),
    ...(typeof version === 'string' && version.startsWith('0.') ? (['beforeOne'] as const) : []),
    ...(mimeTypeFirst && !batchingEnabled ? (['mimeTypeFirst'] as const) : []),
  ]
}

/** The signs in the user agent. */
export function signsOfBrowser(userAgent: string | undefined): ClientSign[] {
  const version = /Chrome\/(\d{1,5})\./.exec(userAgent ?? '')?.[1]
  return Number(version) >= 140 ? ['chromium140'] : []
}

/** Chat over the signalling socket: no version looks at the status of these answers, and 1.x does not ask. */
const pubsubRequests: ReadonlySet<string> = new Set(['pubsubSubscribe', 'pubsubPublish', 'pubsubUnsubscribe'])

/** Whether a client of these traits looks for the refusal of a request in the answer's status, and not in a text on top. */
export function readsStatusOf(traits: ClientTraits, method: string | undefined): boolean {
  return traits.readsStatus && !pubsubRequests.has(method ?? '')
}

/**
 * By request, the trait of the clients that tell their apps of its refusal, by a rejected promise or an event. Others are
 * refused by a notification `error` as well. A request is not listed that has an error code of its own in every SDK,
 * because the app would hear of the refusal twice.
 */
const reportedBy: ReadonlyMap<string, 'reportsRefusals' | 'reportsHls' | 'reportsPublishing'> = new Map([
  ['removePeer', 'reportsRefusals'],
  ['closeRoom', 'reportsRefusals'],
  ['respondEntry', 'reportsRefusals'],
  ['changeMode', 'reportsRefusals'],
  ['enablePeerMic', 'reportsRefusals'],
  ['disablePeerMic', 'reportsRefusals'],
  ['enablePeerWebcam', 'reportsRefusals'],
  ['disablePeerWebcam', 'reportsRefusals'],
  ['enablePeerShare', 'reportsRefusals'],
  ['disablePeerShare', 'reportsRefusals'],
  ['pinStateChanged', 'reportsRefusals'],
  ['switchToMeeting', 'reportsRefusals'],
  ['switchPeerRoom', 'reportsRefusals'],
  ['mediaRelayRequestSent', 'reportsRefusals'],
  ['pubsubSubscribe', 'reportsRefusals'],
  ['pubsubPublish', 'reportsPublishing'],
  ['startHls', 'reportsHls'],
  ['stopHls', 'reportsHls'],
])

/** Whether a client of these traits keeps the refusal of a request from its app. */
export function hidesRefusal(traits: ClientTraits, method: string): boolean {
  const trait = reportedBy.get(method)
  return trait !== undefined && !traits.reportsRefusals && !traits[trait]
}

/** A notification as it crosses the wire. */
export type SentNotification = Readonly<{ method: string }>

/** A notification as a client of these traits knows it. */
export function notificationFor(traits: ClientTraits, notification: Notification): SentNotification {
  if (!traits.oldModes || !('mode' in notification)) return notification
  const renamed = { ...notification, mode: oldMode(notification.mode) }
  return renamed
}

/** The participants in the answer to `join`, likewise. */
export function peersFor(traits: ClientTraits, peers: readonly Peer[]): readonly object[] {
  return traits.oldModes ? peers.map((peer) => ({ ...peer, mode: oldMode(peer.mode) })) : peers
}

const SOUND_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
const SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'
const STREAM_ID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
const REPAIRED_STREAM_ID = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'
/**
 * The header extensions that a client may send that numbers them wrongly, with the number that each has whichever opens
 * first. Chromium gives these to three of them either way. The sound level has one that Chromium gives to none.
 */
const sameInBothOrders: Record<MediaKind, ReadonlyMap<string, number>> = {
  audio: new Map([[SOUND_LEVEL, 16]]),
  video: new Map([
    [SEND_TIME, 2],
    [STREAM_ID, 10],
    [REPAIRED_STREAM_ID, 11],
  ]),
}
/** What the client appends to the parameters of a codec, with the defaults, so that it changes them in their place. */
const appendedParameters: Record<MediaKind, Record<string, number>> = {
  audio: { stereo: 0, useinbandfec: 0, usedtx: 0, maxplaybackrate: 48_000, ptime: 20 },
  video: { 'x-google-start-bitrate': 1000 },
}

/** Whether the router's capabilities must be told otherwise to a client of these traits. */
export function numbersWrongly({ numbersSoundFirst, numbersInOrder }: ClientTraits): boolean {
  return numbersSoundFirst && numbersInOrder
}

/**
 * What a router can do, as it is offered to a client of these traits. Where the camera opens before the microphone,
 * Chromium refuses the numbers of a client that counts as if sound came first, and from then on nothing is sent. So it is
 * not asked to send any that it can get wrong. What it sends instead stands in the parameters of each codec, which the
 * client copies as they are into the answers that it gives to its browser. There it also outlasts a media section that is
 * switched off, from which the client deletes its own; Chromium refuses to go on without the stream ids. The client still
 * receives all. Without transport-wide-cc the bandwidth is estimated from the send times.
 */
export function capabilitiesFor(traits: ClientTraits, capabilities: RtpCapabilities): RtpCapabilities {
  const { codecs = [], headerExtensions = [] } = capabilities
  if (!numbersWrongly(traits)) return capabilities
  return {
    codecs: codecs.map((codec) =>
      codec.mimeType.toLowerCase().endsWith('/rtx')
        ? codec
        : { ...codec, parameters: withHeaderExtensions(codec.kind, codec.parameters) },
    ),
    headerExtensions: headerExtensions.map((extension) =>
      // Without any, the client would take the feedback on the bandwidth away as well.
      extension.kind === 'video' && extension.uri === SEND_TIME
        ? extension
        : { ...extension, direction: extension.direction === 'recvonly' ? 'inactive' : 'sendonly' },
    ),
  }
}

function withHeaderExtensions<T>(
  kind: MediaKind,
  parameters: Record<string, T> = {},
): Record<string, T | string | number> {
  const lines = [...sameInBothOrders[kind]].map(([uri, id]) => `a=extmap:${id} ${uri}`)
  // What follows on the same line is nothing that a browser reads.
  return { ...appendedParameters[kind], ...parameters, 'x-lines': ['1', ...lines, 'a=x-rest:'].join('\r\n') }
}

/** What a client of these traits sends: it does not tell of the header extensions that it was not offered. */
export function rtpParametersFrom(
  traits: ClientTraits,
  kind: MediaKind,
  rtpParameters: RtpParameters,
): RtpParameters {
  if (!numbersWrongly(traits)) return rtpParameters
  return { ...rtpParameters, headerExtensions: [...sameInBothOrders[kind]].map(([uri, id]) => ({ uri, id })) }
}

function oldMode(mode: Mode): string {
  return mode === 'SEND_AND_RECV' ? 'CONFERENCE' : 'VIEWER'
}
