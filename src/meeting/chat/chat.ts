/**
 * The chat of one session: topics, who listens to them, and what was said that is to be kept. Who says something is
 * known from the connection, never from the frame (contract, signalling §4.4).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ChatFilter, ChatRecord, ChatShare, KeptMessage, Newest, Stretch } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import {
  encodeChatMessage,
  encodeServerFrame,
  NEW_MESSAGES,
  OLD_MESSAGES,
  type ClientFrame,
  type Publish,
  type Subscribe,
} from '../../protocol/chat.ts'
import { asRefusal, Refusal } from '../../protocol/errors.ts'
import { isReadable, MAX_WORDS_LENGTH } from '../../protocol/ids.ts'
import { beyondShare, SharedAmount, SharedThings, sharesOf, type Holder } from '../../shares.ts'

export interface ChatLimits {
  /** Of text and payload together. */
  maxChatMessageBytes: number
  /** Of one session, that somebody listens to. */
  maxChatTopics: number
  /** Topics that one participant listens to. */
  maxChatSubscriptions: number
  /** Kept of one session. */
  maxSessionChatBytes: number
}

/** What a session keeps; memory holds none of it. */
export interface ChatLog {
  /** Resolves with its number when the message has reached the disk. */
  append(message: NewMessage): Promise<number>
  newest(most: Newest, to: number, filter: ChatFilter): Promise<Stretch>
  read(stretch: Stretch, filter: ChatFilter): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
}

export type NewMessage = Omit<ChatRecord, 'sessionId'>

export interface ChatOptions {
  sessionId: string
  limits: ChatLimits
  log: ChatLog
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
  /** On whose account it is kept. */
  readonly holder: Holder
}

/** One participant of one session. */
export interface ChatSpeaker {
  readonly sessionId: string
  readonly participantId: string
}

/** The way to one chat socket. Neither call throws. */
export interface ChatLink {
  /** `taken` is called when the network has taken the frame, or never will. */
  send(frame: Uint8Array, taken?: () => void): void
  /** Bytes that the network has not taken yet. */
  readonly backlogBytes: number
  /** Most of a topic's history that one request gets, the newest of it; default: all. */
  readonly maxHistoryBytes?: number
  readonly closed: boolean
  close(code: number, reason: string): void
}

const MAX_RECEIVERS = 1000
const MAX_REQUEST_ID_LENGTH = 128
/** A reader further behind than this is cut off; it comes back and asks for what it missed. */
const MAX_BACKLOG_BYTES = 1024 * 1024
/** Answers and replays go out beyond that, so that who asks for much and reads slowly is not cut off; up to this. */
const MAX_ANSWER_BACKLOG_BYTES = 4 * MAX_BACKLOG_BYTES
/** Replays of one socket that go on at once; each holds what was read and not sent. */
const MAX_REPLAYS = 4
const TOO_SLOW = 4408
/** Of a kept message, beside its text: its row, and a row for each who hears it when it is private. */
const RECORD_BYTES = 256
const HEARER_BYTES = 64
/** A burst that is this large does not wait for its end. */
const FLUSH_BYTES = 64 * 1024
const LIMIT_WINDOW_MS = 500
const DEFAULT_QUEUE_SIZE = 70
const MAX_QUEUE_SIZE = 200

/** A message as it goes out. */
interface Encoded {
  bytes: Uint8Array
  senderId: string
  /** Empty: everybody. */
  sendOnly: readonly string[]
}

export class Chat {
  readonly #options: ChatOptions
  readonly #topics = new Map<string, Topic>()
  readonly #connections = new Map<string, ChatConnection>()
  readonly #room: SharedAmount
  readonly #places: SharedThings
  /** The number of the last message that was kept. */
  #last: number

  /** `kept`: what the session kept before a restart. */
  constructor(
    options: ChatOptions,
    kept: { last: number; shares: readonly ChatShare[] } = { last: 0, shares: [] },
  ) {
    const { maxSessionChatBytes, maxChatMessageBytes, maxChatTopics, maxChatSubscriptions } = options.limits
    this.#options = options
    this.#places = new SharedThings(sharesOf(maxChatTopics, maxChatSubscriptions))
    this.#room = new SharedAmount(sharesOf(maxSessionChatBytes, maxChatMessageBytes + RECORD_BYTES))
    this.#last = kept.last
    for (const { tokenId, accountId, bytes } of kept.shares) {
      const holder = {
        ...(tokenId !== null && { tokenId }),
        ...(accountId !== null && { participantId: accountId }),
      }
      this.#room.add(holder, bytes)
    }
  }

