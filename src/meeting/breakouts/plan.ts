/** The breakout rooms of a session, and who belongs to which. Pure functions; a plan is kept with the decisions of moderators. */
import type { Breakouts, NewBreakouts } from '../../protocol/breakouts.ts'
import type { Grant } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'
import { can, type Authority } from '../roster/permissions.ts'

/** A participant of the parent meeting. Knowing an id is not enough: it is bound to a token. */
export interface Person {
  participantId: string
  tokenId: string
}

/** Somebody with what a token for a room is made of. */
export interface Assignee extends Person, Pick<Grant, 'apiKey' | 'entry'> {
  name: string
}

export interface Assigned extends Assignee {
  roomId: string
}

export interface Plan {
  readonly rooms: readonly { roomId: string; name: string }[]
  readonly assigned: readonly Assigned[]
  /** Moderators who went to have a look. */
  readonly visitors: readonly Person[]
  /** When everybody is called back; null: not by time. */
  readonly endsAt: number | null
  /** When everybody has to be back; null: nobody was called yet. */
  readonly closesAt: number | null
}

/** A plan is written as a whole with each change. */
export const [MAX_ASSIGNED, MAX_VISITORS] = [1000, 100]

/** Makes the plan of new rooms. `find`: the participant with this id, if there is one. */
export function planOf(
  roomIds: readonly string[],
  { rooms, seconds }: NewBreakouts,
  find: (id: string) => Assignee | undefined,
  now: number,
): Plan {
  const assigned = new Map<string, Assigned>()
  rooms.forEach(({ peerIds }, at) => {
    for (const id of peerIds) {
      const person = find(id)
      // Nobody is in two rooms: the first counts.
      if (person && !assigned.has(id)) assigned.set(id, { ...person, roomId: roomIds[at]! })
    }
  })
  assertFew(assigned.size)
  return {
    rooms: rooms.map(({ name }, at) => ({ roomId: roomIds[at]!, name: name.trim() })),
    assigned: [...assigned.values()],
    visitors: [],
    endsAt: seconds ? now + seconds * 1000 : null,
    closesAt: null,
  }
}

export function roomOf({ assigned }: Plan, who: Person): string | undefined {
  return assigned.find((one) => isSame(one, who))?.roomId
}

/** Assigns a person to a room, or with null to none. */
export function withAssigned(plan: Plan, person: Assignee, roomId: string | null): Plan {
  const others = plan.assigned.filter(({ participantId }) => participantId !== person.participantId)
  if (roomId === null) return { ...plan, assigned: others }
  assertFew(others.length + 1)
  return { ...plan, assigned: [...others, { ...person, roomId }] }
}

/** Of very many, the newest remain: the others ask for the way again. */
export function withVisitor(plan: Plan, { participantId, tokenId }: Person): Plan {
  return plan.visitors.some((one) => isSame(one, { participantId, tokenId }))
    ? plan
    : { ...plan, visitors: [...plan.visitors, { participantId, tokenId }].slice(-MAX_VISITORS) }
}

export function without(plan: Plan, who: Person): Plan {
  const isOther = (one: Person): boolean => !isSame(one, who)
  if (plan.assigned.every(isOther) && plan.visitors.every(isOther)) return plan
  return { ...plan, assigned: plan.assigned.filter(isOther), visitors: plan.visitors.filter(isOther) }
}

/** Why somebody in the parent meeting may not go to this room, if so. Moderators may go to each. */
export function refusalToGo(
  plan: Plan | undefined,
  who: Person & { moderates: boolean },
  roomId: string,
): Refusal | undefined {
  if (!plan) return noRooms()
  const isThere = plan.rooms.some((room) => room.roomId === roomId)
  const isOwn = roomOf(plan, who) === roomId
  if (!isOwn && !who.moderates)
    return new Refusal('INVALID_PERMISSIONS', { message: 'You are not assigned to this breakout room.' })
  if (!isThere) return new Refusal('NOT_FOUND', { message: 'There is no breakout room with this id.' })
  if (plan.closesAt !== null)
    return new Refusal('INVALID_STATE', { message: 'Everybody was called back from the breakout rooms.' })
  return undefined
}

/** What the door of a room knows of the parent meeting. */
export interface RoomFacts {
  /** The plan of the parent session; undefined if that is over, or has no rooms any more. */
  plan: Plan | undefined
  roomId: string
  participantId: string
  /** Whether the token that is shown was given to the holder of this token. */
  wasGivenFor: (tokenId: string) => boolean
  /** Whether this person was removed from the parent session, or its token there was revoked. */
  isKeptOut: (person: Person) => boolean
}

/** Why a token does not lead into a room, if so. */
export function refusalAtRoom(facts: RoomFacts): Refusal | undefined {
  const { plan, roomId, participantId, wasGivenFor, isKeptOut } = facts
  if (!plan?.rooms.some((room) => room.roomId === roomId))
    return new Refusal('INVALID_PERMISSIONS', { message: 'This breakout room is closed.' })
  const mayEnter: Person[] = [...plan.assigned.filter((one) => one.roomId === roomId), ...plan.visitors]
  const person = mayEnter.find((one) => one.participantId === participantId && wasGivenFor(one.tokenId))
  if (!person)
    return new Refusal('INVALID_PERMISSIONS', { message: 'You are not assigned to this breakout room.' })
  return isKeptOut(person) ? new Refusal('REMOVED_FROM_SESSION') : undefined
}

/** What one participant of the parent meeting is told. `people`: who is in each room. */
export function tellableOf(
  plan: Plan,
  who: Person & { moderates: boolean },
  people: ReadonlyMap<string, { id: string; name: string }[]>,
  now: number,
): Breakouts {
  const ownRoomId = roomOf(plan, who) ?? null
  return {
    rooms: plan.rooms
      .filter(({ roomId }) => who.moderates || roomId === ownRoomId)
      .map(({ roomId, name }) => ({
        roomId,
        name,
        assigned: who.moderates
          ? plan.assigned
              .filter((one) => one.roomId === roomId)
              .map((one) => ({ id: one.participantId, name: one.name }))
          : [],
        people: who.moderates ? (people.get(roomId) ?? []) : [],
      })),
    ownRoomId,
    leftMs: leftOf(plan, now),
    closing: plan.closesAt !== null,
  }
}

/** The time until everybody is called back, or has to be back. */
export function leftOf({ endsAt, closesAt }: Plan, now: number): number | null {
  const at = closesAt ?? endsAt
  return at === null ? null : Math.max(0, at - now)
}

function assertFew(assigned: number): void {
  if (assigned > MAX_ASSIGNED)
    throw new Refusal('INVALID_STATE', {
      message: `At most ${MAX_ASSIGNED} people can be assigned to breakout rooms.`,
    })
}

function isSame(one: Person, other: Person): boolean {
  return one.participantId === other.participantId && one.tokenId === other.tokenId
}

export const noRooms = (): Refusal =>
  new Refusal('INVALID_STATE', { message: 'There are no breakout rooms now.' })

/** Asked again after each wait: somebody may be no moderator any more. */
export const asAsking = (by: { holder: Person; authority: Authority }): Person & { moderates: boolean } => ({
  ...by.holder,
  moderates: can(by.authority, 'breakouts'),
})

export const holderOf = ({ participantId, tokenId }: Person): Person => ({ participantId, tokenId })
