/**
 * The border between the shapes of our wire and those of mediasoup. They are the same objects; what mediasoup's types
 * narrow and the wire leaves open is cast here and nowhere else.
 */
import type { types as mediasoup } from 'mediasoup'
import { Refusal } from '../../protocol/errors.ts'
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  RtpCapabilities,
  RtpParameters,
  SctpParameters,
} from '../../protocol/media.ts'

const maxUint32 = 0xffff_ffff
const ABS_CAPTURE_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time'

/**
 * A client's RTP parameters, with the fields of the encodings that mediasoup reads and no others.
 *
 * mediasoup does not check all of these before it writes them into a buffer that the whole worker shares, and a throw
 * halfway through leaves that buffer unusable for every meeting on the worker; so each is checked here.
 * @throws {Refusal} INVALID_REQUEST
 */
export function toMediasoupRtpParameters(rtpParameters: RtpParameters): mediasoup.RtpParameters {
  const { mid, codecs, headerExtensions, encodings, rtcp } = rtpParameters
  return {
    ...(mid === undefined ? {} : { mid }),
    codecs,
    ...(headerExtensions === undefined ? {} : { headerExtensions: headerExtensions.filter(isOffered) }),
    ...(encodings === undefined ? {} : { encodings: toEncodings(encodings, codecs[0]?.mimeType) }),
    ...(rtcp === undefined ? {} : { rtcp }),
  } as mediasoup.RtpParameters
}

/**
 * A VP8 stream of one encoding is passed on whole, without regard to its temporal layers. mediasoup 3.21.1 to 3.27.1 chooses
 * layers of such a stream but begins at the highest one only: it drops the key frame itself, and where the frame after it is
 * missing too, it forwards nothing and asks for no other key frame. Streams of several encodings begin at their key frame.
 */
function toEncodings(
  encodings: readonly Record<string, unknown>[],
  mimeType: string | undefined,
): mediasoup.RtpEncodingParameters[] {
  const checked = encodings.map(toEncoding)
  if (checked.length === 1 && mimeType?.toLowerCase() === 'video/vp8') delete checked[0]!.scalabilityMode
  return checked
}

function toEncoding(encoding: Record<string, unknown>): mediasoup.RtpEncodingParameters {
  const checked: mediasoup.RtpEncodingParameters = {}
  const { ssrc, rid, codecPayloadType, rtx, dtx, scalabilityMode, maxBitrate } = encoding
  if (given(ssrc)) checked.ssrc = integer('ssrc', ssrc, 1, maxUint32)
  if (given(rid)) checked.rid = text('rid', rid)
  if (given(codecPayloadType))
    checked.codecPayloadType = integer('codecPayloadType', codecPayloadType, 0, 127)
  if (given(rtx)) checked.rtx = { ssrc: integer('rtx.ssrc', (rtx as { ssrc?: unknown }).ssrc, 1, maxUint32) }
  if (typeof dtx === 'boolean') checked.dtx = dtx
  if (given(scalabilityMode)) checked.scalabilityMode = scalability(scalabilityMode)
  // Chromium may report a fraction after scaling; whole bits per second are near enough.
  if (typeof maxBitrate === 'number' && maxBitrate >= 0 && maxBitrate <= maxUint32) {
    checked.maxBitrate = Math.floor(maxBitrate)
  }
  return checked
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

function integer(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new Refusal('INVALID_REQUEST', {
    message: `The encoding's ${name} is not valid.`,
    reason: 'rtp-encoding',
  })
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 64) return value
  throw new Refusal('INVALID_REQUEST', {
    message: `The encoding's ${name} is not valid.`,
    reason: 'rtp-encoding',
  })
}

/** More layers than any encoder makes are refused: the worker keeps room for each. */
function scalability(value: unknown): string {
  if (typeof value === 'string' && /^[LS][1-8]T[1-8](_KEY|h|h_KEY|_KEY_SHIFT)?$/.test(value)) return value
  throw new Refusal('INVALID_REQUEST', {
    message: "The encoding's scalabilityMode is not valid.",
    reason: 'rtp-encoding',
  })
}

export function toMediasoupRtpCapabilities(rtpCapabilities: RtpCapabilities): mediasoup.RtpCapabilities {
  return rtpCapabilities as mediasoup.RtpCapabilities
}

export function toMediasoupDtlsParameters(dtlsParameters: DtlsParameters): mediasoup.DtlsParameters {
  return dtlsParameters as mediasoup.DtlsParameters
}

/** What the router can do, without the header extensions that are not offered. */
export function fromMediasoupRtpCapabilities(rtpCapabilities: mediasoup.RtpCapabilities): RtpCapabilities {
  return {
    ...rtpCapabilities,
    headerExtensions: rtpCapabilities.headerExtensions?.filter(isOffered),
  } as RtpCapabilities
}

/**
 * `abs-capture-time` is not offered, and is dropped where a client announces it all the same. The mediasoup-client in
 * published clients (3.20 in js-sdk 1.1.1) announces it but does not have the browser send it. mediasoup 3.25 and later
 * then takes the capture time from nothing else, never learns one, and never switches to another simulcast layer.
 */
function isOffered({ uri }: { uri: string }): boolean {
  return uri !== ABS_CAPTURE_TIME
}

export function fromMediasoupRtpParameters(rtpParameters: mediasoup.RtpParameters): RtpParameters {
  return rtpParameters as RtpParameters
}

export function fromMediasoupTransport(transport: mediasoup.WebRtcTransport): {
  iceParameters: IceParameters
  iceCandidates: IceCandidate[]
  dtlsParameters: DtlsParameters
  sctpParameters?: SctpParameters
} {
  const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport
  if (!sctpParameters) return { iceParameters, iceCandidates, dtlsParameters }
  // The worker's own buffer sizes are in there too; they are not the client's business.
  const { port, OS, MIS, maxMessageSize } = sctpParameters
  return { iceParameters, iceCandidates, dtlsParameters, sctpParameters: { port, OS, MIS, maxMessageSize } }
}
