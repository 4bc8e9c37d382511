import { getSupportedRtpCapabilities, type types as mediasoup } from 'mediasoup'

/**
 * The codecs of every router, in the order of preference: published clients take the first video codec for camera and
 * screen.
 */
export const routerCodecs: mediasoup.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 0 } },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
  ...supported({ kind: 'video', mimeType: 'video/AV1', clockRate: 90000 }),
]

function supported(codec: mediasoup.RouterRtpCodecCapability): mediasoup.RouterRtpCodecCapability[] {
  const known = getSupportedRtpCapabilities().codecs ?? []
  return known.some(({ mimeType }) => mimeType.toLowerCase() === codec.mimeType.toLowerCase()) ? [codec] : []
}
