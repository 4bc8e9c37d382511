/** What a moderator fills in to open breakout rooms. Pure functions, and a view. */
import type { BreakoutRooms, Meeting, NewBreakouts } from '../../../client/client.ts'
import { onEvents, viewOf, type View } from '../view.ts'

/** As the server limits it, in `protocol/breakouts.ts`. */
export const MAX_ROOMS = 50

/** The rooms that are being prepared. */
export interface Draft {
  count: number
  /** Participant id → number of the room, from 0. Who is not in it stays in the meeting. */
  assigned: ReadonlyMap<string, number>
  /** Empty: until somebody calls everybody back. */
  minutes: string
}

export const emptyDraft: Draft = { count: 2, assigned: new Map(), minutes: '' }

/** Divides people evenly and by chance. @param random as `Math.random` */
export function evenly(ids: readonly string[], count: number, random: () => number): Map<string, number> {
  const shuffled = [...ids]
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!]
  }
  return new Map(shuffled.map((id, at) => [id, at % count]))
}

export function withCount(draft: Draft, count: number): Draft {
  const kept = [...draft.assigned].filter(([, room]) => room < count)
  return { ...draft, count, assigned: new Map(kept) }
}

/** @param room from 0; undefined: stays in the meeting */
export function withAssigned(draft: Draft, id: string, room: number | undefined): Draft {
  const assigned = new Map(draft.assigned)
  if (room === undefined) assigned.delete(id)
  else assigned.set(id, room)
  return { ...draft, assigned }
}

/** What is asked of the server; undefined if the time is not one. */
export function askedBy(
  { count, assigned, minutes }: Draft,
  nameOf: (number: number) => string,
): NewBreakouts | undefined {
  const seconds = minutes.trim() === '' ? null : Math.round(Number(minutes.replace(',', '.')) * 60)
  if (seconds !== null && !(seconds >= 10 && seconds <= 86_400)) return undefined
  const rooms = Array.from({ length: count }, (_, at) => ({
    name: nameOf(at + 1),
    peerIds: [...assigned].filter(([, room]) => room === at).map(([id]) => id),
  }))
  return { rooms, seconds }
}

/** The people of one room: those who are there, and those who are on their way. */
export function peopleOf({ assigned, people }: BreakoutRooms['rooms'][number]): {
  id: string
  name: string
  isThere: boolean
}[] {
  const there = new Set(people.map(({ id }) => id))
  return [
    ...people.map((one) => ({ ...one, isThere: true })),
    ...assigned.filter(({ id }) => !there.has(id)).map((one) => ({ ...one, isThere: false })),
  ]
}

export function roomsView(meeting: Meeting): View<BreakoutRooms | undefined> {
  return viewOf(() => meeting.breakouts.rooms, onEvents(meeting, 'breakoutsChanged', 'stateChanged'))
}
