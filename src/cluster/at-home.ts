/** Calls about one meeting, answered where its home is. */
import { Refusal } from '../protocol/errors.ts'
import type { HomeRecord } from '../store/cluster.ts'
import { Unreachable, type Peers } from './peers.ts'

/** The reason of a refusal: the home has moved since the caller looked it up, so the caller looks again. */
const MOVED = 'moved'

export interface AtHomeOptions {
  peers: Pick<Peers, 'call'>
  placeOf: (meetingId: string) => Promise<'here' | HomeRecord>
  newId: () => string
}

/** Calls a method at the home: `locally` if that is this node, by its name at another one. */
export type AtHome = <T>(
  meetingId: string,
  method: string,
  args: unknown[],
  locally: () => Promise<T>,
) => Promise<T>

/** @returns a function that repeats a call once if the home has moved or did not answer; the home carries it out once */
export function callsAtHome({ peers, placeOf, newId }: AtHomeOptions): AtHome {
  return async <T>(meetingId: string, method: string, args: unknown[], locally: () => Promise<T>) => {
    const key = newId()
    for (let isRepeated = false; ; isRepeated = true) {
      const place = await placeOf(meetingId)
      if (place === 'here') return locally()
      try {
        return (await peers.call(place, method, args, key)) as T
      } catch (error) {
        const mayRepeat = error instanceof Unreachable || (error instanceof Refusal && error.reason === MOVED)
        if (!mayRepeat) throw error
        if (isRepeated) throw unreachable(error)
      }
    }
  }
}

/** The answer of a node that is not the home. */
export const moved = (): Refusal => new Refusal('SERVER_STOPPING', { reason: MOVED })

export function unreachable(cause: unknown): Refusal {
  return new Refusal('HOME_UNREACHABLE', { retryAfterSeconds: 2, cause })
}
