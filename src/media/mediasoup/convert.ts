/**
 * Converts between the shapes of our wire and mediasoup's. They are the same objects; where mediasoup's types are
 * narrower than the wire, the cast is here and nowhere else.
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
 * Returns a client's RTP parameters with only those fields of the encodings that mediasoup reads.
 *
 * mediasoup writes some of these unchecked into a buffer that the whole worker shares. An error halfway through makes
 * that buffer unusable for every meeting on the worker, so each field is checked here.
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
 * Forwards a VP8 stream with one encoding as a whole, without selecting temporal layers. mediasoup 3.21.1 to 3.27.1 can
 * start such a stream only at its highest layer: it drops the key frame itself, and if the next frame is missing too,
 * it forwards nothing and requests no other key frame. Streams with several encodings start at their key frame.
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
  // Chromium may report a fraction after scaling; whole bits per second are precise enough.
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

/** Refuses more layers than any encoder produces, because the worker allocates memory for each. */
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

/** The capabilities of the router, without header extensions that we do not offer. */
export function fromMediasoupRtpCapabilities(rtpCapabilities: mediasoup.RtpCapabilities): RtpCapabilities {
  return {
    ...rtpCapabilities,
    headerExtensions: rtpCapabilities.headerExtensions?.filter(isOffered),
  } as RtpCapabilities
}

/**
 * `abs-capture-time` is not offered, and is removed if a client announces it anyway. The mediasoup-client in published
 * clients (3.20 in js-sdk 1.1.1) announces it but does not let the browser send it. mediasoup 3.25 and later then
 * relies on it alone for the capture time, never gets one, and never switches to another simulcast layer.
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
  // The parameters also contain the worker's buffer sizes, which clients do not need.
  const { port, OS, MIS, maxMessageSize } = sctpParameters
  return { iceParameters, iceCandidates, dtlsParameters, sctpParameters: { port, OS, MIS, maxMessageSize } }
}
