/** Chooses and opens a store. */
import type { Store } from './store.ts'
import { prepareFolder, readMasterKey } from './master-key.ts'
import { StoreProblem } from './problem.ts'
import { createSeal } from './seal.ts'
import { openSqlite } from './sqlite.ts'

export interface StoreOptions {
  /** The data folder; made with mode 0700 on first use. */
  folder: string
  /** 32 bytes; default: the file `master.key` in the folder, made on first use. */
  masterKey?: Buffer | undefined
  /** Default: SQLite in the folder. */
  url?: string | undefined
}

/** @throws {StoreProblem} with one sentence and the cure */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, masterKey, url } = options
  if (url !== undefined) {
    throw new StoreProblem(
      'DATABASE_URL names a database, but only SQLite in the data folder is built yet: unset it.',
    )
  }
  await prepareFolder(folder)
  return openSqlite(folder, createSeal(masterKey ?? (await readMasterKey(folder))))
}
