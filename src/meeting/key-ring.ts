/**
 * The API keys in force, in memory, so that a token is judged without a question to the store; kept in step with the
 * store, where another process (the command line) may have revoked one.
 */
import type { ApiKeyRecord, Store } from '../store/store.ts'
import type { SigningKey } from '../token/token.ts'

export class KeyRing {
  readonly #store: Store
  #keys = new Map<string, SigningKey>()
  #default: SigningKey | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** The same object for as long as the key is unchanged. */
  readonly find = (apiKey: string): SigningKey | undefined => this.#keys.get(apiKey)

  /** The key that mints where none is named: the newest that is not revoked, of `projectId` if given. */
  defaultKey(projectId?: string): SigningKey | undefined {
    if (projectId === undefined) return this.#default
    let found: SigningKey | undefined
    for (const key of this.#keys.values()) if (key.projectId === projectId && !key.revoked) found = key
    return found
  }

  /** Prefers this key where none is named. */
  prefer(apiKey: string): void {
    const key = this.#keys.get(apiKey)
    if (key && !key.revoked) this.#default = key
  }

  /** Reads the keys again. Says whether anything changed. */
  async refresh(): Promise<boolean> {
    const records = await this.#store.keys.list()
    const next = new Map<string, SigningKey>()
    let changed = records.length !== this.#keys.size
    for (const record of records) {
      const before = this.#keys.get(record.apiKey)
      const same = before !== undefined && sameKey(before, record)
      changed ||= !same
      next.set(record.apiKey, same ? before : toSigningKey(record))
    }
    if (!changed) return false
    this.#keys = next
    const preferred = this.#default && next.get(this.#default.apiKey)
    this.#default =
      preferred && !preferred.revoked ? preferred : [...next.values()].findLast((key) => !key.revoked)
    return true
  }
}

function sameKey(key: SigningKey, record: ApiKeyRecord): boolean {
  return (
    key.secret === record.secret &&
    key.projectId === record.projectId &&
    key.revoked === (record.revokedAt !== null)
  )
}

function toSigningKey({ apiKey, projectId, secret, revokedAt }: ApiKeyRecord): SigningKey {
  return { apiKey, projectId, secret, revoked: revokedAt !== null }
}
