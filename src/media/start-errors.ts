import { StartError } from '../errors.ts'

/**
 * Creates the error for an address or port on which media cannot listen.
 * @param problem the error of the system or of mediasoup
 */
export function cannotListen(
  problem: string,
  at: { addresses: readonly { ip: string }[]; port: number; workers: number },
  options?: ErrorOptions,
): StartError {
  const listened = at.addresses.map(({ ip }) => ip).join(' and ')
  const sentence = /not available|EADDRNOTAVAIL/i.test(problem)
    ? `Media cannot listen on ${listened}: that is not an address of this machine; set HOST to one that is, and ANNOUNCED_ADDRESS to the one that clients reach.`
    : /in use|EADDRINUSE/i.test(problem)
      ? `Port ${at.port}, which media needs over UDP and TCP, is in use; set MEDIA_PORT to the first of ${at.workers} free ports, or stop the program that uses it.`
      : `Media cannot listen on ${listened} port ${at.port} (${problem}); set MEDIA_PORT or HOST to one that it may use.`
  return new StartError(sentence, options)
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
