/** A value that participants of a session share, with whose key it is. */
export interface SessionValue {
  key: string
  /** Null: the key is deleted. */
  value: string | null
  tokenId: string
  participantId?: string
}

/** Shared values of sessions, written a moment after they were set. */
export interface SessionValueStore {
  put(sessionId: string, values: readonly SessionValue[]): Promise<void>
  list(sessionId: string): Promise<(SessionValue & { value: string })[]>
  drop(sessionId: string): Promise<void>
}
