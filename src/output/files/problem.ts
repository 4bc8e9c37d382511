/** What a store of files answers instead of a file. The message is one plain sentence, without credentials. */
export class FileStoreError extends Error {
  override readonly name = 'FileStoreError'
}
