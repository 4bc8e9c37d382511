/** The protocol of published clients since 0.2: requests and notifications as socket.io events (contract, signalling §2). */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'socket.io'
import type { WebSocket } from 'ws'
import { readsStatusOf, type ClientTraits, type SentNotification } from '../../protocol/clients.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import { methodOf } from '../../protocol/requests.ts'
import {
  answerTimeoutMs,
  CLOSE_DELAY_MS,
  CUT_DELAY_MS,
  type Answer,
  type Inbox,
  type Wire,
} from './client-link.ts'
import { lineAnswers } from './line.ts'

/** Sends notifications to one socket or a room, bundled if the client understands that. */
export function sendNotifications(
  to: { emit(event: string, payload: unknown): unknown },
  notifications: readonly SentNotification[],
  { bundles }: ClientTraits,
): void {
  if (bundles && notifications.length > 1) to.emit('batchNotification', { notifications })
  else for (const notification of notifications) to.emit('notification', notification)
}

/** Encodes an answer to `method` as the client's acknowledgement. */
function encodeAnswer(answer: Answer, traits: ClientTraits, method: string | undefined): unknown {
  if ('data' in answer) return { data: answer.data ?? {} }
  const { number, code, message } = answer.refusal
  return {
    ...(!readsStatusOf(traits, method) && { error: message }),
    data: { status: 'error', errorCode: number, code, message },
  }
}

/** The first characters of a client's packets: it opens a socket, sends an event, or acknowledges one. */
const CONNECT = '0'
const EVENT = '2'
const ACK = '3'
const BINARY_EVENT = '5'

/**
 * Cuts a connection that requests a second socket, because the limits of a connection belong to its socket. socket.io
 * opens one for each request that comes before the first is answered, and answers every request for another namespace.
 */
export function keepToOneSocket(conn: Socket['conn']): void {
  let asked = false
  conn.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
    if (type !== 'message' || typeof data !== 'string' || !data.startsWith(CONNECT)) return
    if (asked) cut(conn)
    asked = true
  })
}

/** Stops reading. */
function cut(conn: Socket['conn']): void {
  conn.close(true)
  webSocketOf(conn)?.terminate()
}

/** Not part of the transport's typed interface. */
function webSocketOf({ transport }: Socket['conn']): WebSocket | undefined {
  return (transport as { socket?: WebSocket }).socket
}

export class SocketIoWire implements Wire {
  readonly connectionId: string
  readonly #socket: Socket
  readonly #maxMessageBytes: number
  readonly #maxBacklogBytes: number
  /** Events that the client has not acknowledged. */
  #unanswered = 0
  /** Bytes of packets that the transport takes after it has sent those it has. */
  #queuedBytes = 0

  constructor(socket: Socket, options: { maxMessageBytes: number; maxBacklogBytes: number }) {
    this.#socket = socket
    this.#maxMessageBytes = options.maxMessageBytes
    this.#maxBacklogBytes = options.maxBacklogBytes
    this.connectionId = socket.id
  }

  /** Starts reading, and passes on what arrives. */
  listen(inbox: Inbox): void {
    const sizes = this.#readPackets(inbox)
    this.#watchBacklog(() => inbox.tooSlow())
    this.#socket.on('disconnect', (reason) => inbox.gone(reason, reason === 'client namespace disconnect'))
    this.#socket.onAny((event: string, ...values: unknown[]) => {
      const acknowledge = acknowledgementIn(values)
      // An event with another name is not a request.
      const message = event === 'request' ? values[0] : undefined
      inbox.request(message, sizes.shift() ?? 0, (answer, traits) =>
        acknowledge(encodeAnswer(answer, traits, methodOf(message))),
      )
    })
  }

  /**
   * Reads packets before they are decoded. Returns the sizes of events that were not passed on yet: several may arrive
   * before the first is.
   */
  #readPackets(inbox: Inbox): number[] {
    const sizes: number[] = []
    const { conn } = this.#socket
    conn.on('packet', ({ type, data }: { type: string; data?: string | Buffer }) => {
      if (type !== 'message' || data === undefined) return
      if (typeof data !== 'string') {
        // Belongs to the event before it; the transport limits only each part.
        const bytes = (sizes.pop() ?? 0) + data.length
        sizes.push(bytes)
        if (bytes > this.#maxMessageBytes) cut(conn)
      } else if (data.startsWith(EVENT) || data.startsWith(BINARY_EVENT)) sizes.push(Buffer.byteLength(data))
      else if (data.startsWith(ACK) && this.#unanswered > 0) this.#unanswered--
      else inbox.stray(Buffer.byteLength(data))
    })
    return sizes
  }

  /** Counts what waited before a packet, so that one large answer is always sent. */
  #watchBacklog(onTooSlow: () => void): void {
    const { conn } = this.#socket
    let isSlow = false
    conn.on('packetCreate', (packet: { data?: string | Buffer }) => {
      if (!isSlow && this.#queuedBytes + (this.#webSocket?.bufferedAmount ?? 0) > this.#maxBacklogBytes) {
        isSlow = true
        onTooSlow()
      }
      this.#queuedBytes += packet.data?.length ?? 0
    })
    conn.on('flush', () => {
      this.#queuedBytes = 0
    })
  }

  get #webSocket(): WebSocket | undefined {
    return webSocketOf(this.#socket.conn)
  }

  ready(): void {
    this.#socket.emit('connectionSuccess')
  }

  get request(): IncomingMessage {
    return this.#socket.request
  }

  get connected(): boolean {
    return this.#socket.connected
  }

  notify(notifications: readonly SentNotification[], traits: ClientTraits): void {
    sendNotifications(this.#socket, notifications, traits)
  }

  async ask(event: string, payload: unknown): Promise<boolean> {
    this.#unanswered++
    try {
      const answer: unknown = await this.#socket.timeout(answerTimeoutMs(event)).emitWithAck(event, payload)
      return typeof answer !== 'object' || answer === null || !('errorCode' in answer)
    } catch {
      return false
    }
  }

  async answers(withinMs: number): Promise<boolean> {
    return this.#webSocket !== undefined && lineAnswers(this.#webSocket, withinMs)
  }

  close(reason: LeaveReason): void {
    this.#socket.emit('close', { reason })
    // The client hangs up by itself on `close`; one that does not is cut.
    setTimeout(() => this.#socket.disconnect(true), CLOSE_DELAY_MS).unref()
    this.#cutLater()
  }

  drop(): void {
    this.#socket.conn.close()
    this.#cutLater()
  }

  /** A closed connection waits for its client to read. */
  #cutLater(): void {
    setTimeout(() => this.#webSocket?.terminate(), CUT_DELAY_MS).unref()
  }
}

/** The acknowledgement function is the last argument, wherever that is. */
function acknowledgementIn(values: readonly unknown[]): (answer: unknown) => void {
  const last = values.at(-1)
  return typeof last === 'function' ? (last as (answer: unknown) => void) : () => undefined
}
