/** Shapes of what the one who runs the server asks for: signing in. */
import { Type, type Static } from 'typebox'

/** Short ones are guessed; longer ones than this are no passwords. */
const NewPassword = Type.String({ minLength: 10, maxLength: 256 })
const Password = Type.String({ minLength: 1, maxLength: 256 })

export const SignInBody = Type.Object({
  password: Type.Optional(Password),
  /** Of the first-start link. */
  code: Type.Optional(Type.String({ minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })),
})
export type SignInBody = Static<typeof SignInBody>

export const SignInAnswer = Type.Object({ signedIn: Type.Boolean(), passwordSet: Type.Boolean() })

export const SignInState = Type.Object({
  signedIn: Type.Boolean(),
  passwordSet: Type.Boolean(),
  /** Whether the caller sits at the machine of the server, which gives no right here. */
  atThisMachine: Type.Boolean(),
})

export const PasswordBody = Type.Object({
  password: NewPassword,
  /** The one in force; needed where one is, but not with the admin key. */
  current: Type.Optional(Password),
})
