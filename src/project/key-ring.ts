/**
 * Caches the API keys in memory, so that verifying a token needs no query. Refreshed from the
 * store, because another process (the command line) may have revoked one.
 */
import type { ApiKeyRecord, Store } from '../store/store.ts'
import type { SigningKey } from '../token/token.ts'

/** A key as used for verification. */
export interface RingKey extends SigningKey {
  /** Web origins whose pages may use the key; null: any. */
  readonly origins: readonly string[] | null
}

/** How often the last uses of keys are written to the store, so that a busy server hardly loads it. */
const WRITE_USES_MS = 60_000

export class KeyRing {
  readonly #store: Store
  readonly #now: () => number
  #keys = new Map<string, KeptKey>()
  #preferred: string | undefined
  #firstProject: string | undefined
  /** A key of the first project; looked up again when it no longer works. */
  #default: KeptKey | undefined
  readonly #uses = new Map<string, number>()
  #usesWrittenAt: number
  #reading: Promise<unknown> = Promise.resolve()

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
    this.#usesWrittenAt = now()
  }

  /** The same object for as long as the key is unchanged. */
  readonly find = (apiKey: string): RingKey | undefined => this.#keys.get(apiKey)

  /**
   * The key that mints tokens by default: the newest active key of `projectId`, or of the first project. A key that is
   * being rotated out comes last.
   */
  defaultKey(projectId?: string): RingKey | undefined {
    if (projectId !== undefined) return this.#newest(({ projectId: its }) => its === projectId)
    if (this.#default === undefined || this.#default.revoked) this.#default = this.#choose()
    return this.#default
  }

  /** Makes this the default key. */
  prefer(apiKey: string): void {
    this.#preferred = apiKey
    this.#default = this.#choose()
  }

  /** Records that a key was used now. */
  used(apiKey: string): void {
    this.#uses.set(apiKey, this.#now())
  }

  /** When a key was last used, as far as this process knows. */
  lastUsedAt(apiKey: string): number | undefined {
    return this.#uses.get(apiKey)
  }

  /** Reads the keys again and returns whether anything changed. Runs one reading at a time, so that an older one never wins. */
  refresh(): Promise<boolean> {
    const reading = this.#reading.then(() => this.#read())
    this.#reading = reading.catch(() => false)
    return reading
  }

  async #read(): Promise<boolean> {
    // Projects are never deleted, so the first one stays the same.
    this.#firstProject ??= (await this.#store.projects.list())[0]?.projectId
    const records = await this.#store.keys.list()
    const next = new Map<string, KeptKey>()
    let changed = records.length !== this.#keys.size
    for (const record of records) {
      const before = this.#keys.get(record.apiKey)
      const same = before?.is(record) === true
      changed ||= !same
      next.set(record.apiKey, same ? before : new KeptKey(record, this.#now))
    }
    if (!changed) return false
    this.#keys = next
    this.#default = this.#choose()
    return true
  }

  /** Writes unsaved uses, if the last write is long enough ago or `all` is set. */
  async writeUses(all = false): Promise<void> {
    const now = this.#now()
    if (this.#uses.size === 0 || (!all && now - this.#usesWrittenAt < WRITE_USES_MS)) return
    this.#usesWrittenAt = now
    const uses = new Map(this.#uses)
    await this.#store.keys.used(uses)
    for (const [apiKey, at] of uses) if (this.#uses.get(apiKey) === at) this.#uses.delete(apiKey)
  }

  #choose(): KeptKey | undefined {
    const preferred = this.#preferred === undefined ? undefined : this.#keys.get(this.#preferred)
    return preferred?.revokedAt === null
      ? preferred
      : this.#newest(({ projectId }) => projectId === this.#firstProject)
  }

  #newest(wanted: (key: KeptKey) => boolean): KeptKey | undefined {
    const inForce = [...this.#keys.values()].filter((key) => !key.revoked && wanted(key))
    return inForce.findLast(({ revokedAt }) => revokedAt === null) ?? inForce.at(-1)
  }
}

class KeptKey implements RingKey {
  readonly apiKey: string
  readonly projectId: string
  readonly secret: string
  readonly origins: readonly string[] | null
  readonly revokedAt: number | null
  readonly #now: () => number

  constructor({ apiKey, projectId, secret, origins, revokedAt }: ApiKeyRecord, now: () => number) {
    this.apiKey = apiKey
    this.projectId = projectId
    this.secret = secret
    this.origins = origins
    this.revokedAt = revokedAt
    this.#now = now
  }

  /** Whether the key is revoked at this instant, even if the keys were not read again. */
  get revoked(): boolean {
    return this.revokedAt !== null && this.revokedAt <= this.#now()
  }

  is({ secret, projectId, origins, revokedAt }: ApiKeyRecord): boolean {
    return (
      this.secret === secret &&
      this.projectId === projectId &&
      this.revokedAt === revokedAt &&
      String(this.origins) === String(origins)
    )
  }
}
