/** The media server cannot start as configured. The message is one sentence that names the variable and the cure. */
export class MediaStartError extends Error {
  /** The name under which the command line shows a sentence and no stack. */
  override readonly name = 'StartError'
}

/** The worker's binary does not start; the server goes on without media. */
export class WorkerUnusable extends Error {
  override readonly name = 'WorkerUnusable'
}

/** A worker does not answer where clients are told to send; the server goes on without media. */
export class MediaUnreachable extends Error {
  override readonly name = 'MediaUnreachable'

  constructor(address: string, port: number, protocols: readonly string[]) {
    super(
      `media is announced at ${address} port ${port} and does not answer there over ${protocols.join(' and ')}; set ANNOUNCED_ADDRESS to the address that clients reach this machine by, or open the port in this machine's firewall`,
    )
  }
}
