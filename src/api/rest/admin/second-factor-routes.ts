/** The second factor of operators: enrolled, confirmed, replaced, switched off, and required of all. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OperatorRecord, Store } from '../../../store/store.ts'
import type { HttpContext } from '../../context.ts'
import type { TypedApp } from '../describe.ts'
import type { Browser } from './sign-in.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  ConfirmSecondFactorBody,
  CurrentPasswordBody,
  Ended,
  NewSecondFactor,
  OperatorParams,
  RecoveryCodes,
  RequireSecondFactorBody,
  SecondFactorState,
} from '../../../protocol/rest/admin.ts'
import { describe } from '../describe.ts'
import { operatorOf } from './admin.ts'
import { noOperator } from './operators.ts'
import { newRecoveryCodes, newTotpSecret, recoveryHash, totpAddress, totpStep } from './totp.ts'

const tag = 'Signing in'
const REQUIRED = 'second-factor-required'

/** Whether every operator needs a second factor. */
const isRequired = async (store: Store): Promise<boolean> => (await store.values.get(REQUIRED)) === 'true'

/** Whether an operator may do nothing before setting up a second factor. Without a password there is none: the provider of the sign-in sees to it. */
export const mustEnrol = async (
  store: Store,
  { totpSince, password }: Pick<OperatorRecord, 'totpSince' | 'password'>,
): Promise<boolean> => totpSince === null && password !== null && isRequired(store)

/** What signing in and changing the second factor share. */
interface Steps {
  /** @throws {Refusal} RATE_LIMITED */
  attempt: (request: FastifyRequest) => void
  attemptCode: (operator: OperatorRecord) => void
  browserOf: (request: FastifyRequest) => Browser
  give: (request: FastifyRequest, reply: FastifyReply, cookie: string) => void
}

