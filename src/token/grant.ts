/**
 * What a verified token says, and what that allows. Values in, values or refusals out.
 */
import { Refusal } from '../protocol/errors.ts'
import { isReadable, problemOfParticipantId } from '../protocol/ids.ts'
import { malformed } from './jws.ts'

/**
 * How the holder of a token comes in (docs/decisions/0001): `direct` joins, `moderator` joins and moderates, `ask` waits for
 * somebody inside to decide. `undefined`: the permissions name no way in; such a token may use REST but is refused with
 * 4008 when it joins.
 */
export type Entry = 'direct' | 'moderator' | 'ask' | undefined

/** `crawler`: the REST API. `rtc`: joining meetings. */
export type Role = 'crawler' | 'rtc'

/** What a verified token says. Frozen, and shared between all who verify the same token. */
export interface Grant {
  /** The public key id that selected the secret. */
  apiKey: string
  /** The project of that key: whatever belongs to another project is 'not found' for this grant. */
  projectId: string
  entry: Entry
  /** As the token spells them; empty where it has none. */
  permissions: readonly string[]
  /** The only meeting the token is for, by `meetingId` or custom id; absent: any of the project. */
  roomId?: string
  /** The only participant the token is for; absent: any. */
  participantId?: string
  /** Those with a meaning here, in lower case, whatever the token's spelling; empty: of no use. Absent: no restriction. */
  roles?: readonly Role[]
  /** Ms since the epoch; absent where tokens without expiry are allowed and this is one. */
  expiresAt?: number
  /** Ms since the epoch. */
  issuedAt?: number
  /** Names this token without containing it: `jti:` and its `jti`, or `sha256:` and the hex digest of the token. */
  tokenId: string
}

/** Every permission with a meaning here (contract §4.4). */
export const knownPermissions = ['allow_join', 'allow_mod', 'ask_join'] as const

/** The way in that a set of permissions names; order and repetition do not matter (docs/decisions/0001). */
export function entryOf(permissions: readonly string[]): Entry {
  let join = false
  let moderate = false
  let ask = false
  for (const permission of permissions) {
    if (permission === 'allow_join') join = true
    else if (permission === 'allow_mod') moderate = true
    else if (permission === 'ask_join') ask = true
    else return undefined
  }
  if (ask) return join || moderate ? undefined : 'ask'
  return moderate ? 'moderator' : join ? 'direct' : undefined
}

/** The last instant of the year 9999, in seconds: a later one is a mistake, mostly milliseconds given for seconds. */
export const maxNumericDate = 253_402_300_799

/** What the claims are judged by, beside the claims themselves. */
export interface ClaimRules {
  /** Ms since the epoch. */
  now: number
  allowWithoutExpiry: boolean
  clockSkewSeconds: number
  /** Its time may be over; everything else about it must be right. Default false. */
  outOfTime?: boolean
}

/** The instants of a token in seconds since the epoch, fractions allowed (RFC 7519 NumericDate). */
export interface TokenTimes {
  exp: number | undefined
  nbf: number | undefined
  iat: number | undefined
}

/**
 * The instants of a token, each a number that can be one.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `exp`, `nbf` or `iat`
 */
export function timesOf(claims: Record<string, unknown>): TokenTimes {
  return { exp: numericDate(claims, 'exp'), nbf: numericDate(claims, 'nbf'), iat: numericDate(claims, 'iat') }
}

function numericDate(claims: Record<string, unknown>, name: 'exp' | 'nbf' | 'iat'): number | undefined {
  const value = claims[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !(value >= 0 && value <= maxNumericDate)) throw malformed(name)
  return value
}

/**
 * Holds the instants of a token against the clock. The skew works for the bearer at both ends (docs/decisions/0005).
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `no-expiry`, `expired`, `not-yet-valid` or `issued-in-future`
 */
export function assertCurrent(times: TokenTimes, rules: ClaimRules): void {
  const now = rules.now / 1000
  const skew = rules.clockSkewSeconds
  if (times.exp === undefined) {
    if (!rules.allowWithoutExpiry) throw malformed('no-expiry')
  } else if (!rules.outOfTime && now >= times.exp + skew) throw malformed('expired')
  if (times.nbf !== undefined && times.nbf > now + skew) throw malformed('not-yet-valid')
  if (!rules.outOfTime && times.iat !== undefined && times.iat > now + skew)
    throw malformed('issued-in-future')
}

/**
 * The restrictions in the claims. A claim that is present but malformed is a refusal, and a list that names nothing grants
 * nothing; neither is ever 'no restriction' (docs/decisions/0006). Claims without a meaning here are tolerated.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `permissions`, `roomId`, `participantId` or `roles`, and
 * `INVALID_PARTICIPANT_ID` (4004)
 */
