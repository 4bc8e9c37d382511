/** The sockets of whiteboards: JSON in text frames. The key in the address is valid for one board, and nothing else. */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { BoardConnection, BoardLink, NotConnected } from '../../meeting/whiteboard/whiteboard.ts'
import { Check } from 'typebox/value'
import { WebSocketServer, type WebSocket } from 'ws'
import {
  ClientMessage,
  CLOSED_FOR_GOOD,
  WHITEBOARD_SOCKET_PATH,
  type ServerMessage,
} from '../../protocol/whiteboard.ts'
import { TokenBucket } from '../limits/token-bucket.ts'

export interface WhiteboardSocketOptions {
  connect: (key: string, link: BoardLink) => Promise<BoardConnection | NotConnected>
  callerOf: (request: IncomingMessage) => string
  log: Logger
}

const PING_INTERVAL_MS = 15_000
const MAX_MESSAGE_BYTES = 262_144
/** A page that is this far behind is disconnected; it reconnects and gets the whole scene. */
const MAX_BACKLOG_BYTES = 16_777_216
/**
 * The rate of messages per page; a pen sends about 16 per second. A long message counts once more for each
 * `BYTES_OF_ONE`.
 */
const PER_SECOND = 60
const BURST = 600
const BYTES_OF_ONE = 16_384
const INVALID = 1007
const TOO_MANY = 1008
const COME_BACK_LATER = 1013

export class WhiteboardSockets {
  readonly #options: WhiteboardSocketOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  /** Sockets that answered the last ping. */
  readonly #alive = new Set<WebSocket>()
  readonly #timer: NodeJS.Timeout

  constructor(options: WhiteboardSocketOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#ping(), PING_INTERVAL_MS).unref()
  }

  /** Also serves this listener; call it before listening. */
  attach(listener: HttpServer | HttpsServer): void {
    listener.on('upgrade', (request, socket, head) => {
      const [path, query] = (request.url ?? '').split('?')
      if (path !== WHITEBOARD_SOCKET_PATH) return
      socket.on('error', (error: Error) =>
        this.#options.log.debug({ err: error }, 'failed to serve the socket of a whiteboard'),
      )
      this.#upgrade(request, socket, head, new URLSearchParams(query).get('key') ?? '').catch(
        (error: unknown) => {
          this.#options.log.error({ err: error }, 'failed to open the socket of a whiteboard')
          socket.destroy()
        },
      )
    })
  }

  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#server.clients) socket.terminate()
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, key: string): Promise<void> {
    const link = new WebSocketLink(this.#options.callerOf(request))
    const connected = await this.#options.connect(key, link)
    const connection = typeof connected === 'object' ? connected : undefined
    if (socket.destroyed) {
      connection?.close()
      return
    }
    // ws does not call back for a handshake that it refuses.
    socket.once('close', () => connection?.close())
    // A page cannot read the status of a refused handshake, so the handshake succeeds and a message tells the reason.
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', (error) =>
        this.#options.log.debug({ err: error }, 'failed to serve the socket of a whiteboard'),
      )
      link.open(webSocket)
      if (connection) this.#serve(webSocket, connection)
      else if (connected === 'crowded') webSocket.close(COME_BACK_LATER, 'too many are at the whiteboard')
      else link.end()
    })
  }

  #serve(socket: WebSocket, connection: BoardConnection): void {
    this.#alive.add(socket)
    const pace = new TokenBucket(PER_SECOND, BURST, () => performance.now())
    socket.on('pong', () => this.#alive.add(socket))
    socket.on('message', (data, isBinary) => {
      // Ignore messages that arrive after we have closed the socket.
      if (socket.readyState !== socket.OPEN) return
      const bytes = data as Buffer
      if (!pace.take(1 + Math.floor(bytes.length / BYTES_OF_ONE))) {
        socket.close(TOO_MANY, 'too many messages')
        return
      }
      const message = isBinary ? undefined : parsed(bytes)
      if (Check(ClientMessage, message)) connection.handle(message)
      else socket.close(INVALID, 'not a message of a whiteboard')
    })
  }

  #ping(): void {
    for (const socket of this.#server.clients) {
      if (!this.#alive.delete(socket)) socket.terminate()
      else socket.ping()
    }
  }
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Serialises a message for many pages once, and shares its bytes. */
const written = new WeakMap<ServerMessage, Buffer>()

function bytesOf(message: ServerMessage): Buffer {
  const bytes = written.get(message) ?? Buffer.from(JSON.stringify(message))
  written.set(message, bytes)
  return bytes
}

class WebSocketLink implements BoardLink {
  readonly caller: string
  #socket: WebSocket | undefined
  /** Messages that wait for the handshake. */
  readonly #waiting: ServerMessage[] = []
  #ended = false

  constructor(caller: string) {
    this.caller = caller
  }

  open(socket: WebSocket): void {
    this.#socket = socket
    for (const message of this.#waiting.splice(0)) this.send(message)
    if (this.#ended) this.end()
  }

  send(message: ServerMessage): void {
    const socket = this.#socket
    if (!socket) this.#waiting.push(message)
    else if (socket.bufferedAmount > MAX_BACKLOG_BYTES) socket.terminate()
    else if (socket.readyState === socket.OPEN) socket.send(bytesOf(message), { binary: false })
  }

  end(): void {
    this.#ended = true
    this.#socket?.close(CLOSED_FOR_GOOD, 'the whiteboard is closed')
  }
}
