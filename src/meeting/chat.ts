/**
 * The chat of one session: topics, who listens to them, and what was said that is to be kept. Who says something is
 * known from the connection, never from the frame (contract, signalling §4.4).
 */
import type { ChatRecord } from '../store/store.ts'
import type { Participant } from './participant.ts'
import {
  encodeChatMessage,
  encodeServerFrame,
  NEW_MESSAGES,
  OLD_MESSAGES,
  type ClientFrame,
  type Publish,
  type Subscribe,
} from '../protocol/chat.ts'
import { asRefusal, Refusal } from '../protocol/errors.ts'

export interface ChatLimits {
  /** Of text and payload together. */
  maxChatMessageBytes: number
  /** In one session. */
  maxChatTopics: number
  /** Topics that one participant listens to. */
  maxChatSubscriptions: number
}

export interface ChatOptions {
  limits: ChatLimits
  /** Resolves when the message has reached the disk. */
  keep: (message: Omit<ChatRecord, 'sessionId'>) => Promise<void>
  now: () => number
  newMessageId: () => string
  onError: (error: unknown, doing: string) => void
}

/** What is said, and to whom. */
export type Said = Pick<Publish, 'topic' | 'message' | 'payload' | 'sendOnly' | 'persist' | 'messageId'>

/** Who says something. */
export interface ChatSender {
  readonly id: string
  readonly name: string
  readonly joined: boolean
}

/** The way to one chat socket. Neither call throws. */
export interface ChatLink {
  /** `taken` is called when the network has taken the frame, or never will. */
  send(frame: Uint8Array, taken?: () => void): void
  /** Bytes that the network has not taken yet. */
  readonly backlogBytes: number
  readonly closed: boolean
  close(code: number, reason: string): void
}

const MAX_TOPIC_LENGTH = 256
const MAX_ID_LENGTH = 128
const MAX_RECEIVERS = 1000
/** A reader further behind than this is cut off; it comes back and asks for what it missed. */
const MAX_BACKLOG_BYTES = 1024 * 1024
/** Answers and replays go out beyond that, so that who asks for much and reads slowly is not cut off; up to this. */
const MAX_ANSWER_BACKLOG_BYTES = 4 * MAX_BACKLOG_BYTES
/** Replays of one socket that wait for the network at once. */
const MAX_SLOW_REPLAYS = 16
const TOO_SLOW = 4408
/** What is replayed at most in one frame. */
const REPLAY_MESSAGES = 100
const REPLAY_BYTES = 128 * 1024
/** What a session keeps for those who come later; the oldest of the longest topic leaves first. The log has all. */
const MAX_HISTORY_BYTES = 32 * 1024 * 1024
/** A burst that is this large does not wait for its end. */
const FLUSH_BYTES = 64 * 1024
const LIMIT_WINDOW_MS = 500
const DEFAULT_QUEUE_SIZE = 70
const MAX_QUEUE_SIZE = 200

interface Kept {
  bytes: Uint8Array
  senderId: string
  /** Empty: everybody. */
  sendOnly: readonly string[]
}

export class Chat {
  readonly #options: ChatOptions
  readonly #topics = new Map<string, Topic>()
  readonly #connections = new Map<string, ChatConnection>()
  #historyBytes = 0

  constructor(options: ChatOptions, kept: readonly ChatRecord[] = []) {
    this.#options = options
    for (const record of kept) this.#remember(this.#topic(record.topic), toKept(record))
  }

