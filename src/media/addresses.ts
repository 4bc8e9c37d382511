/** Derives the addresses on which the media workers listen and that clients get, from HOST and ANNOUNCED_ADDRESS. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { StartError } from '../errors.ts'
import { isLoopback, kindOf, type AddressKind } from '../addresses.ts'
import { loopbackOf } from '../loopback.ts'

export interface MediaAddress {
  /** The address on which a worker listens. */
  ip: string
  /** The address to which clients send. */
  announced: string
  /** Whether `announced` belongs to this machine, so that the server itself can try it. */
  isOwn: boolean
}

/** The facts about the machine that the decision depends on. */
export interface Machine {
  /** Addresses of its network interfaces. */
  own: readonly { address: string; internal: boolean }[]
  /** Resolves a host name to its addresses. */
  resolve: (name: string) => Promise<string[]>
}

const ANYWHERE = { 4: '0.0.0.0', 6: '::' } as const
/** Kinds of address that no client on another machine can reach. */
const useless: Partial<Record<AddressKind, string>> = {
  any: 'stands for every address of a machine and is none that clients can send to',
  linkLocal: 'is link-local and reaches no further than one cable',
  multicast: 'is a multicast address',
  reserved: 'is assigned to nobody',
}

function thisMachine(): Machine {
  return {
    own: Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address, internal }) => ({ address, internal })),
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  }
}

/**
 * Returns the announced addresses. If none is configured: one for each family, by `domain` the public one that this name leads to
 * where the machine has none itself.
 * @throws {StartError} if clients could not reach an announced address
 */
export async function mediaAddresses(
  listenAddress: string,
  announcedAddresses: readonly string[] | undefined,
  machine: Machine = thisMachine(),
  domain?: string,
): Promise<MediaAddress[]> {
  const host = listenAddress === 'localhost' ? loopbackOf(machine.own) : listenAddress
  if (isIP(host) === 0) {
    throw new StartError(
      `HOST is ${host}, and media can listen on an address only: set HOST to one of this machine, or to 0.0.0.0.`,
    )
  }
  const isOwn = (address: string): boolean =>
    kindOf(address) === 'loopback' || machine.own.some((own) => own.address === address)
  const announced =
    announcedAddresses !== undefined
      ? await givenAddresses(announcedAddresses, host, machine, isOwn)
      : domain !== undefined && kindOf(host) === 'any'
        ? await addressesOfName(domain, host, machine)
        : ownAddresses(host, machine)
  return announced.map((address) => {
    const ip = listenerFor(address, host, announced, isOwn)
    // A loopback address other than HOST leads here through a forwarder, which may open its port after media does.
    const isForwarded = isLoopback(address) && kindOf(ip) === 'loopback' && ip !== address
    return { ip, announced: address, isOwn: isOwn(address) && !isForwarded }
  })
}

/** Returns the announced addresses if none is configured. */
function ownAddresses(host: string, { own }: Machine): string[] {
  const loopback = loopbackOf(own)
  // A client on a machine with IPv4 can always send from it, but not always from IPv6.
  if (host === '::1') return [...new Set([loopback, host])]
  if (kindOf(host) !== 'any') return [host]
  const families: readonly (4 | 6)[] = host === '::' ? [4, 6] : [4]
  const found = families.flatMap((family) => {
    const usable = own.filter(
      ({ address, internal }) =>
        !internal && isIP(address) === family && useless[kindOf(address) ?? 'reserved'] === undefined,
    )
    const best = usable.find(({ address }) => family === 6 && kindOf(address) === 'public') ?? usable[0]
    return best ? [best.address] : []
  })
  return found.length > 0 ? found : [loopback]
}

/**
 * Those of this machine, a public one first; behind NAT the public one that the name leads to, and with it the private one, for people
 * in the same network.
 */
async function addressesOfName(domain: string, host: string, machine: Machine): Promise<string[]> {
  const own = ownAddresses(host, machine).filter((address) => !isLoopback(address))
  // A name that does not resolve yet is told by whoever gets the certificate.
  const named = (await machine.resolve(domain).catch(() => [])).filter(
    (address) => kindOf(address) === 'public',
  )
  const families: readonly (4 | 6)[] = host === '::' ? [4, 6] : [4]
  const found = families.flatMap((family) => {
    const here = own.filter((address) => isIP(address) === family)
    if (here.some((address) => kindOf(address) === 'public')) return here
    const outside = named.find((address) => isIP(address) === family)
    return outside === undefined ? here : [outside, ...here]
  })
  return found.length > 0 ? found : [loopbackOf(machine.own)]
}

