/** On which media worker a member of a meeting gets its transports. */

/** A worker that runs, as it is at this moment. */
export interface WorkerLoad {
  /** Of all meetings on it, in streams. */
  load: number
  /** What the meeting has on it already; undefined where that is nothing. */
  own?: { members: number; load: number } | undefined
}

/**
 * `auto`: a meeting stays together on one worker until it fills its share of that. `spread`: each member goes where the
 * meeting has fewest, as tests want it.
 */
export type Placement = 'auto' | 'spread'

/** What a member weighs before its streams are there: those who come at once are counted before they are measured. */
const MEMBER_LOAD = 10
/** What a producer weighs: a camera sends three layers in, and a stream out is one of them. */
const PRODUCER_LOAD = 2
/** A meeting that has this much on a worker goes on to another, so that a large one is spread before a core is full. */
const MEETING_SHARE = 80
/** A worker with less than this is never too full for the next member of a meeting that it has; a core carries more. */
const CALM_LOAD = 300

/** What one meeting is to one worker, in streams. */
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

/** The index of the worker for one more member; undefined where none runs. */
export function choosePlace(workers: readonly WorkerLoad[], placement: Placement): number | undefined {
  if (placement === 'spread') return leastOf(workers, ({ own }) => own?.members ?? 0)
  const least = Math.min(...workers.map(({ load }) => load))
  // Fewest pipes where it already has most members.
  const stays = leastOf(workers, ({ load, own }) => {
    const isCrowded = load >= CALM_LOAD && least < load / 2
    return own === undefined || own.load >= MEETING_SHARE || isCrowded ? undefined : -own.members
  })
  return stays ?? leastOf(workers, ({ load }) => load)
}

/** Where several are equal, one that the meeting is on already. */
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
