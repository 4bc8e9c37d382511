/** Shapes of invites and of the page's requests (docs/decisions/0013). */
import { Type, type Static } from 'typebox'
import { AtMs, pageFields, pageOf, RoomId } from '../rest.ts'

const Entry = Type.Union([Type.Literal('direct'), Type.Literal('ask')], {
  description: 'How its holder enters: `direct` joins, `ask` waits in the lobby.',
})

export const CreateInviteBody = Type.Object(
  {
    roomId: RoomId,
    entry: Entry,
    expiresInSeconds: Type.Integer({ minimum: 60, maximum: 2_592_000, default: 604_800 }),
    maxUses: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Default: no limit.' }),
    ),
  },
  { examples: [{ roomId: '87i6-bvw8-dtn1', entry: 'ask', maxUses: 10 }] },
)
export type CreateInviteBody = Static<typeof CreateInviteBody>

export const StartBody = Type.Object({
  encryption: Type.Optional(
    Type.Union([Type.Literal('required'), Type.Literal('optional')], {
      default: 'optional',
      description: 'Whether all media of the meeting must be end-to-end encrypted.',
    }),
  ),
})

export const CodeBody = Type.Object({
  code: Type.String({ minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
})
export type CodeBody = Static<typeof CodeBody>

const inviteFields = {
  inviteId: Type.String(),
  meetingId: Type.String(),
  entry: Entry,
  createdAt: AtMs,
  expiresAt: AtMs,
  maxUses: Type.Union([Type.Integer(), Type.Null()]),
  uses: Type.Integer(),
  revoked: Type.Boolean(),
}
export const Invite = Type.Object(inviteFields, { title: 'Invite' })
export type Invite = Static<typeof Invite>

export const NewInvite = Type.Object({
  ...inviteFields,
  code: Type.String({ description: 'Only in this answer.' }),
  link: Type.String({ description: 'The address of the meeting page, with the code.' }),
})
export type NewInvite = Static<typeof NewInvite>

export const InvitesQuery = Type.Object({ roomId: RoomId, ...pageFields })

export const InviteList = pageOf(Invite)
export type InviteList = Static<typeof InviteList>

export const InviteRevoked = Type.Object({ inviteId: Type.String(), revoked: Type.Literal(true) })
export type InviteRevoked = Static<typeof InviteRevoked>

/** Admits one person to one meeting. */
export const Pass = Type.Object({ token: Type.String(), meetingId: Type.String() })
export type Pass = Static<typeof Pass>

export const InvitedPass = Type.Object({ token: Type.String(), meetingId: Type.String(), entry: Entry })
export type InvitedPass = Static<typeof InvitedPass>
