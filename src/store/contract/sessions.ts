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

/** One stay of a participant in a session; a rejoin is another stay. */
export interface StayRecord {
  sessionId: string
  participantId: string
  name: string
  joinedAt: number
  leftAt: number | null
  leaveReason: string | null
  /** What the client said of its device and SDK, as it said it; null when it said nothing. */
  device: Record<string, unknown> | null
  /** Of the token that it came with, as a grant names it; null in records of older versions. */
  tokenId: string | null
}

/** A stretch of time of one participant in a session: a stream that was on, a mode that was in force. */
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
  /** Of `startedAt`, both inclusive. */
  startedFrom?: number
  startedTo?: number
}

/** A guest who was let in and may come back to the session without asking again. */
export interface AdmissionRecord {
  sessionId: string
  participantId: string
  /** Of the token that it asked with, as a grant names it. */
  tokenId: string
  at: number
}

/** A participant who was removed and may not come back to the session; one for each token that held the seat. */
export interface RemovalRecord {
  sessionId: string
  participantId: string
  /** Of the token that it came with. */
  tokenId: string
  /** As it was called; null in records of older versions. */
  name: string | null
  at: number
  /** The id of the participant who removed it, or `server`; null in records of older versions. */
  by: string | null
  /** Whether a moderator removed it. */
  byModerator: boolean
  /** Others were inside with the same token, so the participant id alone is kept out. */
  tokenShared: boolean
}

export interface SessionStore {
  start(session: SessionRecord, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Closes what is still open in it. */
  end(sessionId: string, at: number, reason: string, deliveries?: readonly NewDelivery[]): Promise<void>
  get(sessionId: string): Promise<SessionRecord | undefined>
  /** The session without an end, if any. */
  ongoing(meetingId: string): Promise<SessionRecord | undefined>
  listOngoing(): Promise<SessionRecord[]>
  /** Newest first. */
  list(projectId: string, page: Page, filter?: SessionFilter): Promise<PageOf<SessionRecord>>
  /** Opens the interval of the mode it joins in, too. */
  join(stay: StayRecord, mode: string, deliveries?: readonly NewDelivery[]): Promise<void>
  /** Closes the open stay of this participant, with its intervals. */
  leave(
    sessionId: string,
    participantId: string,
    at: number,
    reason: string,
    deliveries?: readonly NewDelivery[],
  ): Promise<void>
  /** In the order of joining; of one participant, if named. */
  stays(sessionId: string, participantId?: string): Promise<StayRecord[]>
  /** The stays of several sessions at once, for a page of them. */
  staysOf(sessionIds: readonly string[]): Promise<StayRecord[]>
  openInterval(interval: IntervalRecord): Promise<void>
  /** Closes the open interval of this kind, if there is one. */
  closeInterval(
    sessionId: string,
    participantId: string,
    kind: IntervalRecord['kind'],
    at: number,
  ): Promise<void>
  /** Of the participants named, in the order of beginning. */
  intervals(sessionId: string, participantIds: readonly string[]): Promise<IntervalRecord[]>
  /**
   * Deletes sessions that ended before, and first what was recorded in them, at most `limit` rows of either. Answers how many
   * rows went; 0 when nothing is left to delete.
   */
  dropEndedBefore(at: number, limit: number): Promise<number>
  /** Idempotent. */
  admit(admission: AdmissionRecord): Promise<void>
  takeBackAdmission(sessionId: string, participantId: string, tokenId: string): Promise<void>
  admissions(sessionId: string): Promise<AdmissionRecord[]>
  /** Replaces the removal of the same participant id and token, and takes back the admissions of that id. */
  remove(removal: RemovalRecord): Promise<void>
  /** With all its tokens. False when nobody of this id was removed. */
  liftRemoval(sessionId: string, participantId: string): Promise<boolean>
  /** In the order in which they were made. */
  removals(sessionId: string): Promise<RemovalRecord[]>
}
