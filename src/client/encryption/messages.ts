/** What the page and its worker tell each other. */
import type { Codec, Owner } from './frames.ts'
import type { MeetingKey } from './keys.ts'

export interface Transform extends Owner {
  role: 'seal' | 'open'
  codec: Codec
  /** By which the worker reports whether it can be opened. */
  streamId: string
}

/** Where the browser has no `RTCRtpScriptTransform`, the page sends the frames of a stream here. */
export interface Frames {
  readable: ReadableStream<EncodedFrame>
  writable: WritableStream<EncodedFrame>
}

export interface Keys {
  /** Undefined: nothing is sent. */
  seal: MeetingKey | undefined
  /** Newest first. */
  open: readonly MeetingKey[]
}

export type ToWorker = { keys: Keys } | { transform: Transform & Frames }

/** Frames of this stream can be opened from here on, or not. */
export interface FromWorker {
  streamId: string
  isOpen: boolean
}

/** `RTCEncodedVideoFrame` or `RTCEncodedAudioFrame`. */
export interface EncodedFrame {
  data: ArrayBuffer
  /** Of video: `key` or `delta`. */
  readonly type?: string
}
