/** Shapes of token endpoints, for callers with an API key (contract, rest-and-tokens §2, §3.1). */
import { Type, type Static } from 'typebox'
import { ParticipantId, RoomId } from '../rest.ts'

export const Permission = Type.Union([
  Type.Literal('allow_join'),
  Type.Literal('allow_mod'),
  Type.Literal('ask_join'),
])

/** In the query, or in the body of the GET, as some published samples send it. If both are given, they must be equal. */
export const TokenQuery = Type.Object({
  roomId: Type.Optional(RoomId),
  participantId: Type.Optional(ParticipantId),
  peerId: Type.Optional(Type.String({ description: 'The same as `participantId`.' })),
  permissions: Type.Optional(
    Type.String({
      description:
        'A comma-separated list of `allow_join`, `allow_mod` and `ask_join`. Default: `allow_join`.',
      examples: ['allow_join,allow_mod'],
    }),
  ),
  expiresIn: Type.Optional(
    Type.String({
      description: 'Seconds, or a text such as `15m`, `24h`, `7d`; at most 30 days. Default: 24 hours.',
      examples: ['15m'],
    }),
  ),
})

export const PrebuiltTokenBody = Type.Object({
  apiKey: Type.String({ minLength: 1, maxLength: 256 }),
  permissions: Type.Optional(Type.Array(Permission, { minItems: 1, maxItems: 3 })),
})
export type PrebuiltTokenBody = Static<typeof PrebuiltTokenBody>

export const TokenAnswer = Type.Object({ token: Type.String({ description: 'A signed access token.' }) })
export type TokenAnswer = Static<typeof TokenAnswer>
