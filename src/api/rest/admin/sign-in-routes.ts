/** Signing in to the dashboard, its password, signing out. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { PasswordBody, SignInAnswer, SignInBody, SignInState } from '../../../protocol/rest/admin.ts'
import { Attempts } from '../../limits/attempts.ts'
import { describe } from '../describe.ts'
import { isFromForeignPage } from '../../http/same-origin.ts'
import { setCookie } from './admin.ts'
import { SIGN_IN_SECONDS } from './sign-in.ts'

/** Per address: ten at once, then one every ten seconds. In total: what one core can do besides its work. */
const PER_ADDRESS = { perSecond: 0.1, burst: 10 }
const OVERALL = { perSecond: 2, burst: 30 }

const tag = 'Signing in'

export const signInRoutes: Routes = (app, context) => {
  const { settings, signIn, admin, owner, gate, now } = context
  const attempts = new Attempts({ each: PER_ADDRESS, overall: OVERALL, now })

  const attempt = (request: FastifyRequest): void => {
    attempts.takeOrThrow(gate.callerOf(request.raw), 'Too many tries to sign in; try again in a minute.')
  }
  const give = (request: FastifyRequest, reply: FastifyReply, cookie: string): void => {
    void reply.header('set-cookie', setCookie(request, settings, cookie, SIGN_IN_SECONDS))
  }

  app.post(
    '/v2/admin/sign-in',
    describe({
      summary: 'Sign in with the password or with the code of a sign-in link',
      description: 'Sets a cookie that is valid for 30 days, for pages of this server only.',
      tag,
      access: 'open',
      body: SignInBody,
      answer: SignInAnswer,
      refusals: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'RATE_LIMITED'],
    }),
    async (request, reply) => {
      const { password, code } = request.body
      if ((password === undefined) === (code === undefined))
        throw new Refusal('INVALID_REQUEST', { message: 'Send either a password or a code.' })
      if (isFromForeignPage(request, settings)) throw new Refusal('UNAUTHORIZED_REQUEST')
      attempt(request)
      const cookie = code === undefined ? await signIn.withPassword(password!) : await signIn.withCode(code)
      if (cookie === undefined) {
        throw new Refusal('UNAUTHORIZED', {
          message:
            code === undefined
              ? 'The password is wrong.'
              : 'This link does not work any more; start the server again, or run "anteroom admin reset", for another.',
        })
      }
      give(request, reply, cookie)
      return { signedIn: true, passwordSet: await signIn.passwordSet() }
    },
  )

  app.get(
    '/v2/admin/sign-in',
    describe({
      summary: 'Check whether the caller is signed in, and whether a password is set',
      tag,
      access: 'open',
      answer: SignInState,
    }),
    async (request) => ({
      signedIn: await admin.authorise(request).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Refusal && error.code !== 'RATE_LIMITED') return false
          throw error
        },
      ),
      passwordSet: await signIn.passwordSet(),
      atThisMachine: owner.isHere(request, 'own'),
    }),
  )

  app.post(
    '/v2/admin/password',
    describe({
      summary: 'Set the password, and sign out everybody else',
      description:
        'If a password is set, `current` must be that password, unless the call has the admin key.',
      tag,
      access: 'admin',
      body: PasswordBody,
      answer: SignInAnswer,
      refusals: ['RATE_LIMITED'],
    }),
    async (request, reply) => {
      const { password, current } = request.body
      const identity = await admin.authorise(request)
      if (identity.by === 'sign-in' && (await signIn.passwordSet())) {
        attempt(request)
        if (!(await signIn.isPassword(current ?? '')))
          throw new Refusal('UNAUTHORIZED_REQUEST', { message: 'The current password is wrong.' })
      }
      const cookie = await signIn.setPassword(password)
      if (identity.by === 'sign-in') give(request, reply, cookie)
      else await signIn.drop(cookie)
      return { signedIn: identity.by === 'sign-in', passwordSet: true }
    },
  )

  app.post(
    '/v2/admin/sign-out',
    describe({
      summary: 'Sign out',
      tag,
      access: 'admin',
      answer: SignInAnswer,
    }),
    async (request, reply) => {
      const identity = await admin.authorise(request)
      if (identity.by === 'sign-in') await signIn.drop(identity.cookie)
      void reply.header('set-cookie', setCookie(request, settings, '', 0))
      return { signedIn: false, passwordSet: await signIn.passwordSet() }
    },
  )
}
