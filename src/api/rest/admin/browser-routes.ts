/** The browsers that are signed in to the dashboard. */
import type { Routes } from '../../context.ts'
import { mayAct } from '../../../project/roles.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { Ended, SignInList, SignInParams, SignInsQuery } from '../../../protocol/rest/admin.ts'
import { describe } from '../describe.ts'
import { operatorOf, type AdminIdentity } from './admin.ts'
import { operatorIdOf } from './operators.ts'
import { signInIdOf } from './sign-in.ts'

const tag = 'Signing in'

export const browserRoutes: Routes = (app, { store, now }) => {
  /** The sign-ins that the caller may see and end: its own, or those of all. */
  const signInsFor = async (by: AdminIdentity, of: 'self' | 'all') => {
    if (of === 'all' && !mayAct(by.role, 'owner'))
      throw new Refusal('UNAUTHORIZED_REQUEST', { message: 'Only an owner sees the sign-ins of others.' })
    const own = operatorIdOf(by)
    if (of === 'self' && own === null) return []
    const signIns = await store.signIns.list(of === 'self' ? own! : undefined)
    return signIns.filter(({ expiresAt, operatorId }) => expiresAt > now() && operatorId !== null)
  }

  app.get(
    '/v2/admin/sign-ins',
    describe({
      summary: 'List the browsers that are signed in, newest first',
      tag,
      access: 'admin',
      role: 'viewer',
      query: SignInsQuery,
      answer: SignInList,
    }),
    async (request) => {
      const by = operatorOf(request)
      const signIns = await signInsFor(by, request.query.of)
      const names = new Map((await store.operators.list()).map(({ operatorId, name }) => [operatorId, name]))
      return {
        data: signIns.map((signIn) => {
          const { operatorId, address, browser, createdAt, lastSeenAt, expiresAt } = signIn
          const signInId = signInIdOf(signIn)
          return {
            signInId,
            operatorId: operatorId!,
            name: names.get(operatorId!) ?? '',
            address,
            browser,
            createdAt,
            lastSeenAt,
            expiresAt,
            current: by.by === 'sign-in' && by.signInId === signInId,
          }
        }),
      }
    },
  )

  app.post(
    '/v2/admin/sign-ins/:signInId/end',
    describe({
      summary: 'Sign a browser out',
      audit: 'sign-in.end',
      description: 'Of others than the caller, only an owner may.',
      tag,
      access: 'admin',
      role: 'viewer',
      params: SignInParams,
      answer: Ended,
      refusals: ['NOT_FOUND'],
    }),
    async (request) => {
      const by = operatorOf(request)
      const signIns = await signInsFor(by, mayAct(by.role, 'owner') ? 'all' : 'self')
      const wanted = signIns.find((signIn) => signInIdOf(signIn) === request.params.signInId)
      if (!wanted) throw new Refusal('NOT_FOUND', { message: 'There is no such sign-in.' })
      await store.signIns.drop(wanted.tokenHash)
      return { ended: true }
    },
  )
}