export function grantOf(
  claims: Record<string, unknown>,
  key: { apiKey: string; projectId: string },
  times: TokenTimes,
  tokenId: string,
): Grant {
  const permissions = permissionsOf(claims.permissions)
  const grant: Grant = {
    apiKey: key.apiKey,
    projectId: key.projectId,
    entry: entryOf(permissions),
    permissions,
    tokenId,
  }
  const roomId = claims.roomId
  if (roomId !== undefined) grant.roomId = idOf(roomId, 'roomId')
  const participantId = claims.participantId
  if (participantId !== undefined) grant.participantId = idOf(participantId, 'participantId')
  const roles = claims.roles
  if (roles !== undefined) grant.roles = rolesOf(roles)
  if (times.exp !== undefined) grant.expiresAt = times.exp * 1000
  if (times.iat !== undefined) grant.issuedAt = times.iat * 1000
  return Object.freeze(grant)
}

const noPermissions: readonly string[] = Object.freeze([])
// Freezing a fresh array costs more than all other checks of a grant together; nearly every token has this one.
const joinOnly: readonly string[] = Object.freeze(['allow_join'])

/** Empty where the token has none. @throws {Refusal} `INVALID_TOKEN` with reason `permissions` when it is no list of names */
export function permissionsOf(value: unknown): readonly string[] {
  if (value === undefined) return noPermissions
  if (!isListOfNames(value)) throw malformed('permissions')
  return value.length === 1 && value[0] === 'allow_join' ? joinOnly : Object.freeze(value)
}

/**
 * @throws {Refusal} with the claim's name as the reason: `INVALID_TOKEN`, or `INVALID_PARTICIPANT_ID` (4004) for a text
 * that no participant can have as its id
 */
export function idOf(value: unknown, claim: 'roomId' | 'participantId'): string {
  if (typeof value !== 'string' || value.trim() === '') throw malformed(claim)
  if (claim === 'roomId') {
    if (!isReadable(value)) throw malformed(claim)
    return value
  }
  const problem = problemOfParticipantId(value)
  if (problem !== undefined) {
    const message = `The participantId of the token ${problem}.`
    throw new Refusal('INVALID_PARTICIPANT_ID', { message, reason: claim })
  }
  return value
}

/** Roles without a meaning here grant nothing and take nothing away. @throws {Refusal} `INVALID_TOKEN` with reason `roles` */
export function rolesOf(value: unknown): readonly Role[] {
  if (!isListOfNames(value)) throw malformed('roles')
  const roles = value.map((role) => role.toLowerCase())
  return Object.freeze(roles.filter((role) => role === 'crawler' || role === 'rtc'))
}

function isListOfNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
}

/** What a REST call touches. */
export interface RestScope {
  /** The names of the meeting it is about: `meetingId`, and custom id where it has one. */
  roomId?: string | readonly string[] | undefined
  /** The participant it is about. */
  participantId?: string | undefined
}

/**
 * Refuses a grant that may not make this REST call (contract §1.2).
 *
 * @param scope what the call touches; without a `roomId` the call touches no single meeting (a list, a new meeting), and a
 * grant for one meeting is refused
 * @throws {Refusal} `UNAUTHORIZED_ROLE` (4024), `UNAUTHORIZED_MEETING_ID` (4022), `UNAUTHORIZED_PARTCIPANT_ID` (4023)
 */
export function assertMayUseRest(grant: Grant, scope: RestScope = {}): void {
  if (grant.roles && !grant.roles.includes('crawler'))
    throw new Refusal('UNAUTHORIZED_ROLE', { reason: 'roles' })
  assertInScope(grant, scope)
}

/**
 * Why a grant cannot join any meeting, if it cannot (contract §1.3, as far as the token alone decides it):
 * `UNAUTHORIZED_ROLE` (4024) or `INVALID_PERMISSIONS` (4008). The door and what explains a token both ask here.
 */
export function refusalToJoin({ roles, entry }: Pick<Grant, 'roles' | 'entry'>): Refusal | undefined {
  if (roles && !roles.includes('rtc')) return new Refusal('UNAUTHORIZED_ROLE', { reason: 'roles' })
  if (entry === undefined) return new Refusal('INVALID_PERMISSIONS', { reason: 'permissions' })
  return undefined
}

/**
 * Why a grant is not for this meeting or participant, if it is not: `UNAUTHORIZED_MEETING_ID` (4022) or
 * `UNAUTHORIZED_PARTCIPANT_ID` (4023).
 */
export function refusalOfScope(
  grant: Pick<Grant, 'roomId' | 'participantId'>,
  { roomId, participantId }: RestScope = {},
): Refusal | undefined {
  if (grant.roomId !== undefined) {
    const named = typeof roomId === 'string' ? roomId === grant.roomId : roomId?.includes(grant.roomId)
    if (named !== true) return new Refusal('UNAUTHORIZED_MEETING_ID', { reason: 'roomId' })
  }
  if (
    grant.participantId !== undefined &&
    participantId !== undefined &&
    grant.participantId !== participantId
  ) {
    return new Refusal('UNAUTHORIZED_PARTCIPANT_ID', { reason: 'participantId' })
  }
  return undefined
}

/**
 * Refuses a grant for another meeting or participant.
 *
 * @throws {Refusal} `UNAUTHORIZED_MEETING_ID` (4022), `UNAUTHORIZED_PARTCIPANT_ID` (4023)
 */
export function assertInScope(grant: Grant, scope?: RestScope): void {
  const refusal = refusalOfScope(grant, scope)
  if (refusal) throw refusal
}
