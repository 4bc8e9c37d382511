/** Signing in to the dashboard, the password, the browsers that are signed in, signing out. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OperatorRecord, OperatorRole } from '../../../store/store.ts'
import type { Routes } from '../../context.ts'
import type { NewSignIn } from './sign-in.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  AcceptInviteBody,
  LookAtInviteBody,
  PasswordBody,
  SeenInvite,
  SignInAnswer,
  SignInBody,
  SignInState,
  type Self,
  type SignInBody as GivenToSignIn,
} from '../../../protocol/rest/admin.ts'
import { StoreConflict } from '../../../store/problem.ts'
import { Attempts } from '../../limits/attempts.ts'
import { describe } from '../describe.ts'
import { digest } from './digest.ts'
import { mustEnrol, secondFactorRoutes } from './second-factor-routes.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { isFromForeignPage } from '../../http/same-origin.ts'
import { operatorOf, setCookie } from './admin.ts'
import { oidcRoutes } from './oidc-routes.ts'
import { nameTaken } from './operators.ts'
import { SIGN_IN_SECONDS, signInIdOf, type Browser } from './sign-in.ts'

/** Per address: ten at once, then one every ten seconds. In total: what one core can do besides its work. */
const PER_ADDRESS = { perSecond: 0.1, burst: 10 }
/** Of a million codes, three are right at a time. */
const PER_OPERATOR = { perSecond: 1 / 30, burst: 5 }
const OVERALL = { perSecond: 2, burst: 30 }
/** Longer descriptions of browsers are cut. */
const MAX_BROWSER_LENGTH = 256
const LINK_IS_OVER = 'This link does not work any more; ask whoever sent it for another.'

const tag = 'Signing in'

