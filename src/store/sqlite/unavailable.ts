/** When the disk or the database does not serve: a refusal that may be told, and a word on why for those who run the server. */
import { Refusal } from '../../protocol/errors.ts'
import type { StoreTrouble } from '../store.ts'

/** By the beginning of the code of SQLite or of the system. */
const troubles: readonly [code: RegExp, reason: StoreTrouble][] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG)/, 'full'],
  // ENOENT: what the runtime says of a folder that it may not make on a disk that is read-only.
  [/^(SQLITE_READONLY|SQLITE_PERM|SQLITE_AUTH|EROFS|EACCES|EPERM|ENOENT|ENOTDIR)/, 'read-only'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED|SQLITE_PROTOCOL)/, 'locked'],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_IOERR_SHORT_READ)/, 'damaged'],
  [/^(SQLITE_IOERR|SQLITE_CANTOPEN|SQLITE_NOMEM|EIO|ENXIO|EMFILE|ENFILE|ENODEV|ESTALE)/, 'failing'],
]

/** STORE_UNAVAILABLE with its cause, where the store is what failed; anything else as it is. */
export function asUnavailable(thrown: unknown): unknown {
  const { code } = thrown as { code?: unknown }
  if (typeof code !== 'string' || thrown instanceof Refusal) return thrown
  const reason = troubles.find(([pattern]) => pattern.test(code))?.[1]
  return reason === undefined ? thrown : new Refusal('STORE_UNAVAILABLE', { reason, cause: thrown })
}

/** What is the matter with the store, if that is why something was thrown. */
export function troubleOf(thrown: unknown): StoreTrouble | undefined {
  return thrown instanceof Refusal && thrown.code === 'STORE_UNAVAILABLE'
    ? (thrown.reason as StoreTrouble)
    : undefined
}
