/** What ports and sockets the system gives, tried before there is a worker that listens. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'
import { platform } from 'node:os'
import type { MediaAddress } from './addresses.ts'

/** Asked of the system for the UDP socket of a worker, which all its clients share; it grants at most what it is configured to. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** How much of that a socket would get; undefined where it cannot be asked. */
export async function grantedSocketBuffer(): Promise<number | undefined> {
  const trial = createSocket('udp4')
  try {
    trial.bind(0, '127.0.0.1')
    await once(trial, 'listening')
    trial.setRecvBufferSize(SOCKET_BUFFER_BYTES)
    // Linux counts its own bookkeeping and shows twice what it was asked for.
    return trial.getRecvBufferSize() / (platform() === 'linux' ? 2 : 1)
  } catch {
    return undefined
  } finally {
    trial.close()
  }
}

/**
 * Resolves with why this address cannot be listened on, in the system's word for it; with undefined when it can.
 * `ipv6Only`: an IPv6 address is to take the IPv6 port alone.
 */
export type Trial = (port: number, host: string, ipv6Only?: boolean) => Promise<string | undefined>

export const tryTcp: Trial = (port, host, ipv6Only = false) =>
  new Promise((resolve) => {
    const trial = createServer()
    trial.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    trial.listen({ port, host, ipv6Only: ipv6Only && isIPv6(host) }, () =>
      trial.close(() => resolve(undefined)),
    )
  })

export const tryUdp: Trial = (port, host, ipv6Only = false) =>
  new Promise((resolve) => {
    const trial = isIPv6(host) ? createSocket({ type: 'udp6', ipv6Only }) : createSocket('udp4')
    trial.once('error', (error: NodeJS.ErrnoException) => {
      trial.close()
      resolve(error.code ?? error.message)
    })
    trial.bind(port, host, () => trial.close(() => resolve(undefined)))
  })

export interface UnusablePort {
  port: number
  protocol: 'UDP' | 'TCP'
  problem: string
}

/** The first port that a worker could not listen on; undefined when all can be. */
export async function unusablePort(
  addresses: readonly MediaAddress[],
  { firstPort, workers }: { firstPort: number; workers: number },
): Promise<UnusablePort | undefined> {
  for (let port = firstPort; port < firstPort + workers; port++) {
    for (const { ip } of addresses) {
      for (const [protocol, trial] of [
        ['UDP', tryUdp],
        ['TCP', tryTcp],
      ] as const) {
        // As a worker does: each family has a socket of its own.
        const problem = await trial(port, ip, true)
        if (problem !== undefined) return { port, protocol, problem }
      }
    }
  }
  return undefined
}
