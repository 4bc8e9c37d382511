/** Mints and explains tokens for the operator, and shows the settings. */
import type { Routes } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  GenerateTokenBody,
  InspectedToken,
  InspectTokenBody,
  ProjectParams,
  SettingList,
} from '../../../protocol/rest/keys.ts'
import { TokenAnswer } from '../../../protocol/rest/tokens.ts'
import { explainToken, mintToken } from '../../../token/token.ts'
import { fieldsOf } from '../audit.ts'
import { describe } from '../describe.ts'
import { operatorOf } from './admin.ts'
import { jtiFor } from './operators.ts'

const tag = 'Tokens'

export const adminTokenRoutes: Routes = (app, context) => {
  const { keys, revokedTokens, settings, now } = context

  app.post(
    '/v2/admin/projects/:projectId/token',
    describe({
      summary: 'Mint a token of a project',
      audit: { action: 'token.mint', facts: ({ body }) => ({ fields: fieldsOf(body) }) },
      description: 'It ends when the operator who minted it is deleted or gets a lower role.',
      tag,
      access: 'admin',
      role: 'operator',
      params: ProjectParams,
      body: GenerateTokenBody,
      answer: TokenAnswer,
      refusals: ['NOT_FOUND', 'APIKEY_DEACTIVATED'],
    }),
    (request) => {
      const { projectId } = request.params
      const { apiKey, ...claims } = request.body
      const key = apiKey === undefined ? keys.defaultKey(projectId) : keys.find(apiKey)
      if (key?.projectId !== projectId)
        throw new Refusal('NOT_FOUND', { message: 'The project has no active API key with this id.' })
      if (key.revoked) throw new Refusal('APIKEY_DEACTIVATED')
      try {
        const jti = jtiFor(operatorOf(request), context.newId())
        return { token: mintToken({ ...claims, apiKey: key.apiKey, secret: key.secret, now: now(), jti }) }
      } catch (error) {
        if (error instanceof TypeError)
          throw new Refusal('INVALID_REQUEST', { message: `${error.message}.`, cause: error })
        throw error
      }
    },
  )

  app.post(
    '/v2/admin/token/inspect',
    describe({
      summary: 'Explain a token claim by claim, and whether it would be admitted',
      audit: null,
      tag,
      access: 'admin',
      role: 'viewer',
      body: InspectTokenBody,
      answer: InspectedToken,
    }),
    (request) => {
      const { joinRefusal, restRefusal, claims, signature, problem } = explainToken(request.body.token, {
        findKey: keys.find,
        isRevoked: (grant) => revokedTokens.has(grant),
        now: now(),
        allowWithoutExpiry: settings.allowTokensWithoutExpiry,
      })
      return {
        claims,
        signature,
        join: joinRefusal
          ? {
              allowed: false,
              code: joinRefusal.number,
              name: joinRefusal.code,
              problem: problem ?? joinRefusal.message,
            }
          : { allowed: true },
        rest: restRefusal
          ? { allowed: false, code: restRefusal.number, name: restRefusal.code, problem: restRefusal.message }
          : { allowed: true },
      }
    },
  )

  app.get(
    '/v2/admin/settings',
    describe({
      summary: 'List the settings, and where each value comes from',
      tag: 'Administration',
      access: 'admin',
      role: 'viewer',
      answer: SettingList,
    }),
    () => ({ data: context.shownSettings() }),
  )
}
