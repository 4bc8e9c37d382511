/**
 * The second socket of the published clients: plain WebSocket with protobuf frames (contract, signalling §4.4). Its URL
 * contains a ticket that is valid for chat only and for one stay; the token is never sent here.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { ChatConnection } from '../../meeting/chat/connection.ts'
import type { ChatLink } from '../../meeting/chat/link.ts'
import { WebSocketServer, type WebSocket } from 'ws'
import { decodeClientFrame, encodeServerFrame } from '../../protocol/chat.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { ChatPace } from '../limits/chat-pace.ts'

/** The path of the chat socket; the ticket is in the query. */
export const CHAT_PATH = '/chat'

export interface ChatSocketSettings {
  maxChatMessageBytes: number
}

export interface ChatSocketOptions {
  settings: ChatSocketSettings
  pace: ChatPace
  /** Returns undefined for an invalid ticket. */
  openChat: (ticket: string, link: ChatLink) => Promise<ChatConnection | undefined>
  /** Interval of pings, default 15 s; two unanswered pings end the socket. */
  pingIntervalMs?: number
  /** A message was accepted. */
  onMessage?: () => void
  onRefusal?: (refusal: Refusal) => void
  log: Logger
}

const PING_INTERVAL_MS = 15_000
/** Room for the other fields of a message: topic, ids, recipients. */
const FRAME_OVERHEAD_BYTES = 160 * 1024
const BAD_FRAME = 1007
const TEXT_FRAME = 1003
const TOO_MANY = 1008
/** How long the client may take to answer a close before the socket is cut. */
const CLOSE_TIMEOUT_MS = 2000

export class ChatSockets {
  readonly #options: ChatSocketOptions
  readonly #server: WebSocketServer
  readonly #heartbeats = new Map<WebSocket, { pingsOut: number; seq: number }>()
  readonly #pingIntervalMs: number
  readonly #timer: NodeJS.Timeout

  constructor(options: ChatSocketOptions) {
    this.#options = options
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.settings.maxChatMessageBytes + FRAME_OVERHEAD_BYTES,
    })
    // One timer for all sockets, instead of one per socket.
    this.#pingIntervalMs = options.pingIntervalMs ?? PING_INTERVAL_MS
    this.#timer = setInterval(() => this.#ping(), this.#pingIntervalMs).unref()
  }

  /** Also serves this listener; call it before listening. */
  attach(listener: HttpServer | HttpsServer): void {
    listener.on('upgrade', (request, socket, head) => {
      const [path, query] = (request.url ?? '').split('?')
      if (path !== CHAT_PATH) return
      // From here on nothing else handles a reset connection, and an unhandled error would end the process.
      socket.on('error', (error: Error) =>
        this.#options.log.debug({ err: error }, 'failed to serve a chat socket'),
      )
      const ticket = new URLSearchParams(query).get('ticket') ?? ''
      this.#upgrade(request, socket, head, ticket).catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'failed to open a chat socket')
        socket.destroy()
      })
    })
  }

  get connections(): number {
    return this.#server.clients.size
  }

  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#server.clients) socket.terminate()
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, ticket: string): Promise<void> {
    const link = new WebSocketLink()
    const connection = await this.#options.openChat(ticket, link)
    if (!connection) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    if (socket.destroyed) {
      connection.close(1006, 'lost')
      return
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket, link, connection))
    // ws does not call back for a handshake that it refuses.
    socket.once('close', () => connection.close(1006, 'lost'))
  }

  #serve(socket: WebSocket, link: WebSocketLink, connection: ChatConnection): void {
    const { pace, log, onMessage, onRefusal } = this.#options
    const heartbeat = { pingsOut: 0, seq: 0 }
    this.#heartbeats.set(socket, heartbeat)
    socket.on('error', (error) => log.debug({ err: error }, 'failed to serve a chat socket'))
    socket.on('close', () => {
      this.#heartbeats.delete(socket)
      connection.close(1006, 'lost')
    })
    socket.on('message', (data, isBinary) => {
      if (!isBinary) {
        connection.close(TEXT_FRAME, 'frames are binary')
        return
      }
      let frame
      try {
        frame = decodeClientFrame(data as Buffer)
      } catch {
        connection.close(BAD_FRAME, 'not a frame of the contract')
        return
      }
      // An unsolicited pong counts as a request.
      if (frame.kind === 'pong' && heartbeat.pingsOut > 0) heartbeat.pingsOut = 0
      else if (pace.take(connection.speaker)) {
        void connection.handle(frame).then((refusal) => {
          if (refusal) onRefusal?.(refusal)
          else if (frame.kind === 'publish') onMessage?.()
        })
      } else {
        const refusal = new Refusal('RATE_LIMITED')
        onRefusal?.(refusal)
        if (pace.takeRefusal(connection.speaker)) connection.refuse(frame, refusal)
        else connection.close(TOO_MANY, 'too many requests')
      }
    })
    link.open(socket)
    link.send(encodeServerFrame('welcome', { pingIntervalMs: this.#pingIntervalMs }))
  }

  #ping(): void {
    for (const [socket, heartbeat] of this.#heartbeats) {
      if (heartbeat.pingsOut >= 2) {
        socket.terminate()
        continue
      }
      heartbeat.pingsOut++
      heartbeat.seq++
      socket.send(encodeServerFrame('ping', { seq: heartbeat.seq }))
    }
  }
}

class WebSocketLink implements ChatLink {
  #socket: WebSocket | undefined
  #closed: { code: number; reason: string } | undefined

  open(socket: WebSocket): void {
    this.#socket = socket
    if (this.#closed) this.#end(this.#closed.code, this.#closed.reason)
  }

  get backlogBytes(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  get closed(): boolean {
    return this.#closed !== undefined
  }

  send(frame: Uint8Array, taken = swallow): void {
    if (this.#closed || !this.#socket) taken()
    else this.#socket.send(frame, taken)
  }

  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#closed = { code, reason }
    this.#end(code, reason)
  }

  #end(code: number, reason: string): void {
    const socket = this.#socket
    if (!socket || socket.readyState === socket.CLOSED) return
    // 1006 is never sent: it means that no close frame was sent.
    if (code === 1006) socket.terminate()
    else {
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref()
    }
  }
}

/** A failed send is reported by `close`. */
function swallow(): void {
  return undefined
}
