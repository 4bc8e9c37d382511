/**
 * Limits what one caller may do before the server works for it: connections, requests, bodies, failed tokens. One gate is
 * in front of all listeners of a server. It remembers a bounded number of callers, and nothing of their requests.
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { sharesOf, type Holder } from '../../shares.ts'
import { Tally } from '../../tally.ts'
import { Refusal } from '../../protocol/errors.ts'
import {
  callerOf,
  networkOf,
  trustedProxies,
  type ProxyHeader,
  type TrustedProxies,
} from '../http/address.ts'
import { originOf } from '../http/carried.ts'
import { Attempts, perMinute } from './attempts.ts'

export interface GateSettings {
  trustedProxies: readonly string[]
  trustedProxyHeader: ProxyHeader
  maxConnections: number
  maxConnectionsPerAddress: number
  /** Connections of one address that are not admitted yet, half-open ones included. */
  maxWaitingPerAddress: number
  /** Per address, on average; bursts up to four times as many. */
  maxHttpRequestsPerSecond: number
  /** Per API key, likewise. */
  maxKeyRequestsPerSecond: number
  maxFailedTokensPerMinute: number
  maxEntryRequestsPerMinute: number
  /** Per participant, and per session. */
  maxFileUploadsPerMinute: number
  maxSessionFileUploadsPerMinute: number
  /** Per token and meeting over REST, on average; bursts up to four times as many. */
  maxChatMessagesPerSecond: number
  maxRequestsPerSecond: number
  /** Bytes that arrive at the same time, in total and per address. */
  maxBodyBytes: number
  maxBodyBytesPerAddress: number
}

export interface GateOptions {
  settings: GateSettings
  now: () => number
}

const BURST_FACTOR = 4
/** How many connections over a limit get an answer that says so; further ones are closed at once. */
const ANSWERED_OVER_LIMIT = 32
/** Smaller bodies are bounded by the number of connections. */
const SMALL_BODY_BYTES = 16 * 1024
/** Monitoring requests, counted apart, so that a flood of other requests from the same address does not block them. */
const HEALTH = /^\/(health|ping)(\/|\?|$)/
const CREDENTIALS = new Set(['INVALID_TOKEN', 'INVALID_API_KEY', 'APIKEY_DEACTIVATED'])
const TOO_MANY_CONNECTIONS = 'Too many connections from this address are open.'

export class Gate {
  readonly #settings: GateSettings
  readonly #proxies: TrustedProxies
  /** The caller of each direct connection. */
  readonly #peers = new WeakMap<Socket, string>()
  /** The caller of each request that a proxy forwarded. */
  readonly #callers = new WeakMap<IncomingMessage, string>()
  readonly #refused = new WeakMap<IncomingMessage, Refusal>()
  readonly #waiters = new WeakMap<IncomingMessage, (outside: boolean) => void>()

  #connections = 0
  readonly #connectionsOf = new Tally()
  readonly #waiting = new Tally()
  readonly #bodyBytesOf = new Tally()
  #bodyBytes = 0
  /** Connections over the limit; their first request is refused. */
  readonly #overflowing = new Set<string>()

  readonly #requests: Attempts
  readonly #healthChecks: Attempts
  /** Refusals per address; beyond the limit the address is cut off instead of answered. */
  readonly #refusals: Attempts
  readonly #keys: Attempts
  readonly #failures: Attempts
  /** Refusals that were counted already, because the same refusal may pass here more than once. */
  readonly #counted = new WeakSet<Refusal>()
  readonly #entries: Attempts
  readonly #uploads: Attempts
  readonly #participantUploads: Attempts
  readonly #sessionUploads: Attempts
  readonly #messages: Attempts
  readonly #values: Attempts

  constructor({ settings, now }: GateOptions) {
    this.#settings = settings
    this.#proxies = trustedProxies(settings.trustedProxies, settings.trustedProxyHeader)
    const perSecond = (times: number): Attempts =>
      new Attempts({ each: { perSecond: times, burst: times * BURST_FACTOR }, now })
    this.#requests = perSecond(settings.maxHttpRequestsPerSecond)
    this.#healthChecks = perSecond(settings.maxHttpRequestsPerSecond)
    this.#refusals = perSecond(settings.maxHttpRequestsPerSecond)
    this.#keys = perSecond(settings.maxKeyRequestsPerSecond)
    const inMinute = (times: number): Attempts => new Attempts({ each: perMinute(times), now })
    this.#failures = inMinute(settings.maxFailedTokensPerMinute)
    this.#entries = inMinute(settings.maxEntryRequestsPerMinute)
    const share = sharesOf(settings.maxSessionFileUploadsPerMinute)
    this.#uploads = inMinute(Math.min(settings.maxFileUploadsPerMinute, share.token))
    this.#participantUploads = inMinute(Math.min(settings.maxFileUploadsPerMinute, share.participant))
    this.#sessionUploads = inMinute(settings.maxSessionFileUploadsPerMinute)
    this.#messages = perSecond(settings.maxChatMessagesPerSecond)
    this.#values = perSecond(settings.maxRequestsPerSecond)
  }

