/**
 * One socket, from its first message to its last. Its state and the table of `protocol/requests.ts` decide what it may
 * send. Before admission it holds no reference to a meeting, so there is nothing it could reach.
 */
import type { ChatSpeaker } from '../../meeting/chat/connection.ts'
import type { LiveMeeting } from '../../meeting/live-meeting.ts'
import type { LocalHome } from '../../meeting/home.ts'
import type { Mode } from '../../protocol/modes.ts'
import type { Answer, ClientLink } from './client-link.ts'
import type { Participant } from '../../meeting/roster/participant.ts'
import type { Accepted, Credentials } from '../../meeting/door/door.ts'
import { capabilitiesFor, peersFor, rtpParametersFrom } from '../../protocol/clients.ts'
import { asRefusal, Refusal, type ErrorName } from '../../protocol/errors.ts'
import { cleanName } from '../../protocol/ids.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import {
  isAlwaysAnswered,
  opensMedia,
  type ConnectionState,
  type RequestData,
  type RequestMethod,
} from '../../protocol/requests.ts'
import { traced } from '../../tracing/tracing.ts'
import { CHAT_PATH } from '../chat/sockets.ts'
import { handlers, streamKind, WithAfter, type MeetingMethod } from './handlers.ts'
import { MeetingSwitch, type Seat } from './meeting-switch.ts'
import type { LostReaders, Reader } from './older-chat.ts'
import { readRequest } from './read-request.ts'
import { SocketChat } from './socket-chat.ts'

export interface Applicant {
  /** Asks the door again: a client may request entry long after its socket was opened. @throws {Refusal} */
  atDoor: () => Promise<Accepted>
  participantId: string
  /** The mode in the socket's query; `join` may name another. */
  mode: Mode | undefined
  link: ClientLink
  /** The address at which the client reached this server, e.g. `wss://meet.example.org`. */
  socketBaseUrl: string
}

export interface ConnectionOptions {
  meetings: LocalHome
  /** Asks the door of another meeting. @throws {Refusal} */
  judge: (shown: Omit<Credentials, 'origin' | 'ownOrigin'>) => Promise<Accepted>
  /** Whether another node is the home of a meeting. */
  isAtAnotherNode: (meetingId: string) => Promise<boolean>
  /** Called after each change of state, e.g. to count connections that are not admitted yet. */
  onState: (state: ConnectionState) => void
  /** Called before a request that goes to the lobby. Throws if the address has exceeded its quota. */
  onAsking: () => void
  /** Called before a stream or a transport is opened. Throws if the connection has exceeded its quota. */
  onOpening: () => void
  /** Called for each message to a chat topic and each subscription. Throws if the speaker has exceeded its quota. */
  onChat: (speaker: ChatSpeaker) => void
  /** The topics of clients that lost their connection and may come back. */
  lostReaders: LostReaders
  onRefusal: (refusal: Refusal) => void
  /** Called when the answer to `join` was sent, with the time since the entry request, or since its admission from the lobby. */
  onJoined: (
    entry: 'direct' | 'admitted',
    ms: number,
    where: { meetingId: string; sessionId: string | undefined },
  ) => void
  now: () => number
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #applicant: Applicant
  #state: ConnectionState = 'arrived'
  #live: LiveMeeting | undefined
  #participant: Participant | undefined
  readonly #switch: MeetingSwitch
  readonly #chat: SocketChat
  /** Since when it has waited for the server alone, in ms. */
  #waitsSince = 0
  /** Whether it waited in the lobby. */
  #asked = false
  /** Whether the client announced its leave. The others are told so, instead of that its connection was lost. */
  #leaves = false

