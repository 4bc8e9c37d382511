/** Decides on which media worker a member of a meeting gets its transports. */

/** The current load of a running worker. */
export interface WorkerLoad {
  /** Load of all meetings on it, in streams. */
  load: number
  /** The share of this meeting; undefined if it has nothing on this worker. */
  own?: { members: number; load: number } | undefined
}

/**
 * `auto`: a meeting stays on one worker until it fills its share of it. `spread`: each member goes where the meeting
 * has the fewest; for tests.
 */
export type Placement = 'auto' | 'spread'

/** The load of a member before its streams exist, so that members who come at once are counted. */
const MEMBER_LOAD = 10
/** The load of a producer: a camera sends up to three layers, and a consumer gets one of them. */
const PRODUCER_LOAD = 2
/** A meeting with this load on one worker continues on another, so that a large one is spread before a core is full. */
const MEETING_SHARE = 80
/** A worker below this load accepts the next member of a meeting that it already has; a core can do more. */
const CALM_LOAD = 300

/** The load of one meeting on one worker, in streams. */
export function loadOf(counts: {
  members: number
  producers: number
  consumers: number
  pipesIn: number
  pipesOut: number
}): number {
  const streams = counts.consumers + counts.pipesOut + PRODUCER_LOAD * (counts.producers + counts.pipesIn)
  return Math.max(MEMBER_LOAD * counts.members, streams)
}

/** Returns the index of the worker for one more member; undefined if none is running. */
export function choosePlace(workers: readonly WorkerLoad[], placement: Placement): number | undefined {
  if (placement === 'spread') return leastOf(workers, ({ own }) => own?.members ?? 0)
  const least = Math.min(...workers.map(({ load }) => load))
  // Needs the fewest pipes where most members already are.
  const stays = leastOf(workers, ({ load, own }) => {
    const isCrowded = load >= CALM_LOAD && least < load / 2
    return own === undefined || own.load >= MEETING_SHARE || isCrowded ? undefined : -own.members
  })
  return stays ?? leastOf(workers, ({ load }) => load)
}

/** Among equals, prefers a worker that already has the meeting. */
function leastOf(
  workers: readonly WorkerLoad[],
  weigh: (worker: WorkerLoad) => number | undefined,
): number | undefined {
  let best: { index: number; weight: number; isOwn: boolean } | undefined
  for (const [index, worker] of workers.entries()) {
    const weight = weigh(worker)
    if (weight === undefined) continue
    const isOwn = worker.own !== undefined
    if (!best || weight < best.weight || (weight === best.weight && isOwn && !best.isOwn))
      best = { index, weight, isOwn }
  }
  return best?.index
}
