/**
 * The sockets of `/check`: anybody tries whether media reaches this server and comes back. There is no meeting and no token in it;
 * one receives one's own picture alone, so it relays nothing. Checks are few, short, and limited in bytes.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Logger } from 'pino'
import { Check } from 'typebox/value'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Router } from '../../media/sfu.ts'
import { CHECK_OVER, CHECK_SOCKET_PATH, CheckRequest, type CheckAnswer } from '../../protocol/check.ts'
import { Refusal } from '../../protocol/errors.ts'
import { Attempts, perMinute } from '../limits/attempts.ts'
import { LineCheck, MAX_CHECK_BYTES } from './line-check.ts'
import type { TurnCheck } from './turn.ts'

export interface CheckSocketOptions {
  openRouter: () => Promise<Router>
  turn: Pick<TurnCheck, 'look'>
  callerOf: (request: IncomingMessage) => string
  /** Checks at the same time; 0: none at all. */
  maxChecks: number
  now: () => number
  log: Logger
}

const MAX_SECONDS = 45
const MAX_MESSAGE_BYTES = 32_768
const MAX_MESSAGES = 60
/** Of one address. */
const CHECKS = perMinute(6)
const LOOK_EVERY_MS = 500
const TRY_AGAIN_LATER = 1013

export class CheckSockets {
  readonly #options: CheckSocketOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  readonly #attempts: Attempts
  readonly #callers = new Set<string>()

  constructor(options: CheckSocketOptions) {
    this.#options = options
    this.#attempts = new Attempts({ each: CHECKS, now: options.now })
  }

  /** Also serves this listener; call it before listening. */
  attach(listener: HttpServer | HttpsServer): void {
    const { log, callerOf } = this.#options
    listener.on('upgrade', (request, socket, head) => {
      if ((request.url ?? '').split('?')[0] !== CHECK_SOCKET_PATH) return
      socket.on('error', (error: Error) => log.debug({ err: error }, 'failed to serve the socket of a check'))
      const caller = callerOf(request)
      // A page cannot read the status of a refused handshake: it is accepted, and told.
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('error', (error) => log.debug({ err: error }, 'failed to serve the socket of a check'))
        const problem = this.#problemWith(caller)
        if (problem === undefined) this.#serve(webSocket, caller)
        else webSocket.close(TRY_AGAIN_LATER, problem)
      })
    })
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate()
  }

  #problemWith(caller: string): string | undefined {
    if (this.#options.maxChecks === 0) return 'Checks are switched off on this server.'
    if (this.#callers.has(caller)) return 'Another check from this address goes on.'
    if (this.#callers.size >= this.#options.maxChecks)
      return 'Others are checking now; try again in a minute.'
    return this.#attempts.take(caller)
      ? undefined
      : 'Too many checks from this address; try again in a minute.'
  }

  #serve(socket: WebSocket, caller: string): void {
    const { openRouter, turn, log } = this.#options
    const check = new LineCheck(openRouter, turn)
    this.#callers.add(caller)
    const end = (why: string): void => socket.close(CHECK_OVER, why)
    const timeout = setTimeout(() => socket.terminate(), MAX_SECONDS * 1000).unref()
    const look = setInterval(() => {
      check.bytes().then(
        (bytes) => {
          if (bytes > MAX_CHECK_BYTES) socket.terminate()
        },
        () => undefined,
      )
    }, LOOK_EVERY_MS).unref()
    socket.once('close', () => {
      clearTimeout(timeout)
      clearInterval(look)
      this.#callers.delete(caller)
      check.close()
    })
    let messages = 0
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return
      const request = isBinary ? undefined : parsed(data as Buffer)
      if (++messages > MAX_MESSAGES) return end('too many messages')
      if (!Check(CheckRequest, request)) return end('not a message of a check')
      const { id } = request
      check.answer(request).then(
        (answer) => send(socket, { id, ok: true, data: answer }),
        (error: unknown) => {
          const refusal = error instanceof Refusal ? error : new Refusal('SOMETHING_WENT_WRONG')
          if (!(error instanceof Refusal)) log.error({ err: error }, 'failed to check a connection')
          send(socket, { id, ok: false, code: refusal.code, message: refusal.message })
        },
      )
    })
  }
}

function send(socket: WebSocket, answer: CheckAnswer): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(answer))
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}
