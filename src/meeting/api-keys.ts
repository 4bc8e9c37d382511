/** API keys: made, rotated with an overlap, revoked. What REST and the command line have in common. */
import type { ApiKeyRecord, Store } from '../store/store.ts'
import { Refusal } from '../protocol/errors.ts'

export interface ApiKeysOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
  randomUUID: () => string
}

export interface ApiKeys {
  /** The secret is in this answer and nowhere else. @throws {Refusal} NOT_FOUND for a project that is not there */
  create(key: { projectId: string; name: string; origins: string[] | null }): Promise<ApiKeyRecord>
  /**
   * Another key takes the place of this one, with its project, name and origins; both are in force for the overlap.
   * @throws {Refusal} NOT_FOUND; INVALID_STATE for a key that is revoked or was rotated before
   */
  rotate(apiKey: string, overlapSeconds: number): Promise<ApiKeyRecord>
  /** Takes it out of force at once. @throws {Refusal} NOT_FOUND */
  revoke(apiKey: string): Promise<ApiKeyRecord>
  /** @throws {Refusal} NOT_FOUND */
  get(apiKey: string): Promise<ApiKeyRecord>
}

const SECRET_BYTES = 32

export function createApiKeys({ store, now, randomBytes, randomUUID }: ApiKeysOptions): ApiKeys {
  const get = async (apiKey: string): Promise<ApiKeyRecord> => {
    const found = (await store.keys.list()).find((key) => key.apiKey === apiKey)
    if (!found) throw new Refusal('NOT_FOUND', { message: `There is no API key ${apiKey}.` })
    return found
  }
  const add = async (key: Pick<ApiKeyRecord, 'projectId' | 'name' | 'origins'>): Promise<ApiKeyRecord> => {
    const record: ApiKeyRecord = {
      apiKey: randomUUID(),
      projectId: key.projectId,
      name: key.name,
      secret: randomBytes(SECRET_BYTES).toString('hex'),
      createdAt: now(),
      revokedAt: null,
      lastUsedAt: null,
      origins: key.origins,
    }
    await store.keys.create(record)
    return record
  }
  return {
    get,
    create: async (key) => {
      if (!(await store.projects.list()).some(({ projectId }) => projectId === key.projectId))
        throw new Refusal('NOT_FOUND', { message: `There is no project ${key.projectId}.` })
      return add(key)
    },
    rotate: async (apiKey, overlapSeconds) => {
      const before = await get(apiKey)
      if (before.revokedAt !== null)
        throw new Refusal('INVALID_STATE', { message: 'This key is revoked, or was rotated before.' })
      const successor = await add(before)
      await store.keys.revoke(apiKey, now() + overlapSeconds * 1000)
      return successor
    },
    revoke: async (apiKey) => {
      await get(apiKey)
      await store.keys.revoke(apiKey, now())
      return get(apiKey)
    },
  }
}
