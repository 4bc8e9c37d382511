/** Decides on which node a member of a meeting gets its transports. */

/** A node, with what one meeting has on it. */
export interface HostLoad {
  /** The load of this meeting on the node, in streams; undefined if it has nothing there. */
  own: number | undefined
  /** How many media workers it has. */
  workers: number
  /** How busy its busiest core is, from 0 to 1. */
  busy: number
  /** It is the home. */
  isHome: boolean
  /** The client reached it. */
  isNear: boolean
}

/**
 * `auto`: people are at the home until the meeting has filled its share of it. `spread`: people are on the node that they
 * reached. `off`: people are at the home.
 */
export type Edges = 'auto' | 'spread' | 'off'

/** A node that is less busy than this becomes an edge of another meeting. */
const FREE = 0.6
/** A node that is busier than this gets nobody while another node has room. */
const CROWDED = 0.9
/** Limits the pipes, because each stream may need one between each pair of nodes. */
const MAX_NODES = 4

/**
 * Returns the index of the node for one more member.
 * @param hosts the home first
 * @param share the load of one meeting on one worker beyond which the meeting goes on elsewhere
 */
export function chooseHost(hosts: readonly HostLoad[], edges: Edges, share: number): number {
  if (edges === 'off') return 0
  if (edges === 'spread')
    return Math.max(
      0,
      hosts.findIndex(({ isNear }) => isNear),
    )
  const loadOf = ({ own = 0, workers }: HostLoad): number => own / workers
  const used = indices(hosts, ({ own, isHome }) => isHome || own !== undefined)
  const roomy = used.filter((at) => loadOf(hosts[at]!) < share && hosts[at]!.busy < CROWDED)
  const isFree = ({ own, busy }: HostLoad): boolean => own === undefined && busy < FREE
  const free = used.length < MAX_NODES ? indices(hosts, (host) => !host.isHome && isFree(host)) : []
  return (
    roomy.find((at) => hosts[at]!.isHome) ??
    roomy.find((at) => hosts[at]!.isNear) ??
    least(roomy, (at) => loadOf(hosts[at]!)) ??
    free.find((at) => hosts[at]!.isNear) ??
    least(free, (at) => hosts[at]!.busy) ??
    least(used, (at) => loadOf(hosts[at]!)) ??
    0
  )
}

function indices(hosts: readonly HostLoad[], isMeant: (host: HostLoad) => boolean): number[] {
  return hosts.flatMap((host, at) => (isMeant(host) ? [at] : []))
}

/** The first of those with the least weight. */
function least(all: readonly number[], weigh: (at: number) => number): number | undefined {
  return all.toSorted((one, other) => weigh(one) - weigh(other))[0]
}
