/** Tokens taken back before they expire. */
import { Type } from 'typebox'
import type { RevokedToken } from '../store/store.ts'
import type { Routes } from './context.ts'
import { Refusal } from '../protocol/errors.ts'
import { pageFields, pageInfoOf, pageOf } from '../protocol/rest.ts'
import { RevokedTokenAnswer, RevokeTokenBody } from '../protocol/rest/keys.ts'
import { describe } from './describe.ts'
import { grantFor } from './own.ts'

const tag = 'Tokens'
const JTI = 'jti:'

export const revokedTokenRoutes: Routes = (app, context) => {
  const { revokedTokens, live } = context

  app.post(
    '/v2/tokens/revoke',
    describe({
      summary: 'Take a token back by its jti; whoever came with it is put out',
      tag,
      access: 'token',
      wholeProject: true,
      body: RevokeTokenBody,
      answer: RevokedTokenAnswer,
      refusals: ['INVALID_STATE', 'INVALID_PERMISSIONS'],
    }),
    async (request) => {
      const { projectId } = grantFor(request, context, 'manage')
      const revoked = await revokedTokens.add(projectId, `${JTI}${request.body.jti}`)
      await live.putOut(revoked, new Refusal('INVALID_TOKEN', { reason: 'revoked' }))
      return shown(revoked)
    },
  )

  app.get(
    '/v2/tokens/revoked',
    describe({
      summary: 'The tokens that were taken back, newest first',
      tag,
      access: 'token',
      wholeProject: true,
      query: Type.Object(pageFields),
      answer: pageOf(RevokedTokenAnswer),
      refusals: ['INVALID_PERMISSIONS'],
    }),
    (request) => {
      const { page, perPage } = request.query
      const all = revokedTokens
        .list(grantFor(request, context, 'manage').projectId)
        .filter(({ tokenId }) => tokenId.startsWith(JTI))
      return {
        pageInfo: pageInfoOf(page, perPage, all.length),
        data: all.slice((page - 1) * perPage, page * perPage).map(shown),
      }
    },
  )
}

function shown({ tokenId, revokedAt }: RevokedToken) {
  return { jti: tokenId.slice(JTI.length), revokedAt }
}
