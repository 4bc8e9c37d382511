export interface ApiKeyRecord {
  apiKey: string
  projectId: string
  name: string
  /** In the clear in memory only; sealed (AES-256-GCM under the master key) at rest. */
  secret: string
  createdAt: number
  /** From when on it is out of force; ahead of now while a rotated key still overlaps its successor. */
  revokedAt: number | null
  /** To the minute. */
  lastUsedAt: number | null
  /** Web origins whose pages may use it, e.g. `https://app.example.org`; null for any. */
  origins: string[] | null
}

export interface KeyStore {
  /** Replaces nothing: an existing `apiKey` is a `StoreConflict`. */
  create(key: ApiKeyRecord): Promise<void>
  list(): Promise<ApiKeyRecord[]>
  /** False when there is no such key. Revoking twice keeps the earlier instant. */
  revoke(apiKey: string, at: number): Promise<boolean>
  setSecret(apiKey: string, secret: string): Promise<void>
  change(apiKey: string, changes: Partial<Pick<ApiKeyRecord, 'name' | 'origins'>>): Promise<boolean>
  /** apiKey → instant; never back in time. */
  used(uses: ReadonlyMap<string, number>): Promise<void>
}
