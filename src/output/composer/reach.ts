/**
 * Where outputs may connect to. Callers name pages and RTMP servers, so without this rule an output would be a way into the
 * server's network.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** Whether outputs may connect to an IP address. */
export type MayReach = (address: string) => boolean

const LOOPBACK = '127.0.0.1'

/** What is wrong with a host that a caller names, as the end of a sentence. What a name stands for is seen when it is connected to. */
export function hostProblem(hostname: string, mayReach: MayReach): string | undefined {
  const name = bare(hostname)
  const address = isIP(name) !== 0 ? name : isOwnName(name) ? LOOPBACK : undefined
  if (address === undefined || mayReach(address)) return undefined
  return 'must not be a private address unless OUTPUTS_ALLOW_PRIVATE=true'
}

/** An address of a host that may be connected to. Connect to it, and not to the name, which may stand for another one by then. */
export async function addressOf(hostname: string, mayReach: MayReach): Promise<string | undefined> {
  const name = bare(hostname)
  if (isIP(name) !== 0) return mayReach(name) ? name : undefined
  const found = await lookup(name, { all: true }).catch(() => [])
  return found.map(({ address }) => address).find(mayReach)
}

/** Without the brackets of IPv6. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Browsers trust what they get from it, also in the clear. */
export function isThisMachine(hostname: string): boolean {
  const name = bare(hostname)
  return isOwnName(name) || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name)
}

function isOwnName(name: string): boolean {
  return /(^|\.)localhost\.?$/i.test(name)
}
