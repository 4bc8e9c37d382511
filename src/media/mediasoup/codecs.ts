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

/**
 * The router's codecs with these payload types, by MIME type in lower case. mediasoup gives retransmissions a payload
 * type of its own choice; codecs whose payload type would then be taken are left out.
 */
export function codecsWith(
  payloadTypes: Readonly<Record<string, number>>,
): mediasoup.RouterRtpCodecCapability[] {
  const chosen: mediasoup.RouterRtpCodecCapability[] = []
  for (const codec of routerCodecs) {
    const preferredPayloadType = payloadTypes[codec.mimeType.toLowerCase()]
    if (preferredPayloadType === undefined) continue
    const more = [...chosen, { ...codec, preferredPayloadType }]
    if (fits(more)) chosen.push(more.at(-1)!)
  }
  return chosen
}

/** In the order in which mediasoup assigns them. */
const FREE_PAYLOAD_TYPES = [...range(100, 127), ...range(96, 99)]

function fits(codecs: readonly mediasoup.RouterRtpCodecCapability[]): boolean {
  const taken = new Set<number>()
  const free = new Set(FREE_PAYLOAD_TYPES)
  for (const { kind, preferredPayloadType } of codecs) {
    if (taken.has(preferredPayloadType!)) return false
    taken.add(preferredPayloadType!)
    free.delete(preferredPayloadType!)
    if (kind !== 'video') continue
    const [retransmissions] = free
    taken.add(retransmissions!)
    free.delete(retransmissions!)
  }
  return true
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function supported(codec: mediasoup.RouterRtpCodecCapability): mediasoup.RouterRtpCodecCapability[] {
  const known = getSupportedRtpCapabilities().codecs ?? []
  return known.some(({ mimeType }) => mimeType.toLowerCase() === codec.mimeType.toLowerCase()) ? [codec] : []
}
