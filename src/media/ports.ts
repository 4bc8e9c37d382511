/** Tries whether ports can be listened on, before there is a worker that does. */
import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import type { MediaAddress } from './addresses.ts'

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
