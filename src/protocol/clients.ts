/**
 * What the generations of published clients understand. What they say of their version is not to be relied on (some name
 * an older one, react-sdk its own), so each is judged by what it shows: a sign is seen, and from then on the traits in its row hold. `docs/wire.md` lists the generations and their signs.
 */
import type { RtpCapabilities } from './media.ts'
import type { Mode } from './modes.ts'
import type { Notification, Peer } from './notifications.ts'
import type { RequestData, RequestMethod } from './requests.ts'

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
  /** Knows the modes as CONFERENCE and VIEWER. */
  oldModes: boolean
  /** Numbers RTP header extensions as an offer does that begins with sound, even where its own begins with pictures. */
  numbersSoundFirst: boolean
}

const unknown: ClientTraits = {
  envelope: 'socket.io',
  bundles: false,
  readsStatus: false,
  reportsRefusals: false,
  reportsHls: true,
  oldModes: false,
  numbersSoundFirst: false,
}

/** What a client can show, and what follows from it. */
const signs = {
  /** The WebSocket subprotocol `protoo`. */
  protoo: { envelope: 'protoo', numbersSoundFirst: true },
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
}: Pick<RequestData<'join'>, 'batchingEnabled' | 'deviceInfo'>): ClientSign[] {
  const version = deviceInfo?.sdkVersion
  return [
    ...(batchingEnabled ? (['batching'] as const) : []),
    ...(typeof version === 'string' && version.startsWith('0.') ? (['beforeOne'] as const) : []),
  ]
}

/**
 * Requests whose refusal no client before 1.0 shows to its app: neither by a rejected promise nor by an event. They are
 * refused by a notification `error` as well. Requests with an error code of their own in the SDK are not listed, because
 * the app would hear of the refusal twice.
 */
const silentRequests: ReadonlySet<string> = new Set<RequestMethod>([
  'removePeer',
  'closeRoom',
  'respondEntry',
  'changeMode',
  'enablePeerMic',
  'disablePeerMic',
  'enablePeerWebcam',
  'disablePeerWebcam',
  'enablePeerShare',
  'disablePeerShare',
  'pinStateChanged',
  'switchToMeeting',
  'switchPeerRoom',
  'mediaRelayRequestSent',
])
const hlsRequests: ReadonlySet<string> = new Set(['startHls', 'stopHls'])

/** Whether a client of these traits keeps the refusal of a request from its app. */
export function hidesRefusal(traits: ClientTraits, method: string): boolean {
  if (traits.reportsRefusals) return false
  return silentRequests.has(method) || (!traits.reportsHls && hlsRequests.has(method))
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
/** The header extensions that get no number that another one has, whether sound or pictures come first. */
const sameInBothOrders: Record<'audio' | 'video', ReadonlySet<string>> = {
  audio: new Set([SOUND_LEVEL, SEND_TIME]),
  video: new Set([SEND_TIME, STREAM_ID, REPAIRED_STREAM_ID]),
}

/**
 * What a router can do, as it is offered to a client of these traits. Chromium refuses an answer that gives an extension's
 * number to another one, so a client that numbers them wrongly is asked to send only those that it cannot get wrong. It
 * still receives all. Without transport-wide-cc the bandwidth is estimated from the send times.
 */
export function capabilitiesFor(traits: ClientTraits, capabilities: RtpCapabilities): RtpCapabilities {
  const { headerExtensions } = capabilities
  if (!traits.numbersSoundFirst || !headerExtensions) return capabilities
  return {
    ...capabilities,
    headerExtensions: headerExtensions.map((extension) =>
      sameInBothOrders[extension.kind].has(extension.uri)
        ? extension
        : { ...extension, direction: extension.direction === 'recvonly' ? 'inactive' : 'sendonly' },
    ),
  }
}

function oldMode(mode: Mode): string {
  return mode === 'SEND_AND_RECV' ? 'CONFERENCE' : 'VIEWER'
}
