/** A client of the protocol before 0.2, without a browser, so that tests see the messages on the wire. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { WireError, type Heard } from './wire-client.ts'

export interface ProtooOptions {
  /** The server's address as `http://…`, with or without the path of the socket. */
  url: string
  path?: string
  token: string
  meetingId: string
  participantId: string
  mode?: string
  /** Headers that a browser would send. */
  headers?: Record<string, string>
}

const PATIENCE_MS = 60_000

export class ProtooClient {
  readonly socket: WebSocket
  /** Notifications as flat objects, and the server's requests as `request:<method>`. */
  readonly heard: Heard[] = []
  closedWith: number | undefined
  transports = { send: '', receive: '' }
  readonly #answers = new Map<number, { resolve: (data: any) => void; reject: (error: WireError) => void }>()
  readonly #waiters = new Set<() => void>()
  #lastId = 0

  constructor(options: ProtooOptions) {
    const { url, path = '/', token, meetingId, participantId, mode = 'CONFERENCE', headers = {} } = options
    const query = `roomId=${meetingId}&peerId=${participantId}&secret=${token}&mode=${mode}`
    this.socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}?${query}`, 'protoo', { headers })
    this.socket.on('message', (data) =>
      this.#read(JSON.parse((data as Buffer).toString()) as Record<string, any>),
    )
    this.socket.on('close', (code) => {
      this.closedWith = code
      this.#hear({ method: 'disconnect', code })
    })
    this.socket.on('error', () => undefined)
  }

  async request(method: string, data: unknown = {}): Promise<any> {
    if (this.socket.readyState === this.socket.CONNECTING) await once(this.socket, 'open')
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject })
      this.socket.send(JSON.stringify({ request: true, id, method, data }))
    })
  }

  async hears(method: string, matches: (heard: Heard) => boolean = () => true): Promise<Heard> {
    for (;;) {
      const found = this.heard.find((heard) => heard.method === method && matches(heard))
      if (found) return found
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${method} was not heard; heard: ${JSON.stringify(this.heard)}`)),
          PATIENCE_MS,
        ).unref()
        const look = (): void => {
          clearTimeout(timer)
          this.#waiters.delete(look)
          resolve()
        }
        this.#waiters.add(look)
      })
    }
  }

  /** Joins as these clients do: one step after the other, with entry requested as soon as the socket is open. */
  async join(name: string): Promise<any> {
    await this.request('requestEntry', { name })
    await this.hears('entryResponded', ({ decision }) => decision === 'allowed')
    const rtpCapabilities = await this.request('getRouterRtpCapabilities')
    const send = await this.request('createWebRtcTransport', { producing: true, consuming: false })
    const receive = await this.request('createWebRtcTransport', { producing: false, consuming: true })
    this.transports = { send: send.id, receive: receive.id }
    return this.request('join', { displayName: name, rtpCapabilities, metaData: {} })
  }

  close(code?: number): void {
    this.socket.close(code)
  }

  #read(message: Record<string, any>): void {
    if (message.response) {
      const { resolve, reject } = this.#answers.get(message.id)!
      this.#answers.delete(message.id)
      if (message.ok) resolve(message.data)
      else reject(new WireError(message.errorCode, '', message.errorReason))
    } else if (message.notification) this.#hear({ method: message.method, ...message.data })
    else {
      this.socket.send(JSON.stringify({ response: true, id: message.id, ok: true, data: {} }))
      this.#hear({ method: `request:${message.method}`, ...message.data })
    }
  }

  #hear(heard: Heard): void {
    this.heard.push(heard)
    for (const look of [...this.#waiters]) look()
  }
}
