/** The socket: requests with answers, messages of the server, and reconnecting. */
import { io, type Socket } from 'socket.io-client'
import type { Notification, ServerRequests } from '../protocol/notifications.ts'
import { MeetingError } from './errors.ts'

export interface SignallingOptions {
  /** The address with its scheme: `https://host:port`. */
  url: string
  path: string
  query: Record<string, string>
  /** How often it tries again to connect for the first time; 4 by default. */
  firstRetries?: number
}

/** The handlers of requests that need an acknowledgement. If a handler throws, there is none. */
export type ServerRequestHandlers = {
  [E in keyof ServerRequests]: (payload: ServerRequests[E]) => Promise<void> | void
}

export interface SignallingHandlers {
  /** The server accepts requests; called after each connection. */
  ready: () => void
  notification: (notification: Notification) => void
  requests: ServerRequestHandlers
  /** The server removed us for good. */
  closed: (reason: { code: number; message: string }) => void
  /** The connection is lost; `attempt` counts the attempts since. */
  lost: () => void
  /** All attempts to reconnect failed. */
  gaveUp: () => void
}

interface Reply {
  status?: string
  errorCode?: number
  code?: string
  message?: string
}

const REQUEST_TIMEOUT_MS = 20_000
/** How long a client tries to reconnect. */
const RECONNECT_FOR_MS = 60_000
const FIRST_RETRIES = 4

/**
 * Wait before the next attempt, in ms: short at first, then about a second, so that everybody is back within 3 s of the
 * server's first answer. Each client waits differently, so that a thousand lost connections come back spread out.
 * @param attempt attempts since the connection was lost
 * @param random at least 0 and less than 1
 */
export function reconnectDelay(attempt: number, random: number): number {
  return Math.min(300 * 2 ** attempt, 1000) * (0.5 + random)
}

export class Signalling {
  readonly #socket: Socket
  readonly #handlers: SignallingHandlers
  readonly #firstRetries: number
  #finished = false
  /** Set while the server refuses temporarily: the time until the next attempt. */
  #againMs: number | undefined
  #wasReady = false
  #lostAt = 0
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: SignallingOptions, handlers: SignallingHandlers) {
    this.#handlers = handlers
    this.#firstRetries = options.firstRetries ?? FIRST_RETRIES
    this.#socket = io(options.url, {
      path: options.path,
      query: options.query,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      timeout: 10_000,
    })
    const socket = this.#socket
    socket.on('connectionSuccess', () => {
      this.#attempt = 0
      this.#wasReady = true
      handlers.ready()
    })
    socket.on('notification', (notification: Notification) => handlers.notification(notification))
    socket.on('batchNotification', ({ notifications }: { notifications: Notification[] }) => {
      for (const notification of notifications) handlers.notification(notification)
    })
    socket.on('close', ({ reason }: { reason: { code: number; message: string } }) => {
      if (this.#againMs !== undefined) {
        socket.disconnect()
        return
      }
      this.close()
      handlers.closed(reason)
    })
    for (const [event, handle] of Object.entries(handlers.requests)) {
      socket.on(event, (payload: unknown, acknowledge: () => void) => {
        const handled = async (): Promise<void> => handle(payload as never)
        handled().then(
          () => acknowledge(),
          (error: unknown) => console.error(error),
        )
      })
    }
    socket.on('disconnect', () => this.#lose())
    socket.on('connect_error', () => this.#lose())
  }

  get connected(): boolean {
    return this.#socket.connected
  }

  /**
   * @param onAnswer is called with the answer, before any later message is handled
   * @throws {MeetingError} the server's refusal, or a missing answer
   */
  request<T>(method: string, data: object = {}, onAnswer?: (answer: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (message: string, cause?: unknown): void =>
        reject(new MeetingError(0, 'CONNECTION_FAILED', message, cause))
      // It would be sent over the next connection, where it means nothing.
      if (!this.#socket.connected) return fail('There is no connection to the server now.')
      const hear = (error: unknown, answer?: { data?: Reply }): void => {
        if (error) return fail('The server did not answer.', error)
        const reply = answer?.data
        if (reply?.status === 'error') {
          const { errorCode = 5000, code = 'SOMETHING_WENT_WRONG', message = 'The server refused.' } = reply
          return reject(new MeetingError(errorCode, code, message))
        }
        onAnswer?.(reply as T)
        resolve(reply as T)
      }
      this.#socket.timeout(REQUEST_TIMEOUT_MS).emit('request', { method, request: true, data }, hear)
    })
  }

  /** Reconnects immediately, e.g. because the network changed. */
  hurry(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#socket.connect()
  }

  /** Replaces a connection that may be dead. */
  renew(): void {
    if (this.#socket.connected) this.#socket.io.engine.close()
  }

  /** The server refuses temporarily: the end of this connection is not final, and attempts are not limited. */
  tryAgainIn(ms: number): void {
    this.#againMs = ms
  }

  /** Closes the connection for good. */
  close(): void {
    this.#finished = true
    clearTimeout(this.#timer)
    this.#socket.disconnect()
  }

  #isFinished(): boolean {
    return this.#finished
  }

  #lose(): void {
    if (this.#finished || this.#timer !== undefined) return
    const now = Date.now()
    if (this.#againMs !== undefined) this.#attempt = 0
    if (this.#attempt === 0) this.#lostAt = now
    if (now - this.#lostAt > RECONNECT_FOR_MS || (!this.#wasReady && this.#attempt >= this.#firstRetries)) {
      this.close()
      this.#handlers.gaveUp()
      return
    }
    if (this.#wasReady) this.#handlers.lost()
    // A listener may have closed the connection.
    if (this.#isFinished()) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#socket.connect()
      },
      this.#againMs ?? reconnectDelay(this.#attempt, Math.random()),
    )
    this.#againMs = undefined
    this.#attempt += 1
  }
}
