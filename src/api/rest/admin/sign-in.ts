/**
 * Signs operators in to the dashboard: by a link, then by a password. Codes and cookies are stored only as hashes, so that
 * they survive a restart and other processes know them.
 */
import type { OperatorRecord, SignInRecord, Store } from '../../../store/store.ts'
import { StoreConflict } from '../../../store/problem.ts'
import { digest } from './digest.ts'
import type { OidcPerson } from './oidc.ts'
import { isPassword, keepPassword } from './password.ts'
import { isAppCode, recoveryHash, totpStep } from './totp.ts'

export interface SignInOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
}

/** Where a browser signs in from. */
export interface Browser {
  address: string
  browser: string
}

/** Somebody who has just signed in. */
export interface NewSignIn {
  cookie: string
  operator: OperatorRecord
}

/** Somebody whose password is right, and whose second factor is missing. */
export interface AsksSecondFactor {
  asks: OperatorRecord
}

/** Somebody who is signed in. */
export interface CurrentSignIn {
  signInId: string
  operator: OperatorRecord
}

export interface SignIn {
  /** The owner who was there first: the one for whom the server prints a link. */
  firstOwner(): Promise<OperatorRecord>
  /** Signs the first owner in by the code of the first link; each code works once. Undefined if it is wrong, or the owner has a password. */
  withCode(code: string, from: Browser): Promise<NewSignIn | undefined>
  /**
   * Undefined if the name or the password is wrong, after the same time; or if the password or the second factor changes meanwhile.
   * @param name may be left out while there is one operator
   */
  withPassword(
    given: { name?: string; password: string },
    from: Browser,
  ): Promise<NewSignIn | AsksSecondFactor | undefined>
  /** The second step: undefined if the code is wrong, or was used. */
  withSecondFactor(operator: OperatorRecord, given: string, from: Browser): Promise<NewSignIn | undefined>
  /**
   * Chooses the password of a new operator, or another one, by the code of an operator's link, and signs in. An operator with a second
   * factor is not signed in: the link is no substitute for it.
   */
  withInvite(code: string, password: string, from: Browser): Promise<NewSignIn | AsksSecondFactor | undefined>
  /** Signs in whom a provider named. Makes the operator at the first time, with another name if that one is taken. */
  withProvider(person: OidcPerson, from: Browser): Promise<NewSignIn>
  /** Signs the operator in anew, and every other browser of the operator out. */
  renew(operator: OperatorRecord, from: Browser): Promise<string>
  /** The operator who is meant by a name; without one, the only operator. */
  named(name: string | undefined): Promise<OperatorRecord | undefined>
  isPassword(operator: OperatorRecord, password: string): Promise<boolean>
  /** Sets the operator's password, ends its sign-ins, and returns a cookie of a new one. A first link no longer works. */
  setPassword(operator: OperatorRecord, password: string, from: Browser): Promise<string>
  /** Undefined if the cookie is unknown or its time is over. Remembers that its holder was here. */
  check(cookie: string): Promise<CurrentSignIn | undefined>
  drop(cookie: string): Promise<void>
}

const CODE_BYTES = 18
const MOST_NAMESAKES = 100
const ID_BYTES = 12
const CODE = 'sign-in-code'
/** Of versions that knew one operator alone. */
const OLD_PASSWORD = 'sign-in-password'
/** The name of the first owner, who may change it. */
const FIRST_NAME = 'owner'
/** How long a sign-in lasts. */
export const SIGN_IN_SECONDS = 30 * 86_400
/** How exactly it is known when somebody was here last; each time costs a write. */
const SEEN_MS = 60_000

const ID_LENGTH = 24
/** Names a sign-in without telling its cookie. */
export const signInIdOf = ({ tokenHash }: Pick<SignInRecord, 'tokenHash'>): string =>
  tokenHash.slice(0, ID_LENGTH)

/** The code of a link for an operator. */
export const newInviteCode = (randomBytes: SignInOptions['randomBytes']): string =>
  randomBytes(CODE_BYTES).toString('base64url')

export const newOperatorId = (randomBytes: SignInOptions['randomBytes']): string =>
  randomBytes(ID_BYTES).toString('hex')

