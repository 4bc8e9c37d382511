/** The messages between the page and the worker that replaces backgrounds. */

/** The background that is drawn behind the person. */
export type Backdrop = 'blur' | ImageBitmap

export type ToWorker =
  | { do: 'backdrop'; backdrop: Backdrop }
  /** The frames of the camera, and where the new ones go, if the browser supports insertable streams. */
  | { do: 'stream'; from: ReadableStream<VideoFrame>; to: WritableStream<VideoFrame> }
  /** One frame, which is answered with the new one. */
  | { do: 'picture'; picture: ImageBitmap }
  /** Asks for a tick at this interval, because browsers slow down the timers of hidden pages. */
  | { do: 'tick'; everyMs: number }

export type FromWorker =
  | { did: 'load' }
  | { did: 'fail'; reason: string }
  | { did: 'picture'; picture: ImageBitmap }
  | { did: 'tick' }
  /** One frame is done. The only answer to a frame of a stream. */
  | { did: 'work'; workMs: number }
