/** Turns a failure of the disk or the database into a refusal for the caller, with the reason for the operator. */
import { Refusal } from '../protocol/errors.ts'
import type { StoreTrouble } from './store.ts'

/** Patterns for the error codes of SQLite and of the system. */
const troubles: readonly [code: RegExp, reason: StoreTrouble][] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG)/, 'full'],
  // ENOENT is what the runtime reports when it cannot create a folder on a read-only disk.
  [/^(SQLITE_READONLY|SQLITE_PERM|SQLITE_AUTH|EROFS|EACCES|EPERM|ENOENT|ENOTDIR)/, 'read-only'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED|SQLITE_PROTOCOL)/, 'locked'],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_IOERR_SHORT_READ)/, 'damaged'],
  [/^(SQLITE_IOERR|SQLITE_CANTOPEN|SQLITE_NOMEM|EIO|ENXIO|EMFILE|ENFILE|ENODEV|ESTALE)/, 'failing'],
]

/** Returns STORE_UNAVAILABLE with its cause if the store failed; returns anything else unchanged. */
export function asUnavailable(thrown: unknown): unknown {
  const { code } = thrown as { code?: unknown }
  if (typeof code !== 'string' || thrown instanceof Refusal) return thrown
  const reason = troubles.find(([pattern]) => pattern.test(code))?.[1]
  return reason === undefined ? thrown : new Refusal('STORE_UNAVAILABLE', { reason, cause: thrown })
}

/** The store's trouble, if that is what was thrown. */
export function troubleOf(thrown: unknown): StoreTrouble | undefined {
  return thrown instanceof Refusal && thrown.code === 'STORE_UNAVAILABLE'
    ? (thrown.reason as StoreTrouble)
    : undefined
}