  /** A newer socket of the same participant takes the place of the older. */
  connect(participant: Participant, link: ChatLink): ChatConnection {
    this.#connections.get(participant.id)?.close(1000, 'replaced')
    const connection: ChatConnection = new ChatConnection(participant, link, {
      topic: (name) => this.#topic(name),
      publish: async (frame) => {
        await this.publish(participant, frame)
      },
      maxSubscriptions: this.#options.limits.maxChatSubscriptions,
      onClose: () => {
        if (this.#connections.get(participant.id) === connection) this.#connections.delete(participant.id)
      },
      onError: this.#options.onError,
    })
    this.#connections.set(participant.id, connection)
    return connection
  }

  /** Somebody left the meeting. */
  disconnect(participantId: string): void {
    this.#connections.get(participantId)?.close(1000, 'left')
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.close(1000, 'ended')
    this.#topics.clear()
  }

  #topic(name: string): Topic {
    const there = this.#topics.get(name)
    if (there) return there
    if (name === '' || name.length > MAX_TOPIC_LENGTH) {
      throw new Refusal('INVALID_REQUEST', { message: `A topic has 1 to ${MAX_TOPIC_LENGTH} characters.` })
    }
    // Topics that nobody listens to and that keep nothing make room.
    if (this.#topics.size >= this.#options.limits.maxChatTopics) {
      for (const [old, topic] of this.#topics) if (topic.unused) this.#topics.delete(old)
    }
    if (this.#topics.size >= this.#options.limits.maxChatTopics) {
      throw new Refusal('RATE_LIMITED', { message: 'This meeting has as many topics as it may have.' })
    }
    const topic = new Topic(name)
    this.#topics.set(name, topic)
    return topic
  }

  /** Answers the id that the message has here. */
  async publish(sender: ChatSender, frame: Said): Promise<string> {
    const { limits, now, newMessageId, keep } = this.#options
    const { message, payload, sendOnly, persist, messageId } = frame
    if (Buffer.byteLength(message) + payload.length > limits.maxChatMessageBytes) {
      throw new Refusal('PAYLOAD_TOO_LARGE', {
        message: `A message has at most ${limits.maxChatMessageBytes} bytes.`,
      })
    }
    if (messageId.length > MAX_ID_LENGTH || sendOnly.length > MAX_RECEIVERS) {
      throw new Refusal('INVALID_REQUEST', {
        message: 'The message id or the list of receivers is too long.',
      })
    }
    if (sendOnly.some((id) => id === '' || id.length > MAX_ID_LENGTH)) {
      throw new Refusal('INVALID_REQUEST', { message: 'A receiver is not a participant id.' })
    }
    if (!sender.joined) throw new Refusal('INVALID_STATE')
    const topic = this.#topic(frame.topic)
    const record: Omit<ChatRecord, 'sessionId'> = {
      messageId: newMessageId(),
      clientMessageId: messageId,
      topic: frame.topic,
      senderId: sender.id,
      senderName: sender.name,
      message,
      payload,
      sendOnly,
      at: now(),
    }
    // Kept before it is heard, and heard in the order in which it was taken in.
    await topic.inTurn(persist ? () => keep(record) : undefined, () => {
      const seqNum = sendOnly.length === 0 ? topic.nextSeq() : 0
      const kept = toKept(record, seqNum)
      if (persist) this.#remember(topic, kept)
      topic.deliver(kept)
    })
    return record.messageId
  }

  #remember(topic: Topic, kept: Kept): void {
    topic.remember(kept)
    this.#historyBytes += kept.bytes.length
    while (this.#historyBytes > MAX_HISTORY_BYTES) {
      let longest = topic
      for (const other of this.#topics.values()) if (other.kept > longest.kept) longest = other
      this.#historyBytes -= longest.forgetOldest()
    }
  }
}

function toKept(record: Omit<ChatRecord, 'sessionId'>, seqNum = 0): Kept {
  const { messageId, clientMessageId, senderId, senderName, message, payload, sendOnly, at } = record
  return {
    senderId,
    sendOnly,
    bytes: encodeChatMessage({
      message,
      payload,
      timestamp: new Date(at).toISOString(),
      senderId,
      senderName,
      persistMsgId: messageId,
      messageId: clientMessageId || messageId,
      sendOnly: [...sendOnly],
      seqNum,
    }),
  }
}

/** Private messages are for those they name, and for who said them. */
function mayHear(participantId: string, { sendOnly, senderId }: Kept): boolean {
  return sendOnly.length === 0 || senderId === participantId || sendOnly.includes(participantId)
}

class Topic {
  readonly name: string
  readonly #history: Kept[] = []
  /** How many left the history: its first has this number. */
  #forgotten = 0
  readonly subscriptions = new Set<Subscription>()
  #seq = 0
  #turn: Promise<void> | undefined
  #pending: Uint8Array[] = []
  #pendingBytes = 0

  constructor(name: string) {
    this.name = name
  }

