/** Which node becomes the home of a meeting that has none. Pure. */
import type { NodeRecord } from '../store/cluster.ts'

export type Candidate = Pick<NodeRecord, 'nodeId' | 'state' | 'isLive' | 'processorPercent'>

/** Up to here a node takes the meetings of whoever reaches it, which saves their connections the way through another one. */
const BUSY_PERCENT = 60

/** The share of each second in what counts, so that a burst of joins or a start makes no node busy. */
const NEWEST = 0.1

/** How busy a node is, from what it was a second ago and the last second. */
export const smoothed = (before: number, last: number): number => before + NEWEST * (last - before)

/**
 * Undefined: the node that was reached. If that one is busy, the less busy of two others that are taken at random, so that not all nodes
 * send their meetings to the same one before it tells them that it is busy now.
 * @param herePercent smoothed, as that of the others is
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
