/**
 * The rules of admission: admit, wait or refuse. Pure functions.
 */
import { isOfKnock, type Grant } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'
import { beyondShare, sharesOf, type Shares } from '../../shares.ts'
import { authorityOf, COHOST, type Authority, type Moderation } from '../roster/permissions.ts'

/** The facts of the session that the decision depends on; before the first admission there is no session. */
export interface SessionFacts {
  /** Returns why nobody, or nobody with this grant, is admitted any more. */
  closed: Refusal | undefined
  /** A removal keeps the applicant out. */
  keptOut: boolean
  /** A moderator locked the session. */
  locked: boolean
  /** The applicant was inside, or was admitted, before with this token. */
  returning: boolean
  /** A moderator made the holder of this id and token a co-host. */
  coHost: boolean
  /** The applicant was admitted before, with this token, or is always let in. */
  admittedBefore: boolean
  /** This is a breakout room, and a moderator assigned the applicant to it. */
  assigned: boolean
  /** The credentials of the participant inside with this participant id, if any. */
  inside: Grant | undefined
  /** The credentials of the waiting applicant with this participant id, if any. */
  waiting: Grant | undefined
  /** Occupied seats: participants, admitted applicants who have not joined, relay guests. */
  seats: number
  /** Seats of holders of this token who have not joined. */
  enteringWithToken: number
  entryRequests: number
  entryRequestsWithToken: number
  /** Those of people who knocked. */
  entryRequestsOfKnocks: number
}

export interface AdmissionLimits {
  maxParticipants: number
  maxEntryRequests: number
}

/** `contest`: another participant has this id, and keeps it unless its connection is dead. */
export type Admission =
  | { decision: 'admit'; authority: Authority }
  | { decision: 'wait' }
  | { decision: 'contest'; with: 'inside' | 'waiting' }
  | { decision: 'refuse'; refusal: Refusal }

const KNOCKS_TOO_MANY = 'Too many people ask to join at the address of this meeting.'

export type Seating = Exclude<Admission, { decision: 'wait' }>

/**
 * Participants with their tokens. Everybody inside knows the ids, so an id alone does not let anybody back in.
 */
export class Admissions {
  /** participantId → token ids */
  readonly #tokens = new Map<string, Set<string>>()

  add(participantId: string, tokenId: string): void {
    const tokens = this.#tokens.get(participantId) ?? new Set()
    this.#tokens.set(participantId, tokens.add(tokenId))
  }

  has(participantId: string, tokenId: string): boolean {
    return this.#tokens.get(participantId)?.has(tokenId) ?? false
  }

  forget(participantId: string): void {
    this.#tokens.delete(participantId)
  }
}

/** Decides on an entry request that passed the door. */
export function decideAdmission(
  grant: Grant,
  facts: SessionFacts,
  limits: AdmissionLimits,
  moderation: Moderation,
): Admission {
  const seating = decideSeat(grant, facts, limits, moderation)
  if (grant.entry !== 'ask' || facts.admittedBefore || facts.assigned) return seating
  // Waiting needs no seat, so a full meeting does not matter yet.
  const { waiting } = facts
  if (facts.closed || facts.keptOut || isLockedOut(grant, facts) || seating.decision === 'contest')
    return seating
  if (waiting && !displaces(grant, waiting)) return { decision: 'contest', with: 'waiting' }
  if (!waiting && facts.entryRequests >= limits.maxEntryRequests) return limited('session', 'entry requests')
  const isMore = waiting?.tokenId !== grant.tokenId
  if (isMore && facts.entryRequestsWithToken >= sharesOf(limits.maxEntryRequests).token)
    return limited('token', 'entry requests')
  // Anybody can knock, with a new token each time: together they leave room for those who were invited.
  const isMoreOfKnocks = isOfKnock(grant) && !(waiting && isOfKnock(waiting))
  if (isMoreOfKnocks && facts.entryRequestsOfKnocks >= sharesOf(limits.maxEntryRequests).token)
    return { decision: 'refuse', refusal: new Refusal('RATE_LIMITED', { message: KNOCKS_TOO_MANY }) }
  return { decision: 'wait' }
}

/** Returns why this applicant may not come in, with or without a seat. */
export function refusalToEnter(
  grant: Grant,
  facts: Pick<SessionFacts, 'closed' | 'keptOut' | 'locked' | 'returning'>,
): Refusal | undefined {
  if (facts.closed) return facts.closed
  if (facts.keptOut) return new Refusal('REMOVED_FROM_SESSION')
  if (grant.entry === undefined) return new Refusal('INVALID_PERMISSIONS')
  if (isLockedOut(grant, facts)) return new Refusal('MEETING_LOCKED')
  return undefined
}

/** Decides on a seat, in the same instant in which it is taken. */
export function decideSeat(
  grant: Grant,
  facts: Omit<
    SessionFacts,
    | 'admittedBefore'
    | 'assigned'
    | 'waiting'
    | 'entryRequests'
    | 'entryRequestsWithToken'
    | 'entryRequestsOfKnocks'
  >,
  limits: Pick<AdmissionLimits, 'maxParticipants'>,
  moderation: Moderation,
): Seating {
  const refusal = refusalToEnter(grant, facts)
  if (grant.entry === undefined || refusal)
    return { decision: 'refuse', refusal: refusal ?? new Refusal('INVALID_PERMISSIONS') }
  const { inside } = facts
  if (inside && !displaces(grant, inside)) return { decision: 'contest', with: 'inside' }
  // A newcomer who displaces somebody takes that seat.
  if (!inside && facts.seats >= limits.maxParticipants)
    return { decision: 'refuse', refusal: new Refusal('MAX_PARTCIPANT_REACHED') }
  if (!inside && facts.enteringWithToken >= seatsForToken(limits.maxParticipants))
    return limited('token', 'seats')
  const authority = facts.coHost ? COHOST : authorityOf(grant.entry, moderation)
  return { decision: 'admit', authority }
}

/** A moderator may enter a locked session, because somebody must be able to unlock it. */
function isLockedOut(
  grant: Grant,
  { locked, returning }: Pick<SessionFacts, 'locked' | 'returning'>,
): boolean {
  return locked && !returning && grant.entry !== 'moderator'
}

/**
 * How many seats the holders of one token may have without having joined. Most of them, because a whole class may come at once with the one
 * token of its app; a quarter is left for others until these seats are used or given up.
 */
function seatsForToken(maxParticipants: number): number {
  return Math.max(1, maxParticipants - Math.ceil(maxParticipants / 4))
}

/**
 * Whether a newcomer displaces the holder of its participant id (docs/decisions/0010). Everybody inside knows
 * the id, so knowing it is not enough, and guests have no authority.
 */
export function displaces(newcomer: Grant, holder: Grant): boolean {
  if (newcomer.tokenId === holder.tokenId) return true
  // The door has compared the participant id with the token.
  if (newcomer.participantId !== undefined) return true
  if (holder.participantId !== undefined) return false
  return newcomer.entry !== 'ask' && rankOf(newcomer) >= rankOf(holder)
}

function rankOf({ entry }: Grant): number {
  return entry === undefined ? 0 : { ask: 1, direct: 2, moderator: 3 }[entry]
}

function limited(of: keyof Shares, what: string): Seating {
  return { decision: 'refuse', refusal: beyondShare('RATE_LIMITED', of, what) }
}
