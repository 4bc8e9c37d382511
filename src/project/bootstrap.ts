/** Creates what a first start needs: a project, a key, and the key from the environment. */
import { writeFile } from 'node:fs/promises'
import { StoreConflict } from '../store/problem.ts'
import type { ApiKeyRecord, Store } from '../store/store.ts'

export interface BootstrapOptions {
  store: Pick<Store, 'projects' | 'keys' | 'values' | 'secrets'>
  /** The key of the environment, so that tokens minted elsewhere keep working. */
  apiKey: { apiKey: string; secret: string } | undefined
  /** The file into which the secret of a first key is written for a person to read. */
  keyFile: string
  now: () => number
  randomBytes: (size: number) => Buffer
  randomUUID: () => string
}

const SECRET_BYTES = 32

const FIRST_PROJECT = 'first-project'
const FIRST_KEY = 'first-key'

/**
 * Creates the first project and a key if there is none, and saves the key of the environment. Of two first starts at once,
 * the faster one decides the ids of both, so that both make the same.
 */
export async function makeFirst(options: BootstrapOptions): Promise<void> {
  const { store, apiKey: given } = options
  const projectId = (await store.projects.list())[0]?.projectId ?? (await makeProject(options))
  const keys = await store.keys.list()
  if (given === undefined) {
    if (keys.length === 0) await makeKey(projectId, options)
    return
  }
  const there = keys.find(({ apiKey }) => apiKey === given.apiKey)
  if (!there)
    await unlessThere(store.keys.create(keyRecord({ ...given, projectId, name: 'environment' }, options)))
  // Its secret may have been replaced where the key comes from.
  else if (there.secret !== given.secret) await store.keys.setSecret(given.apiKey, given.secret)
}

async function makeProject({ store, now, randomBytes }: BootstrapOptions): Promise<string> {
  const projectId = await store.values.setIfAbsent(FIRST_PROJECT, randomBytes(12).toString('hex'))
  await unlessThere(store.projects.create({ projectId, name: 'default', webhook: null, createdAt: now() }))
  return projectId
}

/** Ignores that another start has created it meanwhile. */
async function unlessThere(creating: Promise<void>): Promise<void> {
  try {
    await creating
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
  }
}

async function makeKey(projectId: string, options: BootstrapOptions): Promise<void> {
  const made = [options.randomUUID(), options.randomBytes(SECRET_BYTES).toString('hex')]
  const kept = await options.store.secrets.setIfAbsent(FIRST_KEY, JSON.stringify(made))
  const [apiKey, secret] = JSON.parse(kept) as [string, string]
  // Write the file first: a key whose secret nobody knows would be useless.
  const lines = `VIDEOSDK_API_KEY=${apiKey}\nVIDEOSDK_SECRET_KEY=${secret}\n`
  await writeFile(options.keyFile, lines, { mode: 0o600 })
  await unlessThere(
    options.store.keys.create(keyRecord({ apiKey, projectId, name: 'first', secret }, options)),
  )
}

function keyRecord(
  key: Pick<ApiKeyRecord, 'apiKey' | 'projectId' | 'name' | 'secret'>,
  { now }: BootstrapOptions,
): ApiKeyRecord {
  return { ...key, createdAt: now(), revokedAt: null, lastUsedAt: null, origins: null }
}
