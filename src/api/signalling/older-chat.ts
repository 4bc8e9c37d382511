/**
 * Chat for clients before 1.0: `pubsub…` requests and `pubsubMessage` notifications on the signalling socket (contract,
 * older-clients §5). It is another way into the chat of the session, so old and new clients can talk to each other.
 */
import type { ChatConnection } from '../../meeting/chat/connection.ts'
import type { ChatLink } from '../../meeting/chat/link.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { RequestData } from '../../protocol/requests.ts'
import { decodeChatMessage, decodeServerFrame, OLD_MESSAGES } from '../../protocol/chat.ts'
import { Refusal } from '../../protocol/errors.ts'

export type PubsubMessage = Extract<Notification, { method: 'pubsubMessage' }>

/** How much of a topic's history these clients get. It is one answer, and as JSON it may take six times the bytes. */
const HISTORY_MESSAGES = 1000
const HISTORY_BYTES = 512 * 1024
/** How much JSON of all its topics a returning client gets; it does not request them again. */
const MISSED_BYTES = 1024 * 1024

export interface PubsubOptions {
  /** Opens the participant's chat; undefined if it is not available. */
  open: (link: ChatLink) => ChatConnection | undefined
  notify: (message: PubsubMessage) => void
}

/** The last message that a reader got before its connection was lost. */
export type Position = { lastId: string | undefined }

/** How long the topics of a lost client are kept. */
const RETURN_MS = 120_000
const MAX_LOST = 10_000

/**
 * The topics of participants whose connection was lost. These clients do not subscribe again when they return, but
 * their apps keep listening.
 */
export class LostReaders {
  readonly #now: () => number
  readonly #topics = new Map<string, { topics: ReadonlyMap<string, Position>; lostAt: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  keep(reader: Reader, topics: ReadonlyMap<string, Position>): void {
    const lostAt = this.#now()
    this.#topics.set(keyOf(reader), { topics, lostAt })
    for (const [key, lost] of this.#topics) {
      if (lost.lostAt >= lostAt - RETURN_MS && this.#topics.size <= MAX_LOST) break
      this.#topics.delete(key)
    }
  }

  /** Returns the topics of a reader who has returned, once. */
  take(reader: Reader): ReadonlyMap<string, Position> | undefined {
    const lost = this.#topics.get(keyOf(reader))
    this.#topics.delete(keyOf(reader))
    return lost && lost.lostAt >= this.#now() - RETURN_MS ? lost.topics : undefined
  }
}

/** One stay: the same participant with the same token in the same session. */
export interface Reader {
  sessionId: string
  participantId: string
  tokenId: string
}

function keyOf({ sessionId, participantId, tokenId }: Reader): string {
  return JSON.stringify([sessionId, participantId, tokenId])
}

export class Pubsub {
  readonly #options: PubsubOptions
  /** Subscribed topics, with the last message that was sent. */
  readonly #topics = new Map<string, Position>()
  /** History that is being read, by request id. */
  readonly #replays = new Map<string, PubsubMessage[]>()
  /** New messages of topics whose history was not sent yet: the client listens only after its answer. */
  readonly #held = new Map<string, { requests: number; messages: PubsubMessage[] }>()
  #connection: ChatConnection | undefined
  #requests = 0

  constructor(options: PubsubOptions) {
    this.#options = options
  }

  /** The subscribed topics, for the connection that replaces this one. */
  get topics(): ReadonlyMap<string, Position> {
    return this.#topics
  }

