/**
 * Explains a token claim by claim, for people who need to know why it was refused.
 */
import { asRefusal, Refusal } from '../protocol/errors.ts'
import {
  assertCurrent,
  assertMayUseRest,
  grantOf,
  idOf,
  permissionsOf,
  refusalToJoin,
  rolesOf,
  entryOf,
  timesOf,
  type ClaimRules,
  type Entry,
  type Grant,
} from './grant.ts'
import { checkHeader, decodeObject, splitCompact } from './jws.ts'
import { createVerifier, readUnverified, tokenIdOf, type FindKey } from './verify.ts'

export interface ExplainOptions {
  /** The keys of the server. If absent, key and signature are not judged. */
  findKey?: FindKey | undefined
  /** Whether this token was revoked. Default: no token was. */
  isRevoked?: ((grant: Grant) => boolean) | undefined
  /** Ms since the epoch. */
  now: number
  /** Default false. */
  allowWithoutExpiry?: boolean | undefined
  /** Default 60. */
  clockSkewSeconds?: number | undefined
}

/** One statement of a token. */
export interface ExplainedClaim {
  /** A header field such as `alg` or `typ`, `signature`, or a claim. */
  name: string
  /** The value in the token; absent for the signature and for a missing claim. */
  value?: unknown
  /** One plain sentence. */
  meaning: string
  /** What is wrong with it, in one plain sentence; absent if nothing is. */
  problem?: string
}

export interface Explanation {
  claims: ExplainedClaim[]
  /** Whether the named key made the signature; `unchecked` if that key is not available. */
  signature: 'good' | 'bad' | 'unchecked'
  /** The refusal that a join would get, regardless of the meeting; absent if the token may join. */
  joinRefusal?: Refusal
  /** The refusal that a REST call about the token's own meeting would get; absent if it is allowed. */
  restRefusal?: Refusal
  /** Why it cannot join, in one plain sentence for its owner, with more detail than a server gives to strangers. */
  problem?: string
}

/** Explains a token. Never throws, and never repeats the token or its signature. */
export function explainToken(token: unknown, options: ExplainOptions): Explanation {
  const { findKey, isRevoked = () => false, now, allowWithoutExpiry = false, clockSkewSeconds = 60 } = options
  const rules: ClaimRules = { now, allowWithoutExpiry, clockSkewSeconds }

  const outcome = attempt((): Grant => {
    if (findKey)
      return createVerifier({
        findKey,
        isRevoked,
        now: () => now,
        allowWithoutExpiry,
        clockSkewSeconds,
      }).verify(token)
    const { claims } = readUnverified(token)
    const times = timesOf(claims)
    assertCurrent(times, rules)
    return grantOf(claims, { apiKey: '', projectId: '' }, times, tokenIdOf(claims, token as string))
  })
  const { value: grant, refusal } = outcome
  const join = refusal ?? refusalToJoin(grant!)
  const rest = refusal ?? attempt(() => assertMayUseRest(grant!, { roomId: grant!.roomId })).refusal
  const problem = sentenceOf(join)

  return {
    claims: [...headerOf(token), ...claimsOf(token, rules, refusal), signatureOf(findKey, refusal)],
    signature: signatureState(findKey, refusal),
    ...(join && { joinRefusal: join }),
    ...(rest && { restRefusal: rest }),
    ...(problem !== undefined && { problem }),
  }
}

function headerOf(token: unknown): ExplainedClaim[] {
  const segment = attempt(() => splitCompact(token).header).value
  const header = segment === undefined ? undefined : attempt(() => decodeObject(segment)).value
  if (segment === undefined || header === undefined) return []
  const wrong = attempt(() => checkHeader(segment)).refusal
  return Object.entries(header).map(([name, value]) => ({
    name,
    value,
    meaning: headerMeanings.get(name) ?? 'Has no meaning here.',
    ...(wrong?.reason === name && { problem: sentenceOf(wrong)! }),
  }))
}

const headerMeanings: ReadonlyMap<string, string> = new Map([
  ['alg', 'How the token is signed; HS256 is the only way accepted.'],
  ['typ', 'The type of the token.'],
  ['kid', 'Names a key; ignored, the claim apikey selects it.'],
])

