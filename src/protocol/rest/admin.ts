/** Shapes for signing in to the dashboard, and of those who do. */
import { Type, type Static } from 'typebox'
import { AtMs, Label } from '../rest.ts'

/** Shorter passwords can be guessed; longer texts are not passwords. */
const NewPassword = Type.String({ minLength: 10, maxLength: 256 })
const Password = Type.String({ minLength: 1, maxLength: 256 })
/** The code in a link. */
const Code = Type.String({ minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })

export const OperatorRole = Type.Union(
  [Type.Literal('viewer'), Type.Literal('operator'), Type.Literal('owner')],
  {
    description:
      '`viewer` reads; `operator` also changes projects, keys and meetings; `owner` also decides who may sign in.',
  },
)
export type OperatorRole = Static<typeof OperatorRole>

const self = {
  operatorId: Type.String(),
  name: Type.String(),
  role: OperatorRole,
  secondFactor: Type.Boolean({ description: 'Whether signing in takes a code too.' }),
  external: Type.Boolean({
    description: 'Whether the operator signs in by OpenID Connect, without a password here.',
  }),
}
export const Self = Type.Object({
  ...self,
  mayNot: Type.Array(Type.String(), {
    description:
      'The operations that are refused to this role, as this document names them: `POST /v2/admin/keys`.',
  }),
})
export type Self = Static<typeof Self>

/** What the caller has to do next. */
const Needs = Type.Union([Type.Literal('second-factor'), Type.Literal('enrolment'), Type.Null()], {
  description:
    '`second-factor`: the password is right, so send it again with a code. `enrolment`: signed in, but only to set up a second factor, which every operator of this server needs.',
})
/** A code of an authenticator app, or a recovery code. */
const SecondFactor = Type.String({ minLength: 6, maxLength: 32 })

export const SignInBody = Type.Object({
  /** Needed with a password if there are several operators. */
  name: Type.Optional(Label),
  password: Type.Optional(Password),
  /** With a password, if the operator has a second factor. */
  secondFactor: Type.Optional(SecondFactor),
  /** The code of the first sign-in link. */
  code: Type.Optional(Code),
})
export type SignInBody = Static<typeof SignInBody>

export const SignInAnswer = Type.Object({
  signedIn: Type.Boolean(),
  /** Whether the caller has a password; for a caller who is not signed in, whether any operator has one. */
  passwordSet: Type.Boolean(),
  /** Who is signed in. */
  self: Type.Union([Self, Type.Null()]),
  needs: Needs,
  /** After signing out: where the browser leaves the provider too. */
  leaveAt: Type.Optional(Type.String()),
})
export type SignInAnswer = Static<typeof SignInAnswer>

export const SignInState = Type.Object({
  signedIn: Type.Boolean(),
  passwordSet: Type.Boolean(),
  self: Type.Union([Self, Type.Null()]),
  needs: Needs,
  /** Whether signing in takes a name: there are several operators. */
  asksName: Type.Boolean(),
  /** What the button for OpenID Connect says; null: that is not set up. */
  provider: Type.Union([Type.String(), Type.Null()]),
  /** Whether the caller is on the server's machine, which gives no permission here. */
  atThisMachine: Type.Boolean(),
})
export type SignInState = Static<typeof SignInState>

export const PasswordBody = Type.Object({
  password: NewPassword,
  /** The current password; required if there is one, but not with the admin key. */
  current: Type.Optional(Password),
})

export const Operator = Type.Object({
  ...self,
  createdAt: AtMs,
  lastSeenAt: Type.Union([AtMs, Type.Null()], {
    description: 'When a browser of this operator called last; null: none is signed in.',
  }),
})
export type Operator = Static<typeof Operator>
export const OperatorList = Type.Object({ data: Type.Array(Operator) })
export type OperatorList = Static<typeof OperatorList>
export const OperatorParams = Type.Object({ operatorId: Type.String({ minLength: 1, maxLength: 64 }) })
export const ChangeOperatorBody = Type.Object({
  name: Type.Optional(Label),
  role: Type.Optional(OperatorRole),
})

