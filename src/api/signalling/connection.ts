/**
 * One socket, from its first word to its last. What it may send follows from its state through the table of
 * `protocol/requests.ts`; before admission it holds no reference to a meeting, so there is nothing it could reach.
 */
import type { ChatSpeaker } from '../../meeting/chat/connection.ts'
import type { LiveMeeting } from '../../meeting/live-meeting.ts'
import type { LocalHome } from '../../meeting/home.ts'
import type { Mode } from '../../protocol/modes.ts'
import type { Answer, ClientLink } from './client-link.ts'
import type { Participant } from '../../meeting/roster/participant.ts'
import type { Accepted, Credentials } from '../../meeting/door/door.ts'
import { SwitchingLink } from '../../meeting/across/switching.ts'
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
import { handlers, streamKind, WithAfter, type Within } from './handlers.ts'
import { Pubsub, type LostReaders, type Reader } from './older-chat.ts'
import { readRequest } from './read-request.ts'

export interface Applicant {
  /** What the rule at the door says now: it may be long after the socket was opened that one asks to come in. */
  atDoor: () => Promise<Accepted>
  participantId: string
  /** What the socket's query says; `join` may say another. */
  mode: Mode | undefined
  link: ClientLink
  /** By which the client reached this server, e.g. `wss://meet.example.org`. */
  socketBaseUrl: string
}

export interface ConnectionOptions {
  meetings: LocalHome
  /** The door of another meeting. @throws {Refusal} */
  judge: (shown: Omit<Credentials, 'origin' | 'ownOrigin'>) => Promise<Accepted>
  /** The state changed; for what counts connections that are not yet admitted. */
  onState: (state: ConnectionState) => void
  /** It asks to be let in. Throws when it may not now, as the next does. */
  onAsking: () => void
  /** It opens a stream or a transport. */
  onOpening: () => void
  /** It publishes to a chat topic or asks for one. Throws when it may not now. */
  onChat: (speaker: ChatSpeaker) => void
  /** Those who may come back to the topics that they listened to. */
  lostReaders: LostReaders
  onRefusal: (refusal: Refusal) => void
  /** The answer to join is out, so long after the request to come in, or after being let in by somebody. */
  onJoined: (
    entry: 'direct' | 'admitted',
    ms: number,
    where: { meetingId: string; sessionId: string | undefined },
  ) => void
  now: () => number
}

interface Switching {
  link: SwitchingLink
  live?: LiveMeeting
  /** Let in there. */
  participant?: Participant
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #applicant: Applicant
  #state: ConnectionState = 'arrived'
  #live: LiveMeeting | undefined
  #participant: Participant | undefined
  /** Another meeting that it asked to go over to. */
  #switching: Switching | undefined
  /** Since when it waits for the server alone, in ms. */
  #waitsSince = 0
  /** Somebody had to let it in. */
  #asked = false
  #chat: Pubsub | undefined
  /** The client said that it goes of its own will, so the others hear that and not a lost connection. */
  #leaves = false

