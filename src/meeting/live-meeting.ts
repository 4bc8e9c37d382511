/**
 * One meeting while somebody is in it, waits for it, or may still come back to its session.
 * Rules are in `admission.ts` and `permissions.ts`; this object holds the state and acts on their decisions.
 */
import type { Sfu } from '../media/sfu.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { EntryDecision, JoinReply, Notification } from '../protocol/notifications.ts'
import type { RequestData } from '../protocol/requests.ts'
import type { AutoClose, MeetingRecord, StatsRecord, StayRecord, Store } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { Audience, Link, OpenAudience } from './link.ts'
import {
  leaveReason,
  leaveReasons,
  type LeaveReason,
  type LeaveReasonName,
} from '../protocol/leave-reasons.ts'
import { parseMode, type Mode } from '../protocol/modes.ts'
import { Refusal } from '../protocol/errors.ts'
import {
  Admissions,
  decideAdmission,
  decideSeat,
  type Admission,
  type Seating,
  type SessionFacts,
} from './door/admission.ts'
import { assertSmall } from './app-json.ts'
import { Chat, type ChatSender } from './chat/chat.ts'
import type { ChatConnection } from './chat/connection.ts'
import type { ChatLimits } from './chat/limits.ts'
import type { ChatLink } from './chat/link.ts'
import type { Said } from './chat/message.ts'
import type { Events } from './events.ts'
import { Lobby, type Visitor } from './door/lobby.ts'
import { MeetingMedia } from './media/meeting-media.ts'
import { Participant } from './roster/participant.ts'
import { can, type Action, type Authority, type Moderation } from './roster/permissions.ts'
import { RealtimeStore } from './values/realtime-store.ts'
import {
  mayLift,
  Removals,
  sharesToken,
  type Candidate,
  type Remover,
  type Removal,
  type RemovalView,
} from './door/removals.ts'
import { figuresOf } from './media/quality.ts'
import { Seats } from './door/seats.ts'
import { SharedFiles, type KeptFile } from './values/shared-files.ts'
import type { Holder } from '../shares.ts'
import { SessionLog, type Announce } from './session/session-log.ts'
import { Relay, RelayRequests, type RelayRequest } from './across/relay.ts'

export interface MeetingSettings extends ChatLimits {
  moderation: Moderation
  lobbyTimeoutMs: number
  /** How long a session outlives its last participant (docs/decisions/0010). */
  sessionGraceMs: number
  /** How long an admitted connection may take to join. */
  joinTimeoutMs: number
  maxParticipants: number
  /** Entry requests that wait at once. */
  maxEntryRequests: number
  /** For one participant. */
  maxProducers: number
  /** Of the realtime store, in one session. */
  maxStoreKeys: number
  maxFileBytes: number
  maxSessionFileBytes: number
}

/** What others may listen to: webhooks, metrics. */
export interface MeetingEvents {
  sessionStarted: [session: { meetingId: string; sessionId: string; startedAt: number }]
  sessionEnded: [
    session: { meetingId: string; sessionId: string; startedAt: number; endedAt: number; reason: string },
  ]
  participantJoined: [{ meetingId: string; sessionId: string; participantId: string; name: string }]
  participantLeft: [
    { meetingId: string; sessionId: string; participantId: string; name: string; reason: string },
  ]
}

/** What can be switched off, or asked for; the sound of a screen goes with it. */
export type SwitchableKind = 'audio' | 'video' | 'share'

/** One inside, or the server itself, on behalf of whoever its REST API let through. */
export type Actor = Participant | 'server'

/** A live meeting as seen from outside it. Instants in ms. */
export interface LiveView {
  sessionId: string | null
  startedAt: number | null
  participants: {
    participantId: string
    name: string
    joinedAt: number
    mode: Mode
    streams: StreamKind[]
    canModerate: boolean
    /** Scores from 1 to 4.5, see `quality.ts`; null before they were measured. */
    quality: { audio: number | null; video: number | null } | null
  }[]
  /** Admitted, and about to join. */
  entering: { participantId: string; name: string; admittedAt: number }[]
  entryRequests: { participantId: string; name: string; askedAt: number }[]
}

/** Those who came with tokens of this key, or with this token. */
export interface Bearers {
  projectId: string
  apiKey?: string
  tokenId?: string
}

export interface LiveMeetingOptions {
  meeting: MeetingRecord
  settings: MeetingSettings
  store: Store
  sfu: Sfu
  openAudience: OpenAudience
  events: Events<MeetingEvents>
  announce: Announce
  /** Why a grant is no good any more, if it is not. */
  refusalSince: (grant: Grant) => Refusal | undefined
  /** The last instant at which the server that left a session behind is known to have run. */
  lastAliveAt: number | undefined
  now: () => number
  newSessionId: () => string
  /** What cannot be guessed: chat tickets, message ids. */
  newSecretId: () => string
  /** Told of what failed behind the scenes; nothing here throws for it. */
  onError: (error: unknown, doing: string) => void
  /** Nobody is in it, waits for it or may come back. */
  onIdle: () => void
}

interface Session {
  sessionId: string
  startedAt: number
  /** When a session that was taken up again was last known to be held; until somebody comes back to it. */
  lastKnownAt: number | undefined
  log: SessionLog
  /** Guests who were let in. */
  admitted: Admissions
  /** Participants who have joined this session. */
  known: Admissions
  removals: Removals
  /** Settles when the removals and liftings that were asked for so far are done. */
  removing: Promise<unknown>
  /** participantId → when it was gone, for those who were cut off themselves at that time and did not hear of it. */
  departed: Map<string, number>
  chat: Chat
  files: SharedFiles
  values: RealtimeStore
}

