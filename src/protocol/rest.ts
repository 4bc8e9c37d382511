/** Shapes of the REST API: requests with their limits, and what is answered (contract, rest-and-tokens §2 and §3). */
import { Type, type Static } from 'typebox'

const CustomId = Type.String({ minLength: 1, maxLength: 128, pattern: '^\\S(.*\\S)?$' })
const Words = Type.String({ minLength: 1, maxLength: 256 })

export const CreateMeetingBody = Type.Object({
  customRoomId: Type.Optional(CustomId),
  userMeetingId: Type.Optional(CustomId),
  webhook: Type.Optional(
    Type.Object({
      endPoint: Type.String({ maxLength: 512, pattern: '^https?://' }),
      events: Type.Array(Words, { maxItems: 64 }),
    }),
  ),
  autoCloseConfig: Type.Optional(
    Type.Object({
      type: Type.Optional(
        Type.Union([Type.Literal('session-ends'), Type.Literal('session-end-and-deactivate')]),
      ),
      duration: Type.Optional(Type.Integer({ minimum: 1, maximum: 525_600 })),
    }),
  ),
  autoStartConfig: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 32 }),
  ),
  multiComposition: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 32 }),
  ),
  geoFence: Type.Optional(Words),
  allowedParticipantIds: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128, pattern: '^\\S+$' }), { maxItems: 1000 }),
  ),
})
export type CreateMeetingBody = Static<typeof CreateMeetingBody>

export const PageQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  perPage: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  query: Type.Optional(Words),
})
export type PageQuery = Static<typeof PageQuery>

export const RoomIdBody = Type.Object({ roomId: Words })
export type RoomIdBody = Static<typeof RoomIdBody>

export const CreateInviteBody = Type.Object({
  roomId: Words,
  entry: Type.Union([Type.Literal('direct'), Type.Literal('ask')]),
  expiresInSeconds: Type.Integer({ minimum: 60, maximum: 2_592_000, default: 604_800 }),
  maxUses: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
})
export type CreateInviteBody = Static<typeof CreateInviteBody>

export const CodeBody = Type.Object({
  code: Type.String({ minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
})
export type CodeBody = Static<typeof CodeBody>

export const FileBody = Type.Object({
  fileName: Type.String({ minLength: 1, maxLength: 256 }),
  base64Data: Type.String({ minLength: 1 }),
})
export type FileBody = Static<typeof FileBody>

export const PrebuiltTokenBody = Type.Object({
  apiKey: Type.String({ minLength: 1, maxLength: 256 }),
  permissions: Type.Optional(
    Type.Array(
      Type.Union([Type.Literal('allow_join'), Type.Literal('allow_mod'), Type.Literal('ask_join')]),
      {
        minItems: 1,
        maxItems: 3,
      },
    ),
  ),
})
export type PrebuiltTokenBody = Static<typeof PrebuiltTokenBody>
