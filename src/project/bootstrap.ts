/** Creates what a first start needs: a project, a key, and the key from the environment. */
import { writeFile } from 'node:fs/promises'
import type { ApiKeyRecord, Store } from '../store/store.ts'

export interface BootstrapOptions {
  store: Pick<Store, 'projects' | 'keys'>
  /** The key of the environment, so that tokens minted elsewhere keep working. */
  apiKey: { apiKey: string; secret: string } | undefined
  /** The file into which the secret of a first key is written for a person to read. */
  keyFile: string
  now: () => number
  randomBytes: (size: number) => Buffer
  randomUUID: () => string
}

const SECRET_BYTES = 32

/** Creates the first project and a key if there is none, and saves the key of the environment. */
export async function makeFirst(options: BootstrapOptions): Promise<void> {
  const { store, apiKey: given } = options
  const projectId = (await store.projects.list())[0]?.projectId ?? (await makeProject(options))
  const keys = await store.keys.list()
  if (given === undefined) {
    if (keys.length === 0) await makeKey(projectId, options)
    return
  }
  const there = keys.find(({ apiKey }) => apiKey === given.apiKey)
  if (!there) await store.keys.create(keyRecord({ ...given, projectId, name: 'environment' }, options))
  // Its secret may have been replaced where the key comes from.
  else if (there.secret !== given.secret) await store.keys.setSecret(given.apiKey, given.secret)
}

async function makeProject({ store, now, randomBytes }: BootstrapOptions): Promise<string> {
  const projectId = randomBytes(12).toString('hex')
  await store.projects.create({ projectId, name: 'default', webhook: null, createdAt: now() })
  return projectId
}

async function makeKey(projectId: string, options: BootstrapOptions): Promise<void> {
  const [apiKey, secret] = [options.randomUUID(), options.randomBytes(SECRET_BYTES).toString('hex')]
  // Write the file first: a key whose secret nobody knows would be useless.
  const lines = `VIDEOSDK_API_KEY=${apiKey}\nVIDEOSDK_SECRET_KEY=${secret}\n`
  await writeFile(options.keyFile, lines, { mode: 0o600 })
  await options.store.keys.create(keyRecord({ apiKey, projectId, name: 'first', secret }, options))
}

function keyRecord(
  key: Pick<ApiKeyRecord, 'apiKey' | 'projectId' | 'name' | 'secret'>,
  { now }: BootstrapOptions,
): ApiKeyRecord {
  return { ...key, createdAt: now(), revokedAt: null, lastUsedAt: null, origins: null }
}
