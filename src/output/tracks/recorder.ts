/** The options of the engines of participant and track recordings. Types only. */

export interface RecorderOptions {
  /** The path of ffmpeg; if undefined, only WebM is available. */
  ffmpeg: string | undefined
  log: RecorderLog
  /** Ms since the epoch. */
  now: () => number
  /** Measures spans in ms, independent of the system's time. Default: `performance.now()`. */
  elapsed?: (() => number) | undefined
  /** Recordings end when only this much space is free. */
  reserveBytes: number
  /** Returns the free space of a folder's disk. Default: asks the system. */
  freeBytes?: ((folder: string) => Promise<number>) | undefined
}

export interface RecorderLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
