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
  /** Subjects put out of this session, see `markSubjects`. */
  removed: ReadonlySet<string>
  /** Guests let in before, see `admittedSubject`. */
  admitted: ReadonlySet<string>
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

/** The subjects under which a removed participant is remembered: its id and its token (design, decision 4). */
export function removedSubjects(participantId: string, tokenId: string): string[] {
  return [`participant:${participantId}`, `token:${tokenId}`]
}

/**
 * The subject under which an admitted guest is remembered. The token is part of it, because an id alone is known to
 * everyone inside and would let another guest walk in under it.
 */
export function admittedSubject(participantId: string, tokenId: string): string {
  return `guest:${participantId}:${tokenId}`
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
  participantId: string,
  session: SessionFacts,
  limits: AdmissionLimits,
  moderation: Moderation,
): Admission {
  if (removedSubjects(participantId, grant.tokenId).some((subject) => session.removed.has(subject))) {
    return { decision: 'refuse', refusal: new Refusal('REMOVED_FROM_SESSION') }
  }
  if (grant.entry === undefined) return { decision: 'refuse', refusal: new Refusal('INVALID_PERMISSIONS') }

  const knownGuest = session.admitted.has(admittedSubject(participantId, grant.tokenId))
  if (grant.entry === 'ask' && !knownGuest) {
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