async function givenAddresses(
  given: readonly string[],
  host: string,
  machine: Machine,
  isOwn: (address: string) => boolean,
): Promise<string[]> {
  const found: string[] = []
  for (const one of given) found.push(...(await addressesOf(one, host, machine, isOwn)))
  const chosen = [...new Set(found)].sort((a, b) => isIP(a) - isIP(b))
  for (const family of [4, 6]) {
    const foreign = chosen.filter((address) => isIP(address) === family && !isOwn(address))
    if (foreign.length > 1)
      throw new StartError(
        `ANNOUNCED_ADDRESS names ${foreign.join(' and ')}, none of which is of this machine, and a media port can announce one such IPv${family} address: leave one.`,
      )
  }
  if (isLoopback(host) || kindOf(host) === 'any') return chosen
  const reachable = chosen.filter((address) => isIP(address) === isIP(host))
  if (reachable.length === 0)
    throw new StartError(
      `ANNOUNCED_ADDRESS is an IPv${isIP(chosen[0]!)} address and HOST, where media listens, an IPv${isIP(host)} one: set both to the same kind, or HOST to ::.`,
    )
  const deaf =
    reachable.length > 1 ? reachable.find((address) => isOwn(address) && address !== host) : undefined
  if (deaf !== undefined)
    throw new StartError(
      `ANNOUNCED_ADDRESS names ${deaf}, at which nothing listens, because HOST is ${host}: set HOST to 0.0.0.0 or ::, or leave that address out.`,
    )
  return reachable
}

/** The addresses of one entry. A name gives one of each family, of this machine if possible. */
async function addressesOf(
  given: string,
  host: string,
  machine: Machine,
  isOwn: (address: string) => boolean,
): Promise<string[]> {
  const isName = isIP(given) === 0
  const found = isName ? await resolved(given, machine) : [given]
  for (const address of found) {
    const what = isName ? `names ${given}, which is ${address} here, and that` : `is ${address}, which`
    const why = useless[kindOf(address) ?? 'reserved']
    if (why !== undefined)
      throw new StartError(
        `ANNOUNCED_ADDRESS ${what} ${why}: set it to the address that clients reach this machine by.`,
      )
    if (isName && isLoopback(address) && !isLoopback(host))
      throw new StartError(
        `ANNOUNCED_ADDRESS ${what} reaches only this machine: set it to the address that clients reach this machine by.`,
      )
  }
  const first = (family: 4 | 6): string[] => {
    const all = found.filter((address) => isIP(address) === family)
    const best = all.find(isOwn) ?? all[0]
    return best === undefined ? [] : [best]
  }
  return [...first(4), ...first(6)]
}

async function resolved(name: string, { resolve }: Machine): Promise<string[]> {
  const failed = (cause?: unknown): StartError =>
    new StartError(
      `ANNOUNCED_ADDRESS names ${name}, which does not resolve on this machine: correct it, or set the address itself.`,
      { cause },
    )
  const found = await resolve(name).catch((error: unknown) => {
    throw failed(error)
  })
  if (found.length === 0) throw failed()
  return found
}

/** Returns the address on which to listen so that packets sent to `announced` arrive. */
function listenerFor(
  announced: string,
  host: string,
  all: readonly string[],
  isOwn: (address: string) => boolean,
): string {
  const family = all.filter((address) => isIP(address) === isIP(announced))
  // A socket for every address cannot stand beside another one. What is not of this machine is forwarded to one that is.
  if (family.length > 1 && (isLoopback(host) || kindOf(host) === 'any'))
    return isOwn(announced) ? announced : family.find(isOwn)!
  if (isLoopback(host) && isLoopback(announced)) return isIP(host) === isIP(announced) ? host : announced
  // The server is probably behind a proxy on this machine, through which media does not pass.
  if (isLoopback(host) || kindOf(host) === 'any') return ANYWHERE[isIP(announced) as 4 | 6]
  return host
}
