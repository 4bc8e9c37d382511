import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  encodeServerFrame,
  OLD_MESSAGES,
  type ClientFrame,
  type Publish,
  type Subscribe,
} from '../../protocol/chat.ts'
import { asRefusal, Refusal } from '../../protocol/errors.ts'
import type { Stretch } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import {
  MAX_ANSWER_BACKLOG_BYTES,
  MAX_BACKLOG_BYTES,
  MAX_REPLAYS,
  MAX_REQUEST_ID_LENGTH,
  TOO_SLOW,
} from './limits.ts'
import type { ChatLink } from './link.ts'
import type { ChatLog } from './log.ts'
import { assertTopic, encode } from './message.ts'
import { Subscription } from './subscription.ts'
import type { Topic } from './topic.ts'
import { Turns } from './turns.ts'

/** A participant of a session. */
export interface ChatSpeaker {
  readonly sessionId: string
  readonly participantId: string
}

interface ConnectionOptions {
  sessionId: string
  log: ChatLog
  findTopic: (name: string) => Topic | undefined
  /** Subscribes to the topic. @throws {Refusal} */
  enterTopic: (name: string) => Topic
  leaveTopic: (name: string) => void
  publish: (frame: Publish) => Promise<void>
  maxSubscriptions: number
  onClose: () => void
  onError: (error: unknown, message: string) => void
}

/** The chat socket of a participant. */
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

  /** Answers every request, with an `Ack` or with stored messages. Resolves with the refusal, if there was one. */
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
        this.#options.onError(refusal.cause, 'failed to answer a chat frame')
      return refusal
    }
  }

  /** The client sent too many requests. */
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
    // A client that keeps requesting without reading would fill the memory.
    if (this.#link.backlogBytes > MAX_ANSWER_BACKLOG_BYTES) this.close(TOO_SLOW, 'too slow')
    else this.#link.send(encodeServerFrame('ack', value))
  }

  /** Returns true if the answer was already sent. */
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
      throw new Refusal('RATE_LIMITED', { message: 'The connection subscribes to too many topics.' })
    }
    const topic = this.#options.enterTopic(asked.topic)
    // Pending messages are part of the history by now; a subscriber must not get them twice.
    topic.flush()
    const subscription = there ?? new Subscription(this.#participant.id, topic.name, this.#link, asked)
    if (there) there.widen(asked)
    else {
      this.#subscriptions.set(topic, subscription)
      topic.subscriptions.add(subscription)
    }
    if (asked.oldMessageLimit === 0) return false
    // Live messages come after the history.
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

  /** Sends the history as fast as the network takes it; returns false if there is none. */
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
          // Yield to others.
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
