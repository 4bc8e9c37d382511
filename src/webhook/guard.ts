/**
 * Which addresses events may go to. A receiver is named by whoever makes a meeting, so without this rule a webhook would be
 * a way into the network that the server stands in.
 */
import { BlockList, isIP } from 'node:net'

const MAX_END_POINT_LENGTH = 512

/** IPv4 that is not of the public internet (IANA's special-purpose registry), and the metadata service that pretends to be. */
const inward4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const
/** Of IPv6 only this is public; loopback, link-local, unique local, multicast, IPv4-mapped and NAT64 all lie outside. */
const PUBLIC6 = ['2000::', 3] as const
/** Except these in it: Teredo and other protocol assignments, documentation, 6to4. */
const inward6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const inward = new BlockList()
for (const [net, prefix] of inward4) inward.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of inward6) inward.addSubnet(net, prefix, 'ipv6')
const outward6 = new BlockList()
outward6.addSubnet(...PUBLIC6, 'ipv6')

/** Whether an IP address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%')
  switch (isIP(bare)) {
    case 4:
      return !inward.check(bare, 'ipv4')
    case 6:
      return outward6.check(bare, 'ipv6') && !inward.check(bare, 'ipv6')
    default:
      return false
  }
}

/** The IP address that a URL names literally; undefined when it names a host. */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) ? bare : undefined
}

/** What is wrong with an address for events, as the end of a sentence; undefined when nothing is. */
export function endPointProblem(endPoint: string, allowPrivate: boolean): string | undefined {
  if (endPoint.length > MAX_END_POINT_LENGTH) return `must be at most ${MAX_END_POINT_LENGTH} characters long`
  const url = URL.canParse(endPoint) ? new URL(endPoint) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return 'must be an http or https address'
  if (url.username !== '' || url.password !== '') return 'must be an address without credentials'
  if (allowPrivate) return undefined
  const literal = literalAddress(url)
  const inside = literal === undefined ? /(^|\.)localhost\.?$/.test(url.hostname) : !isPublicAddress(literal)
  return inside ? 'must not be a private address unless WEBHOOK_ALLOW_PRIVATE=true' : undefined
}