export function secondFactorRoutes(
  app: TypedApp,
  { store, brand, signIn, randomBytes, now }: HttpContext,
  { attempt, attemptCode, browserOf, give }: Steps,
): void {
  const { totp } = store.operators

  /** The operator who calls, by a sign-in. @throws {Refusal} */
  const selfOf = (request: FastifyRequest): OperatorRecord => {
    const identity = operatorOf(request)
    if (identity.by === 'sign-in') return identity.operator
    throw new Refusal('INVALID_STATE', { message: 'The admin key belongs to nobody; sign in.' })
  }
  /** @throws {Refusal} if it is not the operator's password */
  const provePassword = async (request: FastifyRequest, self: OperatorRecord, password: string) => {
    attempt(request)
    if (!(await signIn.isPassword(self, password)))
      throw new Refusal('UNAUTHORIZED_REQUEST', { message: 'The password is wrong.' })
  }
  const isOff = (): Refusal => new Refusal('INVALID_STATE', { message: 'There is no second factor.' })
  const isOn = (): Refusal =>
    new Refusal('INVALID_STATE', { message: 'There is a second factor already; switch it off first.' })

  app.get(
    '/v2/admin/second-factor',
    describe({
      summary: 'Check the own second factor',
      tag,
      beforeSecondFactor: true,
      access: 'admin',
      role: 'viewer',
      answer: SecondFactorState,
    }),
    async (request) => {
      const identity = operatorOf(request)
      const self = identity.by === 'sign-in' ? identity.operator : undefined
      return {
        on: self?.totpSince != null,
        since: self?.totpSince ?? null,
        recoveryCodesLeft: self ? await totp.recoveryCodesLeft(self.operatorId) : 0,
        required: await isRequired(store),
      }
    },
  )

  app.post(
    '/v2/admin/second-factor/begin',
    describe({
      summary: 'Get a secret for an authenticator app',
      audit: null,
      description: 'It is asked for only after it was confirmed by a code.',
      tag,
      beforeSecondFactor: true,
      access: 'admin',
      role: 'viewer',
      body: CurrentPasswordBody,
      answer: NewSecondFactor,
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request) => {
      const self = selfOf(request)
      if (self.externalId !== null)
        throw new Refusal('INVALID_STATE', {
          message: 'You sign in at the provider, which asks for its own.',
        })
      await provePassword(request, self, request.body.password)
      const secret = newTotpSecret(randomBytes)
      if (!(await totp.begin(self.operatorId, secret))) throw isOn()
      return { secret, address: totpAddress(secret, brand.name ?? 'Anteroom', self.name) }
    },
  )

  app.post(
    '/v2/admin/second-factor/confirm',
    describe({
      summary: 'Put the second factor in force by a code of the app, and get recovery codes',
      audit: { action: 'second-factor.enable', refusals: true },
      description: 'Signs out every other browser of the operator.',
      tag,
      beforeSecondFactor: true,
      access: 'admin',
      role: 'viewer',
      body: ConfirmSecondFactorBody,
      answer: RecoveryCodes,
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request, reply) => {
      const self = selfOf(request)
      if (self.totpSince !== null) throw isOn()
      attemptCode(self)
      const secret = await totp.secret(self.operatorId)
      const step =
        secret === undefined ? undefined : totpStep(secret, request.body.code.replaceAll(' ', ''), now())
      if (secret === undefined || step === undefined)
        throw new Refusal('UNAUTHORIZED_REQUEST', {
          message: 'The code is wrong; check that the clock of the phone is right.',
        })
      const recoveryCodes = newRecoveryCodes(randomBytes)
      const codeHashes = recoveryCodes.map(recoveryHash)
      if (!(await totp.confirm(self.operatorId, { secret, at: now(), step, codeHashes })))
        throw new Refusal('INVALID_STATE', {
          message: 'Another browser of yours sets up a second factor too; begin again.',
        })
      give(request, reply, await signIn.renew(self, browserOf(request)))
      return { recoveryCodes }
    },
  )

  app.post(
    '/v2/admin/second-factor/recovery-codes',
    describe({
      summary: 'Replace the recovery codes',
      audit: 'second-factor.recovery-codes',
      tag,
      access: 'admin',
      role: 'viewer',
      body: CurrentPasswordBody,
      answer: RecoveryCodes,
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request) => {
      const self = selfOf(request)
      if (self.totpSince === null) throw isOff()
      await provePassword(request, self, request.body.password)
      const recoveryCodes = newRecoveryCodes(randomBytes)
      // It may have been switched off while the password was compared.
      if (!(await totp.replaceRecoveryCodes(self.operatorId, recoveryCodes.map(recoveryHash)))) throw isOff()
      return { recoveryCodes }
    },
  )

  app.post(
    '/v2/admin/second-factor/disable',
    describe({
      summary: 'Switch the own second factor off',
      audit: { action: 'second-factor.disable', refusals: true },
      tag,
      access: 'admin',
      role: 'viewer',
      body: CurrentPasswordBody,
      answer: Ended,
      refusals: ['INVALID_STATE', 'RATE_LIMITED'],
    }),
    async (request) => {
      const self = selfOf(request)
      if (self.totpSince === null) throw isOff()
      await provePassword(request, self, request.body.password)
      return { ended: await totp.drop(self.operatorId) }
    },
  )

  app.post(
    '/v2/admin/operators/:operatorId/second-factor-reset',
    describe({
      summary: 'Switch the second factor of an operator off who has lost it',
      audit: 'second-factor.reset',
      description: 'The operator’s sign-ins end. The password still counts.',
      tag: 'Operators',
      access: 'admin',
      role: 'owner',
      params: OperatorParams,
      answer: Ended,
      refusals: ['NOT_FOUND'],
    }),
    async (request) => {
      const { operatorId } = request.params
      if (!(await store.operators.get(operatorId))) throw noOperator()
      const ended = await totp.drop(operatorId)
      if (ended) await store.signIns.dropOf(operatorId)
      return { ended }
    },
  )

  app.put(
    '/v2/admin/second-factor/required',
    describe({
      summary: 'Require a second factor of every operator, or no longer',
      audit: { action: 'second-factor.require', facts: ({ body }) => ({ required: body.required }) },
      description:
        'Whoever has none may do nothing but set one up. Those who sign in by OpenID Connect alone, and the admin key, are not asked.',
      tag: 'Operators',
      access: 'admin',
      role: 'owner',
      body: RequireSecondFactorBody,
      answer: RequireSecondFactorBody,
    }),
    async (request) => {
      const { required } = request.body
      await store.values.set(REQUIRED, String(required))
      return { required }
    },
  )
}
