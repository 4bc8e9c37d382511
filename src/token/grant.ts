/**
 * The grant: what a verified token says, and what it allows. Pure functions that return values or refusals.
 */
import { Refusal } from '../protocol/errors.ts'
import { isReadable, problemOfParticipantId } from '../protocol/ids.ts'
import { malformed } from './jws.ts'

/**
 * How the holder of a token enters (docs/decisions/0001): `direct` joins, `moderator` joins and moderates, `ask` waits until
 * somebody inside decides. `undefined`: the permissions do not allow entry; such a token may use REST but is refused with
 * 4008 when it joins.
 */
export type Entry = 'direct' | 'moderator' | 'ask' | undefined

/** `crawler`: the REST API. `rtc`: joining meetings. */
export type Role = 'crawler' | 'rtc'

/** What a verified token says. Frozen, because everybody who verifies the same token shares it. */
export interface Grant {
  /** The public id of the key whose secret verified the token. */
  apiKey: string
  /** The project of that key. Everything in other projects is 'not found' for this grant. */
  projectId: string
  entry: Entry
  /** As spelt in the token; empty if it has none. */
  permissions: readonly string[]
  /** The only meeting that the token is for, by `meetingId` or custom id. Absent: any meeting of the project. */
  roomId?: string
  /** The only participant that the token is for. Absent: any. */
  participantId?: string
  /** The known roles, in lower case. Empty: the token is of no use. Absent: no restriction. */
  roles?: readonly Role[]
  /** Ms since the epoch. Absent if the token has no expiry and such tokens are allowed. */
  expiresAt?: number
  /** Ms since the epoch. */
  issuedAt?: number
  /** Identifies the token without revealing it: `jti:` and its `jti`, or `sha256:` and the hex digest of the token. */
  tokenId: string
}

/** The known permissions (contract §4.4). */
export const knownPermissions = ['allow_join', 'allow_mod', 'ask_join'] as const

/** How a set of permissions lets its holder enter; order and repetition do not matter (docs/decisions/0001). */
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

/** The end of the year 9999, in seconds. A later instant is a mistake, usually milliseconds instead of seconds. */
export const maxNumericDate = 253_402_300_799

/** What the claims are judged against. */
export interface ClaimRules {
  /** Ms since the epoch. */
  now: number
  allowWithoutExpiry: boolean
  clockSkewSeconds: number
  /** Whether the token may be out of time; everything else must be right. Default false. */
  outOfTime?: boolean
}

/** The instants of a token in seconds since the epoch, fractions allowed (RFC 7519 NumericDate). */
export interface TokenTimes {
  exp: number | undefined
  nbf: number | undefined
  iat: number | undefined
}

/**
 * Reads the instants of a token and checks that each is a possible instant.
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
 * Compares the instants of a token with the clock. The skew favours the bearer at both ends (docs/decisions/0005).
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
 * Reads the restrictions in the claims. A claim that is present but malformed is refused, and an empty list grants
 * nothing; neither ever means 'no restriction' (docs/decisions/0006). Unknown claims are ignored.
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
// Nearly every token has this list. Freezing a new array each time would cost more than all other checks of a grant.
const joinOnly: readonly string[] = Object.freeze(['allow_join'])

/** Empty if the token has none. @throws {Refusal} `INVALID_TOKEN` with reason `permissions` if it is not a list of names */
export function permissionsOf(value: unknown): readonly string[] {
  if (value === undefined) return noPermissions
  if (!isListOfNames(value)) throw malformed('permissions')
  return value.length === 1 && value[0] === 'allow_join' ? joinOnly : Object.freeze(value)
}

/**
 * @throws {Refusal} with the claim's name as the reason: `INVALID_TOKEN`, or `INVALID_PARTICIPANT_ID` (4004) for a text
 * that cannot be a participant id
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

/** Unknown roles are ignored. @throws {Refusal} `INVALID_TOKEN` with reason `roles` */
export function rolesOf(value: unknown): readonly Role[] {
  if (!isListOfNames(value)) throw malformed('roles')
  const roles = value.map((role) => role.toLowerCase())
  return Object.freeze(roles.filter((role) => role === 'crawler' || role === 'rtc'))
}

function isListOfNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
}

/** The meeting and participant that a REST call is about. */
export interface RestScope {
  /** The ids of the meeting: `meetingId`, and its custom id if it has one. */
  roomId?: string | readonly string[] | undefined
  /** The id of the participant. */
  participantId?: string | undefined
}

/**
 * Refuses a grant that may not make this REST call (contract §1.2).
 *
 * @param scope what the call is about; without a `roomId` it is about no single meeting (a list, a new meeting), and a
 * grant for one meeting is refused
 * @throws {Refusal} `UNAUTHORIZED_ROLE` (4024), `UNAUTHORIZED_MEETING_ID` (4022), `UNAUTHORIZED_PARTCIPANT_ID` (4023)
 */
export function assertMayUseRest(grant: Grant, scope: RestScope = {}): void {
  if (grant.roles && !grant.roles.includes('crawler'))
    throw new Refusal('UNAUTHORIZED_ROLE', { reason: 'roles' })
  assertInScope(grant, scope)
}

/**
 * Returns why a grant cannot join any meeting, if it cannot (contract §1.3, as far as the token alone decides it):
 * `UNAUTHORIZED_ROLE` (4024) or `INVALID_PERMISSIONS` (4008). Admission and the explanation of tokens both use it.
 */
export function refusalToJoin({ roles, entry }: Pick<Grant, 'roles' | 'entry'>): Refusal | undefined {
  if (roles && !roles.includes('rtc')) return new Refusal('UNAUTHORIZED_ROLE', { reason: 'roles' })
  if (entry === undefined) return new Refusal('INVALID_PERMISSIONS', { reason: 'permissions' })
  return undefined
}

/**
 * Returns why a grant is not for this meeting or participant, if it is not: `UNAUTHORIZED_MEETING_ID` (4022) or
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
