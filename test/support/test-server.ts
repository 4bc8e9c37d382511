/** A whole server in this process, with free ports and its own folder; only the media server may be a fake. */
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig, type Config } from '../../src/config/read.ts'
import type { MeetingHome } from '../../src/meeting/home.ts'
import { createFakeSfu, type FakeSfu } from '../../src/media/fake/sfu.ts'
import { createLog } from '../../src/log.ts'
import type { Parts, RunningServer } from '../../src/server/contract.ts'
import { startServer } from '../../src/server/start.ts'
import type { TokenClaims } from '../../src/token/token.ts'
import { ownDatabase, type OwnDatabase } from './databases.ts'
import { WireClient, type WireOptions } from './wire-client.ts'
import { spreads, spreadWorkers } from './workers.ts'
import { promptEngines, promptJobs } from './outputs.ts'

export const API_KEY = 'test-key'
export const SECRET = 'a-secret-for-tests-only-of-enough-length'
export const ADMIN_KEY = 'an-admin-key-for-tests-only-of-enough-length'

/** Tests send requests faster than people do. Tests of limits set their own. */
const GENEROUS = {
  maxConnections: 1_000_000,
  maxConnectionsPerAddress: 1_000_000,
  maxHttpRequestsPerSecond: 1_000_000,
  maxKeyRequestsPerSecond: 1_000_000,
  maxFailedTokensPerMinute: 1_000_000,
  maxEntryRequestsPerMinute: 1_000_000,
  maxMediaOpeningsPerMinute: 1_000_000,
  maxFileUploadsPerMinute: 100_000,
  maxSessionFileUploadsPerMinute: 100_000,
  maxJobs: 1000,
}

export class TestServer {
  readonly config: Config
  readonly #folder: string
  #server!: RunningServer
  /** The media server of the running server. */
  sfu!: FakeSfu
  /** How far the server's clock is ahead of this machine's. */
  aheadMs = 0
  /** Stops that clock at this time, so that a test of rates does not depend on the machine's speed. */
  stillAt: number | undefined
  readonly #clients: WireClient[] = []
  readonly #parts: Parts
  readonly #database: OwnDatabase | undefined

  private constructor(config: Config, folder: string, parts: Parts, database: OwnDatabase | undefined) {
    this.config = config
    this.#parts = parts
    this.#folder = folder
    this.#database = database
  }

  static async start(changes: Partial<Config> = {}, parts: Parts = {}): Promise<TestServer> {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-test-'))
    const database = changes.databaseUrl === undefined ? await ownDatabase() : undefined
    const config: Config = {
      ...readConfig({
        DATA_DIR: join(folder, 'data'),
        VIDEOSDK_API_KEY: API_KEY,
        VIDEOSDK_SECRET_KEY: SECRET,
        ADMIN_KEY,
        LOG_LEVEL: 'error',
      }),
      port: 0,
      httpsPort: 0,
      ...GENEROUS,
      ...(database && { databaseUrl: database.url }),
      ...changes,
    }
    const server = new TestServer(config, folder, parts, database)
    await server.#run()
    return server
  }

  async #run(): Promise<void> {
    this.sfu = createFakeSfu(spreads ? { workers: spreadWorkers, placement: 'spread' } : {})
    this.#server = await startServer(this.config, {
      sfu: this.sfu,
      outputs: promptEngines(),
      jobs: promptJobs(),
      log: createLog(this.config.logLevel),
      now: () => (this.stillAt ?? Date.now()) + this.aheadMs,
      ...this.#parts,
    })
  }

  get url(): string {
    return this.#server.urls[0]!
  }

  get secureUrl(): string {
    return this.#server.urls[1]!
  }

  /** The meetings of the running server. */
  get meetings(): MeetingHome {
    return this.#server.meetings!
  }

  /** The information that is printed when it is ready. */
  get ready(): RunningServer['ready'] {
    return this.#server.ready
  }

  /** Stops the server and starts it again on the same data, as an operator would. */
  async restart(): Promise<void> {
    await this.#server.close()
    await this.#run()
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.#server.close()
    await this.#database?.drop()
    await rm(this.#folder, { recursive: true, force: true })
    const misfits = this.#clients.flatMap((client) => client.misfits)
    assert.deepEqual(misfits, [], 'the server sent what the schemas of the protocol do not have')
  }

  token(permissions: string[], claims: TokenClaims & { apiKey?: string; secret?: string } = {}): string {
    // Signs the claims directly: tests need tokens that `mintToken` would refuse to make.
    return signAnything(
      {
        apikey: claims.apiKey ?? API_KEY,
        permissions,
        ...(claims.roomId !== undefined && { roomId: claims.roomId }),
        ...(claims.participantId !== undefined && { participantId: claims.participantId }),
        ...(claims.roles !== undefined && { roles: claims.roles }),
        exp: Math.floor((Date.now() + this.aheadMs) / 1000) + 3600,
        ...(claims.jti !== undefined && { jti: claims.jti }),
      },
      claims.secret ?? SECRET,
    )
  }

  connect(options: Omit<WireOptions, 'url'> & { url?: string }): WireClient {
    const client = new WireClient({ url: this.url, ...options })
    this.#clients.push(client)
    return client
  }

  async rest(
    method: string,
    path: string,
    body?: unknown,
    token = this.token(['allow_join', 'allow_mod']),
  ): Promise<{ status: number; body: any }> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: token, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: await answer.json() }
  }

  /** Calls the API as the operator's script. */
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
    return this.rest(method, path, body, `Bearer ${ADMIN_KEY}`)
  }

  async createMeeting(options: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.rest('POST', '/v2/rooms', options)
    if (status !== 200) throw new Error(`no meeting was made: ${JSON.stringify(body)}`)
    return body.roomId
  }

  /** Resolves when the session of this meeting ends. */
  sessionEnded(meetingId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#server.meetings!.events.on(
        'sessionEnded',
        (session) => session.meetingId === meetingId && resolve(),
      )
    })
  }
}

export function signAnything(claims: Record<string, unknown>, secret = SECRET): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iat: now, exp: now + 3600, jti: randomUUID(), ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
