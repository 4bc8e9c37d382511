/** What may be asked of a live meeting from outside it, wherever it has its home. Types only. */
import type { EntryDecision } from '../protocol/notifications.ts'
import type { MeetingInspection } from '../protocol/rest/debug.ts'
import type { LeaveReasonName } from '../protocol/leave-reasons.ts'
import type { MeetingRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { ChatSender } from './chat/chat.ts'
import type { Said } from './chat/message.ts'
import type { Holder } from '../shares.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { ChatConnection } from './chat/connection.ts'
import type { ChatLink } from './chat/link.ts'
import type { RelayRequest } from './across/relay.ts'
import type { Visitor } from './door/lobby.ts'
import type { RemovalView } from './door/removals.ts'
import type { Bearers } from './door/evictions.ts'
import type { SwitchableKind } from './roster/moderation.ts'
import type { LiveMeeting } from './live-meeting.ts'
import type { Flow } from './media/quality.ts'
import type { LiveView } from './view.ts'

/** What may be done to a live meeting from outside it. */
export interface MeetingHome {
  /** Ends the session that goes on; does nothing when none does. Says whether one did. */
  endSession(meetingId: string, reason: LeaveReasonName): Promise<boolean>
  /** To be told of a meeting that was deactivated: ends its session and lets nobody in any more. */
  deactivate(meeting: MeetingRecord): Promise<void>
  /** The session that goes on, if somebody who came with this token is inside. */
  sessionOf(meetingId: string, tokenId: string): Promise<string | undefined>
  shareFile(meetingId: string, holder: Holder, file: Uint8Array): Promise<string>
  /** Who is in it and who waits; of a meeting that is not live, nobody. */
  view(meetingId: string): Promise<LiveView>
  /** What its media is doing; of a meeting that is not live, nothing. */
  inspect(meetingId: string): Promise<MeetingInspection>
  /** Refuses with RESPOND_ENTRY_FAILED when nobody of this id waits. */
  respondEntry(meetingId: string, participantId: string, decision: EntryDecision): Promise<void>
  /** Forces a stream off. Refuses with NOT_FOUND when nobody of this id is there. */
  stopStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void>
  /** Asks that person to switch a stream on; who consents does so. */
  askForStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void>
  /** Says something to a topic; answers the message's id. Refuses with NOT_FOUND when no session goes on, as do the rest. */
  publish(meetingId: string, sender: Omit<ChatSender, 'joined'>, message: Said): Promise<string>
  value(meetingId: string, key: string): Promise<string | null>
  /** `null` takes the key away. */
  setValue(
    meetingId: string,
    key: string,
    value: string | null,
    updatedBy: string,
    holder: Holder,
  ): Promise<void>
  /** Who may not come back to the session that goes on. */
  removals(meetingId: string): Promise<RemovalView[]>
  /**
   * Refuses with NOT_FOUND when nobody of this id was removed, and with INVALID_PERMISSIONS when this grant may not lift
   * the removal: because it is its own, or a moderator's and the grant is no moderator's.
   */
  liftRemoval(meetingId: string, participantId: string, by: Grant): Promise<void>
  /**
   * REMOVED_FROM_SESSION for a grant that a removal keeps out of the session that goes on: by its token, by the
   * participant that the token is bound to, or by `participantId`. To be asked by whatever reads or changes a meeting.
   */
  refusalOfRemoved(
    meetingId: string,
    grant: Pick<Grant, 'tokenId' | 'participantId'>,
    participantId?: string,
  ): Promise<Refusal | undefined>
  /** The same for all sessions that go on, for calls that are about no single meeting. */
  refusalOfRemovedAnywhere(grant: Grant): Promise<Refusal | undefined>
  /** Refuses with REMOVE_PARTICIPANT_FAILED when nobody of this id is there. */
  removeParticipant(
    meetingId: string,
    participantId: string,
    reason: LeaveReasonName,
    by: Grant,
  ): Promise<void>
  /** Puts out, of all meetings, those who came with what was revoked; they hear this refusal. Says how many. */
  evictByCredential(bearers: Bearers, refusal: Refusal): Promise<number>
  /** Whether somebody was in the session that goes on under this id and with this token. */
  knows(meetingId: string, participantId: string, tokenId: string): Promise<boolean>
}

/** What only the process that is the home can do: let in connections that end here, and count what is here. */
export interface LocalHome extends MeetingHome {
  /**
   * One connection asks to come in; see `Entrance.requestEntry`.
   * @throws {Refusal} SERVER_STOPPING also where another process is the meeting's home
   */
  requestEntry(
    meeting: MeetingRecord,
    visitor: Visitor,
  ): Promise<{ live: LiveMeeting; state: 'waiting' | 'admitted' }>
  /** The chat socket of a ticket, as `chatTicket` made it. */
  openChat(ticket: string, link: ChatLink): Promise<ChatConnection | undefined>
  /** Asks another meeting, which must be live here, to show this participant's streams. */
  requestRelay(meeting: MeetingRecord, request: RelayRequest): Promise<void>
  /** Sessions that go on, who is in them or about to join, and who waits; costs a step for each meeting. */
  counts(): Promise<{ meetings: number; participants: number; entryRequests: number }>
  /** Measures everybody's media once, keeps the figures, and says what they are together. */
  measure(): Promise<Flow>
}
