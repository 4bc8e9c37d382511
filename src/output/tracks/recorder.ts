/** What the engines of participant and track recordings are given. Types only. */

export interface RecorderOptions {
  /** The path of ffmpeg; undefined where there is none. Then WebM is all that can be made. */
  ffmpeg: string | undefined
  log: RecorderLog
  /** Ms since the epoch. */
  now: () => number
  /** Measures spans, in ms, whatever happens to the system's time. Default: `performance.now()`. */
  elapsed?: (() => number) | undefined
  /** At this much free space recordings end. Default: 512 MiB. */
  reserveBytes?: number | undefined
  /** Of the disk that a folder is on. Default: what the system says. */
  freeBytes?: ((folder: string) => Promise<number>) | undefined
}

export interface RecorderLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
