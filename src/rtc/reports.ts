/** Reports of RTCP that a receiver sends and a sender acts on (RFC 3550, RFC 4585). */
import {
  GenericNack,
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RtcpSenderInfo,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  type RtcpPacket,
} from 'werift'

/** Any number, as these reports are about the stream of another. */
const OWN_SSRC = 1
/** Seconds from 1900, where NTP begins, to 1970 (RFC 5905). */
const NTP_EPOCH_S = 2_208_988_800

export function keyFrameRequest(mediaSsrc: number): RtcpPacket {
  return new RtcpPayloadSpecificFeedback({
    feedback: new PictureLossIndication({ senderSsrc: OWN_SSRC, mediaSsrc }),
  })
}

/** Asks for packets again. */
export function lostPackets(mediaSsrc: number, sequences: number[]): RtcpPacket {
  return new RtcpTransportLayerFeedback({
    feedback: new GenericNack({ senderSsrc: OWN_SSRC, mediaSourceSsrc: mediaSsrc, lost: sequences }),
  })
}

/** What a receiver asks for: packets, or, without `lost`, a key frame. */
export interface Asked {
  mediaSsrc: number
  lost?: readonly number[]
}

export function readFeedback(packets: readonly RtcpPacket[]): Asked[] {
  return packets.flatMap((packet): Asked[] => {
    if (packet instanceof RtcpPayloadSpecificFeedback)
      return packet.feedback instanceof PictureLossIndication
        ? [{ mediaSsrc: packet.feedback.mediaSsrc }]
        : []
    if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof GenericNack)
      return [{ mediaSsrc: packet.feedback.mediaSourceSsrc, lost: packet.feedback.lost }]
    return []
  })
}

/** Relates the timestamps of a stream to the clock, so that receivers can play sound and video together. */
export function senderReport(sent: {
  ssrc: number
  /** Now, in ms since the epoch, and on the clock of the stream. */
  at: number
  rtpTimestamp: number
  packets: number
  bytes: number
}): RtcpPacket {
  const seconds = sent.at / 1000 + NTP_EPOCH_S
  return new RtcpSrPacket({
    ssrc: sent.ssrc,
    senderInfo: new RtcpSenderInfo({
      ntpTimestamp: (BigInt(Math.floor(seconds)) << 32n) | BigInt(Math.floor((seconds % 1) * 2 ** 32)),
      rtpTimestamp: sent.rtpTimestamp >>> 0,
      packetCount: sent.packets,
      octetCount: sent.bytes % 2 ** 32,
    }),
    reports: [],
  })
}
