import { setLogEventListeners } from 'mediasoup'
import { mediaAddresses } from '../addresses.ts'
import type { MediaLog } from '../log.ts'
import type { Sfu } from '../sfu.ts'
import { WorkerPool } from './pool.ts'

export interface MediasoupOptions {
  workerBin: string
  workers: number
  firstPort: number
  listenAddress: string
  announcedAddress?: string | undefined
  stopping?: AbortSignal | undefined
  log?: MediaLog | undefined
}

/**
 * The media server on mediasoup's workers.
 * @throws {WorkerUnusable} when the binary does not start
 * @throws {StartError} when a port is taken or an address is not this machine's
 */
export async function startMediasoup(options: MediasoupOptions): Promise<Sfu> {
  const { log, stopping } = options
  const addresses = await mediaAddresses(options.listenAddress, options.announcedAddress)
  for (const { announced, isOwn } of addresses) {
    if (!isOwn)
      log?.warn(
        { announced },
        'media is announced at an address on which it does not listen itself, so it could not be tried from here',
      )
  }
  setLogEventListeners(
    log && {
      onerror: (namespace, message, error) =>
        log.warn({ namespace, ...(error ? { err: error } : {}) }, `mediasoup: ${message}`),
    },
  )
  const pool = await WorkerPool.start({
    workerBin: options.workerBin,
    workers: Math.max(1, options.workers),
    firstPort: options.firstPort,
    addresses,
    stopping,
    log,
  })
  let closing: Promise<void> | undefined
  return {
    get status() {
      return pool.status
    },
    openRouter: () => pool.openRouter(),
    usage: () => pool.usage(),
    close: () => (closing ??= pool.close()),
  }
}
