/** How a meeting reaches one client, whichever protocol its socket speaks. */
import type { IncomingMessage } from 'node:http'
import type { Audience, Link } from '../../meeting/link.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { Refusal } from '../../protocol/errors.ts'
import {
  learn,
  numbersWrongly,
  signsOfJoin,
  notificationFor,
  type ClientSign,
  type ClientTraits,
  type SentNotification,
} from '../../protocol/clients.ts'

/** Who asked through the server waits for the answer too, and published clients wait 20 s. */
const ANSWER_TIMEOUT_MS = 10_000
/**
 * Nobody waits for the answer to an offer of a stream. A tab that sleeps answers when it wakes and then receives the stream;
 * one that sleeps for longer than the pings allow is disconnected well before.
 */
const OFFER_TIMEOUT_MS = 60_000
const OFFERS: ReadonlySet<string> = new Set(['newConsumer', 'newDataConsumer'])

/** How long a client may take to answer. */
export function answerTimeoutMs(event: string): number {
  return OFFERS.has(event) ? OFFER_TIMEOUT_MS : ANSWER_TIMEOUT_MS
}

/** For a refusal to reach the client before the socket closes. */
export const CLOSE_DELAY_MS = 250
/** For what waits to be sent to a client that is told to go; after that the socket is cut, whatever waits. */
export const CUT_DELAY_MS = 2000
/** What may wait for a client to read it, beside what a joiner of a full meeting is sent at once for each who is inside. */
const BACKLOG_BYTES = 4 * 1024 * 1024
const BACKLOG_BYTES_PER_PARTICIPANT = 16 * 1024

/** How much may wait for one client to read it; one that is further behind is cut off. */
export function backlogLimit(maxParticipants: number): number {
  return BACKLOG_BYTES + maxParticipants * BACKLOG_BYTES_PER_PARTICIPANT
}

/** What a request is answered with. */
export type Answer = { data: unknown } | { refusal: Refusal }

/** Where a socket of either protocol hands on what the client sends. */
export interface Inbox {
  /** `bytes`: the size of the message on the wire. `reply` is called once. */
  request(message: unknown, bytes: number, reply: (answer: Answer, traits: ClientTraits) => void): void
  /** Something came that is no request and that nothing asked for; it is passed over, and costs what it costs to read. */
  stray(bytes: number): void
  /** More waits to be read than may; called once. */
  tooSlow(): void
  /** The socket is gone; `left` says whether the client closed it on purpose. */
  gone(reason: string, left: boolean): void
}

/** One socket of either protocol. None of it throws; a socket that is closed swallows what is sent. */
export interface Wire {
  readonly connectionId: string
  /** The request that opened the socket. */
  readonly request: IncomingMessage
  readonly connected: boolean
  /** Tells the client that its requests are taken. */
  ready(): void
  notify(notifications: readonly SentNotification[], traits: ClientTraits): void
  /** Resolves with whether the client took the request: acknowledged in time, and not with an error. */
  ask(event: string, payload: unknown): Promise<boolean>
  /** Resolves with whether the client's end of the line answers within this time. */
  answers(withinMs: number): Promise<boolean>
  /** Tells the client to go for good, and cuts it if it stays. */
  close(reason: LeaveReason): void
  /** Cuts the connection so that the client comes back; soon, whatever waits to be read. */
  drop(): void
}

/** The audiences of each connection, by its id: they are flushed before it is spoken to directly. */
export type Memberships = Map<string, Set<Pick<Audience, 'remove'> & { flush(): void }>>

export class ClientLink implements Link {
  readonly wire: Wire
  readonly isOwnClient: boolean
  readonly baseUrl: string
  readonly #memberships: Memberships
  readonly #onRefusal: (refusal: Refusal) => void
  #traits: ClientTraits
  #closing = false
  /** However many ask at once, the client is asked once. */
  #answering: Promise<boolean> | undefined

  constructor(
    wire: Wire,
    options: {
      traits: ClientTraits
      /** Whether the client knows `mediaReset`. */
      isOwnClient: boolean
      baseUrl: string
      memberships: Memberships
      onRefusal: (refusal: Refusal) => void
    },
  ) {
    this.wire = wire
    this.isOwnClient = options.isOwnClient
    this.baseUrl = options.baseUrl
    this.#traits = options.traits
    this.#memberships = options.memberships
    this.#onRefusal = options.onRefusal
  }

  get connectionId(): string {
    return this.wire.connectionId
  }

  get traits(): ClientTraits {
    return this.#traits
  }

  /** The client was told to go; what it sends no longer counts. */
  get closing(): boolean {
    return this.#closing
  }

  /** The client showed what it understands. */
  learn(sign: ClientSign): void {
    this.#traits = learn(this.#traits, sign)
  }

  /**
   * Whether this client turns out to need other capabilities than it was given. Told again that it may enter, it begins
   * anew and gets the right ones. The join that it began with stays unanswered: a client that is refused leaves, and an
   * app whose join is acknowledged twice hears twice that it joined. No client that this is true of gives up on an answer.
   */
  learnsTooLate(join: Parameters<typeof signsOfJoin>[0]): boolean {
    const knew = numbersWrongly(this.#traits)
    for (const sign of signsOfJoin(join)) this.learn(sign)
    return !knew && numbersWrongly(this.#traits)
  }

  notify(...notifications: Notification[]): void {
    if (this.#closing) return
    this.#flushAudiences()
    this.deliver(notifications.map((notification) => notificationFor(this.#traits, notification)))
  }

  /** Sends what is translated already. */
  deliver(notifications: readonly SentNotification[]): void {
    if (!this.#closing) this.wire.notify(notifications, this.#traits)
  }

  async request(event: string, payload: unknown): Promise<boolean> {
    if (this.#closing || !this.wire.connected) return false
    this.#flushAudiences()
    return this.wire.ask(event, payload)
  }

  async answers(withinMs: number): Promise<boolean> {
    if (this.#closing) return false
    this.#answering ??= this.wire.answers(withinMs).finally(() => {
      this.#answering = undefined
    })
    return this.#answering
  }

  close(reason: LeaveReason, refusal?: Refusal): void {
    if (this.#closing) return
    if (refusal) this.#onRefusal(refusal)
    this.#explain(refusal)
    this.#closing = true
    this.wire.close(reason)
  }

  drop(why?: Refusal): void {
    if (!this.#closing) this.#explain(why)
    this.#closing = true
    this.wire.drop()
  }

  #explain(refusal: Refusal | undefined): void {
    if (refusal) this.notify(errorOf(refusal))
    else this.#flushAudiences()
  }

  #flushAudiences(): void {
    for (const audience of this.#memberships.get(this.connectionId) ?? []) audience.flush()
  }
}

/** A refusal as a notification. */
export function errorOf({ number, code, message }: Refusal): Notification {
  return { method: 'error', code: number, name: code, message }
}
