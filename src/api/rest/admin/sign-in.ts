/**
 * Signs the operator in to the dashboard: first by a link that the server prints, then by a password.
 * Codes and cookies are stored only as hashes, so that they survive a restart and other processes know them.
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
  /** Returns a cookie for the code of a sign-in link; each code works once. Undefined if the code is wrong. */
  withCode(code: string): Promise<string | undefined>
  /** Returns a cookie for the password. Undefined if it is wrong or none is set, after the same time. */
  withPassword(password: string): Promise<string | undefined>
  isPassword(password: string): Promise<boolean>
  /** Sets the password, signs everybody out, and returns a new cookie for the caller. The sign-in link no longer works. */
  setPassword(password: string): Promise<string>
  check(cookie: string): Promise<boolean>
  drop(cookie: string): Promise<void>
}

const CODE_BYTES = 18
const CODE = 'sign-in-code'
const PASSWORD = 'sign-in-password'
/** How long a sign-in lasts. */
export const SIGN_IN_SECONDS = 30 * 86_400

const digest = (text: string): string => hash('sha256', text)

export function createSignIn({ store, now, randomBytes }: SignInOptions): SignIn {
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
      // Of two requests at once, also to two servers, one exchanges the code.
      const isMine = await store.values.compareAndSet(CODE, digest(code), '')
      return isMine ? newCookie() : undefined
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

/** Makes a new sign-in link for a server without a password; returns what follows the dashboard's URL. Earlier links become invalid. */
export async function newFirstLink(options: Pick<SignInOptions, 'store' | 'randomBytes'>): Promise<string> {
  const { path, keep } = draftFirstLink(options)
  await keep()
  return path
}

/** The same for one of several nodes: undefined if another has made one that nobody has used, so that it stays valid. */
export async function sharedFirstLink({
  store,
  randomBytes,
}: Pick<SignInOptions, 'store' | 'randomBytes'>): Promise<string | undefined> {
  const code = randomBytes(CODE_BYTES).toString('base64url')
  const kept = await store.values.setIfAbsent(CODE, digest(code))
  const isMine =
    kept === digest(code) || (kept === '' && (await store.values.compareAndSet(CODE, '', digest(code))))
  return isMine ? `/dashboard#sign-in=${code}` : undefined
}

/** A sign-in link that works only after it is stored, so that it can be shown first. */
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

/** Deletes the password and signs everybody out. */
export async function forgetSignIn(store: Store): Promise<void> {
  await store.secrets.set(PASSWORD, '')
  await store.signIns.dropAll()
}