export const signInRoutes: Routes = (app, context) => {
  const { settings, store, signIn, admin, owner, gate, now } = context
  const attempts = new Attempts({ each: PER_ADDRESS, overall: OVERALL, now })

  const attempt = (request: FastifyRequest): void => {
    attempts.takeOrThrow(gate.callerOf(request.raw), 'Too many tries to sign in; try again in a minute.')
    request.isTry = true
  }
  /** What every try to sign in must pass, before anything is compared. */
  const begin = (request: FastifyRequest): Browser => {
    if (isFromForeignPage(request, settings)) throw new Refusal('UNAUTHORIZED_REQUEST')
    attempt(request)
    return browserOf(request)
  }
  const browserOf = (request: FastifyRequest): Browser => ({
    address: gate.callerOf(request.raw),
    browser: (request.headers['user-agent'] ?? '').slice(0, MAX_BROWSER_LENGTH),
  })
  const give = (request: FastifyRequest, reply: FastifyReply, cookie: string): void => {
    void reply.header('set-cookie', setCookie(request, settings, cookie, SIGN_IN_SECONDS))
  }
  const enter = async (request: FastifyRequest, reply: FastifyReply, { cookie, operator }: NewSignIn) => {
    give(request, reply, cookie)
    request.operator = { by: 'sign-in', role: operator.role, operator, ...signInOf(cookie) }
    const needs = (await mustEnrol(store, operator)) ? ('enrolment' as const) : null
    return { signedIn: true, passwordSet: hasWayIn(operator), self: selfOf(operator, app.refusedTo), needs }
  }
  const localOperators = async () =>
    (await store.operators.list()).filter(({ externalId }) => externalId === null)
  /** Codes are tried for one operator, from wherever. */
  const codeAttempts = new Attempts({ each: PER_OPERATOR, now })
  const attemptCode = ({ operatorId }: OperatorRecord): void => {
    codeAttempts.takeOrThrow(operatorId, 'Too many codes were tried; try again in half a minute.')
  }

  app.post(
    '/v2/admin/sign-in',
    describe({
      summary: 'Sign in with a name and a password, or with the code of the first sign-in link',
      audit: {
        action: 'sign-in.enter',
        subject: (_, { self }) => self?.operatorId,
        facts: ({ body }) => ({ by: wayIn(body) }),
        refusals: true,
      },
      description:
        'Sets a cookie that is valid for 30 days, for pages of this server only. While there is one operator, the name may be left out. An operator with a second factor sends `secondFactor` too.',
      tag,
      access: 'open',
      body: SignInBody,
      answer: SignInAnswer,
      refusals: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'RATE_LIMITED'],
    }),
    async (request, reply) => {
      const { name, password, secondFactor, code } = request.body
      if ((password === undefined) === (code === undefined))
        throw new Refusal('INVALID_REQUEST', { message: 'Send either a password or a code.' })
      if (code === undefined && name === undefined && (await localOperators()).length > 1)
        throw new Refusal('INVALID_REQUEST', { message: 'Send your name too: there are several operators.' })
      const from = begin(request)
      let entered =
        code === undefined
          ? await signIn.withPassword({ ...(name !== undefined && { name }), password: password! }, from)
          : await signIn.withCode(code, from)
      if (entered && 'asks' in entered) {
        const { asks } = entered
        if (secondFactor === undefined) return asksForCode
        request.triedAs = asks
        attemptCode(asks)
        entered = await signIn.withSecondFactor(asks, secondFactor, from)
        if (!entered)
          throw new Refusal('UNAUTHORIZED', {
            message: 'This code is wrong, or was used already; wait for the next one.',
          })
      }
      if (entered === undefined) {
        if (code === undefined) request.triedAs = (await signIn.named(name)) ?? null
        throw new Refusal('UNAUTHORIZED', {
          message:
            code === undefined
              ? `The ${name === undefined ? '' : 'name or the '}password is wrong.`
              : 'This link does not work any more; start the server again, or run "anteroom admin reset", for another.',
        })
      }
      return enter(request, reply, entered)
    },
  )

  app.get(
    '/v2/admin/sign-in',
    describe({
      summary: 'Check who is signed in, and whether a password is set',
      tag,
      access: 'open',
      answer: SignInState,
    }),
    async (request) => {
      const identity = await admin.authorise(request, 'viewer').catch((error: unknown) => {
        if (error instanceof Refusal && error.code !== 'RATE_LIMITED') return undefined
        throw error
      })
      const self = identity?.by === 'sign-in' ? identity.operator : undefined
      const all = await store.operators.list()
      return {
        signedIn: identity !== undefined,
        needs: self && (await mustEnrol(store, self)) ? ('enrolment' as const) : null,
        passwordSet: self ? hasWayIn(self) : all.some(({ password }) => password !== null),
        self: self ? selfOf(self, app.refusedTo) : null,
        asksName: all.filter(({ externalId }) => externalId === null).length > 1,
        provider: context.oidc?.name ?? null,
        atThisMachine: owner.isHere(request, 'own'),
      }
    },
  )

  app.post(
    '/v2/admin/operator-invites/look',
    describe({
      summary: 'Look at an operator’s link before it is used',
      audit: null,
      tag: 'Operators',
      access: 'open',
      body: LookAtInviteBody,
      answer: SeenInvite,
      refusals: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'RATE_LIMITED'],
    }),
    async (request) => {
      begin(request)
      const invite = await store.operators.invite(digest(request.body.code))
      if (!invite || invite.expiresAt <= now()) throw new Refusal('UNAUTHORIZED', { message: LINK_IS_OVER })
      const { name, role, expiresAt } = invite
      return { name, role, expiresAt }
    },
  )

  app.post(
    '/v2/admin/operator-invites/accept',
    describe({
      summary: 'Choose the password by an operator’s link, and sign in',
      audit: { action: 'operator.accept', subject: (_, { self }) => self?.operatorId, refusals: true },
      tag: 'Operators',
      access: 'open',
      body: AcceptInviteBody,
      answer: SignInAnswer,
      refusals: ['UNAUTHORIZED', 'UNAUTHORIZED_REQUEST', 'RATE_LIMITED', 'INVALID_STATE'],
    }),
    async (request, reply) => {
      const from = begin(request)
      const { code, password } = request.body
      const entered = await signIn.withInvite(code, password, from).catch((error: unknown) => {
        throw error instanceof StoreConflict ? nameTaken(error) : error
      })
      if (!entered) throw new Refusal('UNAUTHORIZED', { message: LINK_IS_OVER })
      if ('asks' in entered) {
        request.triedAs = entered.asks
        return asksForCode
      }
      return enter(request, reply, entered)
    },
  )

  app.post(
    '/v2/admin/password',
    describe({
      summary: 'Set the own password, and sign out every other browser of the operator',
      audit: { action: 'sign-in.password', refusals: true },
      description:
        'If a password is set, `current` must be that password. With the admin key, it is the password of the first owner, and needs no `current`.',
      tag,
      beforeSecondFactor: true,
      access: 'admin',
      role: 'viewer',
      body: PasswordBody,
      answer: SignInAnswer,
      refusals: ['RATE_LIMITED', 'INVALID_STATE'],
    }),
    async (request, reply) => {
      const { password, current } = request.body
      const identity = operatorOf(request)
      const self = identity.by === 'sign-in' ? identity.operator : await signIn.firstOwner()
      if (self.externalId !== null)
        throw new Refusal('INVALID_STATE', {
          message: 'You sign in at the provider, and have no password here.',
        })
      if (identity.by === 'sign-in' && self.password !== null) {
        attempt(request)
        if (!(await signIn.isPassword(self, current ?? '')))
          throw new Refusal('UNAUTHORIZED_REQUEST', { message: 'The current password is wrong.' })
      }
      const cookie = await signIn.setPassword(self, password, browserOf(request))
      if (identity.by === 'sign-in') give(request, reply, cookie)
      else await signIn.drop(cookie)
      const signedIn = identity.by === 'sign-in'
      const needs = signedIn && (await mustEnrol(store, self)) ? ('enrolment' as const) : null
      return { signedIn, passwordSet: true, self: signedIn ? selfOf(self, app.refusedTo) : null, needs }
    },
  )

  app.post(
    '/v2/admin/sign-out',
    describe({
      summary: 'Sign out',
      audit: 'sign-in.leave',
      tag,
      beforeSecondFactor: true,
      access: 'admin',
      role: 'viewer',
      answer: SignInAnswer,
    }),
    async (request, reply) => {
      const identity = operatorOf(request)
      if (identity.by === 'sign-in') await signIn.drop(identity.cookie)
      void reply.header('set-cookie', setCookie(request, settings, '', 0))
      const isExternal = identity.by === 'sign-in' && identity.operator.externalId !== null
      const leaveAt = isExternal
        ? await context.oidc?.leaveAt(`${baseUrlOf(request, settings)}/dashboard`)
        : undefined
      const all = await store.operators.list()
      return {
        signedIn: false,
        passwordSet: all.some(({ password }) => password !== null),
        self: null,
        needs: null,
        ...(leaveAt !== undefined && { leaveAt }),
      }
    },
  )

  secondFactorRoutes(app, context, { attempt, attemptCode, browserOf, give })
  oidcRoutes(app, context, { attempt, browserOf, enter })
}

/** The password is right; the browser is not signed in. */
const asksForCode = { signedIn: false, passwordSet: true, self: null, needs: 'second-factor' as const }

const wayIn = ({ code, secondFactor }: GivenToSignIn): string =>
  code !== undefined ? 'first link' : secondFactor === undefined ? 'password' : 'password and code'

const signInOf = (cookie: string) => ({ cookie, signInId: signInIdOf({ tokenHash: digest(cookie) }) })

/** Whether the operator can sign in again. */
const hasWayIn = ({ password, externalId }: OperatorRecord): boolean =>
  password !== null || externalId !== null

const selfOf = (
  { operatorId, name, role, totpSince, externalId }: OperatorRecord,
  refusedTo: (role: OperatorRole) => string[],
): Self => ({
  operatorId,
  name,
  role,
  secondFactor: totpSince !== null,
  external: externalId !== null,
  mayNot: refusedTo(role),
})
