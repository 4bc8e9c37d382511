/** Classifies IP addresses and host names. Pure functions. */
import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * - `any`: stands for every address of a machine; usable for listening, not for connecting
 * - `reserved`: assigned to nobody
 * - `private`: reached only from the same network
 */
export type AddressKind = 'any' | 'loopback' | 'linkLocal' | 'multicast' | 'reserved' | 'private' | 'public'

/** The first kind whose list contains the address. */
const kinds: readonly (readonly [AddressKind, BlockList])[] = (
  [
    ['any', ['0.0.0.0/32', '::/128']],
    ['loopback', ['127.0.0.0/8', '::1/128']],
    ['linkLocal', ['169.254.0.0/16', 'fe80::/10']],
    ['multicast', ['224.0.0.0/4', 'ff00::/8']],
    ['reserved', ['0.0.0.0/8', '240.0.0.0/4']],
    ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']],
  ] as const
).map(([kind, ranges]) => [kind, blockListOf(ranges)])

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [net = '', bits] = range.split('/')
    list.addSubnet(net, Number(bits), versionOf(net))
  }
  return list
}

function versionOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** Returns undefined if the text is not an IP address, or has a zone. */
export function kindOf(address: string): AddressKind | undefined {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  // A BlockList treats an IPv4-mapped address as the IPv4 address; sockets do not.
  if (version === 6 && /^::ffff:/i.test(address)) return 'reserved'
  return kinds.find(([, list]) => list.check(address, versionOf(address)))?.[0] ?? 'public'
}

/** Whether only this machine can reach an address or name. */
export function isLoopback(address: string): boolean {
  const plain = withoutMapping(address)
  if (plain === 'localhost') return true
  // Called for each request: the lists of `kindOf` would cost a hundred times as much.
  return isIPv4(plain) ? plain.startsWith('127.') : kindOf(plain) === 'loopback'
}

/** Whether a host, with or without a port, can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host)
}

/** Whether, by its settings, only this machine can reach the server. The one rule for loopback privileges and lifted rate limits. */
export function isReachedFromHereAlone(settings: {
  host: string
  publicUrl: string | undefined
  trustedProxies: readonly string[]
}): boolean {
  const { host, publicUrl, trustedProxies } = settings
  return isLoopback(host) && publicUrl === undefined && trustedProxies.length === 0
}

/** Turns an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) into the IPv4 address. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i

/** A host name as in DNS, containers and hosts files. The last label is not a number, because that would be an address. */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  return (
    text.length <= 253 &&
    labels.every((label) => label.length <= 63 && LABEL.test(label)) &&
    !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)
  )
}

/** A host for use in a URL: IPv6 addresses get brackets. */
export function inUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

/** The host that a person at this machine types. */
export function displayHost(host: string): string {
  return host === '127.0.0.1' || host === '::1' || kindOf(host) === 'any' ? 'localhost' : inUrl(host)
}