export function createSignIn({ store, now, randomBytes }: SignInOptions): SignIn {
  const firstOwner = (): Promise<OperatorRecord> => firstOwnerOf({ store, now, randomBytes })

  const newCookie = async ({ operatorId }: OperatorRecord, from: Browser): Promise<string> => {
    const cookie = randomBytes(CODE_BYTES).toString('base64url')
    const at = now()
    await store.signIns.dropAll(at)
    await store.signIns.add({
      tokenHash: digest(cookie),
      operatorId,
      ...from,
      createdAt: at,
      lastSeenAt: at,
      expiresAt: at + SIGN_IN_SECONDS * 1000,
    })
    return cookie
  }
  /** Undefined if the operator was deleted, or has another password or second factor, since `operator` was read. */
  const enter = async (operator: OperatorRecord, from: Browser): Promise<NewSignIn | undefined> => {
    const cookie = await newCookie(operator, from)
    // Only now: a change that is made after this ends the new sign-in too.
    const present = await store.operators.get(operator.operatorId)
    if (present?.password === operator.password && present.totpSince === operator.totpSince)
      return { operator: present, cookie }
    await store.signIns.drop(digest(cookie))
    return undefined
  }
  const named: SignIn['named'] = (name) => (name === undefined ? onlyOne(store) : store.operators.named(name))
  /** Whether a text is the present code of the operator's app, or a recovery code; either works once. */
  const isSecondFactor = async ({ operatorId }: OperatorRecord, given: string): Promise<boolean> => {
    const { totp } = store.operators
    if (!isAppCode(given)) return totp.useRecoveryCode(operatorId, recoveryHash(given))
    const secret = await totp.secret(operatorId)
    const step = secret === undefined ? undefined : totpStep(secret, given.replaceAll(' ', ''), now())
    return step !== undefined && (await totp.use(operatorId, step))
  }
  const matches = (operator: OperatorRecord | undefined, given: string): Promise<boolean> =>
    isPassword(given, operator?.password ?? undefined)

  return {
    firstOwner,
    withCode: async (code, from) => {
      // Of two requests at once, also to two servers, one exchanges the code.
      const isMine = await store.values.compareAndSet(CODE, digest(code), '')
      const owner = isMine ? await firstOwner() : undefined
      // Who has a password by now got it by another way, and may have a second factor.
      return owner?.password === null ? enter(owner, from) : undefined
    },
    withPassword: async ({ name, password }, from) => {
      const operator = await named(name)
      if (!(await matches(operator, password))) return undefined
      return operator!.totpSince === null ? enter(operator!, from) : { asks: operator! }
    },
    withSecondFactor: async (operator, given, from) =>
      (await isSecondFactor(operator, given)) ? enter(operator, from) : undefined,
    withInvite: async (code, password, from) => {
      const invite = await store.operators.invite(digest(code))
      if (!invite || invite.expiresAt <= now()) return undefined
      const operator = await store.operators.accept(invite.codeHash, {
        operatorId: newOperatorId(randomBytes),
        name: invite.name,
        role: invite.role,
        password: await keepPassword(password, randomBytes),
        grantId: newOperatorId(randomBytes),
        createdAt: now(),
        totpSince: null,
        externalId: null,
      })
      return operator?.totpSince == null ? operator && enter(operator, from) : { asks: operator }
    },
    withProvider: async ({ externalId, name, role }, from) => {
      for (let number = 1; ; number++) {
        const known = await store.operators.external(externalId)
        const entered = known && (await enter(known, from))
        if (entered) return entered
        try {
          await store.operators.add({
            operatorId: newOperatorId(randomBytes),
            name: number === 1 ? name : `${name} ${number}`,
            role,
            password: null,
            grantId: newOperatorId(randomBytes),
            createdAt: now(),
            totpSince: null,
            externalId,
          })
        } catch (error) {
          if (!(error instanceof StoreConflict) || number === MOST_NAMESAKES) throw error
        }
      }
    },
    renew: async (operator, from) => {
      await store.signIns.dropOf(operator.operatorId)
      return newCookie(operator, from)
    },
    named,
    isPassword: matches,
    setPassword: async (operator, given, from) => {
      const { operatorId } = operator
      await store.operators.change(operatorId, { password: await keepPassword(given, randomBytes) })
      const first = await firstOwner()
      if (first.operatorId === operatorId) await forgetOldPassword(store)
      await store.signIns.dropOf(operatorId)
      return newCookie(operator, from)
    },
    check: async (cookie) => {
      const signIn = await store.signIns.find(digest(cookie))
      const at = now()
      if (!signIn?.operatorId || signIn.expiresAt <= at) return undefined
      const operator = await store.operators.get(signIn.operatorId)
      if (!operator) return undefined
      if (at - signIn.lastSeenAt >= SEEN_MS) await store.signIns.seen(signIn.tokenHash, at)
      return { signInId: signInIdOf(signIn), operator }
    },
    drop: (cookie) => store.signIns.drop(digest(cookie)),
  }
}

async function onlyOne(store: Store): Promise<OperatorRecord | undefined> {
  const all = (await store.operators.list()).filter(({ externalId }) => externalId === null)
  return all.length === 1 ? all[0] : undefined
}

/** The owner who was there first. Made when there is none, with the password of a version that knew one operator alone. */
function firstOwnerOf({ store, now, randomBytes }: SignInOptions): Promise<OperatorRecord> {
  return store.operators.firstOwner(async () => ({
    operatorId: newOperatorId(randomBytes),
    name: FIRST_NAME,
    role: 'owner',
    password: (await store.secrets.get(OLD_PASSWORD)) || null,
    grantId: newOperatorId(randomBytes),
    createdAt: now(),
    totpSince: null,
    externalId: null,
  }))
}

async function forgetOldPassword(store: Store): Promise<void> {
  await store.secrets.set(OLD_PASSWORD, '')
  await store.values.set(CODE, '')
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

/** Deletes the password and the second factor of the first owner and signs everybody out. */
export async function forgetSignIn(options: SignInOptions): Promise<void> {
  const { store } = options
  const { operatorId } = await firstOwnerOf(options)
  await store.operators.change(operatorId, { password: null })
  await store.operators.totp.drop(operatorId)
  await forgetOldPassword(store)
  await store.signIns.dropAll()
}