  constructor(applicant: Applicant, options: ConnectionOptions) {
    this.#applicant = applicant
    this.#options = options
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Runs one request and answers it: `reply` once, with the answer or the refusal, unless the client begins anew. */
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
      // What closed while it was asked about is nobody's failure.
      const failed = refusal.cause !== undefined && refusal.code !== 'INVALID_STATE'
      if (failed || refusal.code === 'SOMETHING_WENT_WRONG') throw refusal
    }
    after?.()
  }

  /** The socket is gone; whatever it held goes with it. `left`: the client closed it on purpose. Idempotent. */
  gone({ left }: { left: boolean }): void {
    if (this.#state === 'gone') return
    this.#enter('gone')
    this.#forgetSwitch()
    this.#keepTopics()
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
        return this.#subscribe((data as RequestData<'pubsubSubscribe'>).topic)
      case 'pubsubUnsubscribe':
        return this.#pubsub().unsubscribe((data as RequestData<'pubsubUnsubscribe'>).topic)
      case 'pubsubPublish':
        this.#countChat()
        return this.#pubsub().publish(data as RequestData<'pubsubPublish'>)
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
        return this.#within(method, this.#sent(data as RequestData<'produce'>))
      default:
        return this.#within(method, data)
    }
  }

  #within(method: Within, data: unknown): unknown {
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
    // Asking twice is no request: the state says so from here on.
    this.#enter('waiting')
    this.#waitsSince = this.#options.now()
    try {
      const { grant, meeting } = await atDoor()
      if (grant.entry === 'ask') this.#options.onAsking()
      const { live, state } = await this.#options.meetings.requestEntry(meeting, {
        grant,
        participantId,
        name: cleanName(data.name ?? '') || participantId,
        link,
        admitted: (participant) => this.#admitted(participant),
      })
      this.#live = live
      this.#asked = state === 'waiting'
      if (this.#isGone()) {
        // It went while it was being let in.
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
    const switching = this.#state === 'inside' ? this.#seatElsewhere() : undefined
    const [live, participant] = switching
      ? [switching.live, switching.participant]
      : [this.#live!, this.#participant!]
    if (switching) participant.mode = this.#participant!.mode
    else participant.mode = this.#applicant.mode ?? participant.mode
    const { reply, afterReply } = await live.roster.join(participant, data, () => {
      // Gone meanwhile, or put out of the meeting that it comes from.
      if (this.#isGone() || this.#applicant.link.closing) throw new Refusal('INVALID_STATE')
      if (!switching) return
      // It may have asked for yet another meeting meanwhile, or lost its seat.
      if (this.#seatElsewhere().participant !== participant) throw new Refusal('INVALID_STATE')
      this.#goOver()
    })
    this.#enter('inside')
    const ticket = `${live.meetingId}.${participant.chatTicket!}`
    const pubSubUrl = `${this.#applicant.socketBaseUrl}${CHAT_PATH}?ticket=${ticket}`
    const peers = peersFor(this.#applicant.link.traits, reply.peers)
    return new WithAfter({ ...reply, peers, pubSubUrl }, () => {
      afterReply()
      this.#resumeTopics()
      if (switching) return
      const { meetingId, sessionId } = live
      const ms = this.#options.now() - this.#waitsSince
      this.#options.onJoined(this.#asked ? 'admitted' : 'direct', ms, { meetingId, sessionId })
    })
  }

  /** A token and a meeting other than those of the connection, held to the same rule at the door. */
  async #elsewhere(token: string, meetingId: string, failed: ErrorName): Promise<Accepted> {
    const { participantId } = this.#applicant
    const accepted = await this.#options.judge({ token, meetingId, participantId })
    if (accepted.meeting.meetingId === this.#live!.meetingId)
      throw new Refusal(failed, { message: 'This is the meeting that one is in.' })
    return accepted
  }

  /** Asks another meeting's door; until that lets it in it stays where it is. */
  async #switchTo(data: RequestData<'switchToMeeting'>): Promise<void> {
    const { participantId, link } = this.#applicant
    const { grant, meeting } = await this.#elsewhere(data.secret, data.meetingId, 'SWITCH_MEETING_FAILED')
    if (grant.entry === 'ask') this.#options.onAsking()
    this.#forgetSwitch()
    const switching: Switching = {
      link: new SwitchingLink(link, {
        participantId,
        meetingId: meeting.meetingId,
        onRefused: () => {
          if (this.#switching === switching) this.#switching = undefined
        },
      }),
    }
    this.#switching = switching
    try {
      const { live } = await this.#options.meetings.requestEntry(meeting, {
        grant,
        participantId,
        name: this.#participant!.name,
        link: switching.link,
        admitted: (participant) => {
          switching.participant = participant
        },
      })
      switching.live = live
    } catch (thrown) {
      if (this.#switching === switching) this.#switching = undefined
      throw thrown
    }
    // It went, or asked for another meeting, while it was being let in.
    if (this.#isGone() || this.#switching !== switching) withdraw(switching, participantId)
  }

  /** Where another meeting let it in. */
  #seatElsewhere(): { live: LiveMeeting; participant: Participant; link: SwitchingLink } {
    const { live, participant, link } = this.#switching ?? {}
    if (!live || !participant || !link) {
      throw new Refusal('INVALID_STATE', { message: 'join cannot be sent now.' })
    }
    return { live, participant, link }
  }

  #goOver(): void {
    const { live, participant, link } = this.#seatElsewhere()
    const [from, was] = [this.#live!, this.#participant!]
    this.#switching = undefined
    from.roster.release(was)
    live.media.adopt(participant, was)
    link.arrive()
    this.#live = live
    this.#participant = participant
  }

  #forgetSwitch(): void {
    const switching = this.#switching
    this.#switching = undefined
    if (switching) withdraw(switching, this.#applicant.participantId)
  }

  async #subscribe(topic: string): Promise<WithAfter> {
    this.#countChat()
    const { messages, release } = await this.#pubsub().subscribe(topic)
    return new WithAfter({ messages }, release)
  }

  /** @throws {Refusal} RATE_LIMITED */
  #countChat(): void {
    if (this.#reader) this.#options.onChat(this.#reader)
  }

  get #reader(): Reader | undefined {
    const { id: participantId, tokenId } = this.#participant ?? {}
    const sessionId = this.#live?.sessionId
    return participantId === undefined || tokenId === undefined || sessionId === undefined
      ? undefined
      : { sessionId, participantId, tokenId }
  }

  #keepTopics(): void {
    const [reader, topics] = [this.#reader, this.#chat?.topics]
    if (reader && topics && topics.size > 0) this.#options.lostReaders.keep(reader, topics)
  }

  #resumeTopics(): void {
    const topics = this.#reader && this.#options.lostReaders.take(this.#reader)
    if (!topics) return
    this.#pubsub()
      .resume(topics)
      .catch((thrown: unknown) => this.#options.onRefusal(asRefusal(thrown)))
  }

  /** Chat over this socket, opened when the client first asks for it. */
  #pubsub(): Pubsub {
    const { link } = this.#applicant
    link.learn('pubsub')
    this.#chat ??= new Pubsub({
      open: (chatLink) => this.#live!.openChat(this.#participant!.chatTicket!, chatLink),
      notify: (message) => link.notify(message),
    })
    return this.#chat
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

/** Leaves the other meeting's lobby, or the seat that it gave. */
/** Whether a later try may succeed: then the line is cut, because a client whose connection is closed does not come back. */
export function mendsItself({ code }: Refusal): boolean {
  return code === 'SERVER_STOPPING' || code === 'STORE_UNAVAILABLE'
}

function withdraw({ live, link, participant }: Switching, participantId: string): void {
  if (participant) live?.roster.leave(participant, leaveReason('WEBSOCKET_DISCONNECTED'))
  else live?.entrance.withdraw(participantId, link)
}

/** The client begins anew and does not wait for this answer. */
const UNANSWERED = Symbol('unanswered')