const LinkSeconds = Type.Integer({
  minimum: 300,
  maximum: 2_592_000,
  default: 259_200,
  description: 'How long the link works.',
})
export const InviteOperatorBody = Type.Object({
  name: Label,
  role: OperatorRole,
  expiresInSeconds: LinkSeconds,
})
export const PasswordLinkBody = Type.Object({ expiresInSeconds: LinkSeconds })

const operatorInvite = {
  inviteId: Type.String(),
  operatorId: Type.Union([Type.String(), Type.Null()], {
    description: 'Who chooses a new password by the link; null: it makes a new operator.',
  }),
  name: Type.String(),
  role: OperatorRole,
  createdAt: AtMs,
  expiresAt: AtMs,
}
export const OperatorInvite = Type.Object(operatorInvite)
export type OperatorInvite = Static<typeof OperatorInvite>
export const OperatorInviteList = Type.Object({ data: Type.Array(OperatorInvite) })
export type OperatorInviteList = Static<typeof OperatorInviteList>
export const NewOperatorInvite = Type.Object({
  ...operatorInvite,
  link: Type.String({ description: 'Shown only once. It works once.' }),
})
export type NewOperatorInvite = Static<typeof NewOperatorInvite>
export const OperatorInviteParams = Type.Object({ inviteId: Type.String({ minLength: 1, maxLength: 64 }) })

export const LookAtInviteBody = Type.Object({ code: Code })
export const SeenInvite = Type.Object({ name: Type.String(), role: OperatorRole, expiresAt: AtMs })
export type SeenInvite = Static<typeof SeenInvite>
export const AcceptInviteBody = Type.Object({ code: Code, password: NewPassword })

export const SignInsQuery = Type.Object({
  of: Type.Union([Type.Literal('self'), Type.Literal('all')], {
    default: 'self',
    description: '`all` needs the role `owner`.',
  }),
})
const ShownSignIn = Type.Object({
  signInId: Type.String(),
  operatorId: Type.String(),
  name: Type.String({ description: 'The name of the operator.' }),
  address: Type.String(),
  browser: Type.String({ description: 'The `User-Agent` of the browser.' }),
  createdAt: AtMs,
  lastSeenAt: AtMs,
  expiresAt: AtMs,
  current: Type.Boolean({ description: 'Whether the caller uses this one.' }),
})
export const SignInList = Type.Object({ data: Type.Array(ShownSignIn) })
export type SignInList = Static<typeof SignInList>
export const SignInParams = Type.Object({ signInId: Type.String({ minLength: 1, maxLength: 64 }) })
export const Ended = Type.Object({ ended: Type.Boolean() })

export const SecondFactorState = Type.Object({
  on: Type.Boolean(),
  since: Type.Union([AtMs, Type.Null()]),
  recoveryCodesLeft: Type.Integer(),
  required: Type.Boolean({ description: 'Whether every operator needs one.' }),
})
export type SecondFactorState = Static<typeof SecondFactorState>
export const CurrentPasswordBody = Type.Object({ password: Password })
export const NewSecondFactor = Type.Object({
  secret: Type.String({ description: 'Base32, for typing into an authenticator app.' }),
  address: Type.String({ description: 'The same as an address, for a QR code.' }),
})
export type NewSecondFactor = Static<typeof NewSecondFactor>
export const ConfirmSecondFactorBody = Type.Object({ code: SecondFactor })
export const RecoveryCodes = Type.Object({
  recoveryCodes: Type.Array(Type.String(), { description: 'Shown only once; each works once.' }),
})
export type RecoveryCodes = Static<typeof RecoveryCodes>
export const RequireSecondFactorBody = Type.Object({ required: Type.Boolean() })