  constructor(applicant: Applicant, options: ConnectionOptions) {
    this.#applicant = applicant
    this.#options = options
    const { meetings, onChat, lostReaders, onRefusal } = options
    this.#switch = new MeetingSwitch(meetings, applicant)
    this.#chat = new SocketChat({
      link: applicant.link,
      open: (chatLink) => this.#live!.openChat(this.#participant!.chatTicket!, chatLink),
      reader: () => this.#reader,
      onChat,
      lostReaders,
      onRefusal,
    })
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Runs one request and calls `reply` once, with the answer or the refusal; not at all if the client starts over. */
  async handle(message: unknown, reply: (answer: Answer) => void): Promise<void> {
    let after: (() => void) | undefined
    try {
      const { method, data } = readRequest(message, this.#state)
      const answer = await this.#run(method, data)
      if (answer === UNANSWERED) return
      if (answer instanceof WithAfter) {
        reply({ data: answer.data })
        after = answer.after
      } else reply({ data: answer ?? {} })
    } catch (thrown) {
      const refusal = asRefusal(thrown)
      this.#options.onRefusal(refusal)
      const { method } = (message ?? {}) as { method?: unknown }
      reply(isAlwaysAnswered(typeof method === 'string' ? method : undefined) ? { data: {} } : { refusal })
      // Its users would see only noise, and published clients do not tell them why.
      if (refusal.code === 'ENCRYPTION_REQUIRED') this.#applicant.link.close(leaveReason('UNKNOWN'), refusal)
      // Ignore errors caused by an object that closed while the request was in flight.
      const failed = refusal.cause !== undefined && refusal.code !== 'INVALID_STATE'
      if (failed || refusal.code === 'SOMETHING_WENT_WRONG') throw refusal
    }
    after?.()
  }

  /** Releases everything the socket held. `left`: the client closed it on purpose. Idempotent. */
  gone({ left }: { left: boolean }): void {
    if (this.#state === 'gone') return
    this.#enter('gone')
    this.#switch.cancel()
    this.#chat.keepTopics()
    const reason = leaveReason(this.#leaves || left ? 'MANUAL_LEAVE_CALLED' : 'WEBSOCKET_DISCONNECTED')
    if (this.#participant) this.#live?.roster.leave(this.#participant, reason)
    else this.#live?.entrance.withdraw(this.#applicant.participantId, this.#applicant.link)
  }

  #enter(state: ConnectionState): void {
    this.#state = state
    this.#options.onState(state)
  }

  #run(method: RequestMethod, data: unknown): unknown {
    switch (method) {
      case 'requestEntry':
        return traced('admission', () => this.#requestEntry(data as RequestData<'requestEntry'>))
      case 'definePeerLeftReason':
        this.#leaves = (data as RequestData<'definePeerLeftReason'>).leaveReason === 'MANUAL_LEAVE_CALLED'
        return undefined
      case 'ping':
        return undefined
      case 'pubsubSubscribe':
        return this.#chat.subscribe(data as RequestData<'pubsubSubscribe'>)
      case 'pubsubUnsubscribe':
        return this.#chat.unsubscribe(data as RequestData<'pubsubUnsubscribe'>)
      case 'pubsubPublish':
        return this.#chat.publish(data as RequestData<'pubsubPublish'>)
      case 'leave':
        this.#leaves = true
        return new WithAfter({}, () => this.#applicant.link.close(leaveReason('MANUAL_LEAVE_CALLED')))
      case 'getRouterRtpCapabilities':
        return this.#capabilities()
      case 'join':
        return this.#join(data as RequestData<'join'>)
      case 'switchToMeeting':
        return this.#switchTo(data as RequestData<'switchToMeeting'>)
      case 'mediaRelayRequestSent':
        return this.#requestRelay(data as RequestData<'mediaRelayRequestSent'>)
      case 'produce':
        return this.#runInMeeting(method, this.#sent(data as RequestData<'produce'>))
      default:
        return this.#runInMeeting(method, data)
    }
  }

  #runInMeeting(method: MeetingMethod, data: unknown): unknown {
    if (opensMedia(method)) this.#options.onOpening()
    return handlers[method](this.#live!, this.#participant!, data as never)
  }

  #sent(data: RequestData<'produce'>): RequestData<'produce'> {
    const rtpParameters = rtpParametersFrom(this.#applicant.link.traits, data.kind, data.rtpParameters)
    return { ...data, rtpParameters }
  }

  async #capabilities(): Promise<unknown> {
    const capabilities = await this.#live!.media.routerRtpCapabilities()
    return capabilitiesFor(this.#applicant.link.traits, capabilities)
  }

  async #requestEntry(data: RequestData<'requestEntry'>): Promise<void> {
    const { atDoor, participantId, link } = this.#applicant
    // From here on the state refuses a second entry request.
    this.#enter('waiting')
    this.#waitsSince = this.#options.now()
    const message = cleanName(data.message ?? '')
    try {
      const { grant, meeting, isStanding } = await atDoor()
      if (grant.entry === 'ask') this.#options.onAsking()
      const { live, state } = await this.#options.meetings.requestEntry(meeting, {
        grant,
        participantId,
        name: cleanName(data.name ?? '') || participantId,
        ...(message !== '' && { message }),
        isStanding,
        link,
        admitted: (participant) => this.#admitted(participant),
      })
      this.#live = live
      this.#asked = state === 'waiting'
      if (this.#isGone()) {
        // The client left while it was being admitted.
        if (this.#participant) live.roster.leave(this.#participant, leaveReason('WEBSOCKET_DISCONNECTED'))
        else if (state === 'waiting') live.entrance.withdraw(participantId, link)
      }
    } catch (thrown) {
      const refusal = asRefusal(thrown)
      if (mendsItself(refusal)) link.drop(refusal)
      else link.close(leaveReason('UNKNOWN'), refusal)
      throw refusal
    }
  }

  #admitted(participant: Participant): void {
    this.#participant = participant
    if (this.#asked) this.#waitsSince = this.#options.now()
    if (!this.#isGone()) this.#enter('admitted')
  }

  #isGone(): boolean {
    return this.#state === 'gone'
  }

  async #join(data: RequestData<'join'>): Promise<WithAfter | typeof UNANSWERED> {
    const { participantId, link } = this.#applicant
    if (link.learnsTooLate(data)) {
      const { sessionId } = this.#live!
      const where = sessionId === undefined ? {} : { sessionId }
      link.notify({ method: 'entryResponded', id: participantId, decision: 'allowed', ...where })
      return UNANSWERED
    }
    const isSwitching = this.#state === 'inside'
    const { live, participant } = isSwitching ? this.#switch.seat : this.#seat
    if (isSwitching) participant.mode = this.#participant!.mode
    else participant.mode = this.#applicant.mode ?? participant.mode
    const { reply, afterReply } = await live.roster.join(participant, data, () => {
      // The connection may have closed in the meantime, or been removed from the meeting it is in.
      if (this.#isGone() || this.#applicant.link.closing) throw new Refusal('INVALID_STATE')
      if (!isSwitching) return
      // It may have requested yet another meeting in the meantime, or lost its seat.
      if (this.#switch.seat.participant !== participant) throw new Refusal('INVALID_STATE')
      this.#seat = this.#switch.complete(this.#seat)
    })
    this.#enter('inside')
    const ticket = `${live.meetingId}.${participant.chatTicket!}`
    const pubSubUrl = `${this.#applicant.socketBaseUrl}${CHAT_PATH}?ticket=${ticket}`
    const peers = peersFor(this.#applicant.link.traits, reply.peers)
    return new WithAfter({ ...reply, peers, pubSubUrl }, () => {
      afterReply()
      this.#chat.resumeTopics()
      if (isSwitching) return
      const { meetingId, sessionId } = live
      const ms = this.#options.now() - this.#waitsSince
      this.#options.onJoined(this.#asked ? 'admitted' : 'direct', ms, { meetingId, sessionId })
    })
  }

  /** Applies the rule of the door to a token for another meeting. @throws {Refusal} */
  async #elsewhere(token: string, meetingId: string, failed: ErrorName): Promise<Accepted> {
    const { participantId } = this.#applicant
    const accepted = await this.#options.judge({ token, meetingId, participantId })
    if (accepted.meeting.meetingId === this.#live!.meetingId)
      throw new Refusal(failed, { message: 'You are already in this meeting.' })
    if (await this.#options.isAtAnotherNode(accepted.meeting.meetingId))
      throw new Refusal(failed, {
        message: 'Another server holds that meeting: leave this one and join that one instead.',
      })
    return accepted
  }

  async #switchTo(data: RequestData<'switchToMeeting'>): Promise<void> {
    const accepted = await this.#elsewhere(data.secret, data.meetingId, 'SWITCH_MEETING_FAILED')
    if (accepted.grant.entry === 'ask') this.#options.onAsking()
    await this.#switch.request(accepted, this.#participant!.name, () => this.#isGone())
  }

  get #seat(): Seat {
    return { live: this.#live!, participant: this.#participant! }
  }

  set #seat({ live, participant }: Seat) {
    this.#live = live
    this.#participant = participant
  }

  get #reader(): Reader | undefined {
    const { id: participantId, tokenId } = this.#participant ?? {}
    const sessionId = this.#live?.sessionId
    return participantId === undefined || tokenId === undefined || sessionId === undefined
      ? undefined
      : { sessionId, participantId, tokenId }
  }

  async #requestRelay(data: RequestData<'mediaRelayRequestSent'>): Promise<void> {
    const { grant, meeting } = await this.#elsewhere(data.secret, data.meetingId, 'MEDIA_RELAY_FAILED')
    const kinds = data.kinds ?? ['audio', 'video', 'share', 'shareAudio']
    await this.#options.meetings.requestRelay(meeting, {
      source: this.#participant!,
      sourceMeetingId: this.#live!.meetingId,
      grant,
      kinds: new Set(kinds.map(streamKind)),
    })
  }
}

/** Whether a later attempt may succeed. Then the line is cut instead of closed, because a client does not come back after a close. */
export function mendsItself({ code }: Refusal): boolean {
  return code === 'SERVER_STOPPING' || code === 'STORE_UNAVAILABLE'
}

/** The client starts over and does not wait for this answer. */
const UNANSWERED = Symbol('unanswered')
