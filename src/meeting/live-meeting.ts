/**
 * One meeting while somebody is inside, is waiting, or may still return to its session. Creates the parts and connects
 * them.
 */
import type { AutoClose, MeetingRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { ChatSender } from './chat/chat.ts'
import type { ChatConnection } from './chat/connection.ts'
import type { ChatLink } from './chat/link.ts'
import type { MessageToPublish } from './chat/message.ts'
import type { LiveMeetingOptions } from './live-meeting-options.ts'
import { viewOf, type LiveView } from './view.ts'
import type { Holder } from '../shares.ts'
import { Refusal } from '../protocol/errors.ts'
import { leaveReason, type LeaveReasonName } from '../protocol/leave-reasons.ts'
import { RelayRequests } from './across/relay.ts'
import { Relays } from './across/relays.ts'
import { Breakouts } from './breakouts/breakouts.ts'
import { Entrance } from './door/entrance.ts'
import { Evictions } from './door/evictions.ts'
import type { HiddenSeats } from './outputs/hidden-seats.ts'
import { openOutputs } from './outputs/open-outputs.ts'
import type { MeetingOutputs } from './outputs/outputs.ts'
import { MeetingMedia } from './media/meeting-media.ts'
import { measureAll, type MeasuredMeeting } from './media/measure.ts'
import { assertMay } from './roster/actor.ts'
import type { Onlooker } from './roster/member.ts'
import { Hosting } from './roster/hosting.ts'
import { Moderation } from './roster/moderation.ts'
import { Onlookers, WatchedAudience } from './roster/onlookers.ts'
import type { Participant } from './roster/participant.ts'
import { Roster } from './roster/roster.ts'
import { SessionLifecycle } from './session/lifecycle.ts'
import { noSession, type Session } from './session/session.ts'

export class LiveMeeting {
  readonly #options: LiveMeetingOptions
  #meeting: MeetingRecord
  readonly #sessions: SessionLifecycle
  readonly #onlookers: Onlookers
  #isSuspended = false
  readonly media: MeetingMedia
  readonly roster: Roster
  readonly entrance: Entrance
  readonly evictions: Evictions
  readonly moderation: Moderation
  readonly hosting: Hosting
  readonly breakouts: Breakouts
  readonly relays: Relays
  readonly outputs: MeetingOutputs
  readonly #hiddenSeats: HiddenSeats

  private constructor(options: LiveMeetingOptions) {
    const { meeting, settings, store, sfu, events, now, newSecretId, onError, openAudience } = options
    const { meetingId } = meeting
    this.#options = options
    this.#meeting = meeting
    this.#onlookers = new Onlookers(onError)
    const everyone = new WatchedAudience(openAudience(`meeting:${meetingId}`), this.#onlookers)
    const admitters = openAudience(`admitters:${meetingId}`)
    const relayRequests = new RelayRequests()
    const refusalOf = (grant: Grant) => this.#refusalOfAll() ?? options.refusalSince(grant)
    const onIdle = (): void => this.#idleIfEmpty()
    this.media = new MeetingMedia({
      sfu,
      maxProducers: settings.maxProducers,
      maxVideoStreams: settings.maxVideoStreams,
      participants: () => this.roster.all(),
      requiresEncryption: () => this.#meeting.settings.encryption === 'required',
      find: (participantId) => this.roster.get(participantId),
      tellAll: (notification) => everyone.notify(notification),
      onlookers: this.#onlookers,
      onStream: (participant, kind, on) => sessions.current?.log.streamed(participant, kind, on),
      refusalToSend: (participant, kind) => sessions.refusalToSend(participant, kind),
      onError,
      onLost: () => sessions.end(leaveReason('ROOM_CLOSE'), 'media-lost'),
    })
    const sessions = new SessionLifecycle({
      ...options,
      meeting: () => this.#meeting,
      tellAll: (notification) => everyone.notify(notification),
      isSomebodyEntering: () => this.roster.seats.size > 0,
      isHeld: () => this.breakouts.isOccupied(),
      // The first participant needs the router at once, so its worker starts while the session is being written.
      onBeginning: () => this.media.warm(),
      onEnding: (reason) => {
        this.outputs.endAll()
        this.breakouts.end()
        this.roster.evictAll(reason)
        this.#onlookers.closeAll(reason)
      },
      onOver: () => {
        relayRequests.clear()
        this.media.close()
      },
      onIdle,
      autoClose: (type) => this.#autoClose(type),
    })
    this.#sessions = sessions
    this.roster = new Roster({
      meetingId,
      everyone,
      admitters,
      media: this.media,
      sessions,
      events,
      now,
      newSecretId,
      joinTimeoutMs: settings.joinTimeoutMs,
      entryRequests: () => this.entrance.notifications(),
      breakouts: (participant) => this.breakouts.notificationsFor(participant),
      outputs: () => this.outputs,
    })
    const { roster } = this
    this.entrance = new Entrance({
      settings,
      store,
      now,
      roster,
      sessions,
      admitters,
      refusalOf,
      isHiddenSeat: (participantId) => this.#hiddenSeats.has(participantId),
      meeting,
      onError,
      onIdle,
    })
    this.breakouts = new Breakouts({ ...options, meeting: () => this.#meeting, roster, sessions })
    const inside = { roster, sessions, entrance: this.entrance, everyone, breakouts: this.breakouts }
    this.evictions = new Evictions({ ...inside, meeting, store, relayRequests, now })
    this.moderation = new Moderation(roster, this.media)
    this.hosting = new Hosting({ ...inside, moderation: this.moderation, now })
    this.relays = new Relays({
      destination: { meetingId, streams: this.media.streams, roster },
      requests: relayRequests,
      ...inside,
      admitters,
      maxRequests: settings.maxEntryRequests,
      refusalOf,
    })
    const { outputs, hiddenSeats } = openOutputs({
      parts: options.outputs,
      meeting: () => this.#meeting,
      newSecretId,
      ...inside,
      media: this.media,
      attach: (onlooker) => this.attach(onlooker),
    })
    this.outputs = outputs
    this.#hiddenSeats = hiddenSeats
  }

  /** Resumes the session that a stopped server left behind, if there is one. */
  static async open(options: LiveMeetingOptions): Promise<LiveMeeting> {
    const { store, lastAliveAt } = options
    // It may have been deactivated since it was looked up; later changes are reported.
    const meeting = (await store.meetings.get(options.meeting.meetingId)) ?? options.meeting
    const live = new LiveMeeting({ ...options, meeting })
    const left = await store.sessions.ongoing(meeting.meetingId)
    if (left) await live.#sessions.restore(left, lastAliveAt)
    await live.outputs.resume()
    live.breakouts.resume()
    return live
  }

  get meeting(): MeetingRecord {
    return this.#meeting
  }

  get meetingId(): string {
    return this.#meeting.meetingId
  }

  get projectId(): string {
    return this.#meeting.projectId
  }

  get sessionId(): string | undefined {
    return this.#sessions.current?.sessionId
  }

  /** Whether somebody was admitted or inside with this id and token since the session began. */
  knows(participantId: string, tokenId: string): boolean {
    return this.#sessions.current?.knows(participantId, tokenId) ?? false
  }

  /** The participants and waiting requests, for callers outside the meeting. */
  view(): LiveView {
    return viewOf(this.#sessions.current, this.roster, this.entrance)
  }

  /** What the participants share. @throws {Refusal} NOT_FOUND if there is no ongoing session */
  get shared(): Pick<Session, 'values' | 'polls'> {
    return this.#sessions.required
  }

  /** Sends a message from outside, under a name that the caller vouches for. Returns the message's id. */
  async publish(sender: Omit<ChatSender, 'joined'>, message: MessageToPublish): Promise<string> {
    return this.#sessions.required.chat.publish({ ...sender, joined: true }, message)
  }

  /** Opens the chat of the participant with this ticket. */
  openChat(ticket: string, link: ChatLink): ChatConnection | undefined {
    const participant = this.roster.byChatTicket(ticket)
    return participant && this.#sessions.current?.chat.connect(participant, link)
  }

  /** Stores a participant's file until the session ends; see `SessionLifecycle.keepFile`. Returns its id. */
  async shareFile(holder: Holder, file: Uint8Array): Promise<string> {
    if (!this.roster.holds(holder.tokenId)) throw new Refusal('UNAUTHORIZED_REQUEST')
    return this.#sessions.keepFile(holder, file)
  }

  /**
   * Lets an onlooker watch the ongoing session. Call the returned function to end it.
   * @throws {Refusal} NOT_FOUND if there is no ongoing session
   */
  attach(onlooker: Onlooker): () => void {
    if (!this.#sessions.current) throw noSession()
    this.#onlookers.add(onlooker)
    this.media.streams.offerAll(onlooker)
    return () => this.#onlookers.remove(onlooker)
  }

  /** Whether a page that records has this id. */
  hasHiddenSeat(participantId: string): boolean {
    return this.#hiddenSeats.has(participantId)
  }

  /** Measures the media of all participants once; see `Measuring`. */
  async measure(eventLoopLagMs: number): Promise<MeasuredMeeting> {
    return measureAll(this, { eventLoopLagMs, now: this.#options.now })
  }

  /** Checks the permission at once; the returned function ends the session, after the caller got its answer. */
  async endForAll(by: Participant): Promise<() => void> {
    assertMay(by, 'end')
    // If nothing can be written, end nothing, rather than half of it.
    await this.#options.store.check()
    assertMay(by, 'end')
    return () => {
      this.#endNow('REMOVE_ALL').catch((error: unknown) =>
        this.#options.onError(error, 'failed to end a session for all'),
      )
    }
  }

  /** Ends the session for everybody, including waiting applicants. */
  async end(reasonName: LeaveReasonName): Promise<void> {
    await this.#options.store.check()
    await this.#endNow(reasonName)
  }

  async #endNow(reasonName: LeaveReasonName): Promise<void> {
    const reason = leaveReason(reasonName)
    this.entrance.closeAll(reason)
    await this.#sessions.end(reason, reasonName)
    this.#idleIfEmpty()
  }

  /** The meeting was deactivated: ends its session, and admits nobody any more. */
  async deactivate(meeting: MeetingRecord): Promise<void> {
    this.#meeting = meeting
    await this.#sessions.settled()
    await this.end('ROOM_CLOSE')
  }

  /** The server stops: cuts connections so that clients reconnect, and keeps the session for them. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    this.breakouts.stop()
    this.outputs.suspend()
    const why = new Refusal('SERVER_STOPPING')
    this.entrance.dropAll(why)
    this.roster.dropAll(why)
    this.#onlookers.closeAll(leaveReason('WEBSOCKET_DISCONNECTED'))
    const suspended = this.#sessions.suspend()
    this.media.close()
    await suspended
  }

  async #autoClose(type: AutoClose['type']): Promise<void> {
    const { store, now } = this.#options
    if (type === 'session-end-and-deactivate') {
      const disabled = await store.meetings.disable(this.meetingId, now())
      if (disabled) this.#meeting = disabled
    }
    await this.end('ROOM_CLOSE')
  }

  /** Returns why nobody is admitted any more, if so. */
  #refusalOfAll(): Refusal | undefined {
    if (this.#isSuspended) return new Refusal('SERVER_STOPPING')
    return this.#meeting.disabledAt === null ? undefined : new Refusal('MEETING_ID_DISABLED')
  }

  #idleIfEmpty(): void {
    if (this.#sessions.isIdle && this.entrance.isIdle) this.#options.onIdle()
  }
}
