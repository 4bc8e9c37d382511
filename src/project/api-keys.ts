/** Creates, rotates and revokes API keys, for REST and the command line. */
import type { ApiKeyRecord, Store } from '../store/store.ts'
import { Refusal } from '../protocol/errors.ts'

export interface ApiKeysOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
  randomUUID: () => string
}

/** A new key that does not work yet, so that it can be shown first. */
export interface KeyDraft {
  readonly key: ApiKeyRecord
  /** Activates the key. */
  keep(): Promise<ApiKeyRecord>
}

export interface ApiKeys {
  /** Like `create`, in two steps. @throws {Refusal} NOT_FOUND if the project does not exist */
  draft(key: { projectId: string; name: string; origins: string[] | null }): Promise<KeyDraft>
  /** Like `rotate`, in two steps. @throws {Refusal} NOT_FOUND; INVALID_STATE */
  draftSuccessor(apiKey: string, overlapSeconds: number): Promise<KeyDraft>
  /** The secret is only in this answer. @throws {Refusal} NOT_FOUND if the project does not exist */
  create(key: { projectId: string; name: string; origins: string[] | null }): Promise<ApiKeyRecord>
  /**
   * Replaces a key with a new one that has its project, name and origins; both work during the overlap.
   * @throws {Refusal} NOT_FOUND; INVALID_STATE for a key that is revoked or was rotated before
   */
  rotate(apiKey: string, overlapSeconds: number): Promise<ApiKeyRecord>
  /** Revokes the key immediately. @throws {Refusal} NOT_FOUND */
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
  const drafted = (
    { projectId, name, origins }: Pick<ApiKeyRecord, 'projectId' | 'name' | 'origins'>,
    afterwards: () => Promise<unknown> = () => Promise.resolve(),
  ): KeyDraft => {
    const key: ApiKeyRecord = {
      apiKey: randomUUID(),
      projectId,
      name,
      secret: randomBytes(SECRET_BYTES).toString('hex'),
      createdAt: now(),
      revokedAt: null,
      lastUsedAt: null,
      origins,
    }
    return {
      key,
      keep: async () => {
        await store.keys.create(key)
        await afterwards()
        return key
      },
    }
  }
  const draft: ApiKeys['draft'] = async (key) => {
    if (!(await store.projects.list()).some(({ projectId }) => projectId === key.projectId))
      throw new Refusal('NOT_FOUND', { message: `There is no project ${key.projectId}.` })
    return drafted(key)
  }
  const draftSuccessor: ApiKeys['draftSuccessor'] = async (apiKey, overlapSeconds) => {
    const before = await get(apiKey)
    if (before.revokedAt !== null)
      throw new Refusal('INVALID_STATE', { message: 'The key is revoked or was already rotated.' })
    return drafted(before, () => store.keys.revoke(apiKey, now() + overlapSeconds * 1000))
  }
  return {
    get,
    draft,
    draftSuccessor,
    create: async (key) => (await draft(key)).keep(),
    rotate: async (apiKey, overlapSeconds) => (await draftSuccessor(apiKey, overlapSeconds)).keep(),
    revoke: async (apiKey) => {
      await get(apiKey)
      await store.keys.revoke(apiKey, now())
      return get(apiKey)
    },
  }
}
