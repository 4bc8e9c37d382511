/** The way to one chat socket. Neither call throws. */
export interface ChatLink {
  /** `taken` is called when the network has taken the frame, or never will. */
  send(frame: Uint8Array, taken?: () => void): void
  /** Bytes that the network has not taken yet. */
  readonly backlogBytes: number
  /** Most of a topic's history that one request gets, the newest of it; default: all. */
  readonly maxHistoryBytes?: number
  readonly closed: boolean
  close(code: number, reason: string): void
}
