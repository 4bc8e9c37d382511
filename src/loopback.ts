/** The loopback address of this machine: `127.0.0.1`, or `::1` where it has no IPv4. */
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Of a machine whose interfaces have these addresses. */
export function loopbackOf(own: readonly { address: string; internal: boolean }[]): string {
  const loopbacks = own.filter(({ internal }) => internal).map(({ address }) => address)
  return loopbacks.length > 0 && !loopbacks.some(isIPv4) ? '::1' : '127.0.0.1'
}

export function ownLoopback(): string {
  return loopbackOf(Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []))
}
