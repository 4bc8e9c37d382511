/** What a store of files answers instead of a file. The message is one plain sentence, without credentials. */
export class FileStoreError extends Error {
  override readonly name: string = 'FileStoreError'
}

/** The file is there, but this machine has no room for a copy of it. */
export class NoRoomError extends FileStoreError {
  override readonly name = 'NoRoomError'
}
