/**
 * The REST API of a server, typed, for backends: `anteroom/server`.
 *
 *     const anteroom = new ServerClient({ url: 'https://meet.example', apiKey, secret })
 *     const { roomId } = await anteroom.rooms.create({ customRoomId: 'team-weekly' })
 *     const token = anteroom.tokens.participant({ roomId, permissions: ['ask_join'] })
 */
import { setTimeout as wait } from 'node:timers/promises'
import { createMinter, type Minter, type TokenClaims } from '../token/token.ts'
import { createCaller, type Call, type CallOptions, type ClientParts, type Method } from './call.ts'
import { Invites, Live, Rooms, Sessions, Tokens, Webhooks } from './groups.ts'

export {
  ServerClientError,
  type CallOptions,
  type ClientParts,
  type Method,
  type PageOf,
  type ServerClientErrorCode,
} from './call.ts'
export type * from './groups.ts'
export { signatureHeader, verifyWebhook, WebhookError } from './webhook.ts'
export type { WebhookBody } from '../protocol/webhooks.ts'
export type { TokenClaims } from '../token/token.ts'

export interface ServerClientOptions {
  /** Where the server is, e.g. `https://meet.example`; a `/v2` at its end does no harm. */
  url: string
  apiKey: string
  /** Of the key; stays in this process, and signs tokens here. */
  secret: string
  /** How long one try of a call may take. Default 30 000. */
  timeoutMs?: number
  /** How often a call is tried again: on 429 always, on 5xx or a broken connection where that does no harm. Default 2. */
  maxRetries?: number
}

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_RETRIES = 2
/** What the client shows the server for itself, and how long before its end it takes another. */
const MANAGEMENT_SECONDS = 3600
const RENEW_BEFORE_MS = 60_000

export class ServerClient {
  /** Tokens for those who join, and for this API. */
  readonly tokens: Tokens
  /** Meetings: the durable places. */
  readonly rooms: Rooms
  /** What happened in them: sessions, those who were there, how media flowed. */
  readonly sessions: Sessions
  /** What goes on now: who is in, who waits, and what may be done about it. */
  readonly live: Live
  /** Links that let people in. */
  readonly invites: Invites
  /** What your backend is told, and was not yet. */
  readonly webhooks: Webhooks
  readonly #call: Call

  /** @throws {TypeError} an address that is none, or an empty key or secret */
  constructor(
    {
      url,
      apiKey,
      secret,
      timeoutMs = DEFAULT_TIMEOUT_MS,
      maxRetries = DEFAULT_RETRIES,
    }: ServerClientOptions,
    parts: Partial<ClientParts> = {},
  ) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new TypeError('url must be the address of a server, with http or https')
    const { now = Date.now, random = Math.random } = parts
    const minter = createMinter({ apiKey, secret, now })
    const management = renewed(minter, now)
    this.#call = createCaller({
      baseUrl: url.replace(/\/+$/, '').replace(/\/v2$/, ''),
      timeoutMs,
      maxRetries,
      token: management,
      random,
      wait: parts.wait ?? ((ms) => wait(ms)),
    })
    this.tokens = new Tokens(this.#call, minter, management)
    this.rooms = new Rooms(this.#call)
    this.sessions = new Sessions(this.#call)
    this.live = new Live(this.#call)
    this.invites = new Invites(this.#call)
    this.webhooks = new Webhooks(this.#call)
  }

  /** Any other call, e.g. `request('GET', '/v2/rooms', { query: { page: 2 } })`. @throws {ServerClientError} */
  request<Answer = unknown>(method: Method, path: string, options?: CallOptions): Promise<Answer> {
    return this.#call<Answer>(method, path, options)
  }
}

const managementClaims: TokenClaims = {
  permissions: ['allow_join', 'allow_mod'],
  roles: ['crawler'],
  version: 2,
  expiresInSeconds: MANAGEMENT_SECONDS,
}

/** The same token until a minute before its end. */
function renewed(minter: Minter, now: () => number): () => string {
  let token = ''
  let renewAt = -Infinity
  return () => {
    const at = now()
    if (at >= renewAt) {
      token = minter.mint(managementClaims)
      renewAt = at + MANAGEMENT_SECONDS * 1000 - RENEW_BEFORE_MS
    }
    return token
  }
}
