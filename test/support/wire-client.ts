/** A client without a browser that speaks the contract's wire, so that tests see every message. */
import { io, type Socket } from 'socket.io-client'
import { methodOf } from '../../src/protocol/requests.ts'
import { misfitOf } from './wire-shapes.ts'

export interface WireOptions {
  url: string
  token: string
  meetingId: string
  participantId?: string
  name?: string
  /** Whether to identify itself as our own client. */
  own?: boolean
  /** The request id of the call before, as our own client sends it. */
  requestId?: string
  /** The origin of the page, as a browser sends it; other programs send none. */
  origin?: string
  /** Accepts any certificate. */
  insecure?: boolean
  /** The local address of the connection, and headers that a proxy would add. */
  from?: { localAddress?: string; extraHeaders?: Record<string, string> }
}

export interface Heard {
  method: string
  [field: string]: unknown
}

export class WireError extends Error {
  readonly code: number
  readonly errorName: string

  constructor(code: number, name: string, message: string) {
    super(message)
    this.code = code
    this.errorName = name
  }
}

const PATIENCE_MS = 60_000

export class WireClient {
  readonly socket: Socket
  readonly heard: Heard[] = []
  /** Messages that do not match the schemas of the protocol; a `TestServer` expects none when it stops. */
  readonly misfits: string[] = []
  /** Delays or sets the answers to the server's requests. Default: an empty answer at once. */
  readonly answers = new Map<string, () => Promise<unknown>>()
  readonly requested: { event: string; payload: Record<string, unknown> }[] = []
  readonly participantId: string
  closed: { code: number; message: string } | undefined
  transports = { send: '', receive: '' }
  readonly #name: string | undefined
  readonly #waiters = new Set<() => void>()

  constructor(options: WireOptions) {
    const { url, token, meetingId, participantId, name, own, requestId, origin, from } = options
    this.participantId = participantId ?? ''
    this.#name = name
    this.socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      ...(origin !== undefined && { extraHeaders: { origin } }),
      ...(options.insecure && { rejectUnauthorized: false }),
      ...from,
      query: {
        roomId: meetingId,
        ...(participantId !== undefined && { peerId: participantId }),
        secret: token,
        mode: 'SEND_AND_RECV',
        lib: 'socket',
        ...(own && { sdk: 'anteroom' }),
        ...(requestId !== undefined && { requestId }),
      },
    })
    this.socket.on('connectionSuccess', () => this.#hear({ method: 'connectionSuccess' }))
    this.socket.on('notification', (notification: Heard) => this.#hearTold(notification))
    this.socket.on('batchNotification', ({ notifications }: { notifications: Heard[] }) =>
      notifications.forEach((one) => this.#hearTold(one)),
    )
    this.socket.on('close', ({ reason }: { reason: { code: number; message: string } }) => {
      this.closed = reason
      this.#hear({ method: 'close', ...reason })
    })
    this.socket.on('disconnect', (reason) => this.#hear({ method: 'disconnect', reason }))
    for (const event of [
      'newConsumer',
      'newDataConsumer',
      'switchRoom',
      'enableMic',
      'disableMic',
      'enableWebcam',
      'disableWebcam',
      'enableShare',
      'disableShare',
      'pinStateChanged',
    ]) {
      this.socket.on(event, (payload: Record<string, unknown>, acknowledge: (answer?: unknown) => void) => {
        this.requested.push({ event, payload })
        this.#fits(`request:${event}`, payload)
        this.#hear({ method: `request:${event}`, ...payload })
        const answer = this.answers.get(event)
        if (answer) void answer().then(acknowledge)
        else acknowledge()
      })
    }
  }

  /** Waits for the first of these messages, including those already received. */
  async hears(method: string, matches: (heard: Heard) => boolean = () => true): Promise<Heard> {
    const find = (): Heard | undefined =>
      this.heard.find((heard) => heard.method === method && matches(heard))
    const there = find()
    if (there) return there
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look)
        reject(new Error(`${method} was not heard; heard: ${JSON.stringify(this.heard)}`))
      }, PATIENCE_MS).unref()
      const look = (): void => {
        const found = find()
        if (!found) return
        clearTimeout(timer)
        this.#waiters.delete(look)
        resolve(found)
      }
      this.#waiters.add(look)
    })
  }

  /** Sends a request; throws a refusal as a `WireError`. */
  async request(method: string, data: unknown = {}): Promise<any> {
    return this.send({ method, request: true, data })
  }

  async send(message: unknown): Promise<any> {
    // The socket would keep the request for a new connection, which never comes.
    if (this.heard.some(({ method }) => method === 'disconnect')) throw new Error('The connection is closed.')
    const answer = await this.socket.timeout(PATIENCE_MS).emitWithAck('request', message)
    const reply = answer.data
    if (reply?.status === 'error') throw new WireError(reply.errorCode, reply.code, reply.message)
    if (methodOf(message) === 'join') this.#fits('reply:join', reply)
    return reply
  }

  /** Requests entry: ends in the lobby or with admission. */
  async enter(): Promise<this> {
    await this.hears('connectionSuccess')
    await this.request('requestEntry', this.#name === undefined ? {} : { name: this.#name })
    return this
  }

  /** Joins completely. */
  async join(data: Record<string, unknown> = {}): Promise<any> {
    await this.enter()
    await this.hears('entryResponded', (heard) => heard.decision === 'allowed')
    return this.finishJoin(data)
  }

  async finishJoin(data: Record<string, unknown> = {}): Promise<any> {
    const rtpCapabilities = await this.request('getRouterRtpCapabilities')
    const sctpCapabilities = { numStreams: { OS: 1024, MIS: 1024 } }
    const [send, receive] = await Promise.all([
      this.request('createWebRtcTransport', { producing: true, consuming: false, sctpCapabilities }),
      this.request('createWebRtcTransport', { producing: false, consuming: true, sctpCapabilities }),
    ])
    this.transports = { send: send.id, receive: receive.id }
    return this.request('join', { rtpCapabilities, mode: 'SEND_AND_RECV', metaData: {}, ...data })
  }

  async gone(): Promise<void> {
    await this.hears('disconnect')
  }

  close(): void {
    this.socket.disconnect()
  }

  #hearTold(notification: Heard): void {
    this.#fits(notification.method, notification)
    this.#hear(notification)
  }

  #fits(name: string, message: unknown): void {
    const misfit = misfitOf(name, message)
    if (misfit !== undefined) this.misfits.push(misfit)
  }

  #hear(heard: Heard): void {
    this.heard.push(heard)
    for (const look of [...this.#waiters]) look()
  }
}
