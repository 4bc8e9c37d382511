/** The services that the routes use; `server/` provides them. */
import type { FilesPlace } from '../output/files/files.ts'
import type { HlsEngine, Picture, Thumbnail } from '../output/output.ts'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Sfu } from '../media/sfu.ts'
import type { Catalogue } from '../project/catalogue.ts'
import type { Invites } from '../project/invites.ts'
import type { ApiKeys } from '../project/api-keys.ts'
import type { KeyRing, RingKey } from '../project/key-ring.ts'
import type { RevokedTokens } from '../project/revoked-tokens.ts'
import type { Moderation } from '../meeting/roster/permissions.ts'
import type { Door } from '../meeting/door/door.ts'
import type { Jobs } from '../meeting/jobs/jobs.ts'
import type { MeetingHome } from '../meeting/home.ts'
import type { KeptFiles } from '../meeting/outputs/kept-files.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { DrainedNode } from '../protocol/rest/nodes.ts'
import type { NodeStatus, ServerState } from '../protocol/rest/watching.ts'
import type { OutputRecord, Store } from '../store/store.ts'
import type { Grant, Verifier } from '../token/token.ts'
import type { Streams } from './media/session.ts'
import type { CertificateStatus } from '../protocol/rest/watching.ts'
import type { Brand } from './rest/brand/brand.ts'
import type { TypedApp } from './rest/describe.ts'
import { refusalOfOrigin } from '../project/origins.ts'
import { isFromOwnPage } from './http/same-origin.ts'
import type { Gate } from './limits/gate.ts'
import type { Owner } from './http/owner.ts'
import type { Admin } from './rest/admin/admin.ts'
import type { Oidc } from './rest/admin/oidc.ts'
import type { SignIn } from './rest/admin/sign-in.ts'

export interface HttpSettings {
  host: string
  publicUrl: string | undefined
  trustedProxies: readonly string[]
  openGetToken: boolean
  allowTokensWithoutExpiry: boolean
  turnUrls: readonly string[]
  turnSecret: string | undefined
  lobbyTimeoutSeconds: number
  metricsToken: string | undefined
  pageFolder: string
  /** Origins that may frame the page; `*` for all. */
  embedOrigins: readonly string[]
  maxFileBytes: number
  headersTimeoutSeconds: number
  requestTimeoutSeconds: number
  moderation: Moderation
  webhookAllowPrivate: boolean
  mediaWorkers: number
  mediaPlacement: 'auto' | 'spread'
  /** Undefined: files of outputs stay in the data folder. */
  filesUrl: FilesPlace | undefined
}

export interface HttpContext {
  settings: HttpSettings
  brand: Brand
  store: Store
  verifier: Verifier
  keys: KeyRing
  apiKeys: ApiKeys
  revokedTokens: RevokedTokens
  catalogue: Catalogue
  invites: Invites
  meetings: MeetingHome
  /** Holds a folder for each output. */
  outputsFolder: string
  /** Files of outputs that have ended. */
  keptFiles: KeptFiles
  /** What is made of outputs after they ended. */
  jobs: Pick<Jobs, 'start' | 'cancel'>
  /** A small file that a caller names. @throws {Error} with the end of a sentence that says why not */
  download: (address: string) => Promise<Buffer>
  hls: Pick<HlsEngine, 'unavailable'>
  /**
   * Takes a picture of an HLS output, where its files are. Undefined: nothing was streamed by then.
   * @throws {FileStoreError}
   * @throws {Refusal} HOME_UNREACHABLE if the node with the files cannot be reached
   */
  captureHls: (output: OutputRecord, picture: Picture) => Promise<Thumbnail | undefined>
  door: Door
  streams: Streams
  mediaStatus: () => Sfu['status']
  /** The certificate of the HTTPS listener. */
  certificate: () => CertificateStatus
  /** Undefined for a server alone. */
  nodes: () => NodeStatus[] | undefined
  metrics: Metrics
  /** This process. */
  server: { version: string; startedAt: number; state: () => ServerState }
  /** Has a node drained, or its drain cancelled; absent if this server is alone. @throws {Refusal} */
  orderDrain?: (
    nodeId: string,
    order: { withinMs?: number | undefined; cancel?: boolean },
  ) => Promise<Omit<DrainedNode, 'nodeId'>>
  signIn: SignIn
  /** Absent if signing in by OpenID Connect is not set up. */
  oidc?: Oidc | undefined
  gate: Gate
  owner: Owner
  admin: Admin
  /** The public key of webhook signatures, PKCS#1 PEM. */
  webhookKey: () => Promise<string>
  /** Call this when a project was changed, so that its webhook applies from the next event on. */
  projectsChanged: () => Promise<void>
  /** The settings for display. */
  shownSettings: () => {
    variable: string
    value: string | null
    source: 'environment' | 'default'
    help: string
  }[]
  /** Makes a new id. */
  newId: () => string
  randomBytes: (size: number) => Buffer
  now: () => number
  log: Logger
}

/** Registers some routes. */
export type Routes = (app: TypedApp, context: HttpContext) => void

/** The token of a request: `Authorization`, raw or after `Bearer`; otherwise the body's field `token`. */
export function tokenOf(request: FastifyRequest): string {
  const header = request.headers.authorization
  if (header !== undefined && header !== '') return header.replace(/^\s*bearer\s+/i, '').trim()
  const body = request.body as { token?: unknown } | undefined
  return typeof body?.token === 'string' ? body.token : ''
}

/** The verified grant of a request. @throws {Refusal} */
export function grantOf(
  request: FastifyRequest,
  { verifier, keys, settings }: Pick<HttpContext, 'verifier' | 'keys' | 'settings'>,
): Grant {
  const grant = verifier.verify(tokenOf(request))
  assertOrigin(request, keys.find(grant.apiKey), settings)
  return grant
}

/** @throws {Refusal} UNAUTHORIZED_REQUEST if the requesting page may not use this key */
export function assertOrigin(
  request: FastifyRequest,
  key: Pick<RingKey, 'origins'> | undefined,
  settings: Pick<HttpSettings, 'host' | 'publicUrl'>,
): void {
  const { origin } = request.headers
  const origins = key?.origins ?? null
  if (origin === undefined || origins === null) return
  const own = isFromOwnPage(request, settings) ? origin : ''
  const refusal = refusalOfOrigin(origins, origin, own)
  if (refusal) throw refusal
}
