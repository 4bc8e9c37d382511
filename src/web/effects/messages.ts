/** What the page and the worker that changes pictures say to each other. */

/** The background that is drawn behind the person. */
export type Backdrop = 'blur' | ImageBitmap

export type ToWorker =
  | { do: 'backdrop'; backdrop: Backdrop }
  /** The frames of the camera, and where the changed ones go; where the browser has streams of frames. */
  | { do: 'stream'; from: ReadableStream<VideoFrame>; to: WritableStream<VideoFrame> }
  /** One picture; the answer is the changed one. */
  | { do: 'picture'; picture: ImageBitmap }
  /** Call back at this pace, for timers of pages that are out of sight are slow. */
  | { do: 'tick'; everyMs: number }

export type FromWorker =
  | { did: 'load' }
  | { did: 'fail'; reason: string }
  | { did: 'picture'; picture: ImageBitmap }
  | { did: 'tick' }
  /** One picture was changed; frames of a stream only say so. */
  | { did: 'work'; workMs: number }