  get unused(): boolean {
    return this.#history.length === 0 && this.subscriptions.size === 0 && !this.#turn
  }

  get kept(): number {
    return this.#history.length
  }

  remember(kept: Kept): void {
    this.#history.push(kept)
  }

  /** Answers how many bytes that were. */
  forgetOldest(): number {
    this.#forgotten++
    return this.#history.shift()!.bytes.length
  }

  /** Counts what everybody hears, so that a gap shows; private messages carry no number. */
  nextSeq(): number {
    return ++this.#seq
  }

  /** Runs `then` after `before` and after all that was in turn earlier; at once when there is nothing to wait for. */
  async inTurn(before: (() => Promise<void>) | undefined, then: () => void): Promise<void> {
    if (!before && !this.#turn) {
      then()
      return
    }
    const earlier = this.#turn
    const turn = (async () => {
      // Both at once: the store orders its writes itself.
      const [own] = await Promise.allSettled([before?.(), earlier])
      if (own.status === 'rejected') throw own.reason
      then()
    })()
    const settled = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#turn = settled
    void settled.then(() => {
      if (this.#turn === settled) this.#turn = undefined
    })
    await turn
  }

  deliver(kept: Kept): void {
    if (this.subscriptions.size === 0) return
    if (kept.sendOnly.length > 0) {
      this.flush()
      const frame = newMessages(this.name, [kept.bytes])
      for (const subscription of this.subscriptions) {
        if (mayHear(subscription.participantId, kept)) subscription.offer(frame, [kept.bytes])
      }
      return
    }
    // What is said in one turn of the event loop goes out together, encoded once for all who hear it.
    if (this.#pending.length === 0) setImmediate(() => this.flush())
    this.#pending.push(kept.bytes)
    this.#pendingBytes += kept.bytes.length
    if (this.#pendingBytes >= FLUSH_BYTES) this.flush()
  }

  flush(): void {
    if (this.#pending.length === 0) return
    const payloads = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    const frame = newMessages(this.name, payloads)
    for (const subscription of this.subscriptions) subscription.offer(frame, payloads)
  }

  /**
   * What was kept until now, to one who came; false where there is nothing. As much as fits goes out at once, the rest as
   * the network takes it: `onWait` hears when that begins and when it is over.
   */
  async replay(
    participantId: string,
    limit: number,
    requestId: string,
    link: ChatLink,
    onWait: (waits: boolean) => void,
  ): Promise<boolean> {
    const end = this.#forgotten + this.#history.length
    let at = this.#first(participantId, limit)
    let next = this.#next(participantId, at, end)
    if (!next) return false
    let waited = false
    while (next) {
      const payloads: Uint8Array[] = []
      let bytes = 0
      while (next && payloads.length < REPLAY_MESSAGES && bytes < REPLAY_BYTES) {
        payloads.push(next.kept.bytes)
        bytes += next.kept.bytes.length
        at = next.at + 1
        next = this.#next(participantId, at, end)
      }
      const frame = encodeServerFrame('batch', {
        topic: this.name,
        payloads,
        batchType: OLD_MESSAGES,
        isLast: !next,
        requestId,
      })
      if (link.backlogBytes <= MAX_BACKLOG_BYTES) {
        link.send(frame)
        continue
      }
      if (!waited) onWait(true)
      waited = true
      await new Promise<void>((taken) => link.send(frame, taken))
      if (link.closed) break
    }
    if (waited) onWait(false)
    return true
  }

  /** The number of the first of the last `limit` messages that this one may hear; of the first of all for a negative limit. */
  #first(participantId: string, limit: number): number {
    if (limit < 0) return this.#forgotten
    let at = this.#history.length
    for (let left = limit; left > 0 && at > 0;) if (mayHear(participantId, this.#history[--at]!)) left--
    return this.#forgotten + at
  }

  /** The next message from this number on that one may hear; what was forgotten meanwhile is passed over. */
  #next(participantId: string, from: number, end: number): { at: number; kept: Kept } | undefined {
    for (let at = Math.max(from, this.#forgotten); at < end; at++) {
      const kept = this.#history[at - this.#forgotten]!
      if (mayHear(participantId, kept)) return { at, kept }
    }
    return undefined
  }
}

function newMessages(topic: string, payloads: Uint8Array[]): Uint8Array {
  return encodeServerFrame('batch', { topic, payloads, batchType: NEW_MESSAGES, isLast: true })
}

/** One participant's ear on one topic, however many of its listeners asked for it. */
class Subscription {
  readonly participantId: string
  readonly #topic: string
  readonly #link: ChatLink
  #limit: number
  #queueSize: number
  #drops: boolean
  #queue: Uint8Array[] = []
  /** What is said while a replay is on its way: it is heard afterwards. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #replays = 0
  #sentInWindow = 0
  #window: NodeJS.Timeout | undefined

  constructor(participantId: string, topic: string, link: ChatLink, asked: Subscribe) {
    this.participantId = participantId
    this.#topic = topic
    this.#link = link
    this.#limit = Math.max(asked.newMessageLimit, 0)
    this.#queueSize = queueSizeOf(asked)
    this.#drops = asked.realtimeOverflow === 'drop'
  }

  /** Another listener of the same participant: the more generous of the two counts. */
  widen(asked: Subscribe): void {
    this.#limit =
      asked.newMessageLimit <= 0 ? 0 : this.#limit === 0 ? 0 : Math.max(this.#limit, asked.newMessageLimit)
    this.#queueSize = Math.max(this.#queueSize, queueSizeOf(asked))
    this.#drops &&= asked.realtimeOverflow === 'drop'
  }

  /** `frame` holds all of `payloads`. */
  offer(frame: Uint8Array, payloads: readonly Uint8Array[]): void {
    if (this.#limit === 0) this.#send(frame)
    else for (const payload of payloads) this.#offerOne(payload)
  }

  close(): void {
    clearInterval(this.#window)
    this.#queue = []
    this.#held = []
  }

  /** Until `release`, as often as it was called. */
  hold(): void {
    this.#replays++
  }

  release(): void {
    if (--this.#replays > 0) return
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const frame of held) this.#link.send(frame)
  }

  #offerOne(payload: Uint8Array): void {
    this.#window ??= setInterval(() => this.#nextWindow(), LIMIT_WINDOW_MS).unref()
    if (this.#sentInWindow < this.#limit && this.#queue.length === 0) {
      this.#sentInWindow++
      this.#send(newMessages(this.#topic, [payload]))
    } else if (!this.#drops) {
      this.#queue.push(payload)
      // The oldest is the least worth having; the gap in the numbers tells the client.
      if (this.#queue.length > this.#queueSize) this.#queue.shift()
    }
  }

  #nextWindow(): void {
    const due = this.#queue.splice(0, this.#limit)
    this.#sentInWindow = due.length
    if (due.length > 0) this.#send(newMessages(this.#topic, due))
    else {
      clearInterval(this.#window)
      this.#window = undefined
    }
  }

  #send(frame: Uint8Array): void {
    const backlogBytes = this.#replays > 0 ? this.#heldBytes : this.#link.backlogBytes
    if (backlogBytes > MAX_BACKLOG_BYTES) {
      if (!this.#drops) this.#link.close(TOO_SLOW, 'too slow')
    } else if (this.#replays > 0) {
      this.#held.push(frame)
      this.#heldBytes += frame.length
    } else this.#link.send(frame)
  }
}

function queueSizeOf({ queueSize }: Subscribe): number {
  return queueSize > 0 ? Math.min(queueSize, MAX_QUEUE_SIZE) : DEFAULT_QUEUE_SIZE
}

interface ConnectionOptions {
  topic: (name: string) => Topic
  publish: (frame: Publish) => Promise<void>
  maxSubscriptions: number
  onClose: () => void
  onError: (error: unknown, doing: string) => void
}

/** One participant's chat socket. */
export class ChatConnection {
  readonly #participant: Participant
  readonly #link: ChatLink
  readonly #options: ConnectionOptions
  readonly #subscriptions = new Map<Topic, Subscription>()
  #slowReplays = 0
  #closed = false

  constructor(participant: Participant, link: ChatLink, options: ConnectionOptions) {
    this.#participant = participant
    this.#link = link
    this.#options = options
  }

  /** Answers every request, with an `Ack` or with what was kept. Resolves with the refusal, if it told one. */
  async handle(frame: ClientFrame): Promise<Refusal | undefined> {
    if (this.#closed || frame.kind === 'pong') return undefined
    const { requestId } = frame.value
    try {
      if (requestId.length > MAX_ID_LENGTH)
        throw new Refusal('INVALID_REQUEST', { message: 'The request id is too long.' })
      const answered = await this.#run(frame)
      if (answered) return undefined
      const messageId = frame.kind === 'publish' ? frame.value.messageId : ''
      this.#answer({ requestId, ok: true, messageId })
      return undefined
    } catch (thrown) {
      const refusal = asRefusal(thrown)
      this.#answer({ requestId: requestId.slice(0, MAX_ID_LENGTH), ok: false, error: refusal.message })
      if (refusal.code === 'SOMETHING_WENT_WRONG' || refusal.code === 'STORE_UNAVAILABLE')
        this.#options.onError(refusal.cause, 'answering a chat frame')
      return refusal
    }
  }

  /** One more than its share was sent. */
  refuse(frame: ClientFrame, refusal: Refusal): void {
    if (frame.kind !== 'pong')
      this.#answer({
        requestId: frame.value.requestId.slice(0, MAX_ID_LENGTH),
        ok: false,
        error: refusal.message,
      })
  }

  /** Idempotent. */
  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#closed = true
    for (const topic of [...this.#subscriptions.keys()]) this.#unsubscribe(topic)
    this.#link.close(code, reason)
    this.#options.onClose()
  }

  #answer(value: { requestId: string; ok: boolean; error?: string; messageId?: string }): void {
    // One who asks and asks and reads no answer would fill the memory.
    if (this.#link.backlogBytes > MAX_ANSWER_BACKLOG_BYTES) this.close(TOO_SLOW, 'too slow')
    else this.#link.send(encodeServerFrame('ack', value))
  }

  /** True when the answer is out already. */
  async #run(frame: Exclude<ClientFrame, { kind: 'pong' }>): Promise<boolean> {
    switch (frame.kind) {
      case 'publish':
        await this.#options.publish(frame.value)
        return false
      case 'subscribe':
        return this.#subscribe(frame.value)
      case 'unsubscribe':
        this.#unsubscribe(this.#options.topic(frame.value.topic))
        return false
      case 'getHistory': {
        const { topic, batchSize, requestId } = frame.value
        this.#mayReplay()
        return this.#replay(this.#options.topic(topic), batchSize || -1, requestId)
      }
    }
  }

  async #subscribe(asked: Subscribe): Promise<boolean> {
    const topic = this.#options.topic(asked.topic)
    const there = this.#subscriptions.get(topic)
    if (asked.oldMessageLimit !== 0) this.#mayReplay()
    if (!there && this.#subscriptions.size >= this.#options.maxSubscriptions) {
      throw new Refusal('RATE_LIMITED', { message: 'Too many topics are subscribed to.' })
    }
    // What waits to go out is history by now: a listener must not hear it twice.
    topic.flush()
    const subscription = there ?? new Subscription(this.#participant.id, topic.name, this.#link, asked)
    if (there) there.widen(asked)
    else {
      this.#subscriptions.set(topic, subscription)
      topic.subscriptions.add(subscription)
    }
    return this.#replay(topic, asked.oldMessageLimit, asked.requestId, subscription)
  }

  #mayReplay(): void {
    if (this.#slowReplays < MAX_SLOW_REPLAYS) return
    throw new Refusal('RATE_LIMITED', { message: 'Read what was asked for before asking for more.' })
  }

  #replay(topic: Topic, limit: number, requestId: string, subscription?: Subscription): Promise<boolean> {
    return topic.replay(this.#participant.id, limit, requestId, this.#link, (waits) => {
      this.#slowReplays += waits ? 1 : -1
      if (waits) subscription?.hold()
      else subscription?.release()
    })
  }

  #unsubscribe(topic: Topic): void {
    const subscription = this.#subscriptions.get(topic)
    if (!subscription) return
    subscription.close()
    this.#subscriptions.delete(topic)
    topic.subscriptions.delete(subscription)
  }
}
