/**
 * The meeting server's sockets: who may open one, how its messages are read and answered, and how a meeting speaks to
 * many at once. Contract: signalling §2.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Logger } from 'pino'
import type { Sfu } from '../media/sfu.ts'
import type { LiveMeetings } from '../meeting/live-meetings.ts'
import type { Link, OpenAudience } from '../meeting/link.ts'
import type { LeaveReason } from '../protocol/leave-reasons.ts'
import type { Notification } from '../protocol/notifications.ts'
import type { ConnectionState } from '../protocol/requests.ts'
import type { MeetingRecord } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import { Server, type Socket } from 'socket.io'
import { refusalAtDoor } from '../meeting/admission.ts'
import { keepingTrace, onBehalfOf } from '../log.ts'
import { asRefusal, Refusal } from '../protocol/errors.ts'
import { leaveReason } from '../protocol/leave-reasons.ts'
import { SocketAudience, type Memberships } from './audience.ts'
import { hostGiven } from './base-url.ts'
import { crowded, type Gate } from './gate.ts'
import { Connection, type Applicant } from './connection.ts'
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.ts'
import { TokenBucket } from './token-bucket.ts'

export interface SocketSettings {
  host: string
  publicUrl: string | undefined
  maxMessageBytes: number
  /** For one connection, on average; four times as many at once. */
  maxRequestsPerSecond: number
  /** Streams and transports that one connection opens. */
  maxMediaOpeningsPerMinute: number
  /** How long a socket may take to say what it wants. */
  headersTimeoutSeconds: number
}

export interface SocketOptions {
  settings: SocketSettings
  gate: Gate
  verify: (token: unknown, options?: { outOfTime?: boolean }) => Grant
  /** Why a page of this origin may not use the key of a grant, if it may not. */
  refusalOfOrigin: (grant: Grant, origin: string | undefined, ownOrigin: string) => Refusal | undefined
  findMeeting: (grant: Grant, anyId: string) => Promise<MeetingRecord | undefined>
  sfu: Sfu
  now: () => number
  randomId: () => string
  /** Once for each refusal object, even if it is handed in twice. */
  onRefusal: (refusal: Refusal) => void
  /** Somebody is in, so long after it asked to come in, or after it was let in where it had to wait. */
  onJoined: (entry: 'direct' | 'admitted', ms: number) => void
  log: Logger
}

/** The client of the contract waits 20 s for an answer; a client that does not answer ours in this time is not there. */
const ACKNOWLEDGEMENT_TIMEOUT_MS = 10_000
/** For a refusal to reach the client before the socket closes. */
const CLOSE_DELAY_MS = 250
const BURST_FACTOR = 4
/** Why a token is refused that was good at another time. */
const OUT_OF_TIME: ReadonlySet<string | undefined> = new Set(['expired', 'issued-in-future'])
/** One that goes on although so many of its messages were refused at once is closed. */
const PATIENCE_FACTOR = 20
/** A message over the limit is read to be answered; one over this many times the limit ends its connection unread. */
const CUT_FACTOR = 4

/** States of one that is not let in. */
const OUTSIDE: ReadonlySet<ConnectionState> = new Set(['arrived', 'waiting'])

export class MeetingSockets {
  readonly #io: Server
  readonly #options: SocketOptions
  readonly #memberships: Memberships = new Map()
  readonly #open = new Set<Socket['conn']>()
  #meetings: LiveMeetings | undefined

