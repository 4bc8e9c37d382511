/** What a program receives, and how it describes what it sends. Pure. */
import type { RtpCapabilities, RtpParameters } from '../protocol/media.ts'
import { TRANSPORT_WIDE_URI } from '../rtc/feedback.ts'

export type SentCodec = 'opus' | 'vp8' | 'h264'

/** Frames of any other codec cannot be put together. */
const RECEIVED = /^(audio\/opus|video\/(vp8|vp9|h264|av1))$/i
/** What we answer to: a request for lost packets, for a key frame, and reports of arrivals. */
const FEEDBACK = new Set(['nack ', 'nack pli', 'transport-cc '])
/** Numbers of our own; the server translates them for each receiver. */
export const LEVEL_EXTENSION = { id: 10, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' }

const sent: Record<SentCodec, RtpParameters['codecs'][number]> = {
  opus: {
    mimeType: 'audio/opus',
    payloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { 'sprop-stereo': 1, useinbandfec: 1 },
  },
  vp8: { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 },
  h264: {
    mimeType: 'video/H264',
    payloadType: 102,
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
}

/**
 * The codecs of the server that we receive. Lost packets of video are requested again and come as they were; those of
 * sound are concealed instead. The bandwidth is estimated from video alone, as browsers do.
 */
export function receivable({ codecs = [], headerExtensions = [] }: RtpCapabilities): RtpCapabilities {
  return {
    codecs: codecs
      .filter(({ mimeType }) => RECEIVED.test(mimeType))
      .map((codec) => ({
        ...codec,
        rtcpFeedback:
          codec.kind === 'audio'
            ? []
            : (codec.rtcpFeedback ?? []).filter(({ type, parameter = '' }) =>
                FEEDBACK.has(`${type} ${parameter}`),
              ),
      })),
    headerExtensions: headerExtensions.filter(
      ({ kind, uri }) => kind === 'video' && uri === TRANSPORT_WIDE_URI,
    ),
  }
}

export function sendParameters(codec: SentCodec, ssrc: number, mid: string, cname: string): RtpParameters {
  const isVideo = codec !== 'opus'
  return {
    mid,
    codecs: [
      {
        parameters: {},
        ...sent[codec],
        rtcpFeedback: isVideo ? [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] : [],
      },
    ],
    headerExtensions: isVideo ? [] : [{ ...LEVEL_EXTENSION, encrypt: false, parameters: {} }],
    encodings: [{ ssrc, ...(codec === 'opus' && { dtx: false }) }],
    rtcp: { cname, reducedSize: true },
  }
}

export function payloadTypeOf(codec: SentCodec): number {
  return sent[codec].payloadType
}

export function clockRateOf(codec: SentCodec): number {
  return sent[codec].clockRate
}
