import type { StreamKind } from '../../protocol/media.ts'
import type { NewDelivery } from './outbox.ts'
import type { Page, PageOf } from './pages.ts'

export interface SessionRecord {
  /** 24 hex digits. */
  sessionId: string
  meetingId: string
  projectId: string
  startedAt: number
  endedAt: number | null
  endReason: string | null
}

/** One stay of a participant in a session, from join to leave. A rejoin is another stay. */
export interface StayRecord {
  sessionId: string
  participantId: string
  name: string
  joinedAt: number
  leftAt: number | null
  leaveReason: string | null
  /** The client's description of its device and SDK, unchanged; null if it sent none. */
  device: Record<string, unknown> | null
  /** The participant's token, as a grant names it; null in records of older versions. */
  tokenId: string | null
  /** The API key of that token; null in records of older versions. */
  apiKey: string | null
}

/** An interval of time of one participant in a session: while a stream was on, or a mode was in force. */
export interface IntervalRecord {
  sessionId: string
  participantId: string
  kind: StreamKind | 'mode'
  /** The mode; empty for a stream. */
  value: string
  startedAt: number
  endedAt: number | null
}

export interface SessionFilter {
  meetingId?: string
  ongoing?: boolean
  /** Bounds of `startedAt`, both inclusive. */
  startedFrom?: number
  startedTo?: number
}

/** A guest who was admitted and may return to the session without asking again. */
export interface AdmissionRecord {
  sessionId: string
  participantId: string
  /** The guest's token, as a grant names it. */
  tokenId: string
  at: number
}

/** A participant who was removed and may not return to the session; one record for each of their tokens. */
export interface RemovalRecord {
  sessionId: string
  participantId: string
  /** The participant's token. */
  tokenId: string
  /** The display name at that time; null in records of older versions. */
  name: string | null
  at: number
  /** The id of the participant who did it, or `server`; null in records of older versions. */
  by: string | null
  /** The name of that participant or operator; null if the caller has none, or in records of older versions. */
  byName: string | null
  /** Whether a moderator did it. */
  byModerator: boolean
  /** Others were inside with the same token, so only the participant id is kept out. */
  tokenShared: boolean
}

export interface SessionStore {
  start(session: SessionRecord, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Adds a session that ended elsewhere, with all in it, at once; it does not count as use of this server. Returns false, and adds nothing, if it is there. */
  addPast(
    session: SessionRecord,
    stays: readonly StayRecord[],
    intervals: readonly IntervalRecord[],
  ): Promise<boolean>
  /** Also closes the stays and intervals that are still open. */
  end(sessionId: string, at: number, reason: string, deliveries?: readonly NewDelivery[]): Promise<void>
  get(sessionId: string): Promise<SessionRecord | undefined>
  /** The session that has not ended, if any. */
  ongoing(meetingId: string): Promise<SessionRecord | undefined>
  listOngoing(): Promise<SessionRecord[]>
  /** Newest first. */
  list(projectId: string, page: Page, filter?: SessionFilter): Promise<PageOf<SessionRecord>>
  /** Also opens the interval of the mode that the participant joins in. */
  join(stay: StayRecord, mode: string, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Closes the open stay of this participant, and its intervals. */
  leave(
    sessionId: string,
    participantId: string,
    at: number,
    reason: string,
    deliveries?: readonly NewDelivery[],
  ): Promise<void>
  /** In the order of joining; only of `participantId`, if given. */
  stays(sessionId: string, participantId?: string): Promise<StayRecord[]>
  /** The stays of several sessions at once. */
  staysOf(sessionIds: readonly string[]): Promise<StayRecord[]>
  openInterval(interval: IntervalRecord): Promise<void>
  /** Closes the open interval of this kind, if there is one. */
  closeInterval(
    sessionId: string,
    participantId: string,
    kind: IntervalRecord['kind'],
    at: number,
  ): Promise<void>
  /** The intervals of these participants, in the order of their beginning. */
  intervals(sessionId: string, participantIds: readonly string[]): Promise<IntervalRecord[]>
  /**
   * Deletes sessions that ended before `at`, and first the records in them, at most `limit` rows of either. Returns how many
   * rows it deleted; 0 when nothing is left.
   */
  dropEndedBefore(at: number, limit: number): Promise<number>
  /** Idempotent. */
  admit(admission: AdmissionRecord): Promise<void>
  takeBackAdmission(sessionId: string, participantId: string, tokenId: string): Promise<void>
  admissions(sessionId: string): Promise<AdmissionRecord[]>
  /** Replaces the removal of the same participant id and token, and deletes the admissions of that id. */
  remove(removal: RemovalRecord): Promise<void>
  /** Lifts the removals of this participant id, with all its tokens. Returns false if there is none. */
  liftRemoval(sessionId: string, participantId: string): Promise<boolean>
  /** Keeps what moderators decided for a session, in place of what was kept before. */
  decide(sessionId: string, decisions: string): Promise<void>
  decisions(sessionId: string): Promise<string | null>
  /** Oldest first. */
  removals(sessionId: string): Promise<RemovalRecord[]>
}
