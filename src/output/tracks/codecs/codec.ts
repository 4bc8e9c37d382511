/** What is to be known of a codec to put its frames into a file. Types only. */

export interface Size {
  width: number
  height: number
}

/** A frame put together again. */
export interface CodedFrame {
  data: Buffer
  /** Can be decoded without those before it. */
  isKey: boolean
  /** Told by key frames. */
  size?: Size | undefined
  /** What a player must have before the first frame (CodecPrivate); told by key frames of some codecs. */
  configuration?: Buffer | undefined
}

export interface VideoCodec {
  /** In Matroska. */
  readonly id: 'V_VP8' | 'V_VP9' | 'V_AV1' | 'V_MPEG4/ISO/AVC'
  /** Whether the first piece of a frame is in this payload; asked only after a loss. */
  starts(payload: Buffer): boolean
  /** Puts the payloads of one frame together; undefined for nonsense. */
  join(payloads: Buffer[]): CodedFrame | undefined
}
