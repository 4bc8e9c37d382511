/**
 * The participants of one meeting, from seat to leave, and the notifications about them.
 */
import type { JoinReply, Notification } from '../../protocol/notifications.ts'
import type { RequestData } from '../../protocol/requests.ts'
import type { Events } from '../events.ts'
import type { Audience } from '../link.ts'
import type { MeetingEvents } from '../meeting-events.ts'
import type { MeetingMedia } from '../media/meeting-media.ts'
import type { MeetingOutputs } from '../outputs/outputs.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import type { Participant } from './participant.ts'
import type { Authority } from './permissions.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReason, type LeaveReason } from '../../protocol/leave-reasons.ts'
import { parseMode } from '../../protocol/modes.ts'
import { traced } from '../../tracing/tracing.ts'
import { assertSmall } from '../app-json.ts'
import { Seats } from '../door/seats.ts'
import { noDecisions, rulesOf, timerOf, type Decisions } from '../session/decisions.ts'

export interface RosterOptions {
  meetingId: string
  everyone: Audience
  /** The participants who answer entry requests. */
  admitters: Audience
  media: MeetingMedia
  sessions: SessionLifecycle
  events: Events<MeetingEvents>
  now: () => number
  /** Makes unguessable chat tickets. */
  newSecretId: () => string
  /** The time from admission to join. */
  joinTimeoutMs: number
  /** The waiting entry requests, as notifications for an admitter who joins. */
  entryRequests: () => Notification[]
  /** The breakout rooms, for somebody who joins. */
  breakouts: (participant: Participant) => Notification[]
  /** What leaves the meeting. */
  outputs: () => Pick<MeetingOutputs, 'notifications' | 'autoStart'>
}

export interface Joined {
  reply: JoinReply
  /** Call this after the reply was sent: sends the states that the others know, then everybody's media. */
  afterReply: () => void
}

export class Roster {
  readonly #options: RosterOptions
  readonly #participants = new Map<string, Participant>()
  readonly #seats: Seats
  readonly #chatTickets = new Map<string, Participant>()

