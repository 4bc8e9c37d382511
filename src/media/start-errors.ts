/** The media server cannot start as configured. The message is one sentence that names the variable and the cure. */
export class MediaStartError extends Error {
  /** The name under which the command line shows a sentence and no stack. */
  override readonly name = 'StartError'
}

/** The worker's binary does not start; the server goes on without media. */
export class WorkerUnusable extends Error {
  override readonly name = 'WorkerUnusable'
}
