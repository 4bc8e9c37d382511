/** Revokes tokens before they expire. */
import { Type } from 'typebox'
import type { RevokedToken } from '../../store/store.ts'
import type { Routes } from '../context.ts'
import { Refusal } from '../../protocol/errors.ts'
import { pageFields, pageInfoOf, pageOf } from '../../protocol/rest.ts'
import { RevokedTokenAnswer, RevokeTokenBody } from '../../protocol/rest/keys.ts'
import { grantFor } from './authorise.ts'
import { describe } from './describe.ts'

const tag = 'Tokens'
const JTI = 'jti:'

export const revokedTokenRoutes: Routes = (app, context) => {
  const { revokedTokens, meetings } = context

  app.post(
    '/v2/tokens/revoke',
    describe({
      summary: 'Revoke a token by its jti; its holders are removed',
      audit: { action: 'token.revoke', subject: ({ body }) => body.jti, tokens: true },
      tag,
      access: 'token',
      action: 'manage',
      about: 'project',
      body: RevokeTokenBody,
      answer: RevokedTokenAnswer,
      refusals: ['INVALID_STATE'],
    }),
    async (request) => {
      const { projectId } = grantFor(request)
      const revoked = await revokedTokens.add(projectId, `${JTI}${request.body.jti}`)
      await meetings.evictByCredential(revoked, new Refusal('INVALID_TOKEN', { reason: 'revoked' }))
      return shown(revoked)
    },
  )

  app.get(
    '/v2/tokens/revoked',
    describe({
      summary: 'List revoked tokens, newest first',
      tag,
      access: 'token',
      action: 'manage',
      about: 'project',
      query: Type.Object(pageFields),
      answer: pageOf(RevokedTokenAnswer),
    }),
    (request) => {
      const { page, perPage } = request.query
      const all = revokedTokens
        .list(grantFor(request).projectId)
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
