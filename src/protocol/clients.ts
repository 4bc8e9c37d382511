/**
 * What each generation of the published clients understands. The version that a client reports is unreliable (some report
 * an older one, react-sdk its own), so clients are recognised by signs: once a sign is seen, the traits in its row apply. `docs/wire.md` lists the generations and their signs.
 */
import type { MediaKind, RtpCapabilities, RtpParameters } from './media.ts'
import type { Mode } from './modes.ts'
import type { Notification, Peer } from './notifications.ts'
import type { RequestData } from './requests.ts'

export interface ClientTraits {
  /** How messages are wrapped: socket.io packets, or the JSON of protoo (js-sdk before 0.2). */
  envelope: 'socket.io' | 'protoo'
  /** Understands `batchNotification`. Other clients would lose bundled notifications. */
  bundles: boolean
  /** Reads a refusal in `data.status`. Other clients take it for success unless there is an `error` beside it. */
  readsStatus: boolean
  /** Reports every refused request to the app. Before 1.0, the SDK hides most refusals. */
  reportsRefusals: boolean
  /** Reports a refused `startHls` or `stopHls` to the app with an error code of its own. */
  reportsHls: boolean
  /** Rejects a `publish()` that is refused. */
  reportsPublishing: boolean
  /** Knows the modes as CONFERENCE and VIEWER. */
  oldModes: boolean
  /**
   * Numbers RTP header extensions as if the offer began with audio, even if it begins with video
   * (mediasoup-client before 3.15).
   */
  numbersSoundFirst: boolean
  /** Its browser numbers extensions in the order of its media sections and rejects other numbers (Chromium 140 and later). */
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

/** The signs of a client, and the traits that follow from them. */
const signs = {
  /** The WebSocket subprotocol `protoo`. */
  protoo: { envelope: 'protoo', numbersSoundFirst: true, reportsPublishing: false },
  /**
   * `mode` in the socket's query is CONFERENCE or VIEWER (before 0.1.4). HLS is not reported before 0.0.84. Versions
   * 0.0.84 to 0.0.101 look the same, so their apps get a refusal of HLS twice.
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
   * Only 0.3.0 rejects a refused `publish()`; it looks the same, so its apps get the refusal twice.
   */
  mimeTypeFirst: { numbersSoundFirst: true, reportsPublishing: false },
  /** The user agent is Chromium 140 or later. */
  chromium140: { numbersInOrder: true },
} as const satisfies Record<string, Partial<ClientTraits>>

export type ClientSign = keyof typeof signs

/** The traits of a client that has shown these signs, in this order. */
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

/** Chat over the signalling socket: no version reads the status of these answers, and 1.x does not send the requests. */
const pubsubRequests: ReadonlySet<string> = new Set(['pubsubSubscribe', 'pubsubPublish', 'pubsubUnsubscribe'])

/** Whether a client with these traits reads the refusal of a request in the answer's status, not in a separate text. */
export function readsStatusOf(traits: ClientTraits, method: string | undefined): boolean {
  return traits.readsStatus && !pubsubRequests.has(method ?? '')
}

/**
 * For each request, the trait of the clients that report its refusal to the app, by a rejected promise or an event. Other
 * clients also get a notification `error`. Requests that have their own error code in every SDK are not listed,
 * because the app would get the refusal twice.
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

/** Whether a client with these traits hides the refusal of a request from its app. */
export function hidesRefusal(traits: ClientTraits, method: string): boolean {
  const trait = reportedBy.get(method)
  return trait !== undefined && !traits.reportsRefusals && !traits[trait]
}

/** A notification as it crosses the wire. */
export type SentNotification = Readonly<{ method: string }>

/** Translates a notification for a client with these traits. */
export function notificationFor(traits: ClientTraits, notification: Notification): SentNotification {
  if (!traits.oldModes || !('mode' in notification)) return notification
  const renamed = { ...notification, mode: oldMode(notification.mode) }
  return renamed
}

/** Translates the participants in the answer to `join` for a client with these traits. */
export function peersFor(traits: ClientTraits, peers: readonly Peer[]): readonly object[] {
  return traits.oldModes ? peers.map((peer) => ({ ...peer, mode: oldMode(peer.mode) })) : peers
}

const SOUND_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
const SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'
const STREAM_ID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
const REPAIRED_STREAM_ID = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'
/**
 * The header extensions that a client with wrong numbering may send, with numbers that are the same whichever kind opens
 * first. Chromium uses these for three of them in both orders. The audio level has a number that Chromium never uses.
 */
const sameInBothOrders: Record<MediaKind, ReadonlyMap<string, number>> = {
  audio: new Map([[SOUND_LEVEL, 16]]),
  video: new Map([
    [SEND_TIME, 2],
    [STREAM_ID, 10],
    [REPAIRED_STREAM_ID, 11],
  ]),
}
/** Parameters that the client would append to a codec; sent with their defaults so that it changes them in place. */
const appendedParameters: Record<MediaKind, Record<string, number>> = {
  audio: { stereo: 0, useinbandfec: 0, usedtx: 0, maxplaybackrate: 48_000, ptime: 20 },
  video: { 'x-google-start-bitrate': 1000 },
}

/** Whether a client with these traits needs adapted router capabilities. */
export function numbersWrongly({ numbersSoundFirst, numbersInOrder }: ClientTraits): boolean {
  return numbersSoundFirst && numbersInOrder
}

/**
 * Adapts the capabilities of a router for a client with these traits. If the camera opens before the microphone,
 * Chromium rejects the extension numbers of a client that counts as if audio came first, and nothing is sent from then on.
 * So the client is only offered extensions that it cannot number wrongly. The rest is put into the parameters of each
 * codec, which the client copies unchanged into the answers for its browser. There it also survives when a media section is
 * switched off and the client deletes its own lines; Chromium fails without the stream ids. The client still receives
 * all extensions. Without transport-wide-cc, bandwidth is estimated from the send times.
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
      // Without any of these, the client would remove the bandwidth feedback as well.
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
  // A browser ignores the rest of the line.
  return { ...appendedParameters[kind], ...parameters, 'x-lines': ['1', ...lines, 'a=x-rest:'].join('\r\n') }
}

/** Completes what a client with these traits sends: it does not mention header extensions that it was not offered. */
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
