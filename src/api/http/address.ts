/** Finds the address of a caller, also behind proxies, and the network that it counts as. Pure functions. */
import { BlockList, isIP, isIPv4 } from 'node:net'

/** The header in which trusted proxies name the client. */
export const proxyHeaders = ['x-forwarded-for', 'forwarded'] as const
export type ProxyHeader = (typeof proxyHeaders)[number]

export interface TrustedProxies {
  /** Whether this address belongs to a trusted proxy. */
  trusts(address: string): boolean
  /** The only header that is trusted: a proxy that sets one passes the other on as the caller sent it. */
  header: ProxyHeader
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
/** More hops than any real chain of proxies. */
const MAX_HOPS = 32

/** `ranges` are addresses and CIDR ranges, already validated with the settings. */
export function trustedProxies(ranges: readonly string[], header: ProxyHeader): TrustedProxies {
  const list = new BlockList()
  for (const range of ranges) {
    const [net = '', bits] = range.split('/')
    const version = isIPv4(net) ? 4 : 6
    list.addSubnet(net, Number(bits ?? (version === 4 ? 32 : 128)), `ipv${version}`)
  }
  return {
    header,
    trusts: (address) => {
      // A lookup in the list costs more than the rest of the gate.
      if (ranges.length === 0) return false
      const plain = withoutMapping(address)
      return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
    },
  }
}

/**
 * The address of the caller: `peer`, unless that is a trusted proxy. Then it is the rightmost entry of its header
 * that is not a trusted proxy itself. Entries to the left of it were written by the caller and are ignored.
 */
export function callerOf(
  peer: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  proxies: TrustedProxies,
): string {
  let caller = withoutMapping(peer)
  if (!proxies.trusts(caller)) return caller
  const entries = [headers[proxies.header] ?? ''].flat().join(',').split(',')
  for (const entry of entries.slice(-MAX_HOPS).reverse()) {
    const next = addressIn(entry, proxies.header)
    // A proxy that does not name a client counts as the caller.
    if (next === undefined) return caller
    caller = next
    if (!proxies.trusts(caller)) return caller
  }
  return caller
}

/** The network that counts as one caller: an IPv4 address, or the /64 of an IPv6 address, because its owner has all of it. */
export function networkOf(address: string): string {
  const plain = withoutMapping(address)
  if (isIP(plain) !== 6) return plain
  const [left = '', right] = plain.split('%')[0]!.split('::')
  const parts = (text = ''): string[] => text.split(':').filter((part) => part !== '')
  // An IPv4 address at the end stands for two groups.
  const after = parts(right).flatMap((part) => (part.includes('.') ? ['0', '0'] : [part]))
  const before = parts(left)
  const zeros = Array.from({ length: Math.max(8 - before.length - after.length, 0) }, () => '0')
  const groups = [...before, ...zeros, ...after].slice(0, 4)
  return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** Unmaps an IPv4 address that came over an IPv6 socket. */
function withoutMapping(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address
}

function addressIn(entry: string, header: ProxyHeader): string | undefined {
  let text = entry.trim()
  if (header === 'forwarded') {
    const [, quoted, plain] = /(?:^|;)\s*for=(?:"([^"]*)"|([^;"\s]*))\s*(?:;|$)/i.exec(text) ?? []
    text = quoted ?? plain ?? ''
  }
  const [, inBrackets] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? []
  const bare = withoutMapping(inBrackets ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1'))
  return isIP(bare) === 0 ? undefined : bare
}
