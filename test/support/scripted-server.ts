/** A server that answers our own client as the test says, even as no real server would. */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as fakeParameters from 'mediasoup-client/fakeParameters'
import { Server, type Socket } from 'socket.io'
import type { Notification, ServerRequests } from '../../src/protocol/notifications.ts'

/** Returns the answer to a request; a thrown error is a refusal with this code. */
export type ScriptedAnswer = (data: any) => unknown

export class ScriptedServer {
  readonly asked: { method: string; data: any }[] = []
  answers: Record<string, ScriptedAnswer> = {
    requestEntry: () => {
      this.say({ method: 'entryResponded', id: 'ann', decision: 'allowed', sessionId: 'session' })
    },
    getRouterRtpCapabilities: () => fakeParameters.generateRouterRtpCapabilities(),
    createWebRtcTransport: () => fakeParameters.generateTransportRemoteParameters(),
    join: () => ({
      peers: [],
      meetingId: 'meeting',
      self: {
        participantId: 'ann',
        displayName: 'ann',
        canModerate: false,
        canAdmit: false,
        sessionId: 'session',
      },
    }),
    produce: ({ kind }: { kind: 'audio' | 'video' }) => {
      this.say({ method: 'participantMediaStateChanged', peerId: 'ann', kind, newState: true })
      return { id: `producer-${this.asked.length}` }
    },
  }
  /** Refuses new connections with this error, and closes them. */
  refusal: { code: number; name: string; message: string } | undefined
  connections = 0
  readonly #http: HttpServer
  readonly #io: Server
  #socket: Socket | undefined

  private constructor() {
    this.#http = createServer()
    this.#io = new Server(this.#http, { transports: ['websocket'], cors: { origin: true } })
    this.#io.on('connection', (socket) => {
      this.connections++
      this.#socket = socket
      if (this.refusal) {
        socket.emit('notification', { method: 'error', ...this.refusal })
        socket.emit('close', { reason: { code: 1007, message: 'UNKNOWN' } })
        return
      }
      socket.on(
        'request',
        ({ method, data }: { method: string; data: any }, reply: (answer: unknown) => void) => {
          this.asked.push({ method, data })
          try {
            reply({ data: this.answers[method]?.(data) ?? {} })
          } catch (error) {
            reply({
              data: { status: 'error', errorCode: 5000, code: (error as Error).message, message: 'No.' },
            })
          }
        },
      )
      socket.emit('connectionSuccess')
    })
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer()
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  count(method: string): number {
    return this.asked.filter((one) => one.method === method).length
  }

  /** Cuts the newest connection. */
  cut(): void {
    this.#socket!.conn.close()
  }

  /** Sends a notification on the newest connection. */
  say(notification: Notification): void {
    this.#socket!.emit('notification', notification)
  }

  /** Resolves when the client has acknowledged the request. */
  async ask<E extends keyof ServerRequests>(event: E, payload: ServerRequests[E]): Promise<void> {
    await this.#socket!.timeout(10_000).emitWithAck(event, payload)
  }

  async stop(): Promise<void> {
    await this.#io.close()
  }
}
