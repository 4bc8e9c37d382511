/** Tests which ports and socket buffers the system grants, before a worker listens. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'
import { platform } from 'node:os'
import { ownLoopback } from '../loopback.ts'
import type { MediaAddress } from './addresses.ts'

/** The requested buffer of a worker's UDP socket, which all its clients share. The system may grant less. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** Returns how much of it a socket would get; undefined if that cannot be determined. */
export async function grantedSocketBuffer(): Promise<number | undefined> {
  const address = ownLoopback()
  const trial = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    trial.bind(0, address)
    await once(trial, 'listening')
    trial.setRecvBufferSize(SOCKET_BUFFER_BYTES)
    // Linux reports twice the requested size, because it counts its own bookkeeping.
    return trial.getRecvBufferSize() / (platform() === 'linux' ? 2 : 1)
  } catch {
    return undefined
  } finally {
    trial.close()
  }
}

/**
 * Resolves with the system's error code if this address cannot be listened on, otherwise with undefined. `ipv6Only`: an
 * IPv6 address takes the IPv6 port only.
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

/** Returns the first port on which a worker could not listen; undefined if all are free. */
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
        // A worker too has a separate socket for each family.
        const problem = await trial(port, ip, true)
        if (problem !== undefined) return { port, protocol, problem }
      }
    }
  }
  return undefined
}
