/** Addresses of TURN servers. */
import type { Endpoint, Protocol } from './line.ts'

export interface TurnUrl extends Endpoint {
  protocol: Protocol
}

/** The parts of a `turn:` or `turns:` address (RFC 7065); undefined for others. */
export function parseTurnUrl(url: string): TurnUrl | undefined {
  const parts = /^(turns?):(?:\[([^\]]+)\]|([^:?]+))(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(url)
  if (!parts) return undefined
  const [, scheme, inBrackets, name, port, transport] = parts
  const isSecure = scheme === 'turns'
  return {
    protocol: isSecure ? 'tls' : ((transport as 'udp' | 'tcp' | undefined) ?? 'udp'),
    address: inBrackets ?? name!,
    port: Number(port ?? (isSecure ? 5349 : 3478)),
  }
}
