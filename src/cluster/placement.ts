/** Which node becomes the home of a meeting that has none. Pure. */
import type { NodeRecord } from '../store/cluster.ts'

export type Candidate = Pick<NodeRecord, 'nodeId' | 'state' | 'isLive' | 'processorPercent'>

/** A node that is less busy than this becomes the home of the meetings that reach it, so that their connections need no other node. */
const BUSY_PERCENT = 60

/** The weight of the last second, so that a node does not count as busy after a burst of joins or its start. */
const NEWEST = 0.1

/** How busy a node is: the mean of a second ago and of the last second, weighted. */
export const smoothed = (before: number, last: number): number => before + NEWEST * (last - before)

/**
 * Returns undefined for the node that was reached. If that one is busy, returns the less busy of two other nodes drawn at random, so that
 * not all nodes send their meetings to the same one before they learn that it is busy.
 * @param herePercent smoothed, like those of the others
 * @param random from 0 to 1
 */
export function lessBusy<Node extends Candidate>(
  herePercent: number,
  others: readonly Node[],
  random: () => number,
): Node | undefined {
  if (herePercent < BUSY_PERCENT) return undefined
  const serving = others.filter(({ state, isLive }) => isLive && state === 'serving')
  const drawn = Array.from(
    { length: Math.min(2, serving.length) },
    () => serving.splice(Math.floor(random() * serving.length), 1)[0]!,
  )
  const [least] = drawn.sort((one, other) => one.processorPercent - other.processorPercent)
  return least && least.processorPercent < herePercent ? least : undefined
}
