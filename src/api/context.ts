/** What the routes work with; given by `server.ts`. */
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Sfu } from '../media/sfu.ts'
import type { Catalogue } from '../meeting/catalogue.ts'
import type { Invites } from '../meeting/invites.ts'
import type { KeyRing } from '../meeting/key-ring.ts'
import type { Moderation } from '../meeting/permissions.ts'
import type { MeetingHome } from '../meeting/live-meetings.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Store } from '../store/store.ts'
import type { Grant, Verifier } from '../token/token.ts'
import type { TypedApp } from './describe.ts'
import type { Admin } from './admin/admin.ts'
import type { SignIn } from './admin/sign-in.ts'

export interface HttpSettings {
  host: string
  publicUrl: string | undefined
  openGetToken: boolean
  turnUrls: readonly string[]
  turnSecret: string | undefined
  metricsToken: string | undefined
  pageFolder: string
  maxFileBytes: number
  maxSessionFileBytes: number
  moderation: Moderation
  webhookAllowPrivate: boolean
}

export interface HttpContext {
  settings: HttpSettings
  store: Store
  verifier: Verifier
  keys: KeyRing
  catalogue: Catalogue
  invites: Invites
  live: MeetingHome
  mediaStatus: () => Sfu['status']
  metrics: Metrics
  /** This process. */
  server: { version: string; startedAt: number; isStopping: () => boolean }
  signIn: SignIn
  admin: Admin
  /** What verifies the signatures of webhooks, in PKCS#1 PEM. */
  webhookKey: () => Promise<string>
  now: () => number
  log: Logger
}

/** Registers some routes. */
export type Routes = (app: TypedApp, context: HttpContext) => void

/** The token of a request: `Authorization`, raw or after `Bearer`; else the body's field `token`. */
export function tokenOf(request: FastifyRequest): string {
  const header = request.headers.authorization
  if (header !== undefined && header !== '') return header.replace(/^\s*bearer\s+/i, '').trim()
  const body = request.body as { token?: unknown } | undefined
  return typeof body?.token === 'string' ? body.token : ''
}

/** The verified grant of a request. @throws {Refusal} */
export function grantOf(request: FastifyRequest, { verifier }: HttpContext): Grant {
  return verifier.verify(tokenOf(request))
}
