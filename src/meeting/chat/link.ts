/** Sends to one chat socket. Neither call throws. */
export interface ChatLink {
  /** `taken` is called when the network has accepted the frame, or never will. */
  send(frame: Uint8Array, taken?: () => void): void
  /** Bytes that the network has not accepted yet. */
  readonly backlogBytes: number
  /** The maximum length of a history that one request gets, newest messages first to be kept; default: all. */
  readonly maxHistoryBytes?: number
  readonly closed: boolean
  close(code: number, reason: string): void
}
