/** How good the connection to each participant is, and what is at fault. Pure: `quality.ts` asks the browser. */

/** Counters of one received stream; they only grow. */
export interface Received {
  packets: number
  lost: number
  /** Undefined for sound. */
  frames?: { received: number; decoded: number; dropped: number }
}

export interface Sent {
  /** The part of our packets that the server missed, from 0 to 1. */
  lost: number
  /** Why the browser sends less than it might. */
  limitedBy: 'cpu' | 'bandwidth' | 'none'
}

/**
 * - `connection`: weak, and nothing tells on which side
 * - `unplayable`: data arrives, but no picture ever came out of it
 */
export type Fault = 'yourNetwork' | 'theirNetwork' | 'thisComputer' | 'connection' | 'unplayable'

/** Sound and picture suffer visibly from this share of lost packets on. */
const MUCH_LOST = 0.05
const MUCH_DROPPED = 0.3
/** Fewer say nothing. */
const ENOUGH_PACKETS = 20
const ENOUGH_FRAMES = 10

/** What is wrong with one stream, from its counters now and at the last look. */
export function faultOf(
  now: Received,
  before: Received | undefined,
): 'lossy' | 'slow' | 'unplayable' | undefined {
  if (!before) return undefined
  const packets = now.packets - before.packets
  const { frames } = now
  // Two looks in a row: the first packets may belong to a picture that is not whole yet.
  if (frames?.decoded === 0 && packets >= ENOUGH_PACKETS && before.packets >= ENOUGH_PACKETS)
    return 'unplayable'
  const lost = now.lost - before.lost
  if (packets >= ENOUGH_PACKETS && lost / (packets + lost) >= MUCH_LOST) return 'lossy'
  return dropped(now, before) >= MUCH_DROPPED ? 'slow' : undefined
}

/** The part of the frames of a stream that arrived since the last look and were not shown, from 0 to 1. */
export function dropped({ frames }: Received, before: Received | undefined): number {
  if (!frames || !before?.frames) return 0
  const received = frames.received - before.frames.received
  return received < ENOUGH_FRAMES ? 0 : Math.min(1, (frames.dropped - before.frames.dropped) / received)
}

/**
 * @param streams what is wrong with each stream of each other participant that sends
 * @returns the fault of each participant who has one; our own under `selfId`
 */
export function faultsOf(
  selfId: string,
  sent: Sent | undefined,
  streams: ReadonlyMap<string, readonly ReturnType<typeof faultOf>[]>,
): Map<string, Fault> {
  const faults = new Map<string, Fault>()
  const own = sent && ownFault(sent)
  if (own) faults.set(selfId, own)
  const lossy = [...streams.values()].filter((all) => all.includes('lossy')).length
  for (const [id, all] of streams) {
    if (all.includes('unplayable')) faults.set(id, 'unplayable')
    else if (all.includes('lossy')) faults.set(id, lossOf(lossy, streams.size, own === 'yourNetwork'))
    else if (all.includes('slow')) faults.set(id, 'thisComputer')
  }
  return faults
}

function ownFault({ lost, limitedBy }: Sent): Fault | undefined {
  if (lost >= MUCH_LOST || limitedBy === 'bandwidth') return 'yourNetwork'
  return limitedBy === 'cpu' ? 'thisComputer' : undefined
}

/** Everybody's streams come over our line: if most suffer, it is ours; if one among several does, it is theirs. */
function lossOf(lossy: number, all: number, ownIsWeak: boolean): Fault {
  if (ownIsWeak || (all > 1 && lossy * 2 > all)) return 'yourNetwork'
  return all > 1 ? 'theirNetwork' : 'connection'
}

export type Lasting = ReadonlyMap<string, { fault: Fault; looks: number }>

/** How many looks in a row each fault has been there. */
export function lastingOf(before: Lasting, faults: ReadonlyMap<string, Fault>): Lasting {
  return new Map(
    [...faults].map(([id, fault]) => {
      const last = before.get(id)
      return [id, { fault, looks: last?.fault === fault ? last.looks + 1 : 1 }]
    }),
  )
}

/** Our own picture starts small and grows within seconds on any line, so its sign waits longer. */
export function isShown(lasting: Lasting, id: string, selfId: string): Fault | undefined {
  const one = lasting.get(id)
  if (!one) return undefined
  const needed = one.fault === 'unplayable' ? 1 : id === selfId ? 5 : 2
  return one.looks >= needed ? one.fault : undefined
}