  constructor(options: SocketOptions) {
    this.#options = options
    this.#io = new Server({
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: options.settings.maxMessageBytes * CUT_FACTOR,
      connectTimeout: options.settings.headersTimeoutSeconds * 1000,
      pingInterval: 10_000,
      pingTimeout: 15_000,
      cors: { origin: true },
      perMessageDeflate: false,
    })
    this.#io.on('connection', (socket) => {
      // The client quotes the id of the call that sent it here; a browser can put it in the address only.
      const quoted = socket.request.headers[REQUEST_ID_HEADER] ?? queryOf(socket.request).get('requestId')
      const trace = { requestId: requestIdOf(quoted), connection: socket.id }
      onBehalfOf(trace, () => void this.#arrive(socket))
    })
  }

  readonly openAudience: OpenAudience = (name) => new SocketAudience(this.#io, name, this.#memberships)

  /** Serves this listener too; must be called before it listens. */
  attach(listener: HttpServer | HttpsServer, meetings: LiveMeetings): void {
    this.#meetings = meetings
    const answering = listener.listeners('request')
    this.#io.attach(listener)
    this.#io.engine.on('connection', (open: Socket['conn']) => {
      this.#open.add(open)
      open.once('close', () => this.#open.delete(open))
    })
    // It would answer to requests too; what asks for no socket, or may have none, is answered as all else.
    listener.removeAllListeners('request')
    for (const answer of answering) listener.on('request', answer as () => void)
  }

  get connections(): number {
    return this.#io.sockets.sockets.size
  }

  /** Cuts all connections so that their clients come back; those too that never said what they want. */
  close(): void {
    for (const open of this.#open) open.close()
  }

  async #arrive(socket: Socket): Promise<void> {
    const { log, settings, gate, onRefusal, onJoined, now } = this.#options
    const link = new SocketLink(socket, this.#memberships, onRefusal)
    log.info('connected')
    let connection: Connection | undefined
    let refused: Refusal | undefined
    const { maxRequestsPerSecond: perSecond, maxMediaOpeningsPerMinute: openings } = settings
    const bucket = new TokenBucket(perSecond, perSecond * BURST_FACTOR, now)
    const patience = new TokenBucket(perSecond, perSecond * PATIENCE_FACTOR, now)
    const opened = new TokenBucket(openings / 60, openings, now)
    const messageBytes = sizeOfMessages(socket)
    const refusalOf = (event: string): Refusal | undefined => {
      // Whoever is refused hears nothing of the meeting and may say nothing more.
      if (refused) return refused
      if (!bucket.take()) {
        if (!patience.take()) {
          refused = new Refusal('RATE_LIMITED', { message: 'This connection sends far too many requests.' })
          link.close(leaveReason('UNKNOWN'), refused)
        }
        return new Refusal('RATE_LIMITED')
      }
      // Answered and not acted on; the connection stays.
      if (messageBytes() > settings.maxMessageBytes) return new Refusal('PAYLOAD_TOO_LARGE')
      // Put out, denied or leaving: its last words reach nobody.
      if (link.closing) return new Refusal('INVALID_STATE', { message: 'This connection is being closed.' })
      if (!connection)
        return new Refusal('INVALID_STATE', { message: 'Nothing can be sent before connectionSuccess.' })
      return event === 'request'
        ? undefined
        : new Refusal('INVALID_REQUEST', { message: 'This event is not known.' })
    }
    const gone = keepingTrace((reason: string) => {
      log.info({ reason }, 'disconnected')
      connection?.gone()
      this.#memberships.delete(socket.id)
    })
    const hear = keepingTrace((event: string, ...values: unknown[]) => {
      const reply = replyIn(values)
      const refusal = refusalOf(event)
      if (refusal) {
        onRefusal(refusal)
        reply(failure(refusal))
        return
      }
      connection!.handle(values[0], reply).catch((thrown: unknown) => {
        log.error({ err: asRefusal(thrown).cause ?? thrown }, 'a request failed')
      })
    })
    socket.on('disconnect', gone)
    socket.onAny(hear)

    try {
      if (gate.isCrowded(socket.request)) throw crowded()
      const applicant = await this.#applicant(socket)
      if (!socket.connected) return
      connection = new Connection(
        { ...applicant, link, socketBaseUrl: this.#baseUrl(socket.request) },
        {
          meetings: this.#meetings!,
          verify: (token) => this.#fromPage(socket.request, this.#options.verify(token)),
          findMeeting: this.#options.findMeeting,
          onState: (state) => gate.setOutside(socket.request, OUTSIDE.has(state)),
          onAsking: () => gate.countEntryRequest(socket.request),
          onOpening: () => {
            if (!opened.take()) {
              throw new Refusal('RATE_LIMITED', {
                message: 'Too many streams are opened and closed; try again in a moment.',
              })
            }
          },
          onRefusal,
          onJoined: (entry, ms, { meetingId, sessionId }) => {
            onJoined(entry, ms)
            log.info({ meetingId, sessionId, entry, ms }, 'joined')
          },
          now,
        },
      )
    } catch (thrown) {
      refused = gate.told(socket.request, asRefusal(thrown))
      onRefusal(refused)
      log.info({ code: refused.code, reason: refused.reason }, 'refused at the door')
      if (refused.cause !== undefined) log.error({ err: refused.cause }, 'the door failed')
      link.close(leaveReason('UNKNOWN'), refused)
      return
    }
    socket.emit('connectionSuccess')
    // Clients ask at once; one that does not takes a place of those who wait for nothing.
    const arrived = connection
    const silent = keepingTrace(() => {
      if (arrived.state !== 'arrived') return
      refused = new Refusal('INVALID_STATE', { message: 'Nothing was asked for in time.' })
      onRefusal(refused)
      link.close(leaveReason('UNKNOWN'), refused)
    })
    const timer = setTimeout(silent, settings.headersTimeoutSeconds * 1000).unref()
    socket.once('disconnect', () => clearTimeout(timer))
  }

  /** Where the client finds our other sockets: where it found this one. */
  #baseUrl(request: IncomingMessage): string {
    const { publicUrl, host } = this.#options.settings
    if (publicUrl !== undefined) return publicUrl.replace(/^http/, 'ws')
    const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true
    return `${encrypted ? 'wss' : 'ws'}://${hostGiven(request.headers.host, request.socket.localPort, host)}`
  }

  /** The grant, if the page that opened the socket may use its key. @throws {Refusal} UNAUTHORIZED_REQUEST */
  #fromPage(request: IncomingMessage, grant: Grant): Grant {
    const ownOrigin = new URL(this.#baseUrl(request)).origin.replace(/^ws/, 'http')
    const refusal = this.#options.refusalOfOrigin(grant, request.headers.origin, ownOrigin)
    if (refusal) throw refusal
    return grant
  }

  /** Everything that can be refused before a word is said. Init-config may have been skipped, so nothing of it is trusted. */
  async #applicant(socket: Socket): Promise<Pick<Applicant, 'atDoor' | 'participantId'>> {
    const { findMeeting, sfu, randomId } = this.#options
    const query = queryOf(socket.request)
    const given = query.get('peerId')
    let participantId = given ?? ''
    const atDoor = async (): Promise<{ grant: Grant; meeting: MeetingRecord }> => {
      const { grant, expired } = this.#grantOf(query.get('secret') ?? '')
      this.#fromPage(socket.request, grant)
      const meeting = await findMeeting(grant, query.get('roomId') ?? '')
      // One whose token names the participant need not repeat the id (design, decision 9).
      if (participantId === '') participantId = grant.participantId ?? (given === null ? randomId() : '')
      if (expired) {
        const known =
          meeting && (await this.#meetings!.knows(meeting.meetingId, participantId, grant.tokenId))
        if (!known) throw expired
      }
      const refusal = refusalAtDoor(grant, meeting, participantId)
      if (refusal) throw refusal
      if (!sfu.status.available) throw new Refusal('MEDIA_UNAVAILABLE', { message: sfu.status.reason })
      return { grant, meeting: meeting! }
    }
    await atDoor()
    return { atDoor, participantId }
  }

  /**
   * A token whose time is over, or of a time before the clock was set back, still brings back one who was in the session
   * with it: clients send the same again.
   */
  #grantOf(token: string): { grant: Grant; expired?: Refusal } {
    const { verify } = this.#options
    try {
      return { grant: verify(token) }
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || !OUT_OF_TIME.has(thrown.reason)) throw thrown
      return { grant: verify(token, { outOfTime: true }), expired: thrown }
    }
  }
}

