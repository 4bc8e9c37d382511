/** What a server stands on and what commands work on: the store, the keys and the catalogue of meetings. */
import { randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/read.ts'
import { createCatalogue, type Catalogue } from '../project/catalogue.ts'
import { KeyRing } from '../project/key-ring.ts'
import { openStore, type StoreOptions } from '../store/open.ts'
import type { Store } from '../store/store.ts'

/** What survives a restart, and the keys: all that a command needs, and the ground a server stands on. */
export interface ServerCore {
  store: Store
  keyRing: KeyRing
  catalogue: Catalogue
  /** Where a person finds the secret of the key in force: a file or a variable. */
  secretIn: string
}

export interface CoreOptions extends Pick<StoreOptions, 'onCommit' | 'onTrouble'> {
  /** Whether what is missing is made: the data folder, the database, the master key, a project, an API key. */
  create: boolean
  now?: () => number
  through?: ((store: Store) => Store) | undefined
}

const API_KEY_FILE = 'api-key.env'
const SECRET_BYTES = 32

/** @throws {StartError} with one sentence and the cure; without `create` when there is no store */
export async function openCore(
  config: Config,
  { create, now = Date.now, through = (store) => store, ...watch }: CoreOptions,
): Promise<ServerCore> {
  const { dataDir, masterKey, databaseUrl: url, apiKey: given } = config
  const store = through(await openStore({ folder: dataDir, masterKey, url, create, ...watch }))
  try {
    const keyRing = new KeyRing(store, now)
    if (create) await makeFirst(store, config, now)
    await keyRing.refresh()
    if (given !== undefined) keyRing.prefer(given.apiKey)
    return {
      store,
      keyRing,
      catalogue: createCatalogue({ store, now, randomBytes }),
      secretIn: given === undefined ? join(dataDir, API_KEY_FILE) : 'VIDEOSDK_SECRET_KEY',
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The first project and a key to begin with, where there is none; and the key of the environment. */
async function makeFirst(store: Store, { apiKey: given, dataDir }: Config, now: () => number): Promise<void> {
  const project = (await store.projects.list())[0] ?? (await firstProject(store, now))
  if (given !== undefined) await importKey(store, project.projectId, given, now)
  else if ((await store.keys.list()).length === 0) await firstKey(store, project.projectId, dataDir, now)
}

async function firstProject(store: Store, now: () => number) {
  const project = {
    projectId: randomBytes(12).toString('hex'),
    name: 'default',
    webhook: null,
    createdAt: now(),
  }
  await store.projects.create(project)
  return project
}

async function firstKey(store: Store, projectId: string, dataDir: string, now: () => number): Promise<void> {
  const [apiKey, secret] = [randomUUID(), randomBytes(SECRET_BYTES).toString('hex')]
  // The file first: a key whose secret nobody can read would be of no use.
  const lines = `VIDEOSDK_API_KEY=${apiKey}\nVIDEOSDK_SECRET_KEY=${secret}\n`
  await writeFile(join(dataDir, API_KEY_FILE), lines, { mode: 0o600 })
  await store.keys.create({
    apiKey,
    projectId,
    name: 'first',
    secret,
    createdAt: now(),
    revokedAt: null,
    lastUsedAt: null,
    origins: null,
  })
}

/** The key of the environment, so that tokens minted elsewhere keep working; its secret may have been rotated there. */
async function importKey(
  store: Store,
  projectId: string,
  given: { apiKey: string; secret: string },
  now: () => number,
): Promise<void> {
  const there = (await store.keys.list()).find(({ apiKey }) => apiKey === given.apiKey)
  if (!there) {
    await store.keys.create({
      ...given,
      projectId,
      name: 'environment',
      createdAt: now(),
      revokedAt: null,
      lastUsedAt: null,
      origins: null,
    })
  } else if (there.secret !== given.secret) await store.keys.setSecret(given.apiKey, given.secret)
}
