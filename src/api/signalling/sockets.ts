/**
 * The sockets of the meeting server, in both protocols: who may open one, what a connection may send and how often, and
 * how a meeting notifies many at once. Contract: signalling §2, older-clients §2.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Logger } from 'pino'
import type { Credentials, Door } from '../../meeting/door/door.ts'
import type { LocalHome } from '../../meeting/home.ts'
import type { OpenAudience } from '../../meeting/link.ts'
import type { ConnectionState } from '../../protocol/requests.ts'
import { Server, type Socket } from 'socket.io'
import { WebSocketServer } from 'ws'
import { bindTrace, runWithTrace } from '../../log.ts'
import {
  hidesRefusal,
  signsOfBrowser,
  traitsOf,
  type ClientSign,
  type ClientTraits,
} from '../../protocol/clients.ts'
import { asRefusal, Refusal } from '../../protocol/errors.ts'
import { leaveReason } from '../../protocol/leave-reasons.ts'
import { isOldMode, parseMode } from '../../protocol/modes.ts'
import { isAlwaysAnswered, methodOf } from '../../protocol/requests.ts'
import { isTracing } from '../../tracing/tracing.ts'
import { SocketAudience } from './audience.ts'
import { originOf } from '../http/carried.ts'
import { hostGiven } from '../http/base-url.ts'
import {
  backlogLimit,
  ClientLink,
  errorOf,
  type Answer,
  type Inbox,
  type Memberships,
  type Wire,
} from './client-link.ts'
import type { ChatPace } from '../limits/chat-pace.ts'
import { tooManyWaiting, type Gate } from '../limits/gate.ts'
import { Connection, mendsItself, type Applicant } from './connection.ts'
import { ConnectionSpans } from './connection-spans.ts'
import { ProtooServer } from './protoo.ts'
import { LostReaders } from './older-chat.ts'
import { REQUEST_ID_HEADER, requestIdOf } from '../http/request-id.ts'
import { keepToOneSocket, SocketIoWire } from './socket-io.ts'
import { TokenBucket } from '../limits/token-bucket.ts'
import { hasWholeEscapes } from '../http/url-text.ts'

export interface SocketSettings {
  host: string
  publicUrl: string | undefined
  maxMessageBytes: number
  maxParticipants: number
  /** Of one connection, on average; bursts up to four times as many. */
  maxRequestsPerSecond: number
  /** Streams and transports that one connection may open. */
  maxMediaOpeningsPerMinute: number
  /** How long a socket may stay silent before its first request. */
  headersTimeoutSeconds: number
}

export interface SocketOptions {
  settings: SocketSettings
  gate: Gate
  chatPace: ChatPace
  door: Door
  /** Whether another node is the home of a meeting. Absent: there are no others. */
  isAtAnotherNode?: ((meetingId: string) => Promise<boolean>) | undefined
  now: () => number
  /** Called once per refusal object, even if it is reported twice. */
  onRefusal: (refusal: Refusal) => void
  /** Called after a join, with the time since the entry request, or since the admission from the lobby. */
  onJoined: (entry: 'direct' | 'admitted', ms: number) => void
  log: Logger
}

const BURST_FACTOR = 4
/** A connection that continues after this many times the allowed messages is closed. */
const PATIENCE_FACTOR = 20
/** This many bytes of invalid messages count as one more message. */
const STRAY_BYTES = 1024
/** A message over the limit is read and refused; one over this many times the limit ends the connection unread. */
const CUT_FACTOR = 4

/** Requests that a client sends before the server has judged its token: protoo has no message that says "ready". */
const MAX_EARLY_REQUESTS = 32

/** States of a connection that is not admitted. */
const OUTSIDE: ReadonlySet<ConnectionState> = new Set(['arrived', 'waiting'])

export class MeetingSockets {
  readonly #io: Server
  readonly #protoo: ProtooServer
  readonly #options: SocketOptions
  /** Every open connection, by its id. */
  readonly #links = new Map<string, ClientLink>()
  readonly #memberships: Memberships = new Map()
  readonly #open = new Set<Socket['conn']>()
  readonly #lostReaders: LostReaders
  #meetings: LocalHome | undefined

