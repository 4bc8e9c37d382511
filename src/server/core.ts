/** What servers and commands share: the store, the keys and the catalogue of meetings. */
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../config/read.ts'
import { makeFirst } from '../project/bootstrap.ts'
import { createCatalogue, type Catalogue } from '../project/catalogue.ts'
import { KeyRing } from '../project/key-ring.ts'
import { UsageCounter } from '../project/usage.ts'
import { openStore, type StoreOptions } from '../store/open.ts'
import type { Store } from '../store/store.ts'

/** The store and the keys: everything that a command needs, and the base of a server. */
export interface ServerCore {
  store: Store
  keyRing: KeyRing
  catalogue: Catalogue
  usage: UsageCounter
  /** The file or variable in which people find the secret of the active key. */
  secretIn: string
}

export interface CoreOptions extends Pick<StoreOptions, 'fence' | 'onCommit' | 'onTrouble'> {
  /** Whether to create what is missing: the data folder, the database, the master key, a project, an API key. */
  create: boolean
  now?: () => number
  through?: ((store: Store) => Store) | undefined
}

/** Between two steps of counting, so that others have their turn. */
const USAGE_PAUSE_MS = 20
const API_KEY_FILE = 'api-key.env'

/** @throws {StartError} in one sentence with the cure; without `create` also if there is no store */
export async function openCore(
  config: Config,
  { create, now = Date.now, through = (store) => store, ...watch }: CoreOptions,
): Promise<ServerCore> {
  const { dataDir, masterKey, databaseUrl: url, apiKey: given } = config
  const nodeId = config.nodeAddress && (config.nodeId ?? config.nodeAddress)
  const keyFile = join(dataDir, API_KEY_FILE)
  const store = through(await openStore({ folder: dataDir, masterKey, url, nodeId, create, ...watch }))
  try {
    const keyRing = new KeyRing(store, now)
    if (create) await makeFirst({ store, apiKey: given, keyFile, now, randomBytes, randomUUID })
    await keyRing.refresh()
    if (given !== undefined) keyRing.prefer(given.apiKey)
    return {
      store,
      keyRing,
      catalogue: createCatalogue({ store, now, randomBytes }),
      usage: new UsageCounter({ store, now, pause: () => setTimeout(USAGE_PAUSE_MS) }),
      secretIn: given === undefined ? keyFile : 'VIDEOSDK_SECRET_KEY',
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
