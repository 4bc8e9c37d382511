/**
 * Determines the expected result for a token in another way: `jose` parses it and verifies its signature, and the rules
 * are data. Uses nothing of `src/token/`.
 */
import { createHash } from 'node:crypto'
import { compactVerify, decodeProtectedHeader } from 'jose'
import { keys, NOW_MS, settings, type TokenCase } from './token-corpus.ts'

export type Verdict =
  | {
      code: 'INVALID_API_KEY' | 'INVALID_TOKEN' | 'INVALID_PARTICIPANT_ID' | 'APIKEY_DEACTIVATED'
      rule: string
    }
  | { code: 'accepted'; grant: ExpectedGrant; join: string; rest: string }

export interface ExpectedGrant {
  apiKey: string
  projectId: string
  entry: string | undefined
  permissions: unknown
  roomId: unknown
  participantId: unknown
  roles: string[] | undefined
  expiresAt: number | undefined
  issuedAt: number | undefined
  tokenId: string
}

/** The meeting and participant for which every accepted token is checked. */
export const SCOPE = { roomId: 'aaaa-bbbb-cccc', participantId: 'ann' }

type Json = Record<string, unknown>
type Times = (typeof settings)[number]

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 7515 §2: no padding and no other characters; RFC 4648 §3.5: unused bits are zero. */
function isPlainBase64url(text: string): boolean {
  for (const character of text) if (!BASE64URL.includes(character)) return false
  if (text.length % 4 === 1) return false
  const spare = { 0: 1, 2: 16, 3: 4 }[text.length % 4]!
  return text === '' || BASE64URL.indexOf(text.at(-1)!) % spare === 0
}

const bytesOf = (segment: string): Buffer => Buffer.from(segment, 'base64')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function objectIn(segment: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytesOf(segment)))
    // Including U+0000, which PostgreSQL cannot store.
    if (textsOf(value).some((text) => /\p{Surrogate}|\0/u.test(text))) return undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** Every name and text in a value. */
const textsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)])
      : []

