/**
 * Chat: topics to publish and listen to, over its own socket. It reconnects by itself; listeners then get the messages
 * kept in between, and none twice.
 */
import {
  decodeChatMessage,
  decodeServerFrame,
  encodeClientFrame,
  OLD_MESSAGES,
  type ServerBatch,
} from '../protocol/chat.ts'
import { MeetingError } from './errors.ts'

export interface ChatMessage {
  id: string
  topic: string
  /** The participantId of the sender, as the server knows it. */
  from: string
  fromName: string
  text: string
  /** The sender's own data. */
  payload: unknown
  /** ms since the epoch. */
  at: number
  /** participantIds; empty for everybody. */
  to: string[]
}

export interface PublishOptions {
  /** Keep it for participants who join later, until the session ends. Default false. */
  keep?: boolean
  /** The participantIds of the only readers. Default: everybody. */
  to?: string[]
  /** Anything that JSON can express. */
  payload?: unknown
}

interface Listener {
  topic: string
  hear: (message: ChatMessage, old: boolean) => void
  seen: Set<string>
}

const ANSWER_TIMEOUT_MS = 20_000
const MAX_SEEN = 10_000
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000

export class Chat {
  readonly #listeners = new Set<Listener>()
  readonly #waiting = new Map<string, { resolve: () => void; reject: (error: MeetingError) => void }>()
  /** The listeners that wait for history, by request id. */
  readonly #replays = new Map<string, Listener>()
  #url: string | undefined
  #socket: WebSocket | undefined
  #opened: Promise<WebSocket> | undefined
  #retryMs = FIRST_RETRY_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #requests = 0

  /** Connects to the chat at this address. Subscriptions continue there. */
  open(url: string | undefined): void {
    this.close()
    this.#url = url
    for (const listener of this.#listeners) this.#subscribe(listener).catch(() => undefined)
  }

  /** Disconnects until the next `open()`. */
  close(): void {
    clearTimeout(this.#timer)
    this.#url = undefined
    const socket = this.#socket
    this.#socket = undefined
    this.#opened = undefined
    socket?.close()
    this.#failAll()
  }

  /** Listens to a topic: first the kept messages (`old`), in order, then new ones. Returns a function that stops. */
  listen(topic: string, hear: Listener['hear']): () => void {
    const listener: Listener = { topic, hear, seen: new Set() }
    this.#listeners.add(listener)
    this.#subscribe(listener).catch(() => undefined)
    return () => {
      this.#listeners.delete(listener)
      if ([...this.#listeners].some((other) => other.topic === topic)) return
      this.#request('unsubscribe', { topic }).catch(() => undefined)
    }
  }

  /** Resolves when the server has accepted the message; a kept one is then on its disk. @throws {MeetingError} */
  async publish(topic: string, text: string, options: PublishOptions = {}): Promise<void> {
    const { keep = false, to = [], payload } = options
    if (![topic, text, ...to].every((one) => one.isWellFormed()))
      throw new MeetingError(5000, 'INVALID_REQUEST', 'Half of a character stands alone in the text.')
    await this.#request('publish', {
      topic,
      message: text,
      sendOnly: to,
      persist: keep,
      messageId: crypto.randomUUID(),
      payload: payload === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(payload)),
    })
  }

  async #subscribe(listener: Listener): Promise<void> {
    await this.#request('subscribe', { topic: listener.topic, oldMessageLimit: -1 }, listener)
  }

  async #request(
    kind: 'subscribe' | 'unsubscribe' | 'publish',
    value: object,
    listener?: Listener,
  ): Promise<void> {
    const socket = await this.#connect()
    const requestId = String(++this.#requests)
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(requestId)
        reject(new MeetingError(0, 'CONNECTION_FAILED', 'Chat did not answer.'))
      }, ANSWER_TIMEOUT_MS)
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(requestId)
      }
      this.#waiting.set(requestId, {
        resolve: () => {
          settle()
          resolve()
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      if (listener) this.#replays.set(requestId, listener)
      socket.send(encodeClientFrame(kind, { ...value, requestId }))
    })
  }

  #connect(): Promise<WebSocket> {
    const url = this.#url
    if (url === undefined) {
      return Promise.reject(new MeetingError(0, 'CONNECTION_FAILED', 'Chat is not connected.'))
    }
    this.#opened ??= new Promise((resolve, reject) => {
      const socket = new WebSocket(url)
      socket.binaryType = 'arraybuffer'
      this.#socket = socket
      socket.addEventListener('open', () => {
        this.#retryMs = FIRST_RETRY_MS
        resolve(socket)
      })
      socket.addEventListener('message', ({ data }) => this.#hear(new Uint8Array(data as ArrayBuffer)))
      socket.addEventListener('close', () => {
        reject(new MeetingError(0, 'CONNECTION_FAILED', 'Chat cannot be reached.'))
        if (this.#socket === socket) this.#lost()
      })
    })
    return this.#opened
  }

  #lost(): void {
    this.#socket = undefined
    this.#opened = undefined
    this.#failAll()
    if (this.#listeners.size === 0) return
    this.#timer = setTimeout(() => {
      for (const listener of this.#listeners) this.#subscribe(listener).catch(() => undefined)
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }

  #failAll(): void {
    const lost = new MeetingError(0, 'CONNECTION_FAILED', 'The connection of chat was lost.')
    for (const { reject } of [...this.#waiting.values()]) reject(lost)
    this.#replays.clear()
  }

  #hear(bytes: Uint8Array): void {
    const frame = decodeServerFrame(bytes)
    switch (frame.kind) {
      case 'ping':
        this.#socket?.send(encodeClientFrame('pong', { seq: frame.value.seq }))
        return
      case 'ack': {
        const { requestId, ok, error } = frame.value
        const waiting = this.#waiting.get(requestId)
        this.#replays.delete(requestId)
        if (ok) waiting?.resolve()
        else waiting?.reject(new MeetingError(5000, 'CHAT_REFUSED', error))
        return
      }
      case 'batch':
        this.#hearBatch(frame.value)
        return
      case 'welcome':
        return
    }
  }

  #hearBatch({ topic, payloads, batchType, requestId, isLast }: ServerBatch): void {
    const old = batchType === OLD_MESSAGES
    const only = old ? this.#replays.get(requestId) : undefined
    const messages = payloads.map((payload) => toMessage(topic, payload))
    for (const listener of [...this.#listeners]) {
      if (listener.topic !== topic || (old && listener !== only)) continue
      for (const message of messages) {
        if (listener.seen.has(message.id)) continue
        listener.seen.add(message.id)
        if (listener.seen.size > MAX_SEEN) listener.seen.delete(listener.seen.values().next().value!)
        try {
          listener.hear(message, old)
        } catch (error) {
          console.error(error)
        }
      }
    }
    if (!old) return
    this.#waiting.get(requestId)?.resolve()
    if (isLast) this.#replays.delete(requestId)
  }
}

function toMessage(topic: string, bytes: Uint8Array): ChatMessage {
  const { message, payload, timestamp, senderId, senderName, persistMsgId, messageId, sendOnly } =
    decodeChatMessage(bytes)
  return {
    id: persistMsgId || messageId,
    topic,
    from: senderId,
    fromName: senderName,
    text: message,
    payload: parse(payload),
    at: Date.parse(timestamp),
    to: sendOnly,
  }
}

/** The data belongs to the sender: if it is not JSON, there is none. */
function parse(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
