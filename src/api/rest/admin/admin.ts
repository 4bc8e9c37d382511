/** Who runs this server: shows the admin key, or signed in to the dashboard (docs/decisions/0013). */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'
import type { Gate } from '../../limits/gate.ts'
import type { SignIn } from './sign-in.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { bearerOf, isSameText } from '../../http/credentials.ts'
import { isFromForeignPage, isFromOwnPage, type OwnAddress } from '../../http/same-origin.ts'

/** How somebody showed that it runs the server. */
export type AdminIdentity = { by: 'key' } | { by: 'sign-in'; cookie: string }

export interface Admin {
  /** @throws {Refusal} UNAUTHORIZED for whoever does not; UNAUTHORIZED_REQUEST for a page of another address */
  authorise(request: FastifyRequest): Promise<AdminIdentity>
}

export interface AdminOptions {
  /** The admin key. */
  key: string
  signIn: SignIn
  settings: OwnAddress
  gate: Pick<Gate, 'assertMayGuess' | 'limitAuthFailures'>
}

/** Set by pages that send no JSON; a form of another page can set no header. */
const PAGE_HEADER = 'x-requested-with'
const COOKIE = 'anteroom_sign_in'
/** Of HTTPS: a browser takes it from nobody else and never sends it in the clear. */
const SECURE_COOKIE = `__Host-${COOKIE}`
const READING = new Set(['GET', 'HEAD'])

export function createAdmin({ key, signIn, settings, gate }: AdminOptions): Admin {
  const identify = async (request: FastifyRequest): Promise<AdminIdentity> => {
    const header = request.headers.authorization
    if (header !== undefined && header !== '') {
      if (!isSameText(bearerOf(request) ?? '', key))
        throw new Refusal('UNAUTHORIZED', { message: 'The admin key is wrong.', reason: 'admin-key' })
      return { by: 'key' }
    }
    const cookie = cookieOf(request)
    if (cookie === undefined || !(await signIn.check(cookie))) {
      throw new Refusal('UNAUTHORIZED', {
        message: 'Sign in to the dashboard, or send the admin key.',
        reason: cookie === undefined ? 'no-admin' : 'signed-out',
      })
    }
    assertOwnPage(request, settings)
    return { by: 'sign-in', cookie }
  }

  return {
    // Counted here, so that no caller can swallow a failure before it is.
    authorise: async (request) => {
      gate.assertMayGuess(request.raw)
      try {
        return await identify(request)
      } catch (error) {
        throw error instanceof Refusal ? gate.limitAuthFailures(request.raw, error) : error
      }
    },
  }
}

/**
 * A browser sends the cookie whoever made it ask, so what changes something must come from a page of ours, and in a way that
 * a form or a picture of another page cannot.
 */
function assertOwnPage(request: FastifyRequest, settings: OwnAddress): void {
  const reading = READING.has(request.method)
  if (reading ? isFromForeignPage(request, settings) : !isFromOwnPage(request, settings)) {
    throw new Refusal('UNAUTHORIZED_REQUEST', {
      message: 'Only pages of this server may send this request.',
      reason: 'foreign-page',
    })
  }
  if (reading || request.headers[PAGE_HEADER] !== undefined) return
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', {
      message: `The body must be JSON, or the header ${PAGE_HEADER} must be set.`,
    })
  }
}

function cookieOf(request: FastifyRequest): string | undefined {
  const cookies = parseCookie(request.headers.cookie ?? '')
  return cookies[SECURE_COOKIE] ?? cookies[COOKIE]
}

/** The header that gives a browser this cookie; with `seconds` 0, takes it back. */
export function setCookie(
  request: FastifyRequest,
  { publicUrl }: Pick<OwnAddress, 'publicUrl'>,
  cookie: string,
  seconds: number,
): string {
  const secure = (publicUrl ?? `${request.protocol}:`).startsWith('https:')
  return stringifySetCookie({
    name: secure ? SECURE_COOKIE : COOKIE,
    value: cookie,
    maxAge: seconds,
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure,
  })
}