  /** Counts the connections of this listener; must be called before it listens. */
  watch(listener: HttpServer | HttpsServer): void {
    listener.on('connection', (socket: Socket) => this.#connected(socket))
  }

  /** The network that a caller counts as, see `networkOf`. */
  callerOf(request: IncomingMessage): string {
    const { socket, headers } = request
    const known = originOf(request)?.caller ?? this.#peers.get(socket) ?? this.#callers.get(request)
    if (known !== undefined) return known
    const peer = socket.remoteAddress ?? 'unknown'
    const caller = networkOf(callerOf(peer, headers, this.#proxies))
    if (this.#proxies.trusts(peer)) this.#callers.set(request, caller)
    else this.#peers.set(socket, caller)
    return caller
  }

  /** Counts a request and returns a refusal if it is over a limit. */
  refusalOf(request: IncomingMessage): Refusal | undefined {
    const known = this.#refused.get(request)
    if (known) return known
    const caller = this.callerOf(request)
    const attempts = HEALTH.test(request.url ?? '') ? this.#healthChecks : this.#requests
    const refusal = this.#isOverflowing(request.socket)
      ? new Refusal('RATE_LIMITED', { message: TOO_MANY_CONNECTIONS })
      : attempts.take(caller)
        ? undefined
        : attempts.refusal()
    if (refusal) this.#refusals.take(caller)
    return refusal
  }

  /** Whether a caller was refused so often that its connection is cut. A proxy's connection never is: it serves others too. */
  isCut(request: IncomingMessage): boolean {
    return (
      !this.#proxies.trusts(request.socket.remoteAddress ?? '') &&
      this.#refusals.isSpent(this.callerOf(request))
    )
  }

  /** Whether a request may become a socket; if not, `refusalOf` says why. `waits`: it counts as waiting until it is admitted. */
  mayUpgrade(request: IncomingMessage, { waits }: { waits: boolean }): boolean {
    const refusal = this.refusalOf(request) ?? this.#refusalOfSocket(request, waits)
    if (refusal) {
      this.#refused.set(request, refusal)
      return false
    }
    const caller = this.callerOf(request)
    const { socket } = request
    if (this.#proxies.trusts(socket.remoteAddress ?? '')) {
      this.#connectionsOf.add(caller, 1)
      socket.once('close', () => this.#connectionsOf.add(caller, -1))
    }
    if (waits) {
      let counted = false
      const count = (outside: boolean): void => {
        if (outside !== counted) this.#waiting.add(caller, outside ? 1 : -1)
        counted = outside
      }
      count(true)
      this.#waiters.set(request, count)
      socket.once('close', () => {
        count(false)
        this.#waiters.delete(request)
      })
    }
    return true
  }

  /** Sets whether a socket counts as not admitted. */
  setOutside(request: IncomingMessage, outside: boolean): void {
    this.#waiters.get(request)?.(outside)
  }

  /** Whether this caller, with this socket, has more waiting sockets than allowed. */
  isCrowded(request: IncomingMessage): boolean {
    return this.#waiting.of(this.callerOf(request)) > this.#settings.maxWaitingPerAddress
  }

  /** Counts the body of a request until it is answered. `limit`: the maximum number of bytes that are read. */
  refusalOfBody(
    request: IncomingMessage,
    response: ServerResponse,
    limit: () => number,
  ): Refusal | undefined {
    const { headers } = request
    const length = headers['content-length']
    if (length === undefined && headers['transfer-encoding'] === undefined) return undefined
    const limitBytes = limit()
    const bytes = length === undefined ? limitBytes : Number(length)
    // A body over its own limit is refused unread elsewhere.
    if (bytes <= SMALL_BODY_BYTES || bytes > limitBytes) return undefined
    const caller = this.callerOf(request)
    const { maxBodyBytes, maxBodyBytesPerAddress } = this.#settings
    const there = this.#bodyBytesOf.of(caller)
    if (there > 0 && there + bytes > maxBodyBytesPerAddress) {
      return new Refusal('RATE_LIMITED', {
        message: 'Requests from this address are too large in total; try again in a moment.',
      })
    }
    if (this.#bodyBytes > 0 && this.#bodyBytes + bytes > maxBodyBytes) {
      return new Refusal('RATE_LIMITED', {
        message: 'Requests to this server are too large in total; try again in a moment.',
      })
    }
    this.#bodyBytes += bytes
    this.#bodyBytesOf.add(caller, bytes)
    response.once('close', () => {
      this.#bodyBytes -= bytes
      this.#bodyBytesOf.add(caller, -bytes)
    })
    return undefined
  }

  /** @throws {Refusal} RATE_LIMITED */
  countKey(apiKey: string): void {
    this.#keys.takeOrThrow(apiKey, 'Too many requests with this API key; try again in a moment.')
  }

  /** @throws {Refusal} RATE_LIMITED */
  countEntryRequest(request: IncomingMessage): void {
    this.#entries.takeOrThrow(
      this.callerOf(request),
      'Too many entry requests from this address; try again in a minute.',
    )
  }

  /**
   * Counts a file for the token, for the participant that it is bound to, and for the session.
   * @throws {Refusal} RATE_LIMITED
   */
  countUpload(
    { projectId, tokenId, participantId }: Holder & { projectId: string },
    sessionId: string,
  ): void {
    const message = 'Too many files at once; try again in a moment.'
    // Two projects may use the same token id.
    this.#uploads.takeOrThrow(JSON.stringify([projectId, tokenId]), message)
    if (participantId !== undefined)
      this.#participantUploads.takeOrThrow(JSON.stringify([sessionId, participantId]), message)
    this.#sessionUploads.takeOrThrow(
      sessionId,
      'Too many files in this meeting at once; try again in a moment.',
    )
  }

  /**
   * Counts a chat message sent over REST: a token has the rate of one participant in each meeting.
   * @throws {Refusal} RATE_LIMITED
   */
  countMessage(meetingId: string, tokenId: string): void {
    this.#messages.takeOrThrow(
      JSON.stringify([meetingId, tokenId]),
      'Too many messages; try again in a moment.',
    )
  }

  /**
   * The same for values of the realtime store.
   * @throws {Refusal} RATE_LIMITED
   */
  countValue(meetingId: string, tokenId: string): void {
    this.#values.takeOrThrow(JSON.stringify([meetingId, tokenId]), 'Too many values; try again in a moment.')
  }

  /**
   * Rate-limits the answers to failed authentication per address. Valid tokens from the same address still work, so that one
   * abuser behind a NAT cannot lock out the others.
   */
  limitAuthFailures(request: IncomingMessage, refusal: Refusal): Refusal {
    const { authorization = '', cookie = '' } = request.headers
    const shown = refusal.code === 'UNAUTHORIZED' && (authorization !== '' || cookie !== '')
    if (!shown && !CREDENTIALS.has(refusal.code)) return refusal
    if (this.#counted.has(refusal)) return refusal
    this.#counted.add(refusal)
    return this.#failures.take(this.callerOf(request)) ? refusal : this.#tooManyFailures()
  }

  /**
   * Call this before checking a secret that a person may have chosen.
   * @throws {Refusal} RATE_LIMITED
   */
  assertMayGuess(request: IncomingMessage): void {
    if ((request.headers.authorization ?? '') === '') return
    if (this.#failures.isSpent(this.callerOf(request))) throw this.#tooManyFailures()
  }

  #tooManyFailures(): Refusal {
    return this.#failures.refusal('Too many wrong tokens or keys from this address; try again in a minute.')
  }

  #connected(socket: Socket): void {
    const peer = socket.remoteAddress
    if (peer === undefined) return
    const { maxConnections, maxConnectionsPerAddress } = this.#settings
    const caller = networkOf(peer)
    const counted = !this.#proxies.trusts(peer)
    this.#connections++
    if (counted) this.#connectionsOf.add(caller, 1)
    const name = nameOf(socket)
    socket.once('close', () => {
      this.#connections--
      if (counted) this.#connectionsOf.add(caller, -1)
      this.#overflowing.delete(name)
    })
    const over = Math.max(
      this.#connections - maxConnections,
      counted ? this.#connectionsOf.of(caller) - maxConnectionsPerAddress : 0,
    )
    if (over > ANSWERED_OVER_LIMIT || (counted && this.#refusals.isSpent(caller))) socket.destroy()
    else if (over > 0) this.#overflowing.add(name)
  }

  #isOverflowing(socket: Socket): boolean {
    return this.#overflowing.size > 0 && this.#overflowing.has(nameOf(socket))
  }

  #refusalOfSocket(request: IncomingMessage, waits: boolean): Refusal | undefined {
    const { maxConnectionsPerAddress, maxWaitingPerAddress } = this.#settings
    const caller = this.callerOf(request)
    const proxied = this.#proxies.trusts(request.socket.remoteAddress ?? '')
    if (proxied && this.#connectionsOf.of(caller) >= maxConnectionsPerAddress)
      return new Refusal('RATE_LIMITED', { message: TOO_MANY_CONNECTIONS })
    // The first sockets over the limit are opened, because the client reads the refusal there.
    if (waits && this.#waiting.of(caller) >= maxWaitingPerAddress + ANSWERED_OVER_LIMIT)
      return tooManyWaiting()
    return undefined
  }
}

export function tooManyWaiting(): Refusal {
  return new Refusal('RATE_LIMITED', {
    message: 'Too many connections from this address are waiting to be admitted.',
  })
}

/** Identifies a connection, before and after TLS. */
function nameOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}
