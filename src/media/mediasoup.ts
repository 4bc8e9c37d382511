import { networkInterfaces } from 'node:os'
import { setLogEventListeners } from 'mediasoup'
import type { MediaLog } from './log.ts'
import type { Sfu } from './sfu.ts'
import { WorkerPool } from './worker-pool.ts'

export interface MediasoupOptions {
  workerBin: string
  workers: number
  firstPort: number
  listenAddress: string
  announcedAddress?: string | undefined
  log?: MediaLog | undefined
}

/**
 * The media server on mediasoup's workers.
 * @throws {WorkerUnusable} when the binary does not start
 * @throws {MediaStartError} when a port is taken or an address is not this machine's
 */
export async function startMediasoup(options: MediasoupOptions): Promise<Sfu> {
  const { log } = options
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
    log,
    ...mediaAddress(options.listenAddress, options.announcedAddress, log),
  })
  let closing: Promise<void> | undefined
  return {
    status: { available: true, ports: pool.ports, workers: pool.ports.length },
    openRouter: () => pool.openRouter(),
    usage: () => pool.usage(),
    close: () => (closing ??= pool.close()),
  }
}

/**
 * Where the workers listen and what clients are told, from HOST and ANNOUNCED_ADDRESS.
 * Media is IPv4 unless HOST is an IPv6 address of one interface.
 */
export function mediaAddress(
  listenAddress: string,
  announcedAddress: string | undefined,
  log?: MediaLog,
): { listenIp: string; announcedAddress?: string } {
  const listenIp =
    ({ localhost: '127.0.0.1', '::1': '127.0.0.1', '::': '0.0.0.0' } as const)[listenAddress] ?? listenAddress
  if (announcedAddress !== undefined) return { listenIp, announcedAddress }
  if (listenIp !== '0.0.0.0') return { listenIp }
  const found = firstExternalIpv4()
  if (found === undefined) {
    log?.warn(
      {},
      'this machine has no network address; media is announced on loopback only, set ANNOUNCED_ADDRESS',
    )
  }
  return { listenIp, announcedAddress: found ?? '127.0.0.1' }
}

function firstExternalIpv4(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}
