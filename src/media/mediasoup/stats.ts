import type { types as mediasoup } from 'mediasoup'
import type { StreamStats } from '../sfu.ts'

/** Sums the encodings of one stream. mediasoup counts jitter in units of the codec's clock. */
export function toStreamStats(
  entries: readonly (mediasoup.ProducerStat | mediasoup.ConsumerStat)[],
  type: 'inbound-rtp' | 'outbound-rtp',
  clockRate: number,
): StreamStats {
  const total: StreamStats = {
    bitrate: 0,
    packets: 0,
    packetsLost: 0,
    jitterMs: null,
    roundTripMs: null,
    activeEncodings: 0,
    keyFramesAsked: 0,
  }
  let index = 0
  for (const entry of entries) {
    if (entry.type !== type) continue
    index += 1
    total.bitrate += entry.bitrate
    total.packets += entry.packetCount
    total.packetsLost += entry.packetsLost
    total.keyFramesAsked += entry.pliCount + entry.firCount
    if (entry.bitrate > 0) total.activeEncodings = index
    if (type === 'inbound-rtp')
      total.jitterMs = Math.max(total.jitterMs ?? 0, (entry.jitter / clockRate) * 1000)
    if (entry.roundTripTime !== undefined && entry.roundTripTime > 0)
      total.roundTripMs = Math.max(total.roundTripMs ?? 0, entry.roundTripTime)
  }
  return total
}
