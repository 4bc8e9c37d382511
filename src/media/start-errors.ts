/** The media server cannot start as configured. The message is one sentence that names the variable and the cure. */
export class MediaStartError extends Error {
  override readonly name = 'MediaStartError'
}

/** The worker's binary does not start; the server goes on without media. */
export class WorkerUnusable extends Error {
  override readonly name = 'WorkerUnusable'
}
