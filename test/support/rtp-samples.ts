/** Parameters as browsers and mediasoup-client send them. */
import type { DtlsParameters, MediaKind, RtpParameters } from '../../src/protocol/media.ts'

const sampleFingerprint = {
  algorithm: 'sha-256',
  value: Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0').toUpperCase()).join(
    ':',
  ),
}

/** DTLS parameters as a browser sends them. */
export function sampleDtlsParameters(): DtlsParameters {
  return { role: 'client', fingerprints: [{ ...sampleFingerprint }] }
}

/** Parameters as mediasoup-client sends them: a microphone, or a VP8 camera with this many simulcast layers. */
export function sampleRtpParameters(
  kind: MediaKind,
  options: { layers?: number; ssrc?: number } = {},
): RtpParameters {
  const { layers = 1, ssrc = kind === 'audio' ? 1111 : 2222 } = options
  if (kind === 'audio') {
    return {
      mid: '0',
      codecs: [
        {
          mimeType: 'audio/opus',
          payloadType: 111,
          clockRate: 48000,
          channels: 2,
          parameters: { useinbandfec: 1, usedtx: 1 },
          rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
        },
      ],
      headerExtensions: [
        { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} },
        { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1, encrypt: false, parameters: {} },
      ],
      encodings: [{ ssrc, dtx: false }],
      rtcp: { cname: 'sample', reducedSize: true },
    }
  }
  return {
    mid: '1',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90000,
        parameters: {},
        rtcpFeedback: [
          { type: 'nack', parameter: '' },
          { type: 'nack', parameter: 'pli' },
          { type: 'ccm', parameter: 'fir' },
          { type: 'transport-cc', parameter: '' },
        ],
      },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90000, parameters: { apt: 96 }, rtcpFeedback: [] },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} },
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 10, encrypt: false, parameters: {} },
    ],
    encodings:
      layers === 1
        ? [{ ssrc, rtx: { ssrc: ssrc + 1 }, dtx: false }]
        : Array.from({ length: layers }, (_, layer) => ({
            rid: `r${layer}`,
            scalabilityMode: 'L1T3',
            maxBitrate: 150_000 * 4 ** layer,
            dtx: false,
          })),
    rtcp: { cname: 'sample', reducedSize: true },
  }
}
