/**
 * The chat of one session: topics, their subscribers, and stored messages. The sender is
 * taken from the connection, never from the frame (contract, signalling §4.4).
 */
import { Refusal } from '../../protocol/errors.ts'
import { isReadable, isStorable } from '../../protocol/ids.ts'
import { beyondShare, SharedAmount, SharedThings, sharesOf, type Holder } from '../../shares.ts'
import type { ChatShare } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import type { Authority } from '../roster/permissions.ts'
import { ChatConnection } from './connection.ts'
import { MAX_RECEIVERS, RECORD_BYTES, type ChatLimits } from './limits.ts'
import type { ChatLink } from './link.ts'
import type { ChatLog } from './log.ts'
import { assertTopic, bytesOf, encode, type NewMessage, type MessageToPublish } from './message.ts'
import { Topic } from './topic.ts'

export interface ChatOptions {
  sessionId: string
  limits: ChatLimits
  log: ChatLog
  now: () => number
  newMessageId: () => string
  /** Why this sender may not write to this topic now, if so. */
  refusalOf: (sender: ChatSender, topic: string) => Refusal | undefined
  onError: (error: unknown, message: string) => void
}

/** The sender of a message. */
export interface ChatSender {
  readonly id: string
  readonly name: string
  readonly joined: boolean
  readonly authority: Authority
  /** Whose quota a stored message counts against. */
  readonly holder: Holder
}

/** Must not throw. */
export type ChatListener = (message: Pick<NewMessage, 'topic' | 'message' | 'at'>) => void

export class Chat {
  readonly #options: ChatOptions
  readonly #topics = new Map<string, Topic>()
  readonly #connections = new Map<string, ChatConnection>()
  readonly #listeners = new Set<ChatListener>()
  readonly #room: SharedAmount
  readonly #places: SharedThings
  /** The number of the last stored message. */
  #last: number

  /** `kept`: the messages stored before a restart. */
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

  /** A newer socket of the same participant replaces the older one. */
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

  /** Hears what is said to everybody from now on. Call the result to end it. */
  listen(listener: ChatListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A participant left the meeting. */
  disconnect(participantId: string): void {
    this.#connections.get(participantId)?.close(1000, 'left')
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.close(1000, 'ended')
    this.#topics.clear()
    this.#listeners.clear()
  }

  #topic(name: string): Topic {
    const there = this.#topics.get(name)
    if (there) return there
    // Topics without subscribers are remembered only for their numbering, as far as there is room.
    if (this.#topics.size >= this.#options.limits.maxChatTopics) {
      for (const [old, topic] of this.#topics) if (topic.unused) this.#topics.delete(old)
    }
    const topic = new Topic(name, this.#last)
    this.#topics.set(name, topic)
    return topic
  }

  /** Returns the server's id of the message. */
  async publish(sender: ChatSender, frame: MessageToPublish): Promise<string> {
    const { limits, now, newMessageId } = this.#options
    const { message, payload, sendOnly, persist, messageId } = frame
    if (Buffer.byteLength(message) + payload.length > limits.maxChatMessageBytes) {
      throw new Refusal('PAYLOAD_TOO_LARGE', {
        message: `A message must not exceed ${limits.maxChatMessageBytes} bytes.`,
      })
    }
    if ((messageId !== '' && !isReadable(messageId)) || sendOnly.length > MAX_RECEIVERS) {
      throw new Refusal('INVALID_REQUEST', {
        message: 'The message id or the list of recipients is too long.',
      })
    }
    if (!sendOnly.every(isReadable)) {
      throw new Refusal('INVALID_REQUEST', { message: 'A recipient is not a participant id.' })
    }
    assertTopic(frame.topic)
    if (!isStorable(frame.message))
      throw new Refusal('INVALID_REQUEST', { message: 'A message is well-formed Unicode without U+0000.' })
    if (!sender.joined) throw new Refusal('INVALID_STATE')
    const forbidden = this.#options.refusalOf(sender, frame.topic)
    if (forbidden) throw forbidden
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
    // Store it before sending it, and send messages in the order of arrival.
    await topic.inTurn(persist ? () => this.#keep(record, sender.holder) : undefined, (number) => {
      topic.deliver(encode(record, sendOnly.length === 0 ? topic.nextSeq() : 0), number)
      if (sendOnly.length === 0) for (const hear of this.#listeners) hear(record)
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
