/** Explains a refusal or an end to the person at the page, and what to do about it. */
import type { TextKey } from './texts/languages.ts'

export interface Sentence {
  title: TextKey
  advice: TextKey
  /** Whether another attempt may succeed. */
  again: boolean
}

const sentence = (title: TextKey, advice: TextKey, again: boolean): Sentence => ({ title, advice, again })

/** Another attempt loads the page again. */
export const PAGE_INCOMPLETE = sentence(
  'refusal.PAGE_INCOMPLETE.title',
  'refusal.PAGE_INCOMPLETE.advice',
  true,
)

const UNREACHABLE = sentence('refusal.UNREACHABLE.title', 'refusal.UNREACHABLE.advice', true)

const byReason: Record<string, Sentence> = {
  INVALID_TOKEN: sentence('refusal.INVALID_TOKEN.title', 'refusal.advice.newLink', false),
  INVALID_API_KEY: sentence('refusal.INVALID_API_KEY.title', 'refusal.advice.rightLink', false),
  APIKEY_DEACTIVATED: sentence('refusal.APIKEY_DEACTIVATED.title', 'refusal.advice.newLink', false),
  INVALID_MEETING_ID: sentence(
    'refusal.INVALID_MEETING_ID.title',
    'refusal.INVALID_MEETING_ID.advice',
    false,
  ),
  MEETING_ID_DISABLED: sentence(
    'refusal.MEETING_ID_DISABLED.title',
    'refusal.MEETING_ID_DISABLED.advice',
    false,
  ),
  INVALID_PERMISSIONS: sentence('refusal.INVALID_PERMISSIONS.title', 'refusal.advice.anotherLink', false),
  UNAUTHORIZED_MEETING_ID: sentence(
    'refusal.UNAUTHORIZED_MEETING_ID.title',
    'refusal.UNAUTHORIZED_MEETING_ID.advice',
    false,
  ),
  UNAUTHORIZED_PARTCIPANT_ID: sentence(
    'refusal.UNAUTHORIZED_PARTCIPANT_ID.title',
    'refusal.UNAUTHORIZED_PARTCIPANT_ID.advice',
    false,
  ),
  UNAUTHORIZED_ROLE: sentence('refusal.UNAUTHORIZED_ROLE.title', 'refusal.advice.anotherLink', false),
  REMOVED_FROM_SESSION: sentence(
    'refusal.REMOVED_FROM_SESSION.title',
    'refusal.REMOVED_FROM_SESSION.advice',
    false,
  ),
  ENTRY_DENIED: sentence('refusal.ENTRY_DENIED.title', 'refusal.ENTRY_DENIED.advice', true),
  REMOVED_FOR_NOW: sentence('refusal.REMOVED_FROM_SESSION.title', 'refusal.REMOVED_FOR_NOW.advice', true),
  MEETING_LOCKED: sentence('refusal.MEETING_LOCKED.title', 'refusal.MEETING_LOCKED.advice', true),
  ENCRYPTION_REQUIRED: sentence(
    'refusal.ENCRYPTION_REQUIRED.title',
    'refusal.ENCRYPTION_REQUIRED.advice',
    false,
  ),
  ENCRYPTION_UNSUPPORTED: sentence(
    'refusal.ENCRYPTION_UNSUPPORTED.title',
    'refusal.ENCRYPTION_UNSUPPORTED.advice',
    false,
  ),
  INVALID_KEY: sentence('refusal.ENCRYPTION_REQUIRED.title', 'refusal.ENCRYPTION_REQUIRED.advice', false),
  DUPLICATE_PARTICIPANT: sentence(
    'refusal.DUPLICATE_PARTICIPANT.title',
    'refusal.DUPLICATE_PARTICIPANT.advice',
    true,
  ),
  MAX_PARTCIPANT_REACHED: sentence(
    'refusal.MAX_PARTCIPANT_REACHED.title',
    'refusal.MAX_PARTCIPANT_REACHED.advice',
    true,
  ),
  RATE_LIMITED: sentence('refusal.RATE_LIMITED.title', 'refusal.advice.inAMoment', true),
  MEDIA_UNAVAILABLE: sentence('refusal.MEDIA_UNAVAILABLE.title', 'refusal.MEDIA_UNAVAILABLE.advice', true),
  MEDIA_PREPARING: sentence('refusal.MEDIA_PREPARING.title', 'refusal.MEDIA_PREPARING.advice', true),
  NOT_FOUND: sentence('refusal.NOT_FOUND.title', 'refusal.advice.newLink', false),
  NO_KNOCK: sentence('refusal.NO_KNOCK.title', 'refusal.NO_KNOCK.advice', false),
  UNAUTHORIZED: sentence('refusal.UNAUTHORIZED.title', 'refusal.UNAUTHORIZED.advice', false),
  CONNECTION_FAILED: UNREACHABLE,
  TIMEOUT: UNREACHABLE,
  PAGE_INCOMPLETE,
  MEDIA_FAILED: sentence('refusal.MEDIA_FAILED.title', 'refusal.MEDIA_FAILED.advice', true),
}

const REMOVED = sentence('end.removed.title', 'end.removed.advice', false)
const ENDED_FOR_ALL = sentence('end.ended.title', 'end.forAll.advice', true)

const byLeaveCode: Record<number, Sentence> = {
  1002: REMOVED,
  1006: sentence('end.ended.title', 'end.byServer.advice', true),
  1008: ENDED_FOR_ALL,
  1009: ENDED_FOR_ALL,
  1010: REMOVED,
  1011: byReason.DUPLICATE_PARTICIPANT!,
  1101: sentence('end.left.title', 'end.left.advice', true),
  1102: UNREACHABLE,
}

export function sentenceFor(reason: string | undefined, code?: number): Sentence {
  return (
    (reason !== undefined ? byReason[reason] : undefined) ??
    (code !== undefined ? byLeaveCode[code] : undefined) ??
    sentence('refusal.other.title', 'refusal.advice.inAMoment', true)
  )
}
