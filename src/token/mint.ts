/**
 * Turns a grant into a signed token.
 */
import { randomUUID } from 'node:crypto'
import { Refusal } from '../protocol/errors.ts'
import { isReadable, MAX_WORDS_LENGTH, problemOfParticipantId, problemOfRoomId } from '../protocol/ids.ts'
import { entryOf, maxNumericDate, type Role } from './grant.ts'
import { headerSegment, maxTokenBytes, prepareKey, sign, type HmacKey } from './jws.ts'

/** The content of a token to be minted. */
export interface TokenClaims {
  /** Permissions that allow entry (see `entryOf`). Default `['allow_join']` (docs/decisions/0008). */
  permissions?: readonly string[] | undefined
  /** The only meeting that the token is for, by `meetingId` or custom id. Default: any meeting of the project. */
  roomId?: string | undefined
  /** The only participant that the token is for. Default: any. */
  participantId?: string | undefined
  /** Default: `['rtc']` if `roomId` or `participantId` is given, as in the published samples; otherwise no restriction. */
  roles?: readonly Role[] | undefined
  /** Default: 2 if the token has `roomId`, `participantId` or `roles`, otherwise absent (contract §1.1). */
  version?: number | undefined
  /** Default 86400: 24 hours. */
  expiresInSeconds?: number | undefined
  /** The id of the token. Default: a random uuid v4. */
  jti?: string | undefined
}

export interface MintOptions extends TokenClaims {
  apiKey: string
  /** Its UTF-8 bytes are the signing key. */
  secret: string
  /** Ms since the epoch. */
  now: number
}

export interface MinterOptions {
  apiKey: string
  /** Its UTF-8 bytes are the signing key. */
  secret: string
  /** Ms since the epoch. */
  now: () => number
}

/** Mints the tokens of one key. */
export interface Minter {
  /** @throws {TypeError} if the resulting token would never be accepted */
  mint(claims?: TokenClaims): string
}

const defaultExpiresInSeconds = 24 * 60 * 60
const defaultPermissions: readonly string[] = ['allow_join']

const scratch = Buffer.alloc(maxTokenBytes)

/**
 * Mints a signed token with the header and claims of the contract (§1.1): `apikey`, `permissions`, then `version`, `roles`,
 * `roomId`, `participantId` if given, then `iat`, `exp`, `jti`.
 *
 * @throws {TypeError} if the resulting token would never be accepted
 */
export function mintToken(options: MintOptions): string {
  const { apiKey, secret, now } = options
  checkKey(apiKey, secret)
  return mint(prepareKey(secret), `{"apikey":${JSON.stringify(apiKey)},"permissions":`, options, now)
}

/**
 * Like `mintToken`, but does the work that depends only on the key once.
 *
 * @throws {TypeError} if the key or the secret is empty
 */
export function createMinter(options: MinterOptions): Minter {
  const { apiKey, secret, now } = options
  checkKey(apiKey, secret)
  const key = prepareKey(secret)
  const head = `{"apikey":${JSON.stringify(apiKey)},"permissions":`
  return { mint: (claims = {}) => mint(key, head, claims, now()) }
}

function checkKey(apiKey: unknown, secret: unknown): void {
  if (typeof apiKey !== 'string' || apiKey === '')
    throw new TypeError('apiKey must be a string that is not empty')
  if (typeof secret !== 'string' || secret === '')
    throw new TypeError('secret must be a string that is not empty')
}

