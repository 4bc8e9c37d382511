import { av1 } from './codecs/av1.ts'
import type { CodedFrame, VideoCodec } from './codecs/codec.ts'
import { h264 } from './codecs/h264.ts'
import { vp8 } from './codecs/vp8.ts'
import { vp9 } from './codecs/vp9.ts'
import type { Ordered } from './reorder.ts'

/** By the name in RTP; undefined for one that no file of ours takes. */
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
  /** When its first packet came, in ms. */
  arrivedAt: number
}

/**
 * Puts frames together from packets in order. After a loss nothing is given until the next key frame: what comes before would
 * show a broken picture.
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

  /** Nothing can be shown until a key frame comes. */
  get needsKey(): boolean {
    return this.#needsKey
  }

  /** Pictures are left out from here on. */
  interrupt(): void {
    this.#needsKey = true
  }

  push({ packet, arrivedAt, isAfterLoss }: Ordered, take: (frame: TimedFrame) => void): void {
    // Its end may be among what is lost.
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
