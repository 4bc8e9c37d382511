/** The interface of a live meeting for callers outside it, wherever its home is. Types only. */
import type { EntryDecision } from '../protocol/notifications.ts'
import type { MeetingInspection } from '../protocol/rest/debug.ts'
import type { LeaveReasonName } from '../protocol/leave-reasons.ts'
import type { MeetingRecord, OutputKind, OutputRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { ChatSender } from './chat/chat.ts'
import type { MessageToPublish } from './chat/message.ts'
import type { Holder } from '../shares.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { ChatConnection } from './chat/connection.ts'
import type { ChatLink } from './chat/link.ts'
import type { RoomEvent } from './breakouts/rooms.ts'
import type { RelayRequest } from './across/relay.ts'
import type { EntryRequest } from './door/lobby.ts'
import type { RemovalView } from './door/removals.ts'
import type { Bearers } from './door/evictions.ts'
import type { SwitchableKind } from './roster/rules.ts'
import type { LiveMeeting } from './live-meeting.ts'
import type { Flow } from './media/quality.ts'
import type { LiveView } from './view.ts'
import type { OutputOrdered } from './outputs/orders.ts'
import type { Acknowledged } from './outputs/outputs.ts'

/** Operations on a live meeting from outside. */
export interface MeetingHome {
  /** Ends the ongoing session, if there is one. Returns whether there was one. */
  endSession(meetingId: string, reason: LeaveReasonName): Promise<boolean>
  /** Tells a breakout room something; see `hearFromParent`. Does nothing if nobody is in it. */
  tellRoom(meetingId: string, event: RoomEvent): Promise<void>
  /** Call this when a meeting was deactivated: ends its session and admits nobody any more. */
  deactivate(meeting: MeetingRecord): Promise<void>
  /** The ongoing session, if a holder of this token is inside. */
  sessionOf(meetingId: string, tokenId: string): Promise<string | undefined>
  shareFile(meetingId: string, holder: Holder, file: Uint8Array): Promise<string>
  /** The participants and waiting requests; empty if the meeting is not live. */
  view(meetingId: string): Promise<LiveView>
  /** The state of its media; empty if the meeting is not live. */
  inspect(meetingId: string): Promise<MeetingInspection>
  /** Refuses with RESPOND_ENTRY_FAILED if no request with this id is waiting. */
  respondEntry(
    meetingId: string,
    participantId: string,
    decision: EntryDecision,
    always?: boolean,
  ): Promise<void>
  /** Switches a stream off. Refuses with NOT_FOUND if there is no participant with this id. */
  stopStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void>
  /** Asks a participant to switch a stream on; it is up to that person. */
  askForStream(meetingId: string, participantId: string, kind: SwitchableKind): Promise<void>
  /** Sends a message to a topic; returns its id. Refuses with NOT_FOUND if there is no ongoing session, as do the following calls. */
  publish(meetingId: string, sender: Omit<ChatSender, 'joined'>, message: MessageToPublish): Promise<string>
  value(meetingId: string, key: string): Promise<string | null>
  /** `null` deletes the key. */
  setValue(
    meetingId: string,
    key: string,
    value: string | null,
    updatedBy: string,
    holder: Holder,
  ): Promise<void>
  /** The removals of the ongoing session. */
  removals(meetingId: string): Promise<RemovalView[]>
  /**
   * Refuses with NOT_FOUND if no participant with this id was removed, and with INVALID_PERMISSIONS if this grant may not lift
   * the removal: it is its own, or it was made by a moderator and the grant is not a moderator's.
   */
  liftRemoval(meetingId: string, participantId: string, by: Grant): Promise<void>
  /**
   * Returns REMOVED_FROM_SESSION for a grant that a removal keeps out of the ongoing session: by its token, by the
   * participant that the token is bound to, or by `participantId`. Call it before reading or changing a meeting.
   */
  refusalOfRemoved(
    meetingId: string,
    grant: Pick<Grant, 'tokenId' | 'participantId'>,
    participantId?: string,
  ): Promise<Refusal | undefined>
  /** The same for all ongoing sessions, for calls that are about no single meeting. */
  refusalOfRemovedAnywhere(grant: Grant): Promise<Refusal | undefined>
  /**
   * Refuses with REMOVE_PARTICIPANT_FAILED if there is no participant with this id.
   * @param operatorName of the operator who calls; null if an app does
   */
  removeParticipant(
    meetingId: string,
    participantId: string,
    reason: LeaveReasonName,
    by: Grant,
    operatorName: string | null,
  ): Promise<void>
  /** Evicts, from all meetings, the holders of revoked credentials, with this refusal. Returns how many. */
  evictByCredential(bearers: Bearers, refusal: Refusal): Promise<number>
  /**
   * Starts an output. Call `afterReply` when the caller was answered.
   * @throws {Refusal} see `MeetingOutputs.start`; NOT_FOUND if the meeting is not live
   */
  startOutput(meetingId: string, order: OutputOrdered): Promise<Acknowledged>
  /** Stops an output; `matches` chooses one of several. @throws {Refusal} the kind's refusal of a stop */
  stopOutput(
    meetingId: string,
    kind: OutputKind,
    matches?: (output: OutputRecord) => boolean,
  ): Promise<Acknowledged>
  /** The outputs that go on. */
  outputs(meetingId: string): Promise<OutputRecord[]>
  /** Whether somebody was in the ongoing session with this id and token. */
  knows(meetingId: string, participantId: string, tokenId: string): Promise<boolean>
}

/** Operations that only the home process can do: admit connections that end here, and count what is here. */
export interface LocalHome extends MeetingHome {
  /**
   * Handles the entry request of a connection; see `Entrance.requestEntry`.
   * @throws {Refusal} SERVER_STOPPING, also if another process is the meeting's home
   */
  requestEntry(
    meeting: MeetingRecord,
    request: EntryRequest,
  ): Promise<{ live: LiveMeeting; state: 'waiting' | 'admitted' }>
  /** Whether a page that records has this id in the ongoing session. */
  hasHiddenSeat(meetingId: string, participantId: string): Promise<boolean>
  /** The participant's chat for a ticket made by `chatTicket`. */
  openChat(ticket: string, link: ChatLink): Promise<ChatConnection | undefined>
  /** Asks another meeting, which must be live here, to relay this participant's streams. */
  requestRelay(meeting: MeetingRecord, request: RelayRequest): Promise<void>
  /** Counts ongoing sessions, participants (joined or about to) and waiting requests; takes one step per meeting. */
  counts(): Promise<{ meetings: number; participants: number; entryRequests: number }>
  /**
   * Measures the media of all participants, stores the figures, and returns their totals.
   * @param eventLoopLagMs the most by which the event loop was late since the previous measurement
   */
  measure(eventLoopLagMs: number): Promise<Flow>
}
