/**
 * The rules of entry: admit, wait or refuse. Values in, a decision out.
 */
import type { Grant } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'
import { beyondShare, sharesOf, type Shares } from '../../shares.ts'
import { authorityOf, type Authority, type Moderation } from '../roster/permissions.ts'

/** What the decision needs to know of the session; before the first admission there is none. */
export interface SessionFacts {
  /** Why nobody, or nobody with this grant, is let in any more. */
  closed: Refusal | undefined
  /** A removal keeps the one who asks out. */
  keptOut: boolean
  /** It was let in before, with this token. */
  admittedBefore: boolean
  /** With what the one is inside who has this participant id, if anybody has. */
  inside: Grant | undefined
  /** With what the one asked who has this participant id and waits, if anybody does. */
  waiting: Grant | undefined
  /** Seats that are taken: participants, those who are about to join, relay guests. */
  seats: number
  /** Seats of this token's holders who have not joined. */
  enteringWithToken: number
  entryRequests: number
  entryRequestsWithToken: number
}

export interface AdmissionLimits {
  maxParticipants: number
  maxEntryRequests: number
}

/** `contest`: the participant id is another's, who keeps it unless its line is dead. */
export type Admission =
  | { decision: 'admit'; authority: Authority }
  | { decision: 'wait' }
  | { decision: 'contest'; with: 'inside' | 'waiting' }
  | { decision: 'refuse'; refusal: Refusal }

export type Seating = Exclude<Admission, { decision: 'wait' }>

/**
 * Participants with the tokens they came with. An id alone is known to everybody inside, so it lets nobody back in.
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

/** The decision on an entry request that the door accepted. */
export function decideAdmission(
  grant: Grant,
  facts: SessionFacts,
  limits: AdmissionLimits,
  moderation: Moderation,
): Admission {
  const seating = decideSeat(grant, facts, limits, moderation)
  if (grant.entry !== 'ask' || facts.admittedBefore) return seating
  // To wait takes no seat, so a full meeting does not matter yet.
  const { waiting } = facts
  if (facts.closed || facts.keptOut || seating.decision === 'contest') return seating
  if (waiting && !displaces(grant, waiting)) return { decision: 'contest', with: 'waiting' }
  if (!waiting && facts.entryRequests >= limits.maxEntryRequests) return limited('session', 'entry requests')
  const isMore = waiting?.tokenId !== grant.tokenId
  if (isMore && facts.entryRequestsWithToken >= sharesOf(limits.maxEntryRequests).token)
    return limited('token', 'entry requests')
  return { decision: 'wait' }
}

/** The decision on a seat, for whoever may have one: asked in the instant in which it is taken. */
export function decideSeat(
  grant: Grant,
  facts: Omit<SessionFacts, 'admittedBefore' | 'waiting' | 'entryRequests' | 'entryRequestsWithToken'>,
  limits: Pick<AdmissionLimits, 'maxParticipants'>,
  moderation: Moderation,
): Seating {
  if (facts.closed) return { decision: 'refuse', refusal: facts.closed }
  if (facts.keptOut) return { decision: 'refuse', refusal: new Refusal('REMOVED_FROM_SESSION') }
  if (grant.entry === undefined) return { decision: 'refuse', refusal: new Refusal('INVALID_PERMISSIONS') }
  const { inside } = facts
  if (inside && !displaces(grant, inside)) return { decision: 'contest', with: 'inside' }
  // Whoever displaces somebody takes that seat.
  if (!inside && facts.seats >= limits.maxParticipants)
    return { decision: 'refuse', refusal: new Refusal('MAX_PARTCIPANT_REACHED') }
  if (!inside && facts.enteringWithToken >= seatsForToken(limits.maxParticipants))
    return limited('token', 'seats')
  return { decision: 'admit', authority: authorityOf(grant.entry, moderation) }
}

/**
 * Seats that one token may hold without having joined. Most of them, because a whole class may come at once with the one
 * token that its app gives to everybody; a quarter is left for others until the seats are joined with or given up.
 */
function seatsForToken(maxParticipants: number): number {
  return Math.max(1, maxParticipants - Math.ceil(maxParticipants / 4))
}

/**
 * Whether a newcomer takes the place of the one who has its participant id (docs/decisions/0010). Everybody inside knows
 * the id, so knowing it is not enough, and guests have no authority that could be.
 */
export function displaces(newcomer: Grant, holder: Grant): boolean {
  if (newcomer.tokenId === holder.tokenId) return true
  // The door has held its participant id against the token.
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
