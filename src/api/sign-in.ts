/**
 * Who may start a meeting from the page where the server is not on loopback: whoever opened the first-start link.
 * Codes and cookies are kept as hashes only.
 */
import { createHash } from 'node:crypto'
import type { Store } from '../store/store.ts'

export interface SignIn {
  /** `#sign-in=<code>`, to be put behind the page's address; undefined once somebody has signed in. */
  firstLink: string | undefined
  /** The value of a cookie, for the right code; each code works once. */
  redeem(code: string): Promise<string | undefined>
  check(cookie: string | undefined): Promise<boolean>
}

export interface SignInOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
}

const CODE_BYTES = 18
const CODE = 'sign-in-code'
const COOKIE = 'sign-in-cookie'
/** How long one who signed in stays so. */
export const SIGN_IN_DAYS = 30

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

export async function createSignIn({ store, now, randomBytes }: SignInOptions): Promise<SignIn> {
  const signedIn = (await store.values.get(COOKIE)) !== undefined
  let code: string | undefined
  if (!signedIn) {
    code = randomBytes(CODE_BYTES).toString('base64url')
    await store.values.set(CODE, hash(code))
  }
  return {
    firstLink: code === undefined ? undefined : `#sign-in=${code}`,
    redeem: async (given) => {
      const kept = await store.values.get(CODE)
      if (!kept || kept !== hash(given)) return undefined
      const cookie = randomBytes(CODE_BYTES).toString('base64url')
      await store.values.set(CODE, '')
      await store.values.set(COOKIE, `${hash(cookie)}:${now() + SIGN_IN_DAYS * 86_400_000}`)
      return cookie
    },
    check: async (cookie) => {
      const [kept, expiresAt] = ((await store.values.get(COOKIE)) ?? '').split(':')
      return cookie !== undefined && kept === hash(cookie) && Number(expiresAt) > now()
    },
  }
}
