/** Turns errors of PostgreSQL and of the network into a refusal for callers, or into the sentence with which a start fails. */
import { StartError } from '../../errors.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { StoreTrouble } from '../store.ts'
import { SealBroken } from '../secrets/seal.ts'

/** Reasons by the beginning of the error code: an SQLSTATE, or the system's code of a network error. */
const troubles: readonly [code: RegExp, reason: StoreTrouble][] = [
  [/^53100/, 'full'],
  [/^(25006|42501)/, 'read-only'],
  // Another transaction conflicted; this one was rolled back and may run again.
  [/^(40001|40P01|55P03)/, 'locked'],
  [/^XX00[12]/, 'damaged'],
  [/^(08|28|3D000|53|57P|57014|25P0[34])/, 'away'],
  [/^58/, 'failing'],
  [/^(E[A-Z]{2,}|ERR_SSL_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_)/, 'away'],
]
/** Errors to which the driver gives no code. */
const AWAY =
  /^(Connection terminated|timeout exceeded when trying|Query read timeout|Client (was|has)|Cannot use a pool)/

/**
 * Whether a column was added after a statement was prepared, as a newer version does when it starts. The transaction was
 * rolled back, and the statement works when it is prepared again.
 */
export function isStalePlan(thrown: unknown): boolean {
  // PostgreSQL has no code for this, and its message is in the server's language.
  const { code, routine } = thrown as { code?: unknown; routine?: unknown }
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

/** Returns STORE_UNAVAILABLE with its cause if the store failed; returns anything else unchanged. */
export function asUnavailable(thrown: unknown): unknown {
  if (thrown instanceof Refusal || !(thrown instanceof Error)) return thrown
  const { code } = thrown as { code?: unknown }
  if (isStalePlan(thrown)) return new Refusal('STORE_UNAVAILABLE', { reason: 'locked', cause: thrown })
  const reason =
    typeof code === 'string'
      ? troubles.find(([pattern]) => pattern.test(code))?.[1]
      : AWAY.test(thrown.message)
        ? 'away'
        : undefined
  return reason === undefined ? thrown : new Refusal('STORE_UNAVAILABLE', { reason, cause: thrown })
}

export function isUniqueViolation(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === '23505'
}

/** Returns why a start with this database fails, and the cure. @param name without a password */
export function problem(name: string, thrown: unknown): StartError {
  if (thrown instanceof StartError) return thrown
  const cause = thrown instanceof Refusal ? thrown.cause : thrown
  const { code = '' } = cause as { code?: string }
  return new StartError(sentence(name, code, cause), { cause })
}

function sentence(name: string, code: string, cause: unknown): string {
  // It becomes a part of a sentence.
  const inside = name.replace(/^The /, 'the ')
  if (cause instanceof SealBroken)
    return `${name} is the database of another installation, whose master key is not the one here: put back its key, or name an empty database in DATABASE_URL.`
  if (code.startsWith('28'))
    return `The user and password in DATABASE_URL are not let into ${inside}: correct them, or change the password or pg_hba.conf there.`
  if (code === '3D000')
    return `There is no ${inside.replace(/^the /, '')}: make it with "createdb", or name another in DATABASE_URL.`
  if (code === '42501')
    return `The user in DATABASE_URL may not make tables in ${inside}: make that user the owner of the database.`
  if (code === '25006')
    return `${name} can only be read: name the primary server in DATABASE_URL, not a standby.`
  if (code === '53100') return `The disk of ${inside} is full: make room on it.`
  if (code === '53300')
    return `${name} has no free connection: raise max_connections there, or close other programs.`
  if (code === '57P03') return `${name} is starting or stopping: try again when it is up.`
  if (
    /^(ERR_SSL_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_)/.test(code) ||
    String(cause).includes('SSL')
  )
    return `No encrypted connection to ${inside} can be made: correct sslmode or sslrootcert in DATABASE_URL.`
  if (isAway(cause, code))
    return `${name} does not answer: start PostgreSQL there, or correct the host and port in DATABASE_URL.`
  return `${name} cannot be used: check it with "psql" and the address in DATABASE_URL.`
}

function isAway(cause: unknown, code: string): boolean {
  return /^(E[A-Z]{2,}|08|57P)/.test(code) || (cause instanceof Error && AWAY.test(cause.message))
}

/** Of the database, for people: without user and password. @throws {StartError} */
export function nameOf(url: string): string {
  let parsed
  try {
    parsed = new URL(url)
  } catch {
    throw new StartError(
      'DATABASE_URL is no address of a database: write it as postgres://user:password@host:5432/database.',
    )
  }
  const { protocol, hostname, port, pathname } = parsed
  if (protocol !== 'postgres:' && protocol !== 'postgresql:')
    throw new StartError(
      'DATABASE_URL names no PostgreSQL: write it as postgres://user:password@host:5432/database.',
    )
  return `The database ${pathname.slice(1)} at ${hostname || 'this machine'}${port && `:${port}`}`
}
