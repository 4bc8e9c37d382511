/** The link from a meeting to one client, for either protocol. */
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

/** Shorter than the 20 s that published clients wait, because the requesting participant waits for this answer too. */
const ANSWER_TIMEOUT_MS = 10_000
/**
 * Nobody waits for the answer to an offered stream. A sleeping tab answers when it wakes and then receives the stream;
 * one that sleeps longer than the pings allow is disconnected well before.
 */
const OFFER_TIMEOUT_MS = 60_000
const OFFERS: ReadonlySet<string> = new Set(['newConsumer', 'newDataConsumer'])

/** How long a client may take to answer. */
export function answerTimeoutMs(event: string): number {
  return OFFERS.has(event) ? OFFER_TIMEOUT_MS : ANSWER_TIMEOUT_MS
}

/** Lets a refusal reach the client before the socket closes. */
export const CLOSE_DELAY_MS = 250
/** Time for a client that must leave to read what waits for it; then the socket is cut. */
export const CUT_DELAY_MS = 2000
/** How much data may wait for a client, besides what somebody who joins a full meeting gets at once per participant. */
const BACKLOG_BYTES = 4 * 1024 * 1024
const BACKLOG_BYTES_PER_PARTICIPANT = 16 * 1024

/** How much data may wait for one client; a client that is further behind is cut off. */
export function backlogLimit(maxParticipants: number): number {
  return BACKLOG_BYTES + maxParticipants * BACKLOG_BYTES_PER_PARTICIPANT
}

/** The answer to a request. */
export type Answer = { data: unknown } | { refusal: Refusal }

/** Receives what the client sends over a socket of either protocol. */
export interface Inbox {
  /** `bytes`: the size of the message on the wire. `reply` is called once. */
  request(message: unknown, bytes: number, reply: (answer: Answer, traits: ClientTraits) => void): void
  /**
   * The client sent something that is neither a request nor an expected answer. It is ignored, but its cost is counted.
   */
  stray(bytes: number): void
  /** More data waits for the client than allowed. Called once. */
  tooSlow(): void
  /** The socket closed; `left`: the client closed it on purpose. */
  gone(reason: string, left: boolean): void
}

/** One socket of either protocol. Its methods never throw; a closed socket drops what is sent. */
export interface Wire {
  readonly connectionId: string
  /** The request that opened the socket. */
  readonly request: IncomingMessage
  readonly connected: boolean
  /** Tells the client that the server accepts its requests. */
  ready(): void
  notify(notifications: readonly SentNotification[], traits: ClientTraits): void
  /** Resolves with whether the client acknowledged the request in time and without an error. */
  ask(event: string, payload: unknown): Promise<boolean>
  /** Resolves with whether the client answers a ping within this time. */
  answers(withinMs: number): Promise<boolean>
  /** Tells the client to leave for good, and cuts the connection if it stays. */
  close(reason: LeaveReason): void
  /** Cuts the connection so that the client reconnects, soon, whatever waits for it. */
  drop(): void
}

/** The audiences of each connection, by its id. They are flushed before a direct message to it. */
export type Memberships = Map<string, Set<Pick<Audience, 'remove'> & { flush(): void }>>

export class ClientLink implements Link {
  readonly wire: Wire
  readonly isOwnClient: boolean
  readonly baseUrl: string
  readonly node: string | undefined
  readonly #memberships: Memberships
  readonly #onRefusal: (refusal: Refusal) => void
  #traits: ClientTraits
  #closing = false
  /** Simultaneous checks share one ping. */
  #answering: Promise<boolean> | undefined

  constructor(
    wire: Wire,
    options: {
      traits: ClientTraits
      /** Whether the client knows `mediaReset`. */
      isOwnClient: boolean
      baseUrl: string
      /** The node that carries the connection here, if one does. */
      node: string | undefined
      memberships: Memberships
      onRefusal: (refusal: Refusal) => void
    },
  ) {
    this.wire = wire
    this.isOwnClient = options.isOwnClient
    this.baseUrl = options.baseUrl
    this.node = options.node
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

  /** The client was told to leave; further messages from it are ignored. */
  get closing(): boolean {
    return this.#closing
  }

  /** The client showed that it understands something. */
  learn(sign: ClientSign): void {
    this.#traits = learn(this.#traits, sign)
  }

  /**
   * Whether a client shows only in its `join` that it needs other capabilities than it was given. When it is told again
   * that it may enter, it starts over and gets the right ones. Its first join stays unanswered: a refused client
   * leaves, and an app whose join is acknowledged twice would see two joins. No client concerned gives up on a missing
   * answer.
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

  /** Sends notifications that are already translated. */
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
