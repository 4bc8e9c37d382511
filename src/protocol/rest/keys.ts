/** Shapes of projects, API keys, tokens and settings, for the operator. */
import { Type, type Static } from 'typebox'
import { AtMs, Label, ParticipantId, RoomId, Words } from '../rest.ts'
import { Webhook } from './rooms.ts'
import { Permission } from './tokens.ts'

const ApiKey = Type.String({ minLength: 1, maxLength: 256 })
const Origins = Type.Union(
  [Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { minItems: 1, maxItems: 100 }), Type.Null()],
  {
    description: 'Web origins whose pages may use the key, also `https://*.example.org`; null for any.',
    examples: [['https://app.example.org']],
  },
)

export const ProjectParams = Type.Object({ projectId: Words })
export const KeyParams = Type.Object({ apiKey: ApiKey })
export const KeysQuery = Type.Object({ projectId: Type.Optional(Words) })

export const Project = Type.Object({
  projectId: Type.String(),
  name: Type.String(),
  webhook: Type.Union([Webhook, Type.Null()], {
    description: 'Used by meetings without a webhook of their own.',
  }),
  createdAt: AtMs,
})
export type Project = Static<typeof Project>
export const ProjectList = Type.Object({ data: Type.Array(Project) })
export type ProjectList = Static<typeof ProjectList>
export const CreateProjectBody = Type.Object({ name: Label })
export const ChangeProjectBody = Type.Object({
  name: Type.Optional(Label),
  webhook: Type.Optional(Type.Union([Webhook, Type.Null()])),
})

const shownKey = {
  apiKey: Type.String(),
  projectId: Type.String(),
  name: Type.String(),
  createdAt: AtMs,
  lastUsedAt: Type.Union([AtMs, Type.Null()]),
  revokedAt: Type.Union([AtMs, Type.Null()], {
    description: 'When it is revoked; in the future while its successor takes over.',
  }),
  origins: Origins,
}
export const ShownKey = Type.Object(shownKey)
export type ShownKey = Static<typeof ShownKey>
export const KeyList = Type.Object({ data: Type.Array(ShownKey) })
export type KeyList = Static<typeof KeyList>
export const NewKey = Type.Object({ ...shownKey, secret: Type.String({ description: 'Shown only once.' }) })
export type NewKey = Static<typeof NewKey>
export const CreateKeyBody = Type.Object({
  projectId: Words,
  name: Type.Optional(Label),
  origins: Type.Optional(Origins),
})
export const ChangeKeyBody = Type.Object({ name: Type.Optional(Label), origins: Type.Optional(Origins) })
export const RotateKeyBody = Type.Object({
  overlapSeconds: Type.Integer({
    minimum: 0,
    maximum: 31_536_000,
    description: 'How long both keys are in force.',
  }),
})
export const RevokeKeyBody = Type.Object({
  connections: Type.Union([Type.Literal('keep'), Type.Literal('end')], {
    description: 'Whether participants with tokens of this key stay or are removed.',
  }),
})
export const RevokedKey = Type.Object({
  ...shownKey,
  ended: Type.Integer({ description: 'Participants and entry requests that were removed.' }),
})

export const GenerateTokenBody = Type.Object({
  permissions: Type.Optional(Type.Array(Permission, { minItems: 1, maxItems: 3 })),
  roomId: Type.Optional(RoomId),
  participantId: Type.Optional(ParticipantId),
  roles: Type.Optional(
    Type.Array(Type.Union([Type.Literal('crawler'), Type.Literal('rtc')]), { minItems: 1, maxItems: 2 }),
  ),
  expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_592_000 })),
  apiKey: Type.Optional(ApiKey),
})
export const InspectTokenBody = Type.Object({ token: Type.String({ minLength: 1, maxLength: 16_384 }) })
const Judgement = Type.Object({
  allowed: Type.Boolean(),
  code: Type.Optional(Type.Integer()),
  name: Type.Optional(Type.String()),
  problem: Type.Optional(Type.String()),
})
export const InspectedToken = Type.Object({
  claims: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.Optional(Type.Unknown()),
      meaning: Type.String(),
      problem: Type.Optional(Type.String()),
    }),
  ),
  signature: Type.Union([Type.Literal('good'), Type.Literal('bad'), Type.Literal('unchecked')]),
  join: Judgement,
  rest: Judgement,
})
export type InspectedToken = Static<typeof InspectedToken>

export const RevokeTokenBody = Type.Object({ jti: Type.String({ minLength: 1, maxLength: 256 }) })
export const RevokedTokenAnswer = Type.Object({ jti: Type.String(), revokedAt: AtMs })

const Setting = Type.Object({
  variable: Type.String(),
  value: Type.Union([Type.String(), Type.Null()], {
    description: 'Null for secrets and for settings without a value.',
  }),
  source: Type.Union([Type.Literal('environment'), Type.Literal('default')]),
  help: Type.String(),
})
export type Setting = Static<typeof Setting>
export const SettingList = Type.Object({ data: Type.Array(Setting) })
export type SettingList = Static<typeof SettingList>
