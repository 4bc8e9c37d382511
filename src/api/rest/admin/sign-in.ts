/**
 * How the one who runs the server signs in to the dashboard: first by a link that the server prints, then by a password.
 * Codes and cookies are kept as hashes only, in the store, so that a restart or another process knows them too.
 */
import { hash } from 'node:crypto'
import type { Store } from '../../../store/store.ts'
import { isPassword, keepPassword } from './password.ts'

export interface SignInOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
}

export interface SignIn {
  passwordSet(): Promise<boolean>
  /** A cookie for the code of the first link; each code works once. Undefined for another. */
  withCode(code: string): Promise<string | undefined>
  /** A cookie for the password. Undefined for another, after the same time, whether or not one is set. */
  withPassword(password: string): Promise<string | undefined>
  isPassword(password: string): Promise<boolean>
  /** Sets the password and signs everybody out; answers the cookie of the one who set it. The first link is used up. */
  setPassword(password: string): Promise<string>
  check(cookie: string): Promise<boolean>
  drop(cookie: string): Promise<void>
}

const CODE_BYTES = 18
const CODE = 'sign-in-code'
const PASSWORD = 'sign-in-password'
/** How long one who signed in stays so. */
export const SIGN_IN_SECONDS = 30 * 86_400

const digest = (text: string): string => hash('sha256', text)

export function createSignIn({ store, now, randomBytes }: SignInOptions): SignIn {
  /** Codes on their way to being used up, so that two at once do not both find one good. */
  const redeeming = new Set<string>()

  const password = async (): Promise<string | undefined> => (await store.secrets.get(PASSWORD)) || undefined

  const newCookie = async (): Promise<string> => {
    const cookie = randomBytes(CODE_BYTES).toString('base64url')
    const at = now()
    await store.signIns.dropAll(at)
    await store.signIns.add({
      tokenHash: digest(cookie),
      createdAt: at,
      expiresAt: at + SIGN_IN_SECONDS * 1000,
    })
    return cookie
  }

  return {
    passwordSet: async () => (await password()) !== undefined,
    withCode: async (code) => {
      const given = digest(code)
      if (redeeming.has(given)) return undefined
      redeeming.add(given)
      try {
        if ((await store.values.get(CODE)) !== given) return undefined
        await store.values.set(CODE, '')
        return await newCookie()
      } finally {
        redeeming.delete(given)
      }
    },
    withPassword: async (given) => ((await isPassword(given, await password())) ? newCookie() : undefined),
    isPassword: async (given) => isPassword(given, await password()),
    setPassword: async (given) => {
      await store.secrets.set(PASSWORD, await keepPassword(given, randomBytes))
      await store.values.set(CODE, '')
      await store.signIns.dropAll()
      return newCookie()
    },
    check: async (cookie) => {
      const signIn = await store.signIns.find(digest(cookie))
      return signIn !== undefined && signIn.expiresAt > now()
    },
    drop: (cookie) => store.signIns.drop(digest(cookie)),
  }
}

/** A new first link for a server without a password: what stands behind the dashboard's address. Earlier ones are void. */
export async function newFirstLink(options: Pick<SignInOptions, 'store' | 'randomBytes'>): Promise<string> {
  const { path, keep } = draftFirstLink(options)
  await keep()
  return path
}

/** A first link that works once it is kept, so that it can be shown before. */
export function draftFirstLink({ store, randomBytes }: Pick<SignInOptions, 'store' | 'randomBytes'>): {
  path: string
  keep: () => Promise<void>
} {
  const code = randomBytes(CODE_BYTES).toString('base64url')
  return {
    path: `/dashboard#sign-in=${code}`,
    keep: () => store.values.set(CODE, digest(code)),
  }
}

/** Forgets the password and signs everybody out. */
export async function forgetSignIn(store: Store): Promise<void> {
  await store.secrets.set(PASSWORD, '')
  await store.signIns.dropAll()
}