interface ClaimReader {
  meaning: (value: unknown, now: number) => string
  /** Throws the refusal that this claim alone causes. */
  check?: (claims: Record<string, unknown>, rules: ClaimRules) => unknown
  /** Listed even if the token does not have it. */
  missing?: string
}

const readers: Record<string, ClaimReader> = {
  apikey: { meaning: () => 'The API key that signed it.', missing: 'No API key is named.' },
  permissions: {
    meaning: (value) => entryMeanings[entryOf(attempt(() => permissionsOf(value)).value ?? []) ?? 'none'],
    check: (claims) => {
      if (entryOf(permissionsOf(claims.permissions)) === undefined) throw new Refusal('INVALID_PERMISSIONS')
    },
    missing: 'No permissions: the token may use REST but cannot join.',
  },
  version: { meaning: () => 'The version of the token format; any is accepted.' },
  roles: {
    meaning: (value) => {
      const roles = attempt(() => rolesOf(value)).value ?? []
      const uses = [roles.includes('rtc') && 'joining meetings', roles.includes('crawler') && 'the REST API']
      return `For ${uses.filter(Boolean).join(' and ') || 'nothing'}.`
    },
    check: ({ roles }) => {
      if (roles !== undefined && rolesOf(roles).length === 0) throw new Refusal('UNAUTHORIZED_ROLE')
    },
    missing: 'No roles: for joining meetings and for the REST API.',
  },
  roomId: {
    meaning: () => 'The only meeting the token is for.',
    check: ({ roomId }) => roomId !== undefined && idOf(roomId, 'roomId'),
    missing: 'For any meeting of the project.',
  },
  participantId: {
    meaning: () => 'The only participant the token is for.',
    check: ({ participantId }) => participantId !== undefined && idOf(participantId, 'participantId'),
    missing: 'For any participant.',
  },
  iat: { meaning: (value, now) => `Issued ${instantText(value, now)}.`, check: checkTime('iat') },
  nbf: { meaning: (value, now) => `Valid from ${instantText(value, now)}.`, check: checkTime('nbf') },
  exp: {
    meaning: (value, now) => `Expires ${instantText(value, now)}.`,
    check: checkTime('exp'),
    missing: 'The token never expires.',
  },
  jti: { meaning: () => 'Names this one token, so that a removed participant is recognised by it.' },
}

const entryMeanings: Record<NonNullable<Entry> | 'none', string> = {
  direct: 'Joins directly, and may answer those who ask to come in.',
  moderator: 'Joins directly and moderates.',
  ask: 'Asks to come in and waits in the lobby.',
  none: 'Names no way into a meeting.',
}

function checkTime(name: 'exp' | 'nbf' | 'iat'): NonNullable<ClaimReader['check']> {
  return (claims, rules) => {
    const alone = {
      exp: undefined,
      nbf: undefined,
      iat: undefined,
      [name]: timesOf({ [name]: claims[name] })[name],
    }
    assertCurrent(alone, name === 'exp' ? rules : { ...rules, allowWithoutExpiry: true })
  }
}

function claimsOf(token: unknown, rules: ClaimRules, refusal: Refusal | undefined): ExplainedClaim[] {
  const claims = attempt(() => decodeObject(splitCompact(token).payload)).value
  if (claims === undefined) return []
  const names = new Set([...Object.keys(readers), ...Object.keys(claims)])
  const explained: ExplainedClaim[] = []
  for (const name of names) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    const present = Object.hasOwn(claims, name)
    if (!present && reader?.missing === undefined) continue
    const wrong =
      name === 'apikey' && refusal?.reason !== undefined && keyReasons.has(refusal.reason)
        ? refusal
        : attempt(() => reader?.check?.(claims, rules)).refusal
    const meaning = present ? reader?.meaning(claims[name], rules.now) : reader?.missing
    explained.push({
      name,
      ...(present && { value: claims[name] }),
      meaning: meaning ?? 'Has no meaning here and does no harm.',
      ...(wrong && { problem: sentenceOf(wrong)! }),
    })
  }
  return explained
}

const keyReasons: ReadonlySet<string> = new Set(['apikey', 'unknown-key', 'revoked-key'])