/** The bytes of the message that is being heard. */
function sizeOfMessages(socket: Socket): () => number {
  let bytes = 0
  socket.conn.on('packet', ({ data }: { data?: string | Buffer }) => {
    if (data === undefined) return
    // A text begins a message; what is binary belongs to the one before it.
    bytes = typeof data === 'string' ? Buffer.byteLength(data) : bytes + data.length
  })
  return () => bytes
}

function failure(refusal: Refusal): unknown {
  return {
    data: { status: 'error', errorCode: refusal.number, code: refusal.code, message: refusal.message },
  }
}

/** How the client wants to be answered: by the function that comes last, wherever that is. */
function replyIn(values: readonly unknown[]): (answer: unknown) => void {
  const last = values.at(-1)
  return typeof last === 'function' ? (last as (answer: unknown) => void) : () => undefined
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? '/', 'http://localhost').searchParams
}

/** The way of a meeting to one socket. */
class SocketLink implements Link {
  readonly connectionId: string
  readonly resetsMedia: boolean
  readonly #memberships: Memberships
  readonly #socket: Socket
  readonly #onRefusal: (refusal: Refusal) => void
  #closing = false

  /** What it says no longer counts. */
  get closing(): boolean {
    return this.#closing
  }

  constructor(socket: Socket, memberships: Memberships, onRefusal: (refusal: Refusal) => void) {
    this.#socket = socket
    this.#onRefusal = onRefusal
    this.#memberships = memberships
    this.connectionId = socket.id
    this.resetsMedia = queryOf(socket.request).get('sdk') === 'anteroom'
  }

  notify(...notifications: Notification[]): void {
    if (this.#closing) return
    this.#hearEarlier()
    if (notifications.length === 1) this.#socket.emit('notification', notifications[0])
    else this.#socket.emit('batchNotification', { notifications })
  }

  async request(event: string, payload: unknown): Promise<boolean> {
    if (this.#closing || !this.#socket.connected) return false
    this.#hearEarlier()
    try {
      const answer: unknown = await this.#socket
        .timeout(ACKNOWLEDGEMENT_TIMEOUT_MS)
        .emitWithAck(event, payload)
      return typeof answer !== 'object' || answer === null || !('errorCode' in answer)
    } catch {
      return false
    }
  }

  close(reason: LeaveReason, refusal?: Refusal): void {
    if (this.#closing) return
    if (refusal) this.#onRefusal(refusal)
    this.#lastWords(refusal)
    this.#closing = true
    this.#socket.emit('close', { reason })
    // The client hangs up itself on `close`; one that does not is cut.
    setTimeout(() => this.#socket.disconnect(true), CLOSE_DELAY_MS).unref()
  }

  drop(why?: Refusal): void {
    if (!this.#closing) this.#lastWords(why)
    this.#closing = true
    this.#socket.conn.close()
  }

  #lastWords(refusal: Refusal | undefined): void {
    this.#hearEarlier()
    if (refusal)
      this.notify({ method: 'error', code: refusal.number, name: refusal.code, message: refusal.message })
  }

  /** What was said to all before goes first. */
  #hearEarlier(): void {
    for (const audience of this.#memberships.get(this.connectionId) ?? []) audience.flush()
  }
}
