/** The chat of a connection over its signalling socket, for clients before 1.0: opened when the client first uses it. */
import type { ChatConnection, ChatSpeaker } from '../../meeting/chat/connection.ts'
import type { ChatLink } from '../../meeting/chat/link.ts'
import type { RequestData } from '../../protocol/requests.ts'
import { asRefusal, type Refusal } from '../../protocol/errors.ts'
import type { ClientLink } from './client-link.ts'
import { WithAfter } from './handlers.ts'
import { Pubsub, type LostReaders, type Reader } from './older-chat.ts'

export interface SocketChatOptions {
  link: ClientLink
  /** Opens the participant's chat in its meeting. */
  open: (link: ChatLink) => ChatConnection | undefined
  /** The participant, its token and its session; undefined before it was admitted. */
  reader: () => Reader | undefined
  /** Called for each message and each subscription. Throws if the speaker has exceeded its quota. */
  onChat: (speaker: ChatSpeaker) => void
  lostReaders: LostReaders
  onRefusal: (refusal: Refusal) => void
}

export class SocketChat {
  readonly #options: SocketChatOptions
  #pubsub: Pubsub | undefined

  constructor(options: SocketChatOptions) {
    this.#options = options
  }

  /** @throws {Refusal} */
  async subscribe({ topic }: RequestData<'pubsubSubscribe'>): Promise<WithAfter> {
    this.#count()
    const { messages, release } = await this.#opened().subscribe(topic)
    return new WithAfter({ messages }, release)
  }

  unsubscribe({ topic }: RequestData<'pubsubUnsubscribe'>): Promise<void> {
    return this.#opened().unsubscribe(topic)
  }

  /** @throws {Refusal} */
  publish(data: RequestData<'pubsubPublish'>): Promise<void> {
    this.#count()
    return this.#opened().publish(data)
  }

  /** Keeps the topics for a connection that takes the place of this one. */
  keepTopics(): void {
    const [reader, topics] = [this.#options.reader(), this.#pubsub?.topics]
    if (reader && topics && topics.size > 0) this.#options.lostReaders.keep(reader, topics)
  }

  /** Subscribes again to the topics of a connection that was lost. */
  resumeTopics(): void {
    const reader = this.#options.reader()
    const topics = reader && this.#options.lostReaders.take(reader)
    if (!topics) return
    this.#opened()
      .resume(topics)
      .catch((thrown: unknown) => this.#options.onRefusal(asRefusal(thrown)))
  }

  /** @throws {Refusal} RATE_LIMITED */
  #count(): void {
    const reader = this.#options.reader()
    if (reader) this.#options.onChat(reader)
  }

  #opened(): Pubsub {
    const { link, open } = this.#options
    link.learn('pubsub')
    this.#pubsub ??= new Pubsub({ open, notify: (message) => link.notify(message) })
    return this.#pubsub
  }
}
