/** The codec-specific part of writing frames into a file. Types only. */

export interface Size {
  width: number
  height: number
}

/** A complete frame. */
export interface CodedFrame {
  data: Buffer
  /** Whether it can be decoded without earlier frames. */
  isKey: boolean
  /** Only in key frames. */
  size?: Size | undefined
  /** The data that a player needs before the first frame (CodecPrivate); in key frames of some codecs. */
  configuration?: Buffer | undefined
}

export interface VideoCodec {
  /** The codec id of Matroska. */
  readonly id: 'V_VP8' | 'V_VP9' | 'V_AV1' | 'V_MPEG4/ISO/AVC'
  /** Whether this payload contains the beginning of a frame; called only after a loss. */
  starts(payload: Buffer): boolean
  /** Assembles a frame from its payloads; undefined if they are invalid. */
  join(payloads: Buffer[]): CodedFrame | undefined
}
