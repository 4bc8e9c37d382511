/** Signing in by OpenID Connect: to the provider, and back. */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { HttpContext } from '../../context.ts'
import type { TypedApp } from '../describe.ts'
import type { Browser, NewSignIn } from './sign-in.ts'
import { isLess } from '../../../project/roles.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { describe } from '../describe.ts'
import { OidcError, OidcNoRole, type Oidc, type OidcAttempt, type OidcProblem } from './oidc.ts'
import { changeOperator } from './operators.ts'
import { newOperatorId } from './sign-in.ts'

const tag = 'Signing in'
const START = '/v2/admin/oidc/start'
const CALLBACK = '/v2/admin/oidc/callback'
const COOKIE = 'anteroom_oidc'
const ATTEMPT_SECONDS = 600

/** What signing in by a password shares with this. */
interface Steps {
  /** @throws {Refusal} RATE_LIMITED */
  attempt: (request: FastifyRequest) => void
  browserOf: (request: FastifyRequest) => Browser
  enter: (request: FastifyRequest, reply: FastifyReply, entered: NewSignIn) => Promise<unknown>
}

export function oidcRoutes(app: TypedApp, context: HttpContext, { attempt, browserOf, enter }: Steps): void {
  const { settings, signIn, store, log, randomBytes } = context

  const provider = (): Oidc => {
    if (!context.oidc)
      throw new Refusal('INVALID_STATE', { message: 'Signing in by OpenID Connect is not set up.' })
    return context.oidc
  }
  const redirectUri = (request: FastifyRequest): string => `${baseUrlOf(request, settings)}${CALLBACK}`
  const keep = (request: FastifyRequest, reply: FastifyReply, value: string, seconds: number): void => {
    void reply.header(
      'set-cookie',
      stringifySetCookie({
        name: COOKIE,
        value,
        maxAge: seconds,
        path: '/v2/admin/oidc',
        httpOnly: true,
        // The provider sends the browser here, from its own site.
        sameSite: 'lax',
        secure: baseUrlOf(request, settings).startsWith('https:'),
      }),
    )
  }
  const back = (request: FastifyRequest, reply: FastifyReply, problem?: OidcProblem): FastifyReply =>
    reply.redirect(
      `${baseUrlOf(request, settings)}/dashboard${problem === undefined ? '' : `#sign-in-problem=${problem}`}`,
      303,
    )
  const fail = (request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply => {
    if (!(error instanceof OidcError)) throw error
    const { problem, cause } = error
    request.refusedFor = `OIDC_${problem.toUpperCase()}`
    // The reason is the operator's to know; no token or code is in it.
    log.warn(
      { problem, reason: (cause as Error | undefined)?.message },
      'failed to sign in by OpenID Connect',
    )
    return back(request, reply, problem)
  }

  app.get(
    START,
    describe({
      summary: 'Go to the provider to sign in by OpenID Connect',
      tag,
      access: 'open',
      answerStatus: 303,
      answer: Type.String(),
      answerType: 'text/plain',
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request, reply) => {
      const oidc = provider()
      attempt(request)
      try {
        const { address, attempt: begun } = await oidc.begin(redirectUri(request))
        keep(request, reply, Buffer.from(JSON.stringify(begun)).toString('base64url'), ATTEMPT_SECONDS)
        return await reply.header('cache-control', 'no-store').redirect(address, 303)
      } catch (error) {
        return fail(request, reply, error)
      }
    },
  )

  app.get(
    CALLBACK,
    describe({
      summary: 'Come back from the provider',
      description:
        'Signs in whom the provider names and to whom its claim gives a role, and leads to the dashboard; otherwise with the reason.',
      audit: { action: 'sign-in.enter', facts: () => ({ by: 'OpenID Connect' }), refusals: true },
      tag,
      access: 'open',
      answerStatus: 303,
      answer: Type.String(),
      answerType: 'text/plain',
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request, reply) => {
      const oidc = provider()
      attempt(request)
      const begun = attemptIn(request)
      void reply.header('cache-control', 'no-store')
      keep(request, reply, '', 0)
      try {
        if (!begun) throw new OidcError('state')
        const query = request.raw.url!.split('?')[1] ?? ''
        const person = await oidc.finish(redirectUri(request), query, begun)
        const known = await store.operators.external(person.externalId)
        if (known && known.role !== person.role)
          await changeOperator(context, known.operatorId, { role: person.role }, newOperatorId(randomBytes))
        await enter(request, reply, await signIn.withProvider(person, browserOf(request)))
        return await back(request, reply)
      } catch (error) {
        // Whom the provider gives no role any more loses what they had.
        if (error instanceof OidcNoRole) await takeAway(error.externalId)
        return fail(request, reply, error)
      }
    },
  )

  const takeAway = async (externalId: string): Promise<void> => {
    const known = await store.operators.external(externalId)
    if (!known) return
    if (isLess('viewer', known.role))
      await changeOperator(context, known.operatorId, { role: 'viewer' }, newOperatorId(randomBytes))
    await store.signIns.dropOf(known.operatorId)
  }
}

/** What this browser kept when it left for the provider. */
function attemptIn(request: FastifyRequest): OidcAttempt | undefined {
  const kept = parseCookie(request.headers.cookie ?? '')[COOKIE]
  if (!kept) return undefined
  try {
    const { state, nonce, verifier } = JSON.parse(
      Buffer.from(kept, 'base64url').toString(),
    ) as Partial<OidcAttempt>
    return state && nonce && verifier ? { state, nonce, verifier } : undefined
  } catch {
    return undefined
  }
}
