/**
 * A client without a browser: the plain wire of the contract, so that tests see exactly what crosses it.
 */
import { io, type Socket } from 'socket.io-client'
import { methodOf } from '../../src/protocol/requests.ts'
import { misfitOf } from './wire-shapes.ts'

export interface WireOptions {
  url: string
  token: string
  meetingId: string
  participantId?: string
  name?: string
  /** Our own client says so; published ones do not. */
  own?: boolean
  /** Of the call before, as our own client quotes it. */
  requestId?: string
  /** Of the page, as a browser says it; other programs say nothing. */
  origin?: string
  /** Takes any certificate. */
  insecure?: boolean
  /** From which address of this machine it comes, and what a proxy before it would say. */
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
  /** What the server sent that is not as the protocol's schemas have it; a `TestServer` that stops expects none. */
  readonly misfits: string[] = []
  /** When and with what it answers an event of the server; at once and with nothing where none is given. */
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

  /** The first of these messages, heard already or yet to come. */
  async hears(method: string, matches: (heard: Heard) => boolean = () => true): Promise<Heard> {
    const find = (): Heard | undefined =>
      this.heard.find((heard) => heard.method === method && matches(heard))
    const there = find()
    if (there) return there
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look)
        reject(new Error(`${method} was not heard; heard: ${JSON.stringify(this.heard)}`))
      }, PATIENCE_MS)
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

  /** One request; a refusal is thrown as a `WireError`. */
  async request(method: string, data: unknown = {}): Promise<any> {
    return this.send({ method, request: true, data })
  }

  async send(message: unknown): Promise<any> {
    // The socket would keep it for a connection that does not come.
    if (this.heard.some(({ method }) => method === 'disconnect')) throw new Error('The connection is closed.')
    const answer = await this.socket.timeout(PATIENCE_MS).emitWithAck('request', message)
    const reply = answer.data
    if (reply?.status === 'error') throw new WireError(reply.errorCode, reply.code, reply.message)
    if (methodOf(message) === 'join') this.#fits('reply:join', reply)
    return reply
  }

  /** Up to the lobby or the admission. */
  async enter(): Promise<this> {
    await this.hears('connectionSuccess')
    await this.request('requestEntry', this.#name === undefined ? {} : { name: this.#name })
    return this
  }

  /** All the way in. */
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
