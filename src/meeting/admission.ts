/**
 * The rule at the door: admit, wait or refuse. A value in, a decision out.
 */
import type { Grant } from '../token/token.ts'
import type { MeetingRecord } from '../store/store.ts'
import { isParticipantId } from '../protocol/ids.ts'
import { Refusal } from '../protocol/errors.ts'
import { authorityOf, type Authority, type Moderation } from './permissions.ts'

/** What the door needs to know of the session that goes on; nothing of it before the first admission. */
export interface SessionFacts {
  participants: number
  pendingEntryRequests: number
  /** A removal keeps it out of the session. */
  keptOut: boolean
  /** It was let in before, with this token. */
  admittedBefore: boolean
  /** Whether this participantId is inside now: the newcomer replaces it and needs no further place. */
  present: boolean
}

export interface AdmissionLimits {
  maxParticipants: number
  maxEntryRequests: number
}

export type Admission =
  | { decision: 'admit'; authority: Authority }
  | { decision: 'wait' }
  | { decision: 'refuse'; refusal: Refusal }

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

/**
 * What can be refused of a meeting before anything is asked: contract §1.3, in the order in which it helps a caller most.
 * `participantId` is undefined where it is not known yet (init-config).
 */
export function refusalAtDoor(
  grant: Grant,
  meeting: MeetingRecord | undefined,
  participantId: string | undefined,
): Refusal | undefined {
  if (grant.roles && !grant.roles.includes('rtc')) return new Refusal('UNAUTHORIZED_ROLE')
  if (grant.entry === undefined) return new Refusal('INVALID_PERMISSIONS')
  if (meeting?.projectId !== grant.projectId) {
    return new Refusal('INVALID_MEETING_ID')
  }
  if (grant.roomId !== undefined && grant.roomId !== meeting.meetingId && grant.roomId !== meeting.customId) {
    return new Refusal('UNAUTHORIZED_MEETING_ID')
  }
  if (participantId !== undefined) {
    if (!isParticipantId(participantId)) return new Refusal('INVALID_PARTICIPANT_ID')
    if (grant.participantId !== undefined && grant.participantId !== participantId) {
      return new Refusal('UNAUTHORIZED_PARTCIPANT_ID')
    }
    const allowed = meeting.settings.allowedParticipantIds
    if (allowed !== undefined && !allowed.includes(participantId))
      return new Refusal('UNAUTHORIZED_PARTCIPANT_ID')
  }
  if (meeting.disabledAt !== null) return new Refusal('MEETING_ID_DISABLED')
  return undefined
}

/** The decision on one entry request of a connection that passed `refusalAtDoor`. */
export function decideAdmission(
  grant: Grant,
  session: SessionFacts,
  limits: AdmissionLimits,
  moderation: Moderation,
): Admission {
  if (session.keptOut) return { decision: 'refuse', refusal: new Refusal('REMOVED_FROM_SESSION') }
  if (grant.entry === undefined) return { decision: 'refuse', refusal: new Refusal('INVALID_PERMISSIONS') }

  if (grant.entry === 'ask' && !session.admittedBefore) {
    if (session.pendingEntryRequests >= limits.maxEntryRequests) {
      return {
        decision: 'refuse',
        refusal: new Refusal('RATE_LIMITED', {
          message: 'Too many people are waiting to be let in; try again later.',
        }),
      }
    }
    return { decision: 'wait' }
  }
  if (!session.present && session.participants >= limits.maxParticipants) {
    return { decision: 'refuse', refusal: new Refusal('MAX_PARTCIPANT_REACHED') }
  }
  return { decision: 'admit', authority: authorityOf(grant.entry, moderation) }
}
