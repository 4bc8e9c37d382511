/** Who may sign in: operators, and the links that invite them. */
import type { OperatorInvite, OperatorRecord, SignInRecord } from '../../../store/store.ts'
import type { Routes } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  ChangeOperatorBody,
  Ended,
  InviteOperatorBody,
  NewOperatorInvite,
  Operator,
  OperatorInviteList,
  OperatorInviteParams,
  OperatorList,
  OperatorParams,
  PasswordLinkBody,
  type OperatorInvite as ShownInvite,
} from '../../../protocol/rest/admin.ts'
import { baseUrlOf } from '../../http/base-url.ts'
import { fieldsOf } from '../audit.ts'
import { describe } from '../describe.ts'
import { digest } from './digest.ts'
import { operatorOf } from './admin.ts'
import { changeOperator, deleteOperator, nameTaken, noOperator, operatorIdOf } from './operators.ts'
import { newInviteCode, newOperatorId } from './sign-in.ts'

/** Operators and open links together: a server has few, and each list is shown whole. */
const MAX_OPERATORS = 500

const tag = 'Operators'

export const operatorRoutes: Routes = (app, context) => {
  const { store, settings, randomBytes, now } = context

  const addInvite = async (
    invite: Pick<OperatorInvite, 'operatorId' | 'name' | 'role' | 'invitedBy'>,
    seconds: number,
    base: string,
  ) => {
    const code = newInviteCode(randomBytes)
    const at = now()
    const kept: OperatorInvite = {
      ...invite,
      codeHash: digest(code),
      inviteId: newOperatorId(randomBytes),
      createdAt: at,
      expiresAt: at + seconds * 1000,
    }
    await store.operators.dropInvites(at)
    await store.operators.addInvite(kept)
    return { ...shownInvite(kept), link: `${base}/dashboard#invite=${code}` }
  }

  app.get(
    '/v2/admin/operators',
    describe({ summary: 'List the operators', tag, access: 'admin', role: 'owner', answer: OperatorList }),
    async () => {
      const [operators, signIns] = [await store.operators.list(), await store.signIns.list()]
      return { data: operators.map((operator) => shown(operator, signIns)) }
    },
  )
  app.patch(
    '/v2/admin/operators/:operatorId',
    describe({
      summary: 'Change an operator’s name or role',
      audit: { action: 'operator.change', facts: ({ body }, { role }) => ({ fields: fieldsOf(body), role }) },
      description:
        'A lower role ends the tokens, the invites and the links that the operator made, and removes who is in a meeting with such a token.',
      tag,
      access: 'admin',
      role: 'owner',
      params: OperatorParams,
      body: ChangeOperatorBody,
      answer: Operator,
      refusals: ['NOT_FOUND', 'INVALID_STATE'],
    }),
    async (request) => {
      const { name, role } = request.body
      const changed = await changeOperator(
        context,
        request.params.operatorId,
        { ...(name !== undefined && { name: name.trim() }), ...(role !== undefined && { role }) },
        newOperatorId(randomBytes),
      )
      return shown(changed, await store.signIns.list(changed.operatorId))
    },
  )
  app.delete(
    '/v2/admin/operators/:operatorId',
    describe({
      summary: 'Delete an operator, with sign-ins, tokens and invites',
      audit: 'operator.delete',
      tag,
      access: 'admin',
      role: 'owner',
      params: OperatorParams,
      answer: Ended,
      refusals: ['NOT_FOUND', 'INVALID_STATE'],
    }),
    async (request) => {
      await deleteOperator(context, request.params.operatorId)
      return { ended: true }
    },
  )
  app.post(
    '/v2/admin/operators/:operatorId/password-link',
    describe({
      summary: 'Make a link by which an operator chooses a new password',
      audit: { action: 'operator.password-link', facts: (_, { inviteId }) => ({ inviteId }) },
      description: 'The operator’s sign-ins end when the link is used.',
      tag,
      access: 'admin',
      role: 'owner',
      params: OperatorParams,
      body: PasswordLinkBody,
      answer: NewOperatorInvite,
      refusals: ['NOT_FOUND', 'INVALID_STATE'],
    }),
    async (request) => {
      const operator = await store.operators.get(request.params.operatorId)
      if (!operator) throw noOperator()
      if (operator.externalId !== null)
        throw new Refusal('INVALID_STATE', { message: 'This operator signs in at the provider.' })
      const { operatorId, name, role } = operator
      const invitedBy = operatorIdOf(operatorOf(request))
      return addInvite(
        { operatorId, name, role, invitedBy },
        request.body.expiresInSeconds,
        baseUrlOf(request, settings),
      )
    },
  )

  app.get(
    '/v2/admin/operator-invites',
    describe({
      summary: 'List the links that still work, newest first',
      tag,
      access: 'admin',
      role: 'owner',
      answer: OperatorInviteList,
    }),
    async () => ({
      data: (await store.operators.invites()).filter(({ expiresAt }) => expiresAt > now()).map(shownInvite),
    }),
  )
  app.post(
    '/v2/admin/operator-invites',
    describe({
      summary: 'Invite an operator by a link',
      audit: {
        action: 'operator.invite',
        subject: (_, { inviteId }) => inviteId,
        facts: ({ body }) => ({ role: body.role }),
      },
      description: 'Whoever opens the link chooses a password, once.',
      tag,
      access: 'admin',
      role: 'owner',
      body: InviteOperatorBody,
      answer: NewOperatorInvite,
      refusals: ['INVALID_STATE'],
    }),
    async (request) => {
      const { role, expiresInSeconds } = request.body
      const name = request.body.name.trim()
      const [operators, invites] = [await store.operators.list(), await store.operators.invites()]
      if (operators.length + invites.length >= MAX_OPERATORS)
        throw new Refusal('INVALID_STATE', { message: `A server has at most ${MAX_OPERATORS} operators.` })
      if (await store.operators.named(name)) throw nameTaken()
      const invitedBy = operatorIdOf(operatorOf(request))
      return addInvite(
        { operatorId: null, name, role, invitedBy },
        expiresInSeconds,
        baseUrlOf(request, settings),
      )
    },
  )
  app.post(
    '/v2/admin/operator-invites/:inviteId/revoke',
    describe({
      summary: 'Revoke a link',
      audit: 'operator.invite-revoke',
      tag,
      access: 'admin',
      role: 'owner',
      params: OperatorInviteParams,
      answer: Ended,
      refusals: ['NOT_FOUND'],
    }),
    async (request) => {
      if (!(await store.operators.dropInvite(request.params.inviteId)))
        throw new Refusal('NOT_FOUND', { message: 'There is no such link.' })
      return { ended: true }
    },
  )
}

function shown(
  { operatorId, name, role, totpSince, externalId, createdAt }: OperatorRecord,
  signIns: readonly SignInRecord[],
): Operator {
  const seen = signIns
    .filter((signIn) => signIn.operatorId === operatorId)
    .map(({ lastSeenAt }) => lastSeenAt)
  return {
    operatorId,
    name,
    role,
    secondFactor: totpSince !== null,
    external: externalId !== null,
    createdAt,
    lastSeenAt: seen.length > 0 ? Math.max(...seen) : null,
  }
}

function shownInvite({
  inviteId,
  operatorId,
  name,
  role,
  createdAt,
  expiresAt,
}: OperatorInvite): ShownInvite {
  return { inviteId, operatorId, name, role, createdAt, expiresAt }
}