/** Counted in the valid JSON of a segment, without its texts. */
const partsOf = (segment: string): number =>
  utf8
    .decode(bytesOf(segment))
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .match(/[,[{]/g)?.length ?? 0

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

/** Rules for the form of a token, whoever signed it. Source: why it may be refused. */
const formRules: [rule: string, source: string, broken: (token: string, one: TokenCase) => boolean][] = [
  ['there is a token', 'contract 1.4', (token) => token === ''],
  ['at most 8 KiB', 'issue 3: tokens over 8 KiB', (token) => new TextEncoder().encode(token).length > 8192],
  [
    'ASCII',
    'RFC 7515 §2: BASE64URL and full stops',
    (token) => Buffer.from(token, 'utf8').length !== token.length,
  ],
  ['three parts, none empty', 'RFC 7515 §7.1', (token) => !/^[^.]+\.[^.]+\.[^.]+$/.test(token)],
  ['a header of 1 KiB', 'issue 6: no refusal over 5 × an accept', (token) => token.indexOf('.') > 1024],
  [
    'base64url in its one spelling',
    'RFC 7515 §2',
    (token) => !token.split('.').slice(0, 2).every(isPlainBase64url),
  ],
  [
    'the header is an object in UTF-8',
    'RFC 7515 §4',
    (token) => objectIn(token.split('.')[0]!) === undefined,
  ],
  ['no header key twice', 'RFC 7515 §4', (_token, one) => one.duplicateHeaderKey === true],
  [
    'the claims are an object in UTF-8, without half a character or U+0000',
    'RFC 7519 §7.2',
    (token) => objectIn(token.split('.')[1]!) === undefined,
  ],
  [
    'at most 256 objects, lists and commas, 32 deep',
    'issue 6: no refusal over 5 × an accept',
    (token) =>
      token
        .split('.')
        .slice(0, 2)
        .some((part) => partsOf(part) > 256 || depthOf(objectIn(part)) > 32),
  ],
]

/** HS256 only (docs/decisions/0005), and no unknown critical parameters (RFC 7515 §4.1.11, RFC 7797 §6). */
const headerRules: Record<string, (header: Json) => boolean> = {
  alg: (header) => header.alg === 'HS256',
  crit: (header) => !Object.hasOwn(header, 'crit'),
  b64: (header) => !Object.hasOwn(header, 'b64') || header.b64 === true,
  typ: (header) =>
    !Object.hasOwn(header, 'typ') ||
    ['jwt', 'application/jwt'].some(
      (name) => typeof header.typ === 'string' && new RegExp(`^${name}$`, 'i').test(header.typ),
    ),
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Date.UTC(10_000, 0, 1) / 1000 - 1
const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' && one.length > 0)
const isText = (value: unknown): value is string => typeof value === 'string' && /\S/.test(value)
const isRoom = (value: unknown): boolean => isText(value) && Array.from(value).length <= 256
/** Two ids that look the same to people must be the same id. */
const isParticipant = (value: unknown): boolean =>
  isText(value) &&
  Array.from(value).length <= 128 &&
  !/[\s\p{Cc}\p{Cf}\p{DI}\p{NChar}\u2800\ufffd]/u.test(value) &&
  value.normalize('NFC') === value &&
  !/^(\.{1,2}|active)$/.test(value) &&
  !/^server$/i.test(value.normalize('NFKC'))
const isRole = (value: string): boolean => /^(?:crawler|rtc)$/i.test(value)

/**
 * Decisions 5 and 6: a malformed claim is a refusal, never "no restriction"; a list without a useful value grants
 * nothing. `absent` decides for a missing claim.
 */
const claimRules: Record<
  string,
  { right: (value: unknown, now: number, how: Times) => boolean; absent?: (how: Times) => boolean }
> = {
  exp: {
    right: (value, now, { clockSkewSeconds }) => isTime(value) && now < value + clockSkewSeconds,
    absent: (how) => how.allowWithoutExpiry,
  },
  nbf: { right: (value, now, { clockSkewSeconds }) => isTime(value) && value <= now + clockSkewSeconds },
  iat: { right: (value, now, { clockSkewSeconds }) => isTime(value) && value <= now + clockSkewSeconds },
  permissions: { right: isNames },
  roomId: { right: isRoom },
  participantId: { right: isParticipant },
  roles: { right: isNames },
}

/** Decision 1 as a table: the set of permissions → the way of entry. Any other set has none. */
const entries: Record<string, string> = {
  allow_join: 'direct',
  allow_mod: 'moderator',
  'allow_join allow_mod': 'moderator',
  ask_join: 'ask',
}

export async function judge(one: TokenCase): Promise<Verdict> {
  const { token, setting } = one
  const how = settings[setting]!
  const invalid = (rule: string): Verdict => ({ code: 'INVALID_TOKEN', rule })
  if (typeof token !== 'string') return invalid('there is a token')
  for (const [rule, , broken] of formRules) if (broken(token, one)) return invalid(rule)

  const header = decodeProtectedHeader(token) as Json
  for (const [name, right] of Object.entries(headerRules)) if (!right(header)) return invalid(name)

  const claims = objectIn(token.split('.')[1]!)!
  const apiKey = Object.hasOwn(claims, 'apikey') ? claims.apikey : undefined
  const key = keys.find((known) => known.apiKey === apiKey && known.secret !== '')
  if (!key) return { code: 'INVALID_API_KEY', rule: 'apikey' }
  if (!isPlainBase64url(token.split('.')[2]!)) return invalid('base64url in its one spelling')
  try {
    await compactVerify(token, new TextEncoder().encode(key.secret), { algorithms: ['HS256'] })
  } catch {
    return invalid('signature')
  }
  if (key.revoked) return { code: 'APIKEY_DEACTIVATED', rule: 'revoked' }
  for (const [name, { right, absent }] of Object.entries(claimRules)) {
    const fine = Object.hasOwn(claims, name)
      ? right(claims[name], NOW_MS / 1000, how)
      : (absent?.(how) ?? true)
    if (!fine && name === 'participantId' && isText(claims[name]))
      return { code: 'INVALID_PARTICIPANT_ID', rule: name }
    if (!fine) return invalid(name)
  }

  const named = (claims.permissions ?? []) as string[]
  const grant: ExpectedGrant = {
    apiKey: key.apiKey,
    projectId: key.projectId,
    entry: entries[[...new Set(named)].sort().join(' ')],
    permissions: named,
    roomId: claims.roomId,
    participantId: claims.participantId,
    roles: (claims.roles as string[] | undefined)
      ?.filter(isRole)
      .map((role) => (role.length === 3 ? 'rtc' : 'crawler')),
    expiresAt: claims.exp === undefined ? undefined : (claims.exp as number) * 1000,
    issuedAt: claims.iat === undefined ? undefined : (claims.iat as number) * 1000,
    tokenId:
      typeof claims.jti === 'string' && claims.jti !== ''
        ? `jti:${claims.jti}`
        : `sha256:${createHash('sha256').update(token).digest('hex')}`,
  }
  return { code: 'accepted', grant, join: joinOf(grant), rest: restOf(grant) }
}

/** Contract 1.3, in its order. */
function joinOf(grant: ExpectedGrant): string {
  if (grant.roles && !grant.roles.includes('rtc')) return 'UNAUTHORIZED_ROLE'
  if (grant.entry === undefined) return 'INVALID_PERMISSIONS'
  return scopeOf(grant)
}

function restOf(grant: ExpectedGrant): string {
  return grant.roles && !grant.roles.includes('crawler') ? 'UNAUTHORIZED_ROLE' : scopeOf(grant)
}

function scopeOf({ roomId, participantId }: ExpectedGrant): string {
  if (roomId !== undefined && roomId !== SCOPE.roomId) return 'UNAUTHORIZED_MEETING_ID'
  if (participantId !== undefined && participantId !== SCOPE.participantId)
    return 'UNAUTHORIZED_PARTCIPANT_ID'
  return 'allowed'
}
