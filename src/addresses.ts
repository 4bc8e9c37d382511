/** What an IP address is good for. Pure functions. */
import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * - `any`: stands for every address of a machine; one can listen on it and never connect to it
 * - `reserved`: assigned to nobody
 * - `private`: reached only from the same network
 */
export type AddressKind = 'any' | 'loopback' | 'linkLocal' | 'multicast' | 'reserved' | 'private' | 'public'

/** The first kind that has the address is its kind. */
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

/** Undefined when the text is no IP address, or one with a zone. */
export function kindOf(address: string): AddressKind | undefined {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  // A BlockList takes an IPv4-mapped address for the IPv4 address, which the other side of a socket does not.
  if (version === 6 && /^::ffff:/i.test(address)) return 'reserved'
  return kinds.find(([, list]) => list.check(address, versionOf(address)))?.[0] ?? 'public'
}

/** Whether only this machine reaches an address or name. */
export function isLoopback(address: string): boolean {
  const plain = withoutMapping(address)
  if (plain === 'localhost') return true
  // Asked at each request: the lists of `kindOf` cost a hundred times as much.
  return isIPv4(plain) ? plain.startsWith('127.') : kindOf(plain) === 'loopback'
}

/** Whether a host, with or without a port, is a name of this machine that no other can have. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host)
}

/** Whether settings say that nobody but this machine reaches the server. The one rule for privileges and paces on loopback. */
export function isReachedFromHereAlone(settings: {
  host: string
  publicUrl: string | undefined
  trustedProxies: readonly string[]
}): boolean {
  const { host, publicUrl, trustedProxies } = settings
  return isLoopback(host) && publicUrl === undefined && trustedProxies.length === 0
}

/** An IPv4 address as a listener for IPv6 sees it (`::ffff:192.0.2.1`), in its own form. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i

/** A host name as DNS, containers and hosts files know them. The last label is no number: that would be an address. */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  return (
    text.length <= 253 &&
    labels.every((label) => label.length <= 63 && LABEL.test(label)) &&
    !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)
  )
}

/** As it stands in the address of a page: an IPv6 address in brackets. */
export function inUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

/** What a person at this machine types. */
export function displayHost(host: string): string {
  return host === '127.0.0.1' || host === '::1' || kindOf(host) === 'any' ? 'localhost' : inUrl(host)
}
