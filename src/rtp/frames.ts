import { av1 } from './codecs/av1.ts'
import type { CodedFrame, VideoCodec } from './codecs/codec.ts'
import { h264 } from './codecs/h264.ts'
import { vp8 } from './codecs/vp8.ts'
import { vp9 } from './codecs/vp9.ts'
import type { Ordered } from './reorder.ts'

/** Returns the codec with this name in RTP; undefined if our files do not support it. */
export function videoCodecOf(mimeType: string): VideoCodec | undefined {
  switch (mimeType.toLowerCase()) {
    case 'video/vp8':
      return vp8
    case 'video/vp9':
      return vp9
    case 'video/av1':
      return av1
    case 'video/h264':
      return h264()
    default:
      return undefined
  }
}

export interface TimedFrame extends CodedFrame {
  timestamp: number
  /** When its first packet arrived, in ms. */
  arrivedAt: number
}

/**
 * Assembles frames from packets in order. After a loss it drops frames until the next key frame, because they would
 * show a broken image.
 */
export class FrameJoiner {
  readonly #codec: VideoCodec
  #pieces: Buffer[] = []
  #first: { timestamp: number; arrivedAt: number } | undefined
  #isBroken = false
  #needsKey = true

  constructor(codec: VideoCodec) {
    this.#codec = codec
  }

  /** Whether frames are dropped until a key frame arrives. */
  get needsKey(): boolean {
    return this.#needsKey
  }

  /** Drops frames from here on, until the next key frame. */
  interrupt(): void {
    this.#needsKey = true
  }

  push({ packet, arrivedAt, isAfterLoss }: Ordered, take: (frame: TimedFrame) => void): void {
    // The end of the frame may be among the lost packets.
    if (isAfterLoss && this.#pieces.length > 0) this.#isBroken = true
    if (this.#first && packet.timestamp !== this.#first.timestamp) this.#end(take)
    if (isAfterLoss) {
      this.#needsKey = true
      this.#isBroken ||= !this.#codec.starts(packet.payload)
    }
    this.#first ??= { timestamp: packet.timestamp, arrivedAt }
    this.#pieces.push(packet.payload)
    if (packet.marker) this.#end(take)
  }

  #end(take: (frame: TimedFrame) => void): void {
    const [first, pieces, isBroken] = [this.#first!, this.#pieces, this.#isBroken]
    this.#first = undefined
    this.#pieces = []
    this.#isBroken = false
    const frame = isBroken ? undefined : this.#codec.join(pieces)
    if (!frame) {
      this.#needsKey = true
      return
    }
    if (frame.isKey) this.#needsKey = false
    if (!this.#needsKey) take({ ...frame, ...first })
  }
}