function mint(key: HmacKey, head: string, claims: TokenClaims, now: number): string {
  const { permissions = defaultPermissions, roomId, participantId, jti } = claims
  const { expiresInSeconds = defaultExpiresInSeconds } = claims
  if (permissions !== defaultPermissions && !(Array.isArray(permissions) && entryOf(permissions))) {
    throw new TypeError('permissions must be allow_join, allow_mod or both, or ask_join alone')
  }
  if (!(expiresInSeconds > 0) || !Number.isSafeInteger(expiresInSeconds)) {
    throw new TypeError('expiresInSeconds must be a whole number above 0')
  }
  const iat = Math.floor(now / 1000)
  const exp = iat + expiresInSeconds
  if (!(iat >= 0 && exp <= maxNumericDate))
    throw new TypeError('now must be ms since the epoch, before the year 10000')

  const roles = claims.roles ?? (roomId === undefined && participantId === undefined ? undefined : rtcOnly)
  const version = claims.version ?? (roles === undefined ? undefined : 2)
  let json = head + (permissions === defaultPermissions ? '["allow_join"]' : JSON.stringify(permissions))
  if (version !== undefined) json += `,"version":${numberText(version)}`
  if (roles !== undefined) json += `,"roles":${rolesText(roles)}`
  if (roomId !== undefined) json += `,"roomId":${idText(roomId, 'roomId', problemOfRoomId)}`
  if (participantId !== undefined)
    json += `,"participantId":${idText(participantId, 'participantId', problemOfParticipantId)}`
  json += `,"iat":${iat},"exp":${exp},"jti":`
  json += jti === undefined ? `"${randomUUID()}"}` : `${idText(jti, 'jti', problemOfJti)}}`

  // A character takes up to three bytes, and a third more in base64url.
  if (json.length > maxTokenBytes / 4 && Buffer.byteLength(json) > maxPayloadBytes) {
    throw new TypeError(`the token would be longer than ${maxTokenBytes} bytes`)
  }
  const end = scratch.write(json, 'utf8')
  const signedText = `${headerSegment}.${scratch.toString('base64url', 0, end)}`
  return `${signedText}.${sign(key, signedText)}`
}

const rtcOnly: readonly Role[] = ['rtc']

const maxPayloadBytes = Math.floor(((maxTokenBytes - headerSegment.length - '..'.length - 43) * 3) / 4)

function numberText(version: unknown): string {
  if (typeof version !== 'number' || !Number.isFinite(version))
    throw new TypeError('version must be a number')
  return String(version)
}

function rolesText(roles: readonly string[]): string {
  if (
    !Array.isArray(roles) ||
    roles.length === 0 ||
    !roles.every((role) => role === 'crawler' || role === 'rtc')
  ) {
    throw new TypeError('roles must be crawler, rtc or both')
  }
  return JSON.stringify(roles)
}

function idText(value: unknown, claim: string, problemOf: (value: string) => string | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`${claim} must be a string`)
  const problem = problemOf(value)
  if (problem !== undefined) throw new TypeError(`${claim} ${problem}`)
  return JSON.stringify(value)
}

function problemOfJti(value: string): string | undefined {
  return isReadable(value) && value.trim() !== ''
    ? undefined
    : `must be 1 to ${MAX_WORDS_LENGTH} characters of well-formed Unicode`
}

const secondsPerUnit = { '': 1, m: 60, h: 3600, d: 86_400 } as const

/** The longest allowed lifetime in seconds: 30 days. */
export const maxDurationSeconds = 30 * 86_400

/**
 * Parses a duration into seconds: `3600`, `"3600"`, `"15m"`, `"24h"`, `"30d"`.
 *
 * @throws {Refusal} `INVALID_REQUEST` for anything else, for zero, and for more than 30 days
 */
export function parseDuration(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value
  const match = typeof text === 'string' ? /^([1-9]\d{0,8})([mhd]?)$/.exec(text) : null
  const seconds = match ? Number(match[1]) * secondsPerUnit[match[2] as keyof typeof secondsPerUnit] : NaN
  if (!(seconds <= maxDurationSeconds)) {
    throw new Refusal('INVALID_REQUEST', {
      message: 'A duration is a number of seconds or a text such as "15m", "24h" or "7d", at most 30 days.',
      reason: 'duration',
    })
  }
  return seconds
}
