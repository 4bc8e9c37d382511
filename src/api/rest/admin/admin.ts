/** Authenticates operators: by the admin key, or by a sign-in to the dashboard (docs/decisions/0013). */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'
import type { Gate } from '../../limits/gate.ts'
import type { SignIn } from './sign-in.ts'
import type { OperatorRecord, OperatorRole } from '../../../store/store.ts'
import { mayAct } from '../../../project/roles.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { bearerOf, isSameText } from '../../http/credentials.ts'
import { isFromForeignPage, isFromOwnPage, type OwnAddress } from '../../http/same-origin.ts'

/** Who an operator is, and how that was proved. The admin key is the machine's own and has the role `owner`. */
export type AdminIdentity =
  | { by: 'key'; role: 'owner' }
  | { by: 'sign-in'; role: OperatorRole; operator: OperatorRecord; signInId: string; cookie: string }

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a route for operators, or of a call inside a project by one: who calls. */
    operator: AdminIdentity | null
  }
}

export interface Admin {
  /**
   * @throws {Refusal} UNAUTHORIZED without valid credentials; UNAUTHORIZED_REQUEST for a foreign page, or for a lower role than `needed`
   */
  authorise(request: FastifyRequest, needed: OperatorRole): Promise<AdminIdentity>
}

export interface AdminOptions {
  /** The admin key. */
  key: string
  signIn: SignIn
  settings: OwnAddress
  /** Whether an operator has to set up a second factor before anything else. */
  mustEnrol: (operator: OperatorRecord) => Promise<boolean>
  gate: Pick<Gate, 'assertMayGuess' | 'limitAuthFailures'>
}

/** Set by pages that do not send JSON; a form of a foreign page cannot set a header. */
const PAGE_HEADER = 'x-requested-with'
const COOKIE = 'anteroom_sign_in'
/** The cookie over HTTPS: with this prefix, a browser accepts it only over HTTPS and never sends it unencrypted. */
const SECURE_COOKIE = `__Host-${COOKIE}`
const READING = new Set(['GET', 'HEAD'])

export function createAdmin({ key, signIn, settings, mustEnrol, gate }: AdminOptions): Admin {
  const identify = async (request: FastifyRequest): Promise<AdminIdentity> => {
    const header = request.headers.authorization
    if (header !== undefined && header !== '') {
      if (!isSameText(bearerOf(request) ?? '', key))
        throw new Refusal('UNAUTHORIZED', { message: 'The admin key is wrong.', reason: 'admin-key' })
      return { by: 'key', role: 'owner' }
    }
    const cookie = cookieOf(request)
    const current = cookie === undefined ? undefined : await signIn.check(cookie)
    if (cookie === undefined || current === undefined) {
      throw new Refusal('UNAUTHORIZED', {
        message: 'Sign in to the dashboard, or send the admin key.',
        reason: cookie === undefined ? 'no-admin' : 'signed-out',
      })
    }
    assertOwnPage(request, settings)
    return { by: 'sign-in', role: current.operator.role, ...current, cookie }
  }

  return {
    // Counted here, so that no caller can swallow a failure uncounted.
    authorise: async (request, needed) => {
      gate.assertMayGuess(request.raw)
      try {
        const identity = await identify(request)
        if (!mayAct(identity.role, needed))
          throw new Refusal('UNAUTHORIZED_REQUEST', {
            message: `This needs the role ${needed}; yours is ${identity.role}.`,
            reason: 'role',
          })
        const { access, beforeSecondFactor } = request.routeOptions.config
        const isFree = access === 'open' || beforeSecondFactor === true
        if (!isFree && identity.by === 'sign-in' && (await mustEnrol(identity.operator)))
          throw new Refusal('UNAUTHORIZED_REQUEST', {
            message: 'Set up a second factor first: every operator of this server needs one.',
            reason: 'second-factor',
          })
        return identity
      } catch (error) {
        throw error instanceof Refusal ? gate.limitAuthFailures(request.raw, error) : error
      }
    },
  }
}

/**
 * A browser sends the cookie whichever page causes the request, so a request that changes something must come from our own page, in a way that
 * a form or an image of a foreign page cannot imitate.
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

/** Who calls a route for operators. */
export function operatorOf({ operator }: FastifyRequest): AdminIdentity {
  if (!operator) throw new TypeError('this route is not for operators')
  return operator
}

function cookieOf(request: FastifyRequest): string | undefined {
  const cookies = parseCookie(request.headers.cookie ?? '')
  return cookies[SECURE_COOKIE] ?? cookies[COOKIE]
}

/** The header that sets this cookie; `seconds` 0 deletes it. */
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
