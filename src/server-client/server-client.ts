/**
 * A typed client of the REST API for backends: `anteroom/server`.
 *
 *     const anteroom = new ServerClient({ url: 'https://meet.example', apiKey, secret })
 *     const { roomId } = await anteroom.rooms.create({ customRoomId: 'team-weekly' })
 *     const token = anteroom.tokens.participant({ roomId, permissions: ['ask_join'] })
 */
import { setTimeout as wait } from 'node:timers/promises'
import { createMinter, type Minter, type TokenClaims } from '../token/token.ts'
import { createCaller, type Call, type CallOptions, type ClientParts, type Method } from './call.ts'
import { Invites, Live, Rooms, Sessions, Tokens, Webhooks } from './groups.ts'
import {
  CompositeRecordings,
  HlsOutputs,
  Livestreams,
  ParticipantRecordings,
  Recordings,
  TrackRecordings,
  Transcriptions,
} from './outputs.ts'

export {
  ServerClientError,
  type CallOptions,
  type ClientParts,
  type Method,
  type ServerClientErrorCode,
} from './call.ts'
export type { PageOf } from '../protocol/rest.ts'
export type * from './groups.ts'
export type * from './outputs.ts'
export { signatureHeader, verifyWebhook, WebhookError } from './webhook.ts'
export type { WebhookBody } from '../protocol/webhooks.ts'
export type { TokenClaims } from '../token/token.ts'

export interface ServerClientOptions {
  /** The server's URL, e.g. `https://meet.example`; a `/v2` at the end is allowed. */
  url: string
  apiKey: string
  /** The key's secret; it stays in this process and signs tokens. */
  secret: string
  /** Timeout of one attempt of a call. Default 30 000. */
  timeoutMs?: number
  /** Retries of a call: always on 429; on 5xx or a broken connection if the call is idempotent. Default 2. */
  maxRetries?: number
}

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_RETRIES = 2
/** The client's own token, and how long before its expiry it is replaced. */
const MANAGEMENT_SECONDS = 3600
const RENEW_BEFORE_MS = 60_000

export class ServerClient {
  /** Tokens for participants and for this API. */
  readonly tokens: Tokens
  /** Meetings. */
  readonly rooms: Rooms
  /** Sessions of meetings, their participants, and the quality of media. */
  readonly sessions: Sessions
  /** Live meetings: participants, waiting people, and moderation. */
  readonly live: Live
  /** Invite links. */
  readonly invites: Invites
  /** Recordings of whole meetings. */
  readonly recordings: Recordings
  /** Recordings of one participant. */
  readonly participantRecordings: ParticipantRecordings
  /** Recordings of one stream of a participant. */
  readonly trackRecordings: TrackRecordings
  /** Recordings of several participants in one picture. */
  readonly compositeRecordings: CompositeRecordings
  readonly hls: HlsOutputs
  readonly livestreams: Livestreams
  /** Transcriptions of meetings while they go on. */
  readonly transcriptions: Transcriptions
  /** Webhook deliveries. */
  readonly webhooks: Webhooks
  readonly #call: Call

  /** @throws {TypeError} for an invalid URL, or an empty key or secret */
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
      retries: { max: maxRetries, random, wait: parts.wait ?? ((ms) => wait(ms)) },
      token: management,
    })
    this.tokens = new Tokens(this.#call, minter, management)
    this.rooms = new Rooms(this.#call)
    this.sessions = new Sessions(this.#call)
    this.live = new Live(this.#call)
    this.invites = new Invites(this.#call)
    this.recordings = new Recordings(this.#call)
    this.participantRecordings = new ParticipantRecordings(this.#call)
    this.trackRecordings = new TrackRecordings(this.#call)
    this.compositeRecordings = new CompositeRecordings(this.#call)
    this.hls = new HlsOutputs(this.#call)
    this.livestreams = new Livestreams(this.#call)
    this.transcriptions = new Transcriptions(this.#call)
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

/** Returns the same token until a minute before it expires. */
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
