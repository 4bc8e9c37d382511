/** What a store of files answers instead of a file. The message is one plain sentence, without credentials. */
export class FileStoreError extends Error {
  override readonly name: string = 'FileStoreError'
}

/** The file is there, but this machine has no room for a copy of it. */
export class NoRoomError extends FileStoreError {
  override readonly name = 'NoRoomError'
}

/** The file is on the disk of another node, which cannot be reached. */
export class NodeAwayError extends FileStoreError {
  override readonly name = 'NodeAwayError'

  constructor(nodeId: string, options?: ErrorOptions) {
    super(
      `The file is on the disk of the node ${nodeId}, which cannot be reached now. With FILES_URL, files are where all nodes reach them.`,
      options,
    )
  }
}