  constructor(options: RosterOptions) {
    this.#options = options
    this.#seats = new Seats({
      timeoutMs: options.joinTimeoutMs,
      now: options.now,
      onTimeout: (participant) =>
        this.evict(
          participant,
          leaveReason('UNKNOWN'),
          new Refusal('INVALID_STATE', { message: 'The participant did not join in time.' }),
        ),
    })
  }

  /** Occupied seats: participants, admitted applicants who have not joined, relay guests; no hidden ones. */
  get size(): number {
    let size = 0
    for (const { isVisible } of this.#participants.values()) if (isVisible) size++
    return size
  }

  get seats(): Pick<Seats, 'size' | 'countOf' | 'entries'> {
    return this.#seats
  }

  get(participantId: string): Participant | undefined {
    return this.#participants.get(participantId)
  }

  has(participantId: string): boolean {
    return this.#participants.has(participantId)
  }

  /** Everybody with a seat, joined or not, hidden or not. Copy it if it may change while it is read: `[...roster.all()]`. */
  all(): Iterable<Participant> {
    return this.#participants.values()
  }

  /** Without the hidden ones. */
  joined(): Participant[] {
    return [...this.#participants.values()].filter(({ joined, isVisible }) => joined && isVisible)
  }

  /** @throws {Refusal} NOT_FOUND if no participant with this id has joined */
  require(participantId: string): Participant {
    const participant = this.#participants.get(participantId)
    if (!participant?.joined) {
      throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    }
    return participant
  }

  /** Whether a holder of this token has joined. */
  holds(tokenId: string): boolean {
    for (const one of this.#participants.values())
      if (one.joined && !one.relayed && one.tokenId === tokenId) return true
    return false
  }

  /** The participant with this chat ticket. */
  byChatTicket(ticket: string): Participant | undefined {
    return this.#chatTickets.get(ticket)
  }

  /** Gives a seat to a newcomer, who must join in time; replaces the holder of the same id. */
  seat(participant: Participant): void {
    const before = this.#participants.get(participant.id)
    if (before) {
      this.evict(before, leaveReason('DUPLICATE_PARTICIPANT'), new Refusal('DUPLICATE_PARTICIPANT'))
    }
    this.#participants.set(participant.id, participant)
    if (participant.isVisible) this.#seats.take(participant)
  }

  /** Gives a seat to a member without a connection of its own, which joins by itself. */
  place(participant: Participant): void {
    this.#participants.set(participant.id, participant)
  }

  /**
   * Makes the participant visible. Tells nobody before its stay is on the disk, so that no crash undoes a join.
   * `assertStillComing` throws if the participant no longer joins; it is called in the instant of the join.
   * @throws {Refusal} INVALID_STATE if it was removed, replaced or disconnected meanwhile
   */
  async join(
    participant: Participant,
    data: RequestData<'join'>,
    assertStillComing: () => void = () => undefined,
  ): Promise<Joined> {
    const mode = data.mode === undefined ? participant.mode : parseMode(data.mode)
    if (!mode) throw new Refusal('INVALID_REQUEST', { message: 'The mode is unknown.' })
    if (participant.enrolled) throw new Refusal('INVALID_STATE', { message: 'join cannot be sent now.' })
    const device = data.deviceInfo ?? null
    assertSmall('deviceInfo', device)
    assertSmall('metaData', data.metaData)
    participant.mode = participant.isVisible ? mode : 'RECV_ONLY'
    if (participant.isVisible) await this.#enrol(participant, device)
    if (!this.#isHere(participant)) throw new Refusal('INVALID_STATE')
    assertStillComing()
    return { reply: this.#enter(participant, data), afterReply: () => this.#catchUp(participant) }
  }

  /** Writes the stay of a participant. */
  async #enrol(participant: Participant, device: Record<string, unknown> | null): Promise<void> {
    participant.enrolled = true
    try {
      const { log, known } = this.#options.sessions.required
      const returns = known.has(participant.id, participant.tokenId)
      await traced('store', () => log.joined(participant, device, returns))
    } catch (error) {
      participant.enrolled = false
      throw error
    }
  }

  #enter(participant: Participant, data: RequestData<'join'>): JoinReply {
    const { meetingId, everyone, admitters, media, sessions, events, newSecretId, outputs } = this.#options
    const session = sessions.required
    const { media: own } = participant
    own.rtpCapabilities = data.rtpCapabilities ?? own.rtpCapabilities
    own.autoConsume = data.autoConsume ?? own.autoConsume
    // The other participants must not get the parts that only servers and agents read (contract, signalling §3).
    const { enableAgentEvents: _, ...metaData } = data.metaData ?? {}
    participant.metaData = metaData
    participant.joined = true
    this.#seats.release(participant)
    if (participant.isVisible) {
      sessions.keep()
      if (!participant.relayed) session.known.add(participant.id, participant.tokenId)
    }
    participant.chatTicket = newSecretId()
    this.#chatTickets.set(participant.chatTicket, participant)
    const others = this.#others(participant)
    if (participant.isVisible) everyone.notify({ method: 'newPeer', ...participant.toPeer() })
    // A participant who switches from another meeting may have chosen a narrower mode meanwhile.
    media.restrict(participant)
    const unsupported = participant.isVisible ? this.#tellUnsupportedCodecs(participant) : new Set<string>()
    everyone.add(participant.link)
    if (participant.authority.canAdmit) admitters.add(participant.link)
    const { sessionId } = session
    const { id: participantId, name } = participant
    if (participant.isVisible) {
      events.emit('participantJoined', { meetingId, sessionId, participantId, name })
      if (!participant.relayed) outputs().autoStart(participant.link.baseUrl)
    }
    return {
      peers: others.map((other) => other.toPeer()),
      messages: [],
      poll: [],
      unsupportedCodecs: [...unsupported],
      meetingId,
      self: { participantId, displayName: name, ...participant.authority, sessionId },
    }
  }

  /** Replays to a joiner what the others already know: states, waiting entry requests, then everybody's media. */
  #catchUp(participant: Participant): void {
    if (!this.#isHere(participant)) return
    const { media, sessions, now, entryRequests, breakouts, outputs } = this.#options
    const replay: Notification[] = [
      ...sessions.required.departures(now(), (id) => this.has(id)),
      ...media.statesOf(this.#others(participant)),
      ...(participant.authority.canAdmit ? entryRequests() : []),
      ...outputs().notifications(),
      ...decided(sessions.required.decisions, now()),
      ...breakouts(participant),
      ...sessions.required.polls.notificationsFor({
        participantId: participant.id,
        tokenId: participant.tokenId,
      }),
    ]
    if (replay.length > 0) participant.link.notify(...replay)
    media.consumeAll(participant)
    media.announceAll(participant)
  }

  /** Idempotent. Tells the others why. */
  leave(participant: Participant, reason: LeaveReason): void {
    if (this.#isHere(participant)) this.#removeFromRoster(participant, reason)
  }

  /** The participant switches to another meeting with its transports and streams; see `MeetingMedia.release`. */
  release(participant: Participant): void {
    if (!this.#isHere(participant)) return
    this.#options.media.release(participant)
    this.#removeFromRoster(participant, leaveReason('SWITCH_ROOM'), false)
  }

  /** Evicts a participant; its client gets the reason, and the refusal if there is one. */
  evict(participant: Participant, reason: LeaveReason, refusal?: Refusal): void {
    this.#removeFromRoster(participant, reason)
    participant.link.close(reason, refusal)
  }

  evictAll(reason: LeaveReason): void {
    for (const participant of this.#takeLeaveOfAll()) this.evict(participant, reason)
  }

  /** Cuts everybody off so that their clients reconnect. */
  dropAll(why: Refusal): void {
    for (const participant of this.#takeLeaveOfAll()) {
      this.#removeFromRoster(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
      participant.link.drop(why)
    }
  }

  changeDisplayName(participant: Participant, name: string): void {
    const oldDisplayName = participant.name
    participant.name = name.trim() || participant.id
    if (!participant.isVisible) return
    const { id: peerId, name: displayName } = participant
    this.#options.everyone.notify({
      method: 'peerDisplayNameChanged',
      peerId,
      displayName,
      oldDisplayName,
    })
  }

  /**
   * What a participant may do has changed; it is told, with the entry requests that it may now answer. Who has not
   * joined yet is told on joining.
   */
  setAuthority(participant: Participant, authority: Authority): void {
    const { admitters, entryRequests } = this.#options
    const couldAdmit = participant.authority.canAdmit
    participant.authority = authority
    if (!participant.joined) return
    if (couldAdmit && !authority.canAdmit) admitters.remove(participant.link)
    const admitsNow = !couldAdmit && authority.canAdmit
    if (admitsNow) admitters.add(participant.link)
    participant.link.notify(
      { method: 'authorityChanged', ...authority },
      ...(admitsNow ? entryRequests() : []),
    )
  }

  /** @throws {Refusal} CHANGE_MODE_FAILED */
  changeMode(participant: Participant, name: string): { unsupportedCodecs: string[] } {
    const { everyone, media, sessions } = this.#options
    const mode = participant.isVisible ? parseMode(name) : undefined
    if (!mode) throw new Refusal('CHANGE_MODE_FAILED', { message: 'The mode is unknown.' })
    const received = participant.receives
    participant.mode = mode
    sessions.current?.log.changedMode(participant)
    media.followMode(participant)
    everyone.notify({ method: 'peerModeChanged', peerId: participant.id, mode })
    if (!received) this.#tellUnsupportedCodecs(participant)
    const others = this.#others(participant).flatMap((other) => media.unsupportedCodecs(other))
    return { unsupportedCodecs: [...new Set(others)] }
  }

  #isHere(participant: Participant): boolean {
    return this.#participants.get(participant.id) === participant
  }

  /** Neither a seat that has not joined nor a hidden one keeps a session alive. */
  #isAnybodyInside(): boolean {
    for (const { joined, isVisible } of this.#participants.values()) if (joined && isVisible) return true
    return false
  }

  #others(participant: Participant): Participant[] {
    return this.joined().filter((other) => other !== participant)
  }

  /** Removes all from the audience first, so that nobody is notified while everybody leaves. */
  #takeLeaveOfAll(): Participant[] {
    const leaving = [...this.#participants.values()]
    for (const { link } of leaving) this.#options.everyone.remove(link)
    return leaving
  }

  #removeFromRoster(participant: Participant, reason: LeaveReason, withMedia = true): void {
    const { meetingId, everyone, admitters, media, sessions, events, now } = this.#options
    const { id: participantId, name, link } = participant
    const session = sessions.current
    this.#participants.delete(participantId)
    this.#seats.release(participant)
    if (!this.#isAnybodyInside()) sessions.letGo()
    for (const listener of [...participant.producerListeners]) listener.ended()
    everyone.remove(link)
    admitters.remove(link)
    if (participant.chatTicket !== undefined) this.#chatTickets.delete(participant.chatTicket)
    session?.chat.disconnect(participantId)
    session?.values.forget(link)
    media.streams.depart(participant)
    // Relayed streams continue in their own meeting.
    if (participant.relayed) media.release(participant)
    if (withMedia) participant.media.close()
    if (participant.enrolled) session?.log.left(participant, reason.message)
    if (!participant.joined) return
    participant.joined = false
    if (!participant.isVisible) return
    everyone.notify({ method: 'peerClosed', peerId: participantId, reason })
    if (!session) return
    const { sessionId } = session
    session.departed(participantId, now())
    events.emit('participantLeft', { meetingId, sessionId, participantId, name, reason: reason.message })
  }

  /** Notifies all of codecs that this participant, as the first one, cannot decode; returns what somebody cannot decode now. */
  #tellUnsupportedCodecs(participant: Participant): Set<string> {
    const { everyone, media } = this.#options
    const unsupported = new Set(this.#others(participant).flatMap((other) => media.unsupportedCodecs(other)))
    for (const codec of media.unsupportedCodecs(participant)) {
      if (unsupported.has(codec)) continue
      unsupported.add(codec)
      everyone.notify({ method: 'unsupportedCodecAdded', codec, consumerPeerId: participant.id })
    }
    return unsupported
  }
}

/** What moderators decided, for somebody who joins; nothing as long as they decided nothing. */
function decided(decisions: Decisions, now: number): Notification[] {
  if (decisions === noDecisions) return []
  const timer = timerOf(decisions, now)
  return [rulesOf(decisions), ...(timer.timer ? [timer] : [])]
}
