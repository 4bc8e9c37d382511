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
  /** The data folder; made with mode 0700 on first use. */
  folder: string
  /** 32 bytes; default: the file `master.key` in the folder, made on first use. */
  masterKey?: Buffer | undefined
  /** Default: SQLite in the folder. */
  url?: string | undefined
  /** Whether a folder, key or database that is not there is made; by default it is. */
  create?: boolean | undefined
  onCommit?: OnCommit | undefined
  onTrouble?: OnTrouble | undefined
}

/** @throws {StartError} with one sentence and the cure */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, masterKey, url, create = true } = options
  assertSupported(url)
  if (!create) assertThere(folder)
  await prepareFolder(folder)
  // Looked at before the key: of two first starts at once, the slower must not take the other's database for an old one.
  const inUse = isThere(folder)
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, inUse)))
  return openSqlite(folder, seal, options.onCommit, options.onTrouble)
}

/**
 * Whether a server could work on what is there, also while one does. Changes and makes nothing.
 * @throws {StartError}
 */
export async function checkStore({ folder, masterKey, url }: StoreOptions): Promise<void> {
  assertSupported(url)
  const hasKey = masterKey !== undefined || existsSync(join(folder, KEY_FILE))
  if (!isThere(folder) && !hasKey) return
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, true)))
  if (isThere(folder)) checkSqlite(folder, seal)
}

/** A first start that was killed may have left an empty file. */
function isThere(folder: string): boolean {
  return (statSync(join(folder, DATABASE_FILE), { throwIfNoEntry: false })?.size ?? 0) > 0
}

/** @throws {StartError} when there is no store in the folder */
export function assertThere(folder: string): void {
  if (isThere(folder)) return
  throw new StartError(
    `There is no database in ${folder}: name its folder in DATA_DIR, or make one with "anteroom init" or a first start.`,
  )
}

function assertSupported(url: string | undefined): void {
  if (url === undefined) return
  throw new StartError(
    'DATABASE_URL names a database, but PostgreSQL is not built yet: unset it, and SQLite in the data folder is used.',
  )
}