  constructor(options: SocketOptions) {
    this.#options = options
    this.#lostReaders = new LostReaders(options.now)
    const largestMessage = options.settings.maxMessageBytes * CUT_FACTOR
    const maxBacklogBytes = backlogLimit(options.settings.maxParticipants)
    this.#io = new Server({
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: largestMessage,
      connectTimeout: options.settings.headersTimeoutSeconds * 1000,
      pingInterval: 10_000,
      pingTimeout: 15_000,
      cors: { origin: true },
      perMessageDeflate: false,
      // Replaces the version that comes with socket.io: this one cuts a client that pings and reads no answer.
      wsEngine: WebSocketServer,
    })
    this.#io.on('connection', (socket) => {
      const wire = new SocketIoWire(socket, { maxMessageBytes: largestMessage, maxBacklogBytes })
      this.#inTrace(wire, () => wire.listen(this.#receive(wire)))
    })
    this.#protoo = new ProtooServer({
      maxMessageBytes: largestMessage,
      maxBacklogBytes,
      onSocket: (wire) => this.#inTrace(wire, () => wire.listen(this.#receive(wire, 'protoo'))),
    })
  }

  readonly openAudience: OpenAudience = (name) =>
    new SocketAudience(this.#io, name, this.#links, this.#memberships)

  /** Serves this listener too; must be called before it listens. */
  attach(listener: HttpServer | HttpsServer, meetings: LocalHome): void {
    this.#meetings = meetings
    const answering = listener.listeners('request')
    this.#io.attach(listener)
    this.#io.engine.on('connection', (open: Socket['conn']) => {
      this.#open.add(open)
      open.once('close', () => this.#open.delete(open))
      keepToOneSocket(open)
    })
    // socket.io would answer HTTP requests too; requests that open no socket are handled like all others.
    listener.removeAllListeners('request')
    for (const answer of answering) listener.on('request', answer as () => void)
    this.#protoo.attach(listener)
  }

  get connections(): number {
    return this.#links.size
  }

  /** Cuts all connections so that their clients reconnect, including those that have requested nothing. */
  close(): void {
    for (const open of this.#open) open.close()
    this.#protoo.close()
  }

  #inTrace({ request, connectionId }: Wire, work: () => void): void {
    // The client repeats the request id of the call that sent it here; a browser can do so only in the address.
    const quoted = request.headers[REQUEST_ID_HEADER] ?? queryOf(request).get('requestId')
    runWithTrace({ requestId: requestIdOf(quoted), connection: connectionId }, work)
  }

  /** Judges the client that opened a socket, and receives its messages from then on. */
  #receive(wire: Wire, ...shown: ClientSign[]): Inbox {
    const { log, settings, gate, onRefusal, now } = this.#options
    const { request } = wire
    const query = queryOf(request)
    if (isOldMode(query.get('mode'))) shown.push('oldMode')
    shown.push(...signsOfBrowser(request.headers['user-agent']))
    const link = new ClientLink(wire, {
      traits: traitsOf(...shown),
      isOwnClient: query.get('sdk') === 'anteroom',
      baseUrl: this.#baseUrl(request).replace(/^ws/, 'http'),
      node: originOf(request)?.node,
      memberships: this.#memberships,
      onRefusal,
    })
    this.#links.set(wire.connectionId, link)
    log.info({ protocol: link.traits.envelope }, 'connected')
    const spans = isTracing() ? new ConnectionSpans(request) : undefined
    let connection: Connection | undefined
    let refused: Refusal | undefined
    /** Requests of a client that sends before it knows that the server is ready. */
    let early: (() => void)[] | undefined = link.traits.envelope === 'protoo' ? [] : undefined
    let silence: NodeJS.Timeout | undefined
    const { maxRequestsPerSecond: perSecond } = settings
    const bucket = new TokenBucket(perSecond, perSecond * BURST_FACTOR, now)
    const patience = new TokenBucket(perSecond, perSecond * PATIENCE_FACTOR, now)

    const refuse = (refusal: Refusal): void => {
      refused = refusal
      onRefusal(refusal)
      if (mendsItself(refusal)) link.drop(refusal)
      else link.close(leaveReason('UNKNOWN'), refusal)
    }
    const refusalOf = (bytes: number, paced: boolean): Refusal | undefined => {
      // A refused client receives nothing of the meeting and cannot send anything more.
      if (refused) return refused
      if (!(paced ? bucket : patience).take()) {
        if (!paced || !patience.take()) {
          refused = farTooMuch()
          link.close(leaveReason('UNKNOWN'), refused)
        }
        return new Refusal('RATE_LIMITED')
      }
      // Refused without effect; the connection stays open.
      if (bytes > settings.maxMessageBytes) return new Refusal('PAYLOAD_TOO_LARGE')
      // The client is leaving, removed or denied: its last messages reach nobody.
      if (link.closing) return new Refusal('INVALID_STATE', { message: 'This connection is being closed.' })
      if (!connection && (early?.length ?? MAX_EARLY_REQUESTS) >= MAX_EARLY_REQUESTS)
        return new Refusal('INVALID_STATE', {
          message: 'Wait for connectionSuccess before you send a request.',
        })
      return undefined
    }
    type Reply = (answer: Answer, traits: ClientTraits) => void
    const run = (message: unknown, reply: Reply): void => {
      const method = methodOf(message)
      const span = spans?.begin(method)
      const answer = (given: Answer): void => {
        span?.answered(given)
        reply(given, link.traits)
        const hidden = connection!.state === 'inside' && hidesRefusal(link.traits, method ?? '')
        if ('refusal' in given && hidden) link.notify(errorOf(given.refusal))
      }
      const handle = (): Promise<void> => connection!.handle(message, answer)
      ;(span ? span.run(handle) : handle()).catch((thrown: unknown) => {
        log.error({ err: asRefusal(thrown).cause ?? thrown }, 'failed to answer a request')
      })
    }
    const receive = bindTrace((message: unknown, bytes: number, reply: Reply) => {
      const tolerant = isAlwaysAnswered(methodOf(message))
      const refusal = refusalOf(bytes, !tolerant)
      if (refusal) {
        onRefusal(refusal)
        reply(tolerant ? { data: {} } : { refusal }, link.traits)
      } else if (connection) run(message, reply)
      else early!.push(() => run(message, reply))
    })
    const stray = bindTrace((bytes: number) => {
      if (refused || patience.take(1 + bytes / STRAY_BYTES)) return
      refused = farTooMuch()
      onRefusal(refused)
      link.drop(refused)
    })
    const tooSlow = bindTrace(() => {
      log.info('disconnected a client that reads too slowly')
      const refusal = new Refusal('TOO_SLOW')
      onRefusal(refusal)
      link.drop(refusal)
    })
    const gone = bindTrace((reason: string, left: boolean) => {
      log.info({ reason }, 'disconnected')
      clearTimeout(silence)
      early = undefined
      connection?.gone({ left })
      spans?.gone()
      for (const audience of [...(this.#memberships.get(wire.connectionId) ?? [])]) audience.remove(link)
      this.#links.delete(wire.connectionId)
    })
    const arrive = async (): Promise<void> => {
      try {
        if (gate.isCrowded(request)) throw tooManyWaiting()
        const applicant = await this.#applicant(request)
        if (!wire.connected) return
        connection = this.#connect(link, applicant, spans)
      } catch (thrown) {
        const refusal = gate.limitAuthFailures(request, asRefusal(thrown))
        log.info({ code: refusal.code, reason: refusal.reason }, 'refused a connection')
        if (refusal.cause !== undefined) log.error({ err: refusal.cause }, 'failed to decide on a connection')
        refuse(refusal)
        return
      }
      wire.ready()
      for (const waiting of early ?? []) waiting()
      early = undefined
      // Clients send a request at once; one that does not takes one of the places for waiting connections.
      const arrived = connection
      silence = setTimeout(() => {
        if (arrived.state === 'arrived')
          refuse(new Refusal('INVALID_STATE', { message: 'The client sent no request in time.' }))
      }, settings.headersTimeoutSeconds * 1000).unref()
    }
    void arrive()
    return { request: receive, stray, tooSlow, gone }
  }

  #connect(
    link: ClientLink,
    applicant: Omit<Applicant, 'link' | 'socketBaseUrl'>,
    spans: ConnectionSpans | undefined,
  ): Connection {
    const { log, settings, gate, chatPace, onRefusal, onJoined, now, door, isAtAnotherNode } = this.#options
    const { request } = link.wire
    const { maxMediaOpeningsPerMinute: openings } = settings
    const opened = new TokenBucket(openings / 60, openings, now)
    return new Connection(
      { ...applicant, link, socketBaseUrl: this.#baseUrl(request) },
      {
        meetings: this.#meetings!,
        // A token for another meeting counts like one shown at the door.
        judge: async (shown) => {
          try {
            return await door.judge('elsewhere', { ...shown, ...this.#pageOf(request) })
          } catch (error) {
            throw gate.limitAuthFailures(request, asRefusal(error))
          }
        },
        isAtAnotherNode: async (meetingId) => (await isAtAnotherNode?.(meetingId)) ?? false,
        onState: (state) => gate.setOutside(request, OUTSIDE.has(state)),
        onAsking: () => gate.countEntryRequest(request),
        onOpening: () => {
          if (!opened.take()) {
            throw new Refusal('RATE_LIMITED', {
              message: 'Too many streams are opened and closed; try again in a moment.',
            })
          }
        },
        onChat: (speaker) => {
          if (!chatPace.take(speaker)) throw new Refusal('RATE_LIMITED')
        },
        lostReaders: this.#lostReaders,
        onRefusal,
        onJoined: (entry, ms, { meetingId, sessionId }) => {
          onJoined(entry, ms)
          spans?.joined(entry, meetingId, sessionId)
          log.info({ meetingId, sessionId, entry, ms }, 'joined')
        },
        now,
      },
    )
  }

  /** The address of our other sockets for the client: the one at which it found this socket. */
  #baseUrl(request: IncomingMessage): string {
    const { publicUrl } = this.#options.settings
    if (publicUrl !== undefined) return publicUrl.replace(/^http/, 'ws')
    const encrypted =
      originOf(request)?.encrypted ?? ('encrypted' in request.socket && request.socket.encrypted === true)
    return `${encrypted ? 'wss' : 'ws'}://${hostGiven(request.headers.host, request.socket)}`
  }

  /** The origin of the page that opened the socket. */
  #pageOf(request: IncomingMessage): Pick<Credentials, 'origin' | 'ownOrigin'> {
    const ownOrigin = new URL(this.#baseUrl(request)).origin.replace(/^ws/, 'http')
    return { origin: request.headers.origin, ownOrigin }
  }

  /**
   * Checks everything that can be refused before the first message. Nothing of init-config is trusted, because a client
   * may skip it.
   */
  async #applicant(request: IncomingMessage): Promise<Omit<Applicant, 'link' | 'socketBaseUrl'>> {
    const { door } = this.#options
    if (!hasWholeEscapes(request.url ?? ''))
      throw new Refusal('INVALID_REQUEST', { message: 'The address is not well formed.' })
    const query = queryOf(request)
    const shown = {
      token: query.get('secret') ?? '',
      meetingId: query.get('roomId') ?? '',
      ...this.#pageOf(request),
    }
    const { participantId } = await door.judge('socket', {
      ...shown,
      participantId: query.get('peerId') ?? undefined,
    })
    return {
      atDoor: () => door.judge('socket', { ...shown, participantId }),
      participantId,
      // Clients before 0.5.3 send the mode here instead of in `join`.
      mode: parseMode(query.get('mode')),
    }
  }
}

function farTooMuch(): Refusal {
  return new Refusal('RATE_LIMITED', { message: 'This connection sends far too many requests.' })
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? '/', 'http://localhost').searchParams
}