  /** A newer socket of the same participant takes the place of the older. */
  connect(participant: Participant, link: ChatLink): ChatConnection {
    this.#connections.get(participant.id)?.close(1000, 'replaced')
    const connection: ChatConnection = new ChatConnection(participant, link, {
      sessionId: this.#options.sessionId,
      log: this.#options.log,
      findTopic: (name) => this.#topics.get(name),
      enterTopic: (name) => {
        const over = this.#places.take(name, participant.holder)
        if (over) throw beyondShare('RATE_LIMITED', over, 'topics')
        return this.#topic(name)
      },
      leaveTopic: (name) => this.#places.give(name, participant.holder),
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
    // Topics that nobody listens to are remembered for their numbering alone, as far as there is room.
    if (this.#topics.size >= this.#options.limits.maxChatTopics) {
      for (const [old, topic] of this.#topics) if (topic.unused) this.#topics.delete(old)
    }
    const topic = new Topic(name, this.#last)
    this.#topics.set(name, topic)
    return topic
  }

  /** Answers the id that the message has here. */
  async publish(sender: ChatSender, frame: Said): Promise<string> {
    const { limits, now, newMessageId } = this.#options
    const { message, payload, sendOnly, persist, messageId } = frame
    if (Buffer.byteLength(message) + payload.length > limits.maxChatMessageBytes) {
      throw new Refusal('PAYLOAD_TOO_LARGE', {
        message: `A message has at most ${limits.maxChatMessageBytes} bytes.`,
      })
    }
    if ((messageId !== '' && !isReadable(messageId)) || sendOnly.length > MAX_RECEIVERS) {
      throw new Refusal('INVALID_REQUEST', {
        message: 'The message id or the list of receivers is too long.',
      })
    }
    if (!sendOnly.every(isReadable)) {
      throw new Refusal('INVALID_REQUEST', { message: 'A receiver is not a participant id.' })
    }
    assertTopic(frame.topic)
    if (!sender.joined) throw new Refusal('INVALID_STATE')
    const topic = this.#topic(frame.topic)
    const record: NewMessage = {
      messageId: newMessageId(),
      clientMessageId: messageId,
      topic: frame.topic,
      senderId: sender.id,
      senderName: sender.name,
      message,
      payload,
      sendOnly,
      at: now(),
      tokenId: sender.holder.tokenId,
      accountId: sender.holder.participantId ?? null,
      bytes: bytesOf(frame),
    }
    // Kept before it is heard, and heard in the order in which it was taken in.
    await topic.inTurn(persist ? () => this.#keep(record, sender.holder) : undefined, (number) => {
      topic.deliver(encode(record, sendOnly.length === 0 ? topic.nextSeq() : 0), number)
    })
    return record.messageId
  }

  async #keep(record: NewMessage, holder: Holder): Promise<number> {
    const over = this.#room.take(holder, record.bytes)
    if (over) throw beyondShare('PAYLOAD_TOO_LARGE', over, 'chat that is kept')
    try {
      const number = await this.#options.log.append(record)
      this.#last = Math.max(this.#last, number)
      return number
    } catch (error) {
      this.#room.add(holder, -record.bytes)
      throw error
    }
  }
}

/** @throws {Refusal} INVALID_REQUEST */
function assertTopic(name: string): void {
  if (!isReadable(name))
    throw new Refusal('INVALID_REQUEST', { message: `A topic has 1 to ${MAX_WORDS_LENGTH} characters.` })
}

/** What a message takes of the room for what is kept. */
function bytesOf({ topic, message, payload, sendOnly }: Said): number {
  let bytes = RECORD_BYTES + Buffer.byteLength(topic) + Buffer.byteLength(message) + payload.length
  for (const id of sendOnly) bytes += HEARER_BYTES + 2 * Buffer.byteLength(id)
  return bytes
}

function encode(record: NewMessage, seqNum = 0): Encoded {
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
function mayHear(participantId: string, { sendOnly, senderId }: Encoded): boolean {
  return sendOnly.length === 0 || senderId === participantId || sendOnly.includes(participantId)
}

class Topic {
  readonly name: string
  /** The number of the last message that was kept and heard: later ones are not history yet. */
  #heardTo: number
  readonly subscriptions = new Set<Subscription>()
  #seq = 0
  #turn: Promise<void> | undefined
  #pending: Uint8Array[] = []
  #pendingBytes = 0

  constructor(name: string, heardTo: number) {
    this.name = name
    this.#heardTo = heardTo
  }

  get unused(): boolean {
    return this.subscriptions.size === 0 && !this.#turn
  }

  get heardTo(): number {
    return this.#heardTo
  }

  /** Counts what everybody hears, so that a gap shows; private messages carry no number. */
  nextSeq(): number {
    return ++this.#seq
  }

  /**
   * Runs `then`, with what `before` answered, after it and after all that was in turn earlier; at once when there is nothing
   * to wait for.
   */
  async inTurn(
    before: (() => Promise<number>) | undefined,
    then: (number: number | undefined) => void,
  ): Promise<void> {
    if (!before && !this.#turn) {
      then(undefined)
      return
    }
    const earlier = this.#turn
    const turn = (async () => {
      // Both at once: the store orders its writes itself.
      const [own] = await Promise.allSettled([before?.(), earlier])
      if (own.status === 'rejected') throw own.reason
      then(own.value)
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

  /** `number`: of a message that was kept. */
  deliver(said: Encoded, number: number | undefined): void {
    if (number !== undefined) this.#heardTo = number
    if (this.subscriptions.size === 0) return
    if (said.sendOnly.length > 0) {
      this.flush()
      const frame = newMessages(this.name, [said.bytes])
      for (const subscription of this.subscriptions) {
        if (mayHear(subscription.participantId, said)) subscription.offer(frame, [said.bytes])
      }
      return
    }
    // What is said in one turn of the event loop goes out together, encoded once for all who hear it.
    if (this.#pending.length === 0) setImmediate(() => this.flush())
    this.#pending.push(said.bytes)
    this.#pendingBytes += said.bytes.length
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
  #queuedBytes = 0
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
      this.#queuedBytes += payload.length
      // The oldest is the least worth having; the gap in the numbers tells the client.
      while (this.#queue.length > this.#queueSize || this.#queuedBytes > MAX_BACKLOG_BYTES)
        this.#queuedBytes -= this.#queue.shift()!.length
    }
  }

  #nextWindow(): void {
    const due = this.#queue.splice(0, this.#limit)
    for (const payload of due) this.#queuedBytes -= payload.length
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
  sessionId: string
  log: ChatLog
  findTopic: (name: string) => Topic | undefined
  /** The topic, with a place in it. @throws {Refusal} */
  enterTopic: (name: string) => Topic
  leaveTopic: (name: string) => void
  publish: (frame: Publish) => Promise<void>
  maxSubscriptions: number
  onClose: () => void
  onError: (error: unknown, doing: string) => void
}

/** One participant's chat socket. */
export class ChatConnection {
  readonly speaker: ChatSpeaker
  readonly #participant: Participant
  readonly #link: ChatLink
  readonly #options: ConnectionOptions
  readonly #subscriptions = new Map<Topic, Subscription>()
  readonly #replays: Turns
  #closed = false

  constructor(participant: Participant, link: ChatLink, options: ConnectionOptions) {
    this.speaker = { sessionId: options.sessionId, participantId: participant.id }
    this.#participant = participant
    this.#link = link
    this.#options = options
    this.#replays = new Turns(MAX_REPLAYS, options.maxSubscriptions)
  }

  /** Answers every request, with an `Ack` or with what was kept. Resolves with the refusal, if it told one. */
  async handle(frame: ClientFrame): Promise<Refusal | undefined> {
    if (this.#closed || frame.kind === 'pong') return undefined
    const { requestId } = frame.value
    try {
      if (requestId.length > MAX_REQUEST_ID_LENGTH)
        throw new Refusal('INVALID_REQUEST', { message: 'The request id is too long.' })
      assertTopic(frame.value.topic)
      const answered = await this.#run(frame)
      if (answered) return undefined
      const messageId = frame.kind === 'publish' ? frame.value.messageId : ''
      this.#answer({ requestId, ok: true, messageId })
      return undefined
    } catch (thrown) {
      const refusal = asRefusal(thrown)
      this.#answer({
        requestId: requestId.slice(0, MAX_REQUEST_ID_LENGTH),
        ok: false,
        error: refusal.message,
      })
      if (refusal.code === 'SOMETHING_WENT_WRONG' || refusal.code === 'STORE_UNAVAILABLE')
        this.#options.onError(refusal.cause, 'answering a chat frame')
      return refusal
    }
  }

  /** One more than its share was sent. */
  refuse(frame: ClientFrame, refusal: Refusal): void {
    if (frame.kind !== 'pong')
      this.#answer({
        requestId: frame.value.requestId.slice(0, MAX_REQUEST_ID_LENGTH),
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
      case 'unsubscribe': {
        const topic = this.#options.findTopic(frame.value.topic)
        if (topic) this.#unsubscribe(topic)
        return false
      }
      case 'getHistory': {
        const { topic, batchSize, requestId } = frame.value
        return this.#replay({ topic, limit: batchSize || -1, requestId })
      }
    }
  }

  async #subscribe(asked: Subscribe): Promise<boolean> {
    const there = this.#find(asked.topic)
    if (!there && this.#subscriptions.size >= this.#options.maxSubscriptions) {
      throw new Refusal('RATE_LIMITED', { message: 'Too many topics are subscribed to.' })
    }
    const topic = this.#options.enterTopic(asked.topic)
    // What waits to go out is history by now: a listener must not hear it twice.
    topic.flush()
    const subscription = there ?? new Subscription(this.#participant.id, topic.name, this.#link, asked)
    if (there) there.widen(asked)
    else {
      this.#subscriptions.set(topic, subscription)
      topic.subscriptions.add(subscription)
    }
    if (asked.oldMessageLimit === 0) return false
    // Live messages follow the history.
    subscription.hold()
    try {
      const { oldMessageLimit: limit, requestId } = asked
      return await this.#replay({ topic: topic.name, limit, requestId })
    } catch (error) {
      if (!there) this.#unsubscribe(topic)
      throw error
    } finally {
      subscription.release()
    }
  }

  #isGone(): boolean {
    return this.#closed || this.#link.closed
  }

  #find(name: string): Subscription | undefined {
    const topic = this.#options.findTopic(name)
    return topic && this.#subscriptions.get(topic)
  }

  /** What was kept and heard until now; false where there is nothing. It goes out as the network takes it. */
  #replay({
    topic,
    limit,
    requestId,
  }: {
    topic: string
    limit: number
    requestId: string
  }): Promise<boolean> {
    const { log, findTopic } = this.#options
    const to = findTopic(topic)?.heardTo ?? Number.MAX_SAFE_INTEGER
    const filter = { topic, hearer: this.#participant.id }
    return this.#replays.run(async () => {
      if (this.#isGone()) return false
      const { maxHistoryBytes: bytes } = this.#link
      let rest: Stretch | undefined =
        limit < 0 && bytes === undefined
          ? { from: 0, to }
          : await log.newest({ messages: limit < 0 ? Infinity : limit, bytes }, to, filter)
      let sent = false
      while (rest && !this.#isGone()) {
        const part = await log.read(rest, filter)
        if (part.messages.length === 0) break
        rest = part.rest
        const frame = encodeServerFrame('batch', {
          topic,
          payloads: part.messages.map((message) => encode(message).bytes),
          batchType: OLD_MESSAGES,
          isLast: !rest,
          requestId,
        })
        sent = true
        if (this.#link.backlogBytes > MAX_BACKLOG_BYTES)
          await new Promise<void>((taken) => this.#link.send(frame, taken))
        else {
          this.#link.send(frame)
          // Others have their turn.
          if (rest) await nextTurn()
        }
      }
      return sent
    })
  }

  #unsubscribe(topic: Topic): void {
    const subscription = this.#subscriptions.get(topic)
    if (!subscription) return
    subscription.close()
    this.#subscriptions.delete(topic)
    topic.subscriptions.delete(subscription)
    this.#options.leaveTopic(topic.name)
  }
}

/** Lets so many go on at once; others wait their turn, so many of them. */
class Turns {
  readonly #atOnce: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, mostWaiting: number) {
    this.#atOnce = atOnce
    this.#mostWaiting = mostWaiting
  }

  /** @throws {Refusal} RATE_LIMITED when too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++
    else {
      if (this.#waiting.length >= this.#mostWaiting)
        throw new Refusal('RATE_LIMITED', { message: 'Read what was asked for before asking for more.' })
      // Whoever ends hands its turn on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
