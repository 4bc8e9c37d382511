/**
 * The protocol of published clients before 0.2: protoo, JSON in text frames of a plain WebSocket. Requests, responses and
 * notifications go in both directions; ids count per direction (contract, older-clients §2.1).
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { ClientTraits, SentNotification } from '../../protocol/clients.ts'
import type { LeaveReason } from '../../protocol/leave-reasons.ts'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import {
  answerTimeoutMs,
  CLOSE_DELAY_MS,
  CUT_DELAY_MS,
  type Answer,
  type Inbox,
  type Wire,
} from './client-link.ts'
import { lineAnswers } from './line.ts'

/** The subprotocol chosen at the upgrade; nothing else distinguishes these clients so early. */
const PROTOO = 'protoo'
/**
 * The path in the answer of init-config. These clients are served at every other path too: older links name the bare
 * host.
 */
export const PROTOO_PATH = '/protoo'

/** The client takes this close code as final, and reconnects after every other. */
const FINAL = 4000
/** The server is going away for a moment (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001
const UNSUPPORTED_DATA = 1003
/** The client left by itself: it closes without a code. */
const LEFT = new Set([1000, 1005])
const PING_INTERVAL_MS = 10_000

/** Whether a request asks for such a socket. */
export function wantsProtoo({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol']?.split(',') ?? []
  return offered.some((protocol) => protocol.trim() === PROTOO)
}

/** Encodes each notification as a frame. */
export function encodeNotifications(notifications: readonly SentNotification[]): string[] {
  return notifications.map(({ method, ...data }) => JSON.stringify({ notification: true, method, data }))
}

export class ProtooServer {
  readonly #server: WebSocketServer
  readonly #alive = new WeakMap<WebSocket, boolean>()
  readonly #timer: NodeJS.Timeout
  readonly #onSocket: (wire: ProtooWire) => void
  #sockets = 0

  readonly #maxBacklogBytes: number

  constructor(options: {
    maxMessageBytes: number
    maxBacklogBytes: number
    onSocket: (wire: ProtooWire) => void
  }) {
    this.#maxBacklogBytes = options.maxBacklogBytes
    this.#onSocket = options.onSocket
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: (offered) => offered.has(PROTOO) && PROTOO,
    })
    this.#timer = setInterval(() => this.#ping(), PING_INTERVAL_MS).unref()
  }

  /** Serves this listener too; must be called before it listens. */
  attach(listener: HttpServer | HttpsServer): void {
    listener.on('upgrade', (request, socket, head) => {
      if (!wantsProtoo(request)) return
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        this.#alive.set(webSocket, true)
        webSocket.on('pong', () => this.#alive.set(webSocket, true))
        const connectionId = `protoo-${++this.#sockets}`
        const maxBacklogBytes = this.#maxBacklogBytes
        this.#onSocket(new ProtooWire(webSocket, { request, connectionId, maxBacklogBytes }))
      })
    })
  }

  get connections(): number {
    return this.#server.clients.size
  }

  /** Cuts all connections so that their clients reconnect. */
  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#server.clients) socket.terminate()
  }

  #ping(): void {
    for (const socket of this.#server.clients) {
      if (this.#alive.get(socket) !== true) {
        socket.terminate()
        continue
      }
      this.#alive.set(socket, false)
      socket.ping()
    }
  }
}

export class ProtooWire implements Wire {
  readonly connectionId: string
  readonly request: IncomingMessage
  readonly #socket: WebSocket
  readonly #asked = new Map<unknown, (taken: boolean) => void>()
  /** Requests that the client has not answered, including those that timed out. */
  #unanswered = 0
  readonly #maxBacklogBytes: number
  #onTooSlow: (() => void) | undefined
  #lastId = 0

  constructor(
    socket: WebSocket,
    options: { request: IncomingMessage; connectionId: string; maxBacklogBytes: number },
  ) {
    this.#socket = socket
    this.request = options.request
    this.connectionId = options.connectionId
    this.#maxBacklogBytes = options.maxBacklogBytes
  }

  /** Starts reading, and passes on what arrives. */
  listen(inbox: Inbox): void {
    this.#onTooSlow = () => inbox.tooSlow()
    // The `close` event follows and reports it.
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', (code) => {
      for (const settle of this.#asked.values()) settle(false)
      this.#asked.clear()
      inbox.gone(`closed with ${code}`, LEFT.has(code))
    })
    this.#socket.on('message', (data, isBinary) => {
      // We closed it: ignore what still arrives.
      if (!this.connected) return
      if (isBinary) this.#socket.close(UNSUPPORTED_DATA)
      else this.#read(data, inbox)
    })
  }

  get connected(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /** The client requests entry as soon as the socket is open. */
  ready(): void {
    return undefined
  }

  send(...frames: readonly string[]): void {
    if (!this.connected) return
    // Counts what waited before, so that one large answer is always sent.
    if (this.#socket.bufferedAmount > this.#maxBacklogBytes) {
      const onTooSlow = this.#onTooSlow
      this.#onTooSlow = undefined
      onTooSlow?.()
    }
    for (const frame of frames) this.#socket.send(frame)
  }

  notify(notifications: readonly SentNotification[], _traits: ClientTraits): void {
    this.send(...encodeNotifications(notifications))
  }

  ask(event: string, payload: unknown): Promise<boolean> {
    const id = ++this.#lastId
    this.#unanswered++
    return new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        clearTimeout(timer)
        this.#asked.delete(id)
        resolve(taken)
      }
      const timer = setTimeout(() => settle(false), answerTimeoutMs(event))
      this.#asked.set(id, settle)
      this.send(JSON.stringify({ request: true, id, method: event, data: payload }))
    })
  }

  answers(withinMs: number): Promise<boolean> {
    return lineAnswers(this.#socket, withinMs)
  }

  close({ code, message }: LeaveReason): void {
    this.send(
      JSON.stringify({
        request: true,
        id: ++this.#lastId,
        method: 'close',
        data: { reason: { code, message } },
      }),
    )
    // The client hangs up by itself on `close`; one that does not is cut, with the code that is final for it.
    setTimeout(() => {
      this.#socket.close(FINAL, message)
      setTimeout(() => this.#socket.terminate(), CUT_DELAY_MS).unref()
    }, CLOSE_DELAY_MS).unref()
  }

  drop(): void {
    this.#socket.close(GOING_AWAY)
    setTimeout(() => this.#socket.terminate(), CUT_DELAY_MS).unref()
  }

  #read(data: RawData, inbox: Inbox): void {
    const text = (data as Buffer).toString('utf8')
    const bytes = (data as Buffer).length
    const { id, method, data: given, ...kind } = parse(text) ?? {}
    if (kind.response === true && this.#unanswered > 0) {
      this.#unanswered--
      this.#asked.get(id)?.(kind.ok === true)
    } else if (kind.request === true && typeof id === 'number' && typeof method === 'string')
      inbox.request({ method, data: given ?? {} }, bytes, (answer) => this.#answer(id, answer))
    else inbox.stray(bytes)
  }

  #answer(id: number, answer: Answer): void {
    const body =
      'data' in answer
        ? { ok: true, data: answer.data ?? {} }
        : { ok: false, errorCode: answer.refusal.number, errorReason: answer.refusal.message }
    this.send(JSON.stringify({ response: true, id, ...body }))
  }
}

/** Parses one message. Anything invalid is ignored, as the clients do. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(text)
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined
    return message as Record<string, unknown>
  } catch {
    return undefined
  }
}
