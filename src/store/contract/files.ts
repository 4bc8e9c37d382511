/** The files of a session, deleted with it. */
export interface FileStore {
  put(sessionId: string, fileId: string, bytes: Uint8Array): Promise<void>
  get(sessionId: string, fileId: string): Promise<Buffer | undefined>
  list(sessionId: string): Promise<{ fileId: string; bytes: number }[]>
  drop(sessionId: string): Promise<void>
  /** Deletes the files of all other sessions. */
  keepOnly(sessionIds: ReadonlySet<string>): Promise<void>
}
