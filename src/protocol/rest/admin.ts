/** Shapes for signing in to the dashboard. */
import { Type, type Static } from 'typebox'

/** Shorter passwords can be guessed; longer texts are not passwords. */
const NewPassword = Type.String({ minLength: 10, maxLength: 256 })
const Password = Type.String({ minLength: 1, maxLength: 256 })

export const SignInBody = Type.Object({
  password: Type.Optional(Password),
  /** The code of the first sign-in link. */
  code: Type.Optional(Type.String({ minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })),
})
export type SignInBody = Static<typeof SignInBody>

export const SignInAnswer = Type.Object({ signedIn: Type.Boolean(), passwordSet: Type.Boolean() })
export type SignInAnswer = Static<typeof SignInAnswer>

export const SignInState = Type.Object({
  signedIn: Type.Boolean(),
  passwordSet: Type.Boolean(),
  /** Whether the caller is on the server's machine, which gives no permission here. */
  atThisMachine: Type.Boolean(),
})
export type SignInState = Static<typeof SignInState>

export const PasswordBody = Type.Object({
  password: NewPassword,
  /** The current password; required if there is one, but not with the admin key. */
  current: Type.Optional(Password),
})
