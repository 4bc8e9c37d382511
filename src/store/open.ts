/** Chooses and opens a store. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from './store.ts'
import type { OnCommit } from './write-queue.ts'
import type { OnTrouble } from './unavailable.ts'
import { prepareFolder, readMasterKey } from './master-key.ts'
import { StoreProblem } from './problem.ts'
import { createSeal } from './seal.ts'
import { DATABASE_FILE, openSqlite } from './sqlite.ts'

export interface StoreOptions {
  /** The data folder; made with mode 0700 on first use. */
  folder: string
  /** 32 bytes; default: the file `master.key` in the folder, made on first use. */
  masterKey?: Buffer | undefined
  /** Default: SQLite in the folder. */
  url?: string | undefined
  onCommit?: OnCommit | undefined
  onTrouble?: OnTrouble | undefined
}

/** @throws {StoreProblem} with one sentence and the cure */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, masterKey, url } = options
  if (url !== undefined) {
    throw new StoreProblem(
      'DATABASE_URL names a database, but PostgreSQL is not built yet: unset it, and SQLite in the data folder is used.',
    )
  }
  await prepareFolder(folder)
  // Looked at before the key: of two first starts at once, the slower must not take the other's database for an old one.
  const inUse = existsSync(join(folder, DATABASE_FILE))
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, inUse)))
  return openSqlite(folder, seal, options.onCommit, options.onTrouble)
}
