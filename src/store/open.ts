/** Chooses and opens a store. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../errors.ts'
import type { OnTrouble, Store } from './store.ts'
import type { OnCommit } from './sqlite/write-queue.ts'
import { KEY_FILE, prepareFolder, readMasterKey } from './secrets/master-key.ts'
import { createSeal } from './secrets/seal.ts'
import { checkSqlite, DATABASE_FILE, openSqlite } from './sqlite/sqlite.ts'

export interface StoreOptions {
  /** The data folder; created with mode 0700 on first use. */
  folder: string
  /** 32 bytes. Default: the file `master.key` in the folder, created on first use. */
  masterKey?: Buffer | undefined
  /** Default: SQLite in the folder. */
  url?: string | undefined
  /** Whether to create a missing folder, key or database. Default: true. */
  create?: boolean | undefined
  onCommit?: OnCommit | undefined
  onTrouble?: OnTrouble | undefined
}

/** @throws {StartError} with one sentence that names the cure */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, masterKey, url, create = true } = options
  assertSupported(url)
  if (!create) assertThere(folder)
  await prepareFolder(folder)
  // Check this before reading the key: of two first starts at once, the slower one must not mistake the other's new database
  // for an old one.
  const inUse = isThere(folder)
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, inUse)))
  return openSqlite(folder, seal, options.onCommit, options.onTrouble)
}

/**
 * Checks that a server could open the store, also while another server uses it. Changes nothing.
 * @throws {StartError}
 */
export async function checkStore({ folder, masterKey, url }: StoreOptions): Promise<void> {
  assertSupported(url)
  const hasKey = masterKey !== undefined || existsSync(join(folder, KEY_FILE))
  if (!isThere(folder) && !hasKey) return
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, true)))
  if (isThere(folder)) checkSqlite(folder, seal)
}

/** An empty file does not count: a first start that was killed may have left it. */
function isThere(folder: string): boolean {
  return (statSync(join(folder, DATABASE_FILE), { throwIfNoEntry: false })?.size ?? 0) > 0
}

/** @throws {StartError} if the folder holds no store */
export function assertThere(folder: string): void {
  if (isThere(folder)) return
  throw new StartError(
    `There is no database in ${folder}: set DATA_DIR to its folder, or run "anteroom init" or "anteroom serve" to create one.`,
  )
}

function assertSupported(url: string | undefined): void {
  if (url === undefined) return
  throw new StartError(
    'DATABASE_URL names a database, but PostgreSQL is not built yet: unset it, and SQLite in the data folder is used.',
  )
}
