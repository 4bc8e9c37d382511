/** What every meeting has, in a browser and in a program: the socket, who is there, the lobby, chat, and the way back. */
import type { JoinReply } from '../protocol/notifications.ts'
import { openRules } from '../protocol/rules.ts'
import { Agreement } from './agreement.ts'
import type { MediaEvents, MeetingMedia, OwnStreams, Request } from './carrier.ts'
import { Breakouts } from './breakouts.ts'
import { Chat } from './chat.ts'
import { CurrentMedia } from './current-media.ts'
import { Emitter } from './emitter.ts'
import { asMeetingError, MeetingError } from './errors.ts'
import type {
  CoreOptions,
  LeftReason,
  MeetingEvents,
  MeetingRules,
  MeetingState,
  Self,
  Tell,
  Timer,
  Timings,
} from './events.ts'
import { hear, notificationHandlers, requestHandlers, type Listener } from './hear.ts'
import { PREPARING_MS } from './init-config.ts'
import { Lobby } from './lobby.ts'
import { Moderation } from './moderation.ts'
import { Outputs } from './outputs.ts'
import { Polls } from './polls.ts'
import type { AnyStream, Participant } from './participant.ts'
import { Roster } from './roster.ts'
import { Signalling } from './signalling.ts'

const LEFT_BY_OURSELVES = { code: 1101, message: 'MANUAL_LEAVE_CALLED' }
const GAVE_UP = { code: 1102, message: 'WEBSOCKET_CONNECTION_ATTEMPTS_EXHAUSTED' }
const JOIN_FAILED = { code: 1103, message: 'JOIN_ROOM_FAILED' }
/** Time for the server to receive our leave before the connection ends. */
const LEAVE_TIMEOUT_MS = 500
/** How often a participant who was inside tries again while the server cannot save anything. */
const UNSAVED_RETURN_MS = 2000
const MAX_UNSAVED_RETURNS = 150
/** How long a join waits for the addresses of the relay. */
const RELAY_ANSWER_MS = 3000

const OPEN: MeetingRules = { ...openRules, coHosts: [] }

/** Creates the parts of a meeting that depend on where it runs. */
export interface Carrier<S extends AnyStream, M extends MeetingMedia, Own extends OwnStreams<M>> {
  /** @param meeting `compare` is called after each change of `sent` */
  own(meeting: { request: Request; tell: Tell<S>; compare: () => void }): Own
  media(options: { request: Request } & MediaEvents<S>): M
  /** The meeting ended. */
  close?(): void
}

/**
 * A meeting from one participant's view (waiting, joined, reconnecting, left), whatever carries its media: the WebRTC of a
 * browser (`Meeting`), or of a program (`src/agent/`).
 */
export class MeetingCore<
  S extends AnyStream,
  M extends MeetingMedia,
  Own extends OwnStreams<M>,
