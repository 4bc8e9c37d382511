/** The protocol of published clients since 0.2: requests and notifications as socket.io events (contract, signalling §2). */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'socket.io'
import type { WebSocket } from 'ws'
import type { ClientTraits, SentNotification } from '../protocol/clients.ts'
import type { LeaveReason } from '../protocol/leave-reasons.ts'
import {
  answerTimeoutMs,
  CLOSE_DELAY_MS,
  CUT_DELAY_MS,
  type Answer,
  type Inbox,
  type Wire,
} from './client-link.ts'
import { lineAnswers } from './line.ts'

/** Sends notifications to one socket or to a room, bundled where that is understood. */
export function sendNotifications(
  to: { emit(event: string, payload: unknown): unknown },
  notifications: readonly SentNotification[],
  { bundles }: ClientTraits,
): void {
  if (bundles && notifications.length > 1) to.emit('batchNotification', { notifications })
  else for (const notification of notifications) to.emit('notification', notification)
}

/** An answer as the client's acknowledgement. */
export function encodeAnswer(answer: Answer, { readsStatus }: ClientTraits): unknown {
  if ('data' in answer) return { data: answer.data ?? {} }
  const { number, code, message } = answer.refusal
  return {
    ...(!readsStatus && { error: message }),
    data: { status: 'error', errorCode: number, code, message },
  }
}

/** How the packet begins by which a client asks for a socket. */
const CONNECT = '0'

/**
 * Cuts a connection that asks for a second socket: the limits of a connection are held by its socket. socket.io opens one for
 * each request that comes before the first is answered, and answers every request for another namespace.
 */
export function keepToOneSocket(conn: Socket['conn']): void {
  let asked = false
  conn.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
    if (type !== 'message' || typeof data !== 'string' || !data.startsWith(CONNECT)) return
    if (asked) {
      conn.close(true)
      webSocketOf(conn)?.terminate()
    }
    asked = true
  })
}

/** It is not part of the transport's typed interface. */
function webSocketOf({ transport }: Socket['conn']): WebSocket | undefined {
  return (transport as { socket?: WebSocket }).socket
}

export class SocketIoWire implements Wire {
  readonly connectionId: string
  readonly #socket: Socket
  readonly #maxBacklogBytes: number
  /** Of packets that the transport takes when it has sent those that it has. */
  #queuedBytes = 0

  constructor(socket: Socket, options: { maxBacklogBytes: number }) {
    this.#socket = socket
    this.#maxBacklogBytes = options.maxBacklogBytes
    this.connectionId = socket.id
  }

  /** Begins to read; what arrives is handed on. */
  listen(inbox: Inbox): void {
    const bytes = sizeOfMessages(this.#socket)
    this.#watchBacklog(() => inbox.tooSlow())
    this.#socket.on('disconnect', (reason) => inbox.gone(reason, reason === 'client namespace disconnect'))
    this.#socket.onAny((event: string, ...values: unknown[]) => {
      const acknowledge = acknowledgementIn(values)
      // An event of another name is no request.
      inbox.request(event === 'request' ? values[0] : undefined, bytes(), (answer, traits) =>
        acknowledge(encodeAnswer(answer, traits)),
      )
    })
  }

  /** What waits before a packet counts, so that one large answer is always sent. */
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
    // The client hangs up itself on `close`; one that does not is cut.
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

/** The bytes of the message that is being read. */
function sizeOfMessages(socket: Socket): () => number {
  let bytes = 0
  socket.conn.on('packet', ({ data }: { data?: string | Buffer }) => {
    if (data === undefined) return
    // A text begins a message; what is binary belongs to the one before it.
    bytes = typeof data === 'string' ? Buffer.byteLength(data) : bytes + data.length
  })
  return () => bytes
}

/** How the client wants to be answered: by the function that comes last, wherever that is. */
function acknowledgementIn(values: readonly unknown[]): (answer: unknown) => void {
  const last = values.at(-1)
  return typeof last === 'function' ? (last as (answer: unknown) => void) : () => undefined
}
