/**
 * Decides to which addresses events may be sent. The creator of a meeting chooses the receiver, so without this rule a webhook would be
 * a way into the server's network.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const MAX_END_POINT_LENGTH = 512

/** A metadata service at an address of the public internet. */
const METADATA_SERVICE = '168.63.129.16'
/** Of IPv6, only this is given out; `ipaddr.js` says "unicast" of all that is not reserved. */
const GIVEN_OUT_6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Whether an IP address is one of the public internet, by IANA's registries of special-purpose addresses. */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%')
  // Stricter than `ipaddr.js`, which reads "1.2.3" too.
  if (isIP(bare) === 0 || bare === METADATA_SERVICE) return false
  const read = ipaddr.parse(bare)
  return read.range() === 'unicast' && (read instanceof ipaddr.IPv4 || read.match(GIVEN_OUT_6))
}

/** The literal IP address in a URL; undefined if it has a host name. */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) ? bare : undefined
}

/** What is wrong with an endpoint, as the end of a sentence; undefined if nothing is. */
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