> extends Emitter<MeetingEvents<S>> {
  readonly meetingId: string
  readonly self: Self
  readonly timings: Timings
  readonly lobby: Lobby
  readonly moderation: Moderation
  /** What we send. */
  protected readonly own: Own
  readonly chat = new Chat()
  readonly outputs: Outputs
  readonly polls: Polls
  readonly breakouts: Breakouts
  sessionId: string | undefined
  /** How many people wait before us, as long as we wait; undefined until the server says so. */
  queuedBehind: number | undefined
  /** What moderators decided for this session. */
  rules: MeetingRules = OPEN
  /** The timer of the session; it stays here when it has run out. */
  timer: Timer | undefined
  readonly #options: CoreOptions
  readonly #carrier: Carrier<S, M, Own>
  readonly #signalling: Signalling
  readonly #roster: Roster<S>
  readonly #agreement: Agreement
  readonly #media: CurrentMedia<S, M>
  #state: MeetingState = 'connecting'
  #refusal: MeetingError | undefined
  #restarting = false
  #preparing: string | undefined
  #unsavedReturns = 0
  #joins = 0
  #accepted: { resolve: () => void; reject: (error: MeetingError) => void } | undefined
  /** Settles when the server accepted the entry request: waiting or admitted. */
  readonly accepted: Promise<void>

  constructor(options: CoreOptions, carrier: Carrier<S, M, Own>) {
    super()
    this.#options = options
    this.#carrier = carrier
    this.meetingId = options.meetingId
    this.timings = options.timings
    this.self = { id: options.participantId, name: options.name, canAdmit: false, canModerate: false }
    this.accepted = new Promise((resolve, reject) => {
      this.#accepted = { resolve, reject }
    })
    this.accepted.catch(() => undefined)
    const request = <T>(method: string, data?: object): Promise<T> => this.#signalling.request(method, data)
    const tell: Tell<S> = (event, ...values) => this.emit(event, ...values)
    this.#roster = new Roster(tell, (id) => this.#media.now.forget(id))
    this.lobby = new Lobby(
      (id, decision, always) => request('respondEntry', { id, decision, ...(always && { always }) }),
      (id) => tell('entrySettled', id),
    )
    this.moderation = new Moderation(request)
    this.outputs = new Outputs(request, tell)
    this.polls = new Polls(request, (poll) => tell('pollChanged', poll))
    this.breakouts = new Breakouts(request, () => tell('breakoutsChanged'))
    this.#agreement = new Agreement(() => {
      console.warn('what is sent is not what the server says; the connection is made anew')
      this.#signalling.renew()
    }, options.disagreementMs)
    this.own = carrier.own({ request, tell, compare: () => this.#compare() })
    const listener = this.#listener(tell)
    const handlers = notificationHandlers(listener)
    this.#signalling = new Signalling(
      {
        url: options.url,
        path: options.path,
        query: {
          roomId: options.meetingId,
          peerId: options.participantId,
          secret: options.token,
          mode: 'SEND_AND_RECV',
          lib: 'socket',
          sdk: 'anteroom',
          ...(options.requestId !== undefined && { requestId: options.requestId }),
        },
      },
      {
        ready: () => void this.#enter(),
        notification: (notification) => hear(handlers, notification),
        requests: requestHandlers(listener),
        closed: (reason) => this.#finish({ ...reason, error: this.#refusal }),
        lost: () => this.#lost(),
        gaveUp: () =>
          this.#finish({
            ...GAVE_UP,
            error: new MeetingError(0, 'CONNECTION_FAILED', 'The server cannot be reached.'),
          }),
      },
    )
    this.#media = new CurrentMedia({
      create: (events) => carrier.media({ request, ...events }),
      request,
      own: this.own,
      roster: this.#roster,
      timings: options.timings,
      isJoined: () => this.#state === 'joined',
      renewConnection: () => this.#signalling.renew(),
    })
  }

  /** The other participants, by id. */
  get participants(): ReadonlyMap<string, Participant<S>> {
    return this.#roster.participants
  }

  get activeSpeakerId(): string | null {
    return this.#roster.activeSpeakerId
  }

  get pinnedId(): string | null {
    return this.#roster.pinnedId
  }

  /** Everybody who is pinned for all. */
  get pinnedIds(): ReadonlySet<string> {
    return this.#roster.pinnedIds
  }

  get state(): MeetingState {
    return this.#state
  }

  /** Whether the connection is lost because the server restarts; while the state is `reconnecting`. */
  get serverRestarts(): boolean {
    return this.#restarting && this.#state === 'reconnecting'
  }

  /** The progress of the server's media in one sentence, while the connection waits for it. */
  get mediaPreparing(): string | undefined {
    return this.#state === 'reconnecting' || this.#state === 'connecting' ? this.#preparing : undefined
  }

  /** Changes our own name. */
  async rename(name: string): Promise<void> {
    await this.#signalling.request('changeDisplayName', { displayName: name })
  }

  /** Leaves the meeting. What we send ends immediately. */
  async leave(): Promise<void> {
    if (this.#state === 'left') return
    this.own.close()
    const told = this.#signalling.connected
      ? this.#signalling.request('leave').catch(() => undefined)
      : Promise.resolve()
    await Promise.race([told, new Promise((done) => setTimeout(done, LEAVE_TIMEOUT_MS))])
    this.#finish({ ...LEFT_BY_OURSELVES, error: undefined })
  }

  protected request(method: string, data: object): Promise<unknown> {
    return this.#signalling.request(method, data)
  }

  /** The media of the current connection. */
  protected get media(): M {
    return this.#media.now
  }

  /** The network is back: a connection that may be dead is replaced at once. */
  protected hurry(): void {
    this.#signalling.renew()
    this.#signalling.hurry()
  }

  #setState(state: MeetingState): void {
    if (this.#state === state || this.#state === 'left') return
    this.#state = state
    this.emit('stateChanged', state)
  }

  async #enter(): Promise<void> {
    this.timings.socket ??= performance.now()
    this.#preparing = undefined
    try {
      const { message } = this.#options
      const { name } = this.self
      await this.#signalling.request('requestEntry', { name, ...(message !== undefined && { message }) })
      this.#accepted?.resolve()
      if (this.#state === 'connecting' && this.sessionId === undefined) this.#setState('waiting')
    } catch (error) {
      // The server sends the reason in a notification and closes; without a reason the connection was lost, and
      // reconnects.
      if (error instanceof MeetingError && error.code !== 0) this.#refusal ??= error
    }
  }

  async #join(): Promise<void> {
    this.timings.entry ??= performance.now()
    const attempt = ++this.#joins
    await this.#learnRelay()
    if (attempt !== this.#joins || this.#state === 'left') return
    const media = this.#media.renew()
    try {
      await media.open()
      this.timings.transports ??= performance.now()
      const request = {
        displayName: this.self.name,
        rtpCapabilities: media.rtpCapabilities,
        mode: 'SEND_AND_RECV',
        metaData: this.#options.metaData,
        batchingEnabled: true,
      }
      await this.#signalling.request<JoinReply>('join', request, (reply) => this.#welcome(reply))
      if (!this.#media.isCurrent(media)) return
    } catch (error) {
      if (!this.#media.isCurrent(media) || !this.#signalling.connected) return
      // A participant who was inside returns as soon as the server can save that.
      const returns = this.#state === 'reconnecting'
      const unsaved = error instanceof MeetingError && error.reason === 'STORE_UNAVAILABLE'
      if (returns && unsaved && ++this.#unsavedReturns <= MAX_UNSAVED_RETURNS) {
        setTimeout(() => this.#signalling.renew(), UNSAVED_RETURN_MS)
        return
      }
      this.#signalling.close()
      this.#finish({ ...JOIN_FAILED, error: asMeetingError(error) })
      return
    }
    this.#restarting = false
    this.#unsavedReturns = 0
    this.timings.joined ??= performance.now()
    this.#setState('joined')
    this.own.attach(media)
  }

  /** Somebody who knocked is told of the relay only when let in. */
  async #learnRelay(): Promise<void> {
    const { iceServers, iceServersOnceAdmitted } = this.#options
    if (this.#state !== 'waiting' || iceServers.length > 0 || !iceServersOnceAdmitted) return
    // Without a relay most people get in all the same.
    const asked = iceServersOnceAdmitted().catch(() => [])
    const tooLate = new Promise<[]>((resolve) => setTimeout(() => resolve([]), RELAY_ANSWER_MS))
    iceServers.push(...(await Promise.race([asked, tooLate])))
  }

  #welcome(reply: JoinReply): void {
    this.self.id = reply.self.participantId
    this.self.name = reply.self.displayName
    this.self.canAdmit = reply.self.canAdmit
    this.self.canModerate = reply.self.canModerate
    this.sessionId = reply.self.sessionId
    // The server tells them again if they differ.
    this.#setRules(OPEN)
    this.#setTimer(null)
    this.#agreement.reset()
    this.chat.open(reply.pubSubUrl)
    this.outputs.reset()
    this.polls.reset()
    this.breakouts.reset()
    this.#roster.replace(reply.peers)
  }

  #listener(tell: Tell<S>): Listener<S> {
    return {
      self: this.self,
      lobby: this.lobby,
      roster: this.#roster,
      outputs: this.outputs,
      polls: this.polls,
      breakouts: this.breakouts,
      own: this.own,
      media: () => this.#media.now,
      tell,
      admitted: (sessionId) => {
        this.sessionId = sessionId
        void this.#join()
      },
      queued: (before) => {
        this.queuedBehind = before
        tell('queueChanged', before)
      },
      refused: (error) => (this.#refusal = error),
      restarting: () => (this.#restarting = true),
      preparing: (message) => {
        this.#signalling.tryAgainIn(PREPARING_MS)
        this.#preparing = message
        tell('mediaPreparing', message)
      },
      toldOfUs: (kind, on) => {
        this.#agreement.tell(kind, on)
        this.#compare()
      },
      ruled: (rules) => this.#setRules(rules),
      timed: (timer) => this.#setTimer(timer),
      mediaReset: () => void this.#media.rebuild(),
    }
  }

  #setTimer(timer: { totalMs: number; leftMs: number; paused: boolean } | null): void {
    if (!timer && !this.timer) return
    this.timer = timer
      ? {
          totalMs: timer.totalMs,
          endsAt: performance.now() + timer.leftMs,
          pausedLeftMs: timer.paused ? timer.leftMs : undefined,
        }
      : undefined
    this.emit('timerChanged', this.timer)
  }

  #setRules(rules: MeetingRules): void {
    this.rules = rules
    this.emit('rulesChanged', rules)
  }

  #compare(): void {
    this.#agreement.compare(this.#state === 'joined' ? this.own.sent : undefined)
  }

  #lost(): void {
    // Before the state changes, because views of the lobby read it then.
    this.lobby.requests.clear()
    if (this.#state === 'joined') this.#setState('reconnecting')
    else if (this.#state === 'waiting') this.#setState('connecting')
    this.#media.close()
    this.chat.close()
  }

  #finish(reason: LeftReason): void {
    if (this.#state === 'left') return
    this.own.close()
    this.#signalling.close()
    this.#media.now.close()
    this.chat.close()
    this.#carrier.close?.()
    this.#agreement.close()
    this.#accepted?.reject(
      reason.error ?? new MeetingError(reason.code, reason.message, 'The meeting was left.'),
    )
    this.#setState('left')
    this.emit('left', reason)
  }
}