  /**
   * Returns the kept messages, oldest first. Call `release` when the answer was sent: newer messages follow it.
   * @throws {Refusal}
   */
  async subscribe(
    topic: string,
    limit = HISTORY_MESSAGES,
  ): Promise<{ messages: PubsubMessage[]; release: () => void }> {
    const hold = this.#held.get(topic) ?? { requests: 0, messages: [] }
    hold.requests++
    this.#held.set(topic, hold)
    const release = (): void => {
      if (--hold.requests > 0) return
      this.#held.delete(topic)
      for (const message of hold.messages) this.#tell(message)
    }
    try {
      const messages = await this.#read(topic, limit)
      const position = this.#topics.get(topic) ?? { lastId: undefined }
      position.lastId = messages.at(-1)?.id ?? position.lastId
      this.#topics.set(topic, position)
      return { messages, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /**
   * Subscribes again to the topics of a lost connection. Messages kept since then are sent as new ones; if there are
   * too many, only the newest.
   */
  async resume(topics: ReadonlyMap<string, Position>): Promise<void> {
    let room = MISSED_BYTES
    for (const [topic, { lastId }] of topics) {
      const { messages, release } = await this.subscribe(topic, room > 0 ? HISTORY_MESSAGES : 0)
      const seen = messages.findIndex(({ id }) => id === lastId)
      let first = messages.length
      while (first > seen + 1) {
        room -= Buffer.byteLength(JSON.stringify(messages[first - 1]))
        if (room < 0) break
        first--
      }
      for (const message of messages.slice(first)) this.#options.notify(message)
      release()
    }
  }

  /** Does nothing for a topic without a subscription. */
  async unsubscribe(topic: string): Promise<void> {
    if (!this.#topics.delete(topic)) return
    await this.#handle({ kind: 'unsubscribe', value: { topic, requestId: this.#nextId() } })
  }

  /** @throws {Refusal} */
  async publish({ topic, message, options, payload }: RequestData<'pubsubPublish'>): Promise<void> {
    await this.#handle({
      kind: 'publish',
      value: {
        topic,
        message: typeof message === 'string' ? message : message === undefined ? '' : JSON.stringify(message),
        payload:
          payload === undefined || payload === null
            ? new Uint8Array()
            : new TextEncoder().encode(JSON.stringify(payload)),
        sendOnly: [...(options?.sendOnly ?? [])],
        persist: options?.persist === true,
        timestamp: '',
        senderId: '',
        senderName: '',
        messageId: '',
        requestId: this.#nextId(),
      },
    })
  }

  async #read(topic: string, limit: number): Promise<PubsubMessage[]> {
    const requestId = this.#nextId()
    const messages: PubsubMessage[] = []
    this.#replays.set(requestId, messages)
    try {
      await this.#handle({
        kind: 'subscribe',
        value: {
          topic,
          peerId: '',
          oldMessageLimit: limit,
          realtimeOverflow: 'queue',
          queueSize: 0,
          newMessageLimit: 0,
          requestId,
        },
      })
      return messages
    } finally {
      this.#replays.delete(requestId)
    }
  }

  async #handle(frame: Parameters<ChatConnection['handle']>[0]): Promise<void> {
    this.#connection ??= this.#options.open(this.#link())
    if (!this.#connection) throw new Refusal('INVALID_STATE', { message: 'The chat is not available now.' })
    const refusal = await this.#connection.handle(frame)
    if (refusal) throw refusal
  }

  /** The other end of the chat connection: it gets the frames that a chat socket would send. */
  #link(): ChatLink {
    let closed = false
    return {
      send: (bytes, taken) => {
        const frame = decodeServerFrame(bytes)
        if (frame.kind === 'batch') {
          const { topic, payloads, batchType, requestId } = frame.value
          const messages = payloads.map((payload) => toMessage(topic, payload))
          if (batchType === OLD_MESSAGES) this.#replays.get(requestId)?.push(...messages)
          else for (const message of messages) this.#hear(message)
        }
        taken?.()
      },
      // The signalling socket has its own limit, and is cut off as a whole.
      backlogBytes: 0,
      maxHistoryBytes: HISTORY_BYTES,
      get closed() {
        return closed
      },
      close: () => {
        closed = true
        this.#connection = undefined
      },
    }
  }

  #hear(message: PubsubMessage): void {
    const held = this.#held.get(message.topic)
    if (held) held.messages.push(message)
    else this.#tell(message)
  }

  #tell(message: PubsubMessage): void {
    const position = this.#topics.get(message.topic)
    if (position) position.lastId = message.id
    this.#options.notify(message)
  }

  #nextId(): string {
    return String(++this.#requests)
  }
}

function toMessage(topic: string, bytes: Uint8Array): PubsubMessage {
  const { message, payload, timestamp, senderId, senderName, persistMsgId, messageId } =
    decodeChatMessage(bytes)
  return {
    method: 'pubsubMessage',
    id: persistMsgId || messageId,
    topic,
    // Clients drop an empty text together with its payload.
    message: message || ' ',
    payload: parse(payload),
    senderId,
    senderName,
    timestamp,
  }
}

/** The data of an app is JSON only by convention. */
function parse(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