/** Longer than any client tries to come back. */
const AUTO_CLOSE_RETRY_MS = 5000
const RETURN_MS = 120_000
/** Of those who went lately; nobody is told of more. */
const MAX_DEPARTED = 1000
/** A line that has not answered by then is dead, and its participant id is free (docs/decisions/0010). */
const LINE_TIMEOUT_MS = 3000
/** Who acts where it is no participant. */
const SERVER = 'server'
const MINUTE_MS = 60_000
/** The longest a timer of the runtime can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class LiveMeeting {
  readonly #options: LiveMeetingOptions
  #meeting: MeetingRecord
  readonly #lobby: Lobby
  readonly #everyone: Audience
  readonly #admitters: Audience
  readonly #media: MeetingMedia
  readonly #participants = new Map<string, Participant>()
  readonly #seats: Seats
  readonly #chatTickets = new Map<string, Participant>()
  readonly #relayRequests = new RelayRequests()
  #session: Session | undefined
  #starting: Promise<Session> | undefined
  /** Of a session that is over and whose end is not on the disk yet. */
  #unwritten: SessionLog | undefined
  #graceTimer: NodeJS.Timeout | undefined
  #autoCloseTimer: NodeJS.Timeout | undefined
  /** Entry requests on which nothing is decided yet. */
  #deciding = 0
  #suspended = false

  private constructor(options: LiveMeetingOptions) {
    const { meeting, settings, openAudience } = options
    this.#options = options
    this.#meeting = meeting
    this.#everyone = openAudience(`meeting:${meeting.meetingId}`)
    this.#admitters = openAudience(`admitters:${meeting.meetingId}`)
    this.#lobby = new Lobby({
      timeoutMs: settings.lobbyTimeoutMs,
      onTimeout: (request) => {
        this.#turnAway(request)
        this.#idleIfEmpty()
      },
    })
    this.#seats = new Seats({
      timeoutMs: settings.joinTimeoutMs,
      now: options.now,
      onTimeout: (participant) =>
        this.#putOut(
          participant,
          leaveReason('UNKNOWN'),
          new Refusal('INVALID_STATE', { message: 'The meeting was not joined in time.' }),
        ),
    })
    this.#media = new MeetingMedia({
      sfu: options.sfu,
      maxProducers: settings.maxProducers,
      participants: () => this.#participants.values(),
      tellAll: (notification) => this.#everyone.notify(notification),
      onStream: (participant, kind, on) => this.#session?.log.streamed(participant, kind, on),
      onError: options.onError,
      onLost: () => this.#endSession(leaveReason('ROOM_CLOSE'), 'media-lost'),
    })
  }

  /** Takes up the session that a stopped server left behind, if there is one. */
  static async open(options: LiveMeetingOptions): Promise<LiveMeeting> {
    const { store } = options
    // It may have been deactivated since it was looked up; from here on that is told.
    const meeting = (await store.meetings.get(options.meeting.meetingId)) ?? options.meeting
    const live = new LiveMeeting({ ...options, meeting })
    const left = await store.sessions.ongoing(meeting.meetingId)
    if (left) {
      const session = live.#newSession(left, {
        chat: await store.chat.held(left.sessionId),
        files: await store.files.list(left.sessionId),
      })
      for (const removal of await store.sessions.removals(left.sessionId)) session.removals.add(removal)
      for (const { participantId, tokenId } of await store.sessions.admissions(left.sessionId))
        session.admitted.add(participantId, tokenId)
      const stays = await store.sessions.stays(left.sessionId)
      const lastKnownAt = lastKnown(left.startedAt, stays, options.lastAliveAt)
      for (const { participantId, name, joinedAt, leftAt, tokenId } of stays) {
        if (tokenId !== null) session.known.add(participantId, tokenId)
        session.departed.set(participantId, leftAt ?? options.now())
        if (leftAt !== null) continue
        const at = Math.max(joinedAt, options.lastAliveAt ?? joinedAt)
        session.log.left({ id: participantId, name, joinedAt }, 'WEBSOCKET_DISCONNECTED', at)
      }
      session.lastKnownAt = lastKnownAt
      live.#session = session
      live.#armAutoClose(session)
      live.#armGrace()
    }
    return live
  }

  get meetingId(): string {
    return this.#meeting.meetingId
  }

  get projectId(): string {
    return this.#meeting.projectId
  }

  get sessionId(): string | undefined {
    return this.#session?.sessionId
  }

  /** Whether somebody who came with this token is inside. */
  holds(tokenId: string): boolean {
    for (const one of this.#participants.values()) {
      if (one.joined && !one.relayed && one.tokenId === tokenId) return true
    }
    return false
  }

  /** Whether somebody was inside under this id and with this token since the session began. */
  knows(participantId: string, tokenId: string): boolean {
    const { known, admitted } = this.#session ?? {}
    return (known?.has(participantId, tokenId) || admitted?.has(participantId, tokenId)) ?? false
  }

  /** Whether a removal keeps this one out of the session. */
  keepsOut(candidate: Candidate): boolean {
    return this.#session?.removals.keepOut(candidate) ?? false
  }

  get participants(): ReadonlyMap<string, Participant> {
    return this.#participants
  }

  get waiting(): number {
    return this.#lobby.size
  }

  /**
   * One asks to come in. Answers `waiting` or `admitted`; in the first case the visitor's `admitted` is called when
   * somebody lets it in. Refusals are thrown and change nothing.
   */
  async requestEntry(visitor: Visitor): Promise<'waiting' | 'admitted'> {
    this.#deciding++
    try {
      // Others come and go meanwhile: what counts is the decision in the instant in which it is acted on.
      for (;;) {
        const admission = this.#decide(visitor)
        switch (admission.decision) {
          case 'admit':
            if (!this.#session) {
              await this.#sessionFor()
              continue
            }
            this.#seat(this.#session, visitor, admission.authority)
            return 'admitted'
          case 'wait':
            this.#wait(visitor)
            return 'waiting'
          case 'contest':
            await this.#giveWay(visitor.participantId, admission.with)
            continue
          case 'refuse':
            throw admission.refusal
        }
      }
    } finally {
      this.#deciding--
      this.#idleIfEmpty()
    }
  }

  /** The one who waited is gone. */
  withdraw(participantId: string, link: Link): void {
    if (!this.#lobby.take(participantId, link)) return
    this.#admitters.notify({ method: 'entryWithdrawn', id: participantId })
    this.#idleIfEmpty()
  }

  /** An admitter answers; the first answer wins, a later one is refused with RESPOND_ENTRY_FAILED. */
  async respondEntry(by: Actor, participantId: string, decision: EntryDecision): Promise<void> {
    this.#require(by, 'respondEntry')
    const request = this.#lobby.get(participantId)
    if (!request) throw new Refusal('RESPOND_ENTRY_FAILED')
    if (decision === 'allowed') await this.#allow(by, request)
    else if (this.#lobby.take(participantId)) this.#turnAway(request)
  }

  /** Lets in the one who asked with this request, and no other of its participant id. */
  async #allow(by: Actor, request: Visitor): Promise<void> {
    const { participantId, grant, link } = request
    const { tokenId } = grant
    const { store, now } = this.#options
    let written: Session | undefined
    try {
      for (;;) {
        this.#require(by, 'respondEntry')
        // Answered by another, withdrawn or timed out meanwhile.
        if (this.#lobby.get(participantId) !== request) throw new Refusal('RESPOND_ENTRY_FAILED')
        const seating = this.#decideSeat(request)
        if (seating.decision === 'refuse') throw seating.refusal
        if (seating.decision === 'contest') {
          await this.#giveWay(participantId, seating.with)
          continue
        }
        if (written && written === this.#session) {
          this.#lobby.take(participantId)
          written.admitted.add(participantId, tokenId)
          this.#seat(written, request, seating.authority)
          break
        }
        // Written before anybody is told: a guest who was let in is let in after a crash too.
        written = await this.#sessionFor()
        await store.sessions.admit({ sessionId: written.sessionId, participantId, tokenId, at: now() })
      }
    } catch (error) {
      if (written && !written.admitted.has(participantId, tokenId)) {
        const done = store.sessions.takeBackAdmission(written.sessionId, participantId, tokenId)
        this.#record(done, 'taking back an admission')
      }
      throw error
    }
    this.#admitters.notify({ method: 'entryResponded', id: participantId, decision: 'allowed' }, link)
  }

  /** Returns when nobody has this participant id any more. @throws {Refusal} DUPLICATE_PARTICIPANT while its line is alive */
  async #giveWay(participantId: string, where: 'inside' | 'waiting'): Promise<void> {
    const participant = where === 'inside' ? this.#participants.get(participantId) : undefined
    const request = where === 'waiting' ? this.#lobby.get(participantId) : undefined
    const link = (participant ?? request)?.link
    if (!link) return
    if (await link.answers(LINE_TIMEOUT_MS)) {
      throw new Refusal('DUPLICATE_PARTICIPANT', {
        message: 'Somebody else is here under this participant id.',
      })
    }
    if (participant) this.leave(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
    else this.withdraw(participantId, link)
    link.drop()
  }

  /** Who is here and who waits, for those who watch from outside. */
  view(): LiveView {
    const participants = [...this.#participants.values()].filter(({ joined }) => joined)
    return {
      sessionId: this.#session?.sessionId ?? null,
      startedAt: this.#session?.startedAt ?? null,
      participants: participants.map(({ id, name, joinedAt, mode, streaming, authority, quality }) => ({
        participantId: id,
        name,
        joinedAt,
        mode,
        streams: [...streaming],
        canModerate: authority.canModerate,
        quality: quality ? { audio: quality.audioScore, video: quality.videoScore } : null,
      })),
      entering: this.#seats.entries().map(({ participant: { id, name }, admittedAt }) => ({
        participantId: id,
        name,
        admittedAt,
      })),
      entryRequests: this.#lobby.entries().map(({ request, askedAt }) => ({
        participantId: request.participantId,
        name: request.name,
        askedAt,
      })),
    }
  }

  /** Who may not come back to this session. */
  get removals(): RemovalView[] {
    return this.#session?.removals.list() ?? []
  }

  /** Something is said from outside, under a name that the caller answers for. Answers the message's id. */
  publish(sender: Omit<ChatSender, 'joined'>, message: Said): Promise<string> {
    if (!this.#session) throw noSession()
    return this.#session.chat.publish({ ...sender, joined: true }, message)
  }

  /**
   * Keeps a file of somebody inside for as long as the session goes on. Answers its id.
   * @throws {Refusal} UNAUTHORIZED_REQUEST, PAYLOAD_TOO_LARGE
   */
  async shareFile(holder: Holder, file: Uint8Array): Promise<string> {
    const session = this.#session
    if (!session || !this.holds(holder.tokenId)) throw new Refusal('UNAUTHORIZED_REQUEST')
    const { files } = this.#options.store
    const bytes = file.length
    const fileId = session.files.take(holder, bytes)
    try {
      await files.put(session.sessionId, fileId, file)
    } catch (error) {
      session.files.giveBack({ fileId, bytes })
      throw error
    }
    if (this.#session === session) return fileId
    // Its folder was deleted before the file was there.
    await files.drop(session.sessionId)
    throw noSession()
  }

  /** Measures everybody's media once. */
  async measure(): Promise<StatsRecord[]> {
    const session = this.#session
    if (!session) return []
    const at = this.#options.now()
    const measured = await Promise.all(
      [...this.#participants.values()].map(async (participant): Promise<StatsRecord[]> => {
        if (!participant.joined || participant.relayed) return []
        try {
          const figures = figuresOf(await this.#media.measure(participant))
          return [{ sessionId: session.sessionId, participantId: participant.id, at, figures }]
        } catch {
          // It left, or its worker died, while it was measured.
          return []
        }
      }),
    )
    return measured.flat()
  }

  /** The chat socket of the participant whose ticket this is. */
  openChat(ticket: string, link: ChatLink): ChatConnection | undefined {
    const participant = this.#chatTickets.get(ticket)
    return participant && this.#session?.chat.connect(participant, link)
  }

  /** The values that this session shares. */
  get values(): RealtimeStore {
    if (!this.#session) throw noSession()
    return this.#session.values
  }

  /**
   * Writes the stay of one who is about to join; `join` must follow. Nobody is told of a join that a crash could take back.
   */
  async enroll(participant: Participant, data: RequestData<'join'>): Promise<void> {
    const mode = data.mode === undefined ? participant.mode : parseMode(data.mode)
    if (!mode) throw new Refusal('INVALID_REQUEST', { message: 'This mode is not known.' })
    if (participant.enrolled) throw new Refusal('INVALID_STATE', { message: 'join cannot be sent now.' })
    const device = data.deviceInfo ?? null
    assertSmall('deviceInfo', device)
    assertSmall('metaData', data.metaData)
    participant.mode = mode
    await this.#writeStay(participant, device)
    this.assertSeated(participant)
  }

  async #writeStay(participant: Participant, device: Record<string, unknown> | null): Promise<void> {
    participant.enrolled = true
    try {
      await this.#session!.log.joined(participant, device)
    } catch (error) {
      participant.enrolled = false
      throw error
    }
  }

  /** @throws {Refusal} INVALID_STATE when the participant was removed, replaced or gone meanwhile */
  assertSeated(participant: Participant): void {
    if (this.#participants.get(participant.id) !== participant) throw new Refusal('INVALID_STATE')
  }

  /** The participant becomes visible. `afterJoin` must follow once the reply is on its way. */
  join(participant: Participant, data: RequestData<'join'>): JoinReply {
    this.assertSeated(participant)
    const session = this.#session!
    participant.rtpCapabilities = data.rtpCapabilities ?? participant.rtpCapabilities
    participant.autoConsume = data.autoConsume ?? participant.autoConsume
    // What only servers and agents read of it is not for the other participants (contract, signalling §3).
    const { enableAgentEvents: _, ...metaData } = data.metaData ?? {}
    participant.metaData = metaData
    participant.joined = true
    this.#seats.release(participant)
    this.#keepSession()
    if (!participant.relayed) session.known.add(participant.id, participant.tokenId)
    participant.chatTicket = this.#options.newSecretId()
    this.#chatTickets.set(participant.chatTicket, participant)
    const others = this.#others(participant)
    this.#everyone.notify({ method: 'newPeer', ...participant.toPeer() })
    // One who comes over from another meeting may have said a narrower mode on the way.
    this.#media.restrict(participant)
    const unsupported = this.#tellUnsupportedCodecs(participant)
    this.#everyone.add(participant.link)
    if (participant.authority.canAdmit) this.#admitters.add(participant.link)

    const told = {
      meetingId: this.meetingId,
      sessionId: session.sessionId,
      participantId: participant.id,
      name: participant.name,
    }
    this.#options.events.emit('participantJoined', told)
    return {
      peers: others.map((other) => other.toPeer()),
      messages: [],
      poll: [],
      unsupportedCodecs: [...unsupported],
      meetingId: this.meetingId,
      self: {
        participantId: participant.id,
        displayName: participant.name,
        ...participant.authority,
        sessionId: session.sessionId,
      },
    }
  }

  /** What a joiner must hear that others heard before: states, who waits at the door; then everybody's media. */
  afterJoin(participant: Participant): void {
    if (this.#participants.get(participant.id) !== participant) return
    const replay: Notification[] = [...this.#departures(), ...this.#media.statesOf(this.#others(participant))]
    if (participant.authority.canAdmit) {
      for (const request of this.#lobby.requests()) {
        replay.push({ method: 'entryRequested', id: request.participantId, name: request.name })
      }
    }
    if (replay.length > 0) participant.link.notify(...replay)
    this.#media.consumeAll(participant)
    this.#media.announceAll(participant)
  }

  /** Goes over to another meeting with its transports and streams; see `MeetingMedia.release`. */
  release(participant: Participant): void {
    if (this.#participants.get(participant.id) !== participant) return
    this.#media.release(participant)
    this.#depart(participant, leaveReason('SWITCH_ROOM'), false)
  }

  changeDisplayName(participant: Participant, name: string): void {
    const oldDisplayName = participant.name
    participant.name = name.trim() || participant.id
    this.#everyone.notify({
      method: 'peerDisplayNameChanged',
      peerId: participant.id,
      displayName: participant.name,
      oldDisplayName,
    })
  }

  /** Tells another's app to go to another meeting; it goes by itself. */
  async askToSwitch(
    by: Participant,
    { peerId, roomId, token = null, payload }: RequestData<'switchPeerRoom'>,
  ): Promise<void> {
    this.#require(by, 'switch')
    await this.#joined(peerId).link.request('switchRoom', { roomId, token, payload, peerId: by.id })
  }

  /** Somebody of another meeting asks that its streams be seen here too. */
  requestRelay(request: RelayRequest): void {
    const { source, sourceMeetingId } = request
    const { settings } = this.#options
    // It left while its token was looked at: nobody would take the request back.
    if (!source.joined) throw new Refusal('INVALID_STATE')
    const closed = this.#refusalOfAll() ?? this.#options.refusalSince(request.grant)
    if (closed) throw closed
    if (this.#keepsOutRelay(request)) throw new Refusal('REMOVED_FROM_SESSION')
    const admitters = [...this.#participants.values()].some(
      ({ joined, authority }) => joined && authority.canAdmit,
    )
    if (!this.#session || !admitters) {
      throw new Refusal('MEDIA_RELAY_FAILED', { message: 'Nobody is in that meeting who could consent.' })
    }
    if (this.#participants.has(source.id)) {
      throw new Refusal('MEDIA_RELAY_FAILED', { message: 'A participant of this id is in that meeting.' })
    }
    this.#relayRequests.add(request, settings.maxEntryRequests)
    this.#admitters.notify({
      method: 'mediaRelayRequestReceived',
      peerId: source.id,
      meetingId: sourceMeetingId,
      displayName: source.name,
    })
  }

  /** The first answer counts. */
  respondRelay(by: Participant, data: RequestData<'respondToMediaRelayRequest'>): void {
    this.#require(by, 'respondEntry')
    const request = this.#relayRequests.get(data.meetingId, data.peerId)
    if (!request) throw new Refusal('NOT_FOUND', { message: 'There is no such request any more.' })
    const { source } = request
    const allowed = data.decision === 'allowed'
    if (allowed) {
      const seating = this.#decideSeat({ grant: request.grant, participantId: source.id })
      if (seating.decision === 'refuse') throw seating.refusal
      // A relay displaces nobody.
      if (this.#participants.has(source.id)) throw new Refusal('MEDIA_RELAY_FAILED')
    }
    this.#relayRequests.drop(request)
    source.link.notify({
      method: 'mediaRelayRequestResponse',
      decision: allowed ? 'allowed' : 'denied',
      decidedBy: by.id,
      meetingId: this.meetingId,
    })
    if (!allowed) return
    const relay = new Relay(request, this)
    this.#participants.set(source.id, relay.guest)
    this.#record(this.#writeStay(relay.guest, null), 'recording a join')
    this.join(relay.guest, { metaData: source.metaData })
    relay.start()
    source.link.notify({ method: 'mediaRelayStarted', meetingId: this.meetingId })
  }

  /** Idempotent. The others hear why. */
  leave(participant: Participant, reason: LeaveReason): void {
    if (this.#participants.get(participant.id) !== participant) return
    this.#depart(participant, reason)
  }

  changeMode(participant: Participant, name: string): { unsupportedCodecs: string[] } {
    const mode: Mode | undefined = parseMode(name)
    if (!mode) throw new Refusal('CHANGE_MODE_FAILED', { message: 'This mode is not known.' })
    const received = participant.receives
    participant.mode = mode
    this.#session?.log.changedMode(participant)
    this.#media.followMode(participant)
    this.#everyone.notify({ method: 'peerModeChanged', peerId: participant.id, mode })
    if (!received) this.#tellUnsupportedCodecs(participant)
    const others = this.#others(participant).flatMap((other) => this.#media.unsupportedCodecs(other))
    return { unsupportedCodecs: [...new Set(others)] }
  }

  /** Own media of a participant, on the server. */
  get media(): MeetingMedia {
    return this.#media
  }

  /** Stops a stream of another at once, whatever its client does about it. */
  async stopStream(by: Actor, targetId: string, kind: SwitchableKind): Promise<void> {
    const action = { audio: 'disableMic', video: 'disableWebcam', share: 'disableShare' } as const
    this.#require(by, action[kind])
    const target = this.#joined(targetId)
    const kinds: StreamKind[] = kind === 'share' ? ['share', 'shareAudio'] : [kind]
    if (target.relayed) {
      for (const one of kinds) target.relayed.stopKind(one)
      return
    }
    const stopped = await this.#media.pauseKinds(target, kinds)
    await target.link.request(action[kind], { peerId: idOf(by) })
    this.#media.closeProducers(target, stopped)
  }

  /** Asks another to send a stream; it only goes on when that person consents. */
  async askForStream(by: Actor, targetId: string, kind: SwitchableKind): Promise<void> {
    const [action, event] = (
      {
        audio: ['askMic', 'enableMic'],
        video: ['askWebcam', 'enableWebcam'],
        share: ['askShare', 'enableShare'],
      } as const
    )[kind]
    this.#require(by, action)
    await this.#joined(targetId).link.request(event, { peerId: idOf(by) })
  }

  /** Removes a participant, who cannot come back to this session (docs/decisions/0004). */
  async remove(by: Participant, targetId: string): Promise<void> {
    const ask = (): void => this.#require(by, 'remove')
    ask()
    await this.removeParticipant(removerInside(by), targetId, 'REMOVE_PEER', ask)
  }

  /** The same, also for those outside the meeting. `ask` throws when the remover may not, or not any more. */
  async removeParticipant(
    by: Remover,
    targetId: string,
    reasonName: LeaveReasonName,
    ask: () => void = () => undefined,
  ): Promise<void> {
    const target = this.#participants.get(targetId)
    const session = this.#session
    if (!target || !session) throw new Refusal('REMOVE_PARTICIPANT_FAILED')
    await this.#inTurn(session, async () => {
      ask()
      await this.#remove(session, by, target, leaveReason(reasonName))
    })
  }

  async #remove(session: Session, by: Remover, target: Participant, reason: LeaveReason): Promise<void> {
    const { store } = this.#options
    const { id } = target
    // Two who remove each other at once: the first has done it.
    if (session.removals.keepOut(by)) throw new Refusal('REMOVED_FROM_SESSION')
    // Another removed it meanwhile.
    if (session.removals.has(id, target.tokenId)) return
    const { sessionId } = session
    let holder: Participant | undefined = target
    // Another token may take the seat while a removal is written: it is the same participant who is removed.
    while (holder && !session.removals.has(id, holder.tokenId)) {
      const removal = this.#removalOf(holder, by)
      // Written before it takes effect: a crash must not undo a removal that somebody was told of.
      await store.sessions.remove({ sessionId, ...removal })
      if (removal.tokenShared && !sharesToken(holder, this.#participants.values())) {
        // The last of the others left meanwhile.
        removal.tokenShared = false
        await store.sessions.remove({ sessionId, ...removal })
      }
      session.removals.add(removal)
      holder = this.#participants.get(id)
    }
    session.admitted.forget(id)
    if (this.#session === session) this.#sweep(session.removals, id, reason)
  }

  #removalOf(target: Participant, by: Remover): Removal {
    const { id, tokenId, name } = target
    return {
      participantId: id,
      tokenId,
      name,
      at: this.#options.now(),
      by: by.participantId ?? SERVER,
      byModerator: by.isModerator,
      tokenShared: sharesToken(target, this.#participants.values()),
    }
  }

  /** Puts out everybody whom a removal keeps out, in whatever state they are. */
  #sweep(removals: Removals, removedId: string, reason: LeaveReason): void {
    const refusal = new Refusal('REMOVED_FROM_SESSION')
    for (const request of this.#relayRequests.list())
      if (this.#keepsOutRelay(request)) this.#relayRequests.drop(request)
    for (const { participantId, grant, link } of this.#lobby.requests()) {
      if (!removals.keepOut({ participantId, tokenId: grant.tokenId })) continue
      this.withdraw(participantId, link)
      link.close(reason, refusal)
    }
    for (const participant of [...this.#participants.values()]) {
      const { id: participantId, tokenId } = participant
      if (!removals.keepOut({ participantId, tokenId })) continue
      this.#putOut(participant, reason, participantId === removedId ? undefined : refusal)
    }
  }

  #keepsOutRelay({ source, grant }: RelayRequest): boolean {
    return (
      this.keepsOut({ participantId: source.id, tokenId: grant.tokenId }) ||
      this.keepsOut({ tokenId: source.tokenId })
    )
  }

  /** One after the other: whether a token is shared follows from the removals before. */
  #inTurn(session: Session, work: () => Promise<void>): Promise<void> {
    const done = session.removing.then(work)
    session.removing = done.catch(() => undefined)
    return done
  }

  /** Puts out those inside and those who wait, if they came with what is no good any more. Says how many. */
  putOut({ projectId, apiKey, tokenId }: Bearers, refusal: Refusal): number {
    if (this.#meeting.projectId !== projectId) return 0
    const came = (by: Pick<Grant, 'apiKey' | 'tokenId'>): boolean =>
      (apiKey === undefined || by.apiKey === apiKey) && (tokenId === undefined || by.tokenId === tokenId)
    const waiting = this.#lobby.requests().filter(({ grant }) => came(grant))
    for (const { participantId, link } of waiting) {
      this.withdraw(participantId, link)
      link.close(leaveReason('REMOVE_PEER_API'), refusal)
    }
    for (const request of this.#relayRequests.list())
      if (came(request.grant)) this.#relayRequests.drop(request)
    const present = [...this.#participants.values()].filter(({ grant }) => came(grant))
    for (const participant of present) this.#putOut(participant, leaveReason('REMOVE_PEER_API'), refusal)
    // A relay guest is no further person.
    return waiting.length + present.filter(({ relayed }) => !relayed).length
  }

  /** Lets a removed participant come back. */
  async lift(by: Participant, participantId: string): Promise<void> {
    const ask = (): void => this.#require(by, 'liftRemoval')
    ask()
    await this.liftRemoval(removerInside(by), participantId, ask)
  }

  /**
   * The same, also for those outside the meeting. `ask` throws when the lifter may not, or not any more. The token stays out
   * while another removal keeps it out.
   */
  async liftRemoval(by: Remover, participantId: string, ask: () => void = () => undefined): Promise<void> {
    const session = this.#session
    if (!session) throw noSession()
    await this.#inTurn(session, async () => {
      ask()
      if (session.removals.keepOut(by)) throw new Refusal('REMOVED_FROM_SESSION')
      const removals = session.removals.of(participantId)
      if (removals.length === 0) throw new Refusal('NOT_FOUND', { message: 'Nobody of this id was removed.' })
      if (!mayLift(removals, by)) throw new Refusal('INVALID_PERMISSIONS')
      await this.#options.store.sessions.liftRemoval(session.sessionId, participantId)
      session.removals.lift(participantId)
    })
  }

  pin(by: Participant, targetId: string, state: { cam?: boolean; share?: boolean }): void {
    this.#require(by, 'pin')
    this.#joined(targetId)
    for (const participant of this.#participants.values()) {
      if (participant.joined) {
        void participant.link.request('pinStateChanged', { peerId: targetId, state, pinnedBy: by.id })
      }
    }
  }

  /** Checked at once; what is returned ends it, when the one who asked has its answer. */
  async endForAll(by: Participant): Promise<() => void> {
    this.#require(by, 'end')
    // Where nothing can be written nothing is ended, instead of being half ended.
    await this.#options.store.check()
    this.#require(by, 'end')
    return () => this.#record(this.end('REMOVE_ALL'), 'ending a session for all')
  }

  /** Ends the session for everybody, those who wait included. */
  async end(reasonName: LeaveReasonName): Promise<void> {
    await this.#options.store.check()
    const reason = leaveReason(reasonName)
    for (const request of this.#lobby.requests()) {
      this.#lobby.take(request.participantId)
      request.link.close(reason)
    }
    await this.#endSession(reason, reasonName)
    this.#idleIfEmpty()
  }

  /** The meeting was deactivated: ends its session, and lets nobody in any more. */
  async deactivate(meeting: MeetingRecord): Promise<void> {
    this.#meeting = meeting
    await this.#starting?.catch(() => undefined)
    await this.end('ROOM_CLOSE')
  }

  /** The server stops: connections are cut so that their clients come back, and the session stays for them. */
  suspend(): void {
    this.#suspended = true
    clearTimeout(this.#autoCloseTimer)
    const why = new Refusal('SERVER_STOPPING')
    for (const request of this.#lobby.requests()) {
      this.#lobby.take(request.participantId)
      request.link.drop(why)
    }
    const leaving = [...this.#participants.values()]
    // Out of the map first: nobody is told of the others' leaving while all come back.
    for (const participant of leaving) this.#everyone.remove(participant.link)
    for (const participant of leaving) {
      this.#depart(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
      participant.link.drop(why)
    }
    this.#keepSession()
    this.#session?.log.stop()
    this.#unwritten?.stop()
    this.#session?.chat.close()
    this.#media.close()
  }

  #decide(visitor: Visitor): Admission {
    const { settings } = this.#options
    return decideAdmission(visitor.grant, this.#factsFor(visitor), settings, settings.moderation)
  }

  #decideSeat(visitor: Pick<Visitor, 'grant' | 'participantId'>): Seating {
    const { settings } = this.#options
    return decideSeat(visitor.grant, this.#factsFor(visitor), settings, settings.moderation)
  }

  #factsFor({ grant, participantId }: Pick<Visitor, 'grant' | 'participantId'>): SessionFacts {
    const { tokenId } = grant
    return {
      closed: this.#refusalOfAll() ?? this.#options.refusalSince(grant),
      keptOut: this.keepsOut({ participantId, tokenId }),
      admittedBefore: this.#session?.admitted.has(participantId, tokenId) ?? false,
      inside: this.#participants.get(participantId)?.grant,
      waiting: this.#lobby.get(participantId)?.grant,
      seats: this.#participants.size,
      enteringWithToken: this.#seats.countOf(tokenId),
      entryRequests: this.#lobby.size,
      entryRequestsWithToken: this.#lobby.countOf(tokenId),
    }
  }

  /** Why nobody is let in any more. */
  #refusalOfAll(): Refusal | undefined {
    if (this.#suspended) return new Refusal('SERVER_STOPPING')
    return this.#meeting.disabledAt === null ? undefined : new Refusal('MEETING_ID_DISABLED')
  }

  #wait(visitor: Visitor): void {
    const replaced = this.#lobby.add(visitor, this.#options.now())
    replaced?.link.close(leaveReason('DUPLICATE_PARTICIPANT'), new Refusal('DUPLICATE_PARTICIPANT'))
    this.#admitters.notify({ method: 'entryRequested', id: visitor.participantId, name: visitor.name })
  }

  #seat(session: Session, visitor: Visitor, authority: Authority): void {
    session.lastKnownAt = undefined
    const before = this.#participants.get(visitor.participantId)
    if (before)
      this.#putOut(before, leaveReason('DUPLICATE_PARTICIPANT'), new Refusal('DUPLICATE_PARTICIPANT'))
    const participant = new Participant({
      participantId: visitor.participantId,
      grant: visitor.grant,
      name: visitor.name,
      authority,
      link: visitor.link,
    })
    this.#participants.set(participant.id, participant)
    this.#seats.take(participant)
    visitor.admitted(participant)
    visitor.link.notify({
      method: 'entryResponded',
      id: participant.id,
      decision: 'allowed',
      sessionId: session.sessionId,
      ...authority,
    })
  }

  #turnAway(request: Visitor): void {
    const answer: Notification = { method: 'entryResponded', id: request.participantId, decision: 'denied' }
    request.link.notify(answer)
    request.link.close({ code: leaveReasons.UNKNOWN, message: 'ENTRY_DENIED' }, new Refusal('ENTRY_DENIED'))
    this.#admitters.notify(answer)
  }

  #putOut(participant: Participant, reason: LeaveReason, refusal?: Refusal): void {
    this.#depart(participant, reason)
    participant.link.close(reason, refusal)
  }

  #depart(participant: Participant, reason: LeaveReason, withMedia = true): void {
    this.#participants.delete(participant.id)
    this.#seats.release(participant)
    if (!this.#isHeld()) this.#armGrace()
    for (const mirror of [...participant.mirrors]) mirror.ended()
    this.#everyone.remove(participant.link)
    this.#admitters.remove(participant.link)
    if (participant.chatTicket !== undefined) this.#chatTickets.delete(participant.chatTicket)
    this.#session?.chat.disconnect(participant.id)
    this.#session?.values.forget(participant.link)
    // Streams that are relayed go on at home.
    if (participant.relayed) this.#media.release(participant)
    if (withMedia) participant.closeMedia()
    const session = this.#session
    if (participant.enrolled) session?.log.left(participant, reason.message)
    if (!participant.joined) return
    participant.joined = false
    this.#everyone.notify({ method: 'peerClosed', peerId: participant.id, reason })
    if (!session) return
    session.departed.delete(participant.id)
    session.departed.set(participant.id, this.#options.now())
    if (session.departed.size > MAX_DEPARTED) session.departed.delete(session.departed.keys().next().value!)
    this.#options.events.emit('participantLeft', {
      meetingId: this.meetingId,
      sessionId: session.sessionId,
      participantId: participant.id,
      name: participant.name,
      reason: reason.message,
    })
  }

  /** The session, begun if there is none. Where that fails nothing is left of the attempt. */
  async #sessionFor(): Promise<Session> {
    try {
      return await this.#ensureSession()
    } catch (error) {
      if (!this.#session && !this.#starting) this.#media.close()
      this.#idleIfEmpty()
      throw error
    }
  }

  #ensureSession(): Promise<Session> {
    if (this.#session) return Promise.resolve(this.#session)
    // The router is wanted as soon as the first one is in; its worker starts on it while the session is written.
    this.#media.warm()
    this.#starting ??= this.#startSession().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #startSession(): Promise<Session> {
    const { now, newSessionId, events } = this.#options
    await this.#unwritten?.catchUp()
    const session = this.#newSession({ sessionId: newSessionId(), startedAt: now() })
    await session.log.started()
    this.#session = session
    this.#armAutoClose(session)
    this.#armGrace()
    events.emit('sessionStarted', {
      meetingId: this.meetingId,
      sessionId: session.sessionId,
      startedAt: session.startedAt,
    })
    return session
  }

  async #endSession(reason: LeaveReason, why: string): Promise<void> {
    this.#keepSession()
    clearTimeout(this.#autoCloseTimer)
    const session = this.#session
    if (!session) return
    const leaving = [...this.#participants.values()]
    // Out of the map first: nobody is told of the others' leaving while all leave.
    for (const participant of leaving) this.#everyone.remove(participant.link)
    for (const participant of leaving) this.#putOut(participant, reason)
    this.#keepSession()
    this.#session = undefined
    this.#relayRequests.clear()
    session.chat.close()
    this.#media.close()
    const { sessionId, startedAt, log } = session
    // The clock may have been set back meanwhile.
    const endedAt = Math.max(startedAt, session.lastKnownAt ?? this.#options.now())
    this.#unwritten = log
    await log.ended(endedAt, why, () => {
      this.#unwritten = undefined
      this.#record(this.#options.store.files.drop(sessionId), 'deleting the files of a session')
      this.#options.events.emit('sessionEnded', {
        meetingId: this.meetingId,
        sessionId,
        startedAt,
        endedAt,
        reason: why,
      })
      this.#idleIfEmpty()
    })
  }

  #newSession(
    { sessionId, startedAt }: { sessionId: string; startedAt: number },
    kept?: { chat: Awaited<ReturnType<Store['chat']['held']>>; files: readonly KeptFile[] },
  ): Session {
    const { settings, store, now, newSecretId, onError, openAudience, announce } = this.#options
    return {
      sessionId,
      startedAt,
      lastKnownAt: undefined,
      log: new SessionLog({ sessionId, startedAt, meeting: this.#meeting, store, announce, now, onError }),
      admitted: new Admissions(),
      known: new Admissions(),
      removals: new Removals(),
      removing: Promise.resolve(),
      departed: new Map(),
      chat: new Chat(
        {
          sessionId,
          limits: settings,
          log: {
            append: (message) => store.chat.append({ ...message, sessionId }),
            newest: (most, to, filter) => store.chat.newest(sessionId, most, to, filter),
            read: (stretch, filter) => store.chat.read(sessionId, stretch, filter),
          },
          now,
          newMessageId: newSecretId,
          onError,
        },
        kept?.chat,
      ),
      files: new SharedFiles(settings, { newSecretId, kept: kept?.files ?? [] }),
      values: new RealtimeStore({
        maxKeys: settings.maxStoreKeys,
        openAudience: (key) => openAudience(`value:${sessionId}:${key}`),
      }),
    }
  }

  /** Whether somebody is inside. A seat that nobody has joined with holds no session. */
  #isHeld(): boolean {
    for (const { joined } of this.#participants.values()) if (joined) return true
    return false
  }

  /** Ends the session after the grace period, counted from when nobody was inside any more. */
  #armGrace(): void {
    if (this.#graceTimer) return
    const { sessionGraceMs, joinTimeoutMs } = this.#options.settings
    const end = (): void => {
      this.#record(
        this.#endSession(leaveReason('ROOM_CLOSE'), 'empty').then(() => this.#idleIfEmpty()),
        'ending an empty session',
      )
    }
    this.#graceTimer = setTimeout(() => {
      // Those who are about to join get the time for it once, however many come after them.
      const moreMs = this.#seats.size > 0 ? joinTimeoutMs - sessionGraceMs : 0
      if (moreMs > 0) this.#graceTimer = setTimeout(end, moreMs).unref()
      else end()
    }, sessionGraceMs).unref()
  }

  #keepSession(): void {
    clearTimeout(this.#graceTimer)
    this.#graceTimer = undefined
  }

  #armAutoClose(session: Session): void {
    const autoClose = this.#meeting.settings.autoCloseConfig
    if (!autoClose) return
    const leftMs = session.startedAt + autoClose.duration * MINUTE_MS - this.#options.now()
    this.#autoCloseTimer = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) this.#armAutoClose(session)
        else this.#autoClose(session, autoClose.type)
      },
      Math.min(Math.max(leftMs, 0), MAX_TIMER_MS),
    )
    this.#autoCloseTimer.unref()
  }

  #autoClose(session: Session, type: AutoClose['type']): void {
    const close = async (): Promise<void> => {
      if (type === 'session-end-and-deactivate') {
        const disabled = await this.#options.store.meetings.disable(this.meetingId, this.#options.now())
        if (disabled) this.#meeting = disabled
      }
      await this.end('ROOM_CLOSE')
    }
    close().catch((error: unknown) => {
      this.#options.onError(error, 'closing a session in time')
      if (this.#session !== session) return
      this.#autoCloseTimer = setTimeout(() => this.#autoClose(session, type), AUTO_CLOSE_RETRY_MS).unref()
    })
  }

  #idleIfEmpty(): void {
    if (this.#session || this.#starting || this.#unwritten) return
    if (this.#lobby.size === 0 && this.#deciding === 0) this.#options.onIdle()
  }

  /** Tells all of what this one cannot decode and nobody could not before; answers what now somebody cannot. */
  #tellUnsupportedCodecs(participant: Participant): Set<string> {
    const unsupported = new Set(
      this.#others(participant).flatMap((other) => this.#media.unsupportedCodecs(other)),
    )
    for (const codec of this.#media.unsupportedCodecs(participant)) {
      if (unsupported.has(codec)) continue
      unsupported.add(codec)
      this.#everyone.notify({ method: 'unsupportedCodecAdded', codec, consumerPeerId: participant.id })
    }
    return unsupported
  }

  /**
   * Who went while the joiner may have been cut off: published clients keep whoever was there before (contract,
   * signalling §2.5), and ignore what is said of those whom they do not know.
   */
  #departures(): Notification[] {
    const { departed } = this.#session!
    const since = this.#options.now() - RETURN_MS
    for (const [id, at] of departed) if (at < since || this.#participants.has(id)) departed.delete(id)
    const reason = leaveReason('WEBSOCKET_DISCONNECTED')
    return [...departed.keys()].map((peerId) => ({ method: 'peerClosed', peerId, reason }))
  }

  #others(participant: Participant): Participant[] {
    return [...this.#participants.values()].filter((other) => other.joined && other !== participant)
  }

  #joined(participantId: string): Participant {
    const participant = this.#participants.get(participantId)
    if (!participant?.joined) {
      throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
    }
    return participant
  }

  #require(by: Actor, action: Action): void {
    if (by === 'server') return
    // Out meanwhile: what it asked for is not done any more.
    if (!by.joined) throw new Refusal('INVALID_STATE')
    if (!can(by.authority, action)) throw new Refusal('INVALID_PERMISSIONS')
  }

  #record(done: Promise<unknown>, doing: string): void {
    done.catch((error: unknown) => this.#options.onError(error, doing))
  }
}

/** The last instant of a session that a stopped server left behind, as far as is known. */
function lastKnown(startedAt: number, stays: readonly StayRecord[], lastAliveAt: number | undefined): number {
  let last = startedAt
  for (const { joinedAt, leftAt } of stays) {
    last = Math.max(last, joinedAt, leftAt ?? Math.max(joinedAt, lastAliveAt ?? joinedAt))
  }
  return last
}

function idOf(actor: Actor): string {
  return actor === SERVER ? SERVER : actor.id
}

function removerInside({ id, grant }: Participant): Remover {
  return { participantId: id, isModerator: grant.entry === 'moderator' }
}

function noSession(): Refusal {
  return new Refusal('NOT_FOUND', { message: 'No session goes on in this meeting.' })
}
