export interface ApiKeyRecord {
  apiKey: string
  projectId: string
  name: string
  /** Plain text in memory only; sealed at rest (AES-256-GCM under the master key). */
  secret: string
  createdAt: number
  /** When the key stops working. In the future while a rotated key still overlaps its successor. */
  revokedAt: number | null
  /** Rounded to the minute. */
  lastUsedAt: number | null
  /** Web origins whose pages may use it, e.g. `https://app.example.org`; null for any. */
  origins: string[] | null
}

export interface KeyStore {
  /** Throws `StoreConflict` if the `apiKey` exists. */
  create(key: ApiKeyRecord): Promise<void>
  list(): Promise<ApiKeyRecord[]>
  /** Returns false if there is no such key. Revoking twice keeps the earlier instant. */
  revoke(apiKey: string, at: number): Promise<boolean>
  setSecret(apiKey: string, secret: string): Promise<void>
  change(apiKey: string, changes: Partial<Pick<ApiKeyRecord, 'name' | 'origins'>>): Promise<boolean>
  /** Records the last use of each key: apiKey → instant. Ignores an instant that is earlier than the stored one. */
  used(uses: ReadonlyMap<string, number>): Promise<void>
}