// The signature is judged after everything in this list and before everything else.
const beforeSignature: ReadonlySet<string> = new Set([
  ...[
    'missing',
    'size',
    'characters',
    'parts',
    'base64url',
    'utf8',
    'json',
    'not-an-object',
    'duplicate-key',
  ],
  ...['alg', 'crit', 'b64', 'typ', 'apikey', 'unknown-key'],
])

function signatureState(
  findKey: FindKey | undefined,
  refusal: Refusal | undefined,
): Explanation['signature'] {
  if (refusal?.reason === 'signature') return 'bad'
  return findKey === undefined || beforeSignature.has(refusal?.reason ?? '') ? 'unchecked' : 'good'
}

function signatureOf(findKey: FindKey | undefined, refusal: Refusal | undefined): ExplainedClaim {
  const state = signatureState(findKey, refusal)
  const meaning = 'Proves that a holder of the API secret signed the token.'
  if (state === 'bad') return { name: 'signature', meaning, problem: sentences.signature! }
  return { name: 'signature', meaning: state === 'good' ? meaning : `${meaning} Not checked here.` }
}

/** Explains each reason to the maker of the token. */
const sentences: Record<string, string> = {
  missing: 'There is no token.',
  size: 'The token is longer than 8 KiB, its header longer than 1 KiB, or it holds too many values.',
  characters: 'The token contains characters that no token has. It may have been cut off or pasted wrongly.',
  parts: 'A token has three parts with a dot between them; was it cut or pasted wrongly?',
  base64url: 'A part of the token is not base64url in its one canonical spelling without padding.',
  utf8: 'A part of the token is not UTF-8, or escapes half of a character or U+0000.',
  json: 'A part of the token is not JSON.',
  'not-an-object': 'Header and payload must be JSON objects.',
  'duplicate-key': 'The header names a key twice.',
  alg: 'Only HS256 is accepted.',
  crit: 'The header demands extensions (crit); none is supported.',
  b64: 'An unencoded payload (b64) is not supported.',
  typ: 'The type must be JWT.',
  apikey: 'The claim apikey is missing, empty or not a string.',
  'unknown-key': 'This API key is not known here.',
  'revoked-key': 'This API key was revoked.',
  signature: 'The signature does not fit: the token was changed, or signed with another secret.',
  exp: 'exp must be a number of seconds since 1970, before the year 10000.',
  nbf: 'nbf must be a number of seconds since 1970, before the year 10000.',
  iat: 'iat must be a number of seconds since 1970, before the year 10000.',
  'no-expiry': 'A token must expire here (ALLOW_TOKENS_WITHOUT_EXPIRY lifts that).',
  expired: 'The token has expired.',
  revoked: 'This one token was revoked.',
  'not-yet-valid': 'The token is not valid yet; is the clock of the minting machine right?',
  'issued-in-future': 'The token was issued in the future; is the clock of the minting machine right?',
  permissions: 'Permissions must be a list of names.',
  roomId: 'roomId must be a string of 1 to 256 characters.',
  participantId:
    'participantId must be a string of 1 to 128 characters, none of them white space or invisible.',
  roles: 'Roles must be a list of names, such as crawler and rtc.',
}

function sentenceOf(refusal: Refusal | undefined): string | undefined {
  if (refusal === undefined) return undefined
  if (refusal.code === 'INVALID_PERMISSIONS') {
    return 'The token cannot join: permissions must be allow_join, allow_mod or both, or ask_join alone.'
  }
  if (refusal.code === 'UNAUTHORIZED_ROLE')
    return 'The roles of the token do not include rtc, so it cannot join.'
  return sentences[refusal.reason ?? ''] ?? refusal.message
}

function instantText(value: unknown, now: number): string {
  if (typeof value !== 'number' || !(Math.abs(value) <= 8.64e12)) return '(not a time)'
  const seconds = Math.round(value - now / 1000)
  return `${new Date(value * 1000).toISOString()} (${spanText(Math.abs(seconds))} ${seconds < 0 ? 'ago' : 'from now'})`
}

function spanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

function attempt<Value>(work: () => Value): { value?: Value; refusal?: Refusal } {
  try {
    return { value: work() }
  } catch (thrown) {
    return { refusal: asRefusal(thrown) }
  }
}
