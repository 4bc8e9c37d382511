/** Chooses and opens a store. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../errors.ts'
import type { ClusterTables, Fence, NodeRecord } from './cluster.ts'
import type { OnTrouble, Store } from './store.ts'
import type { OnCommit } from './sql/write-queue.ts'
import { KEY_FILE, prepareFolder, readMasterKey } from './secrets/master-key.ts'
import { createSeal } from './secrets/seal.ts'
import { openFiles } from './files.ts'
import { lookForNodes as lookFor, openClusterTables as openTables } from './postgres/cluster.ts'
import { checkPostgres, openPostgres } from './postgres/open.ts'
import { checkSqlite, DATABASE_FILE, openSqlite } from './sqlite/sqlite.ts'

const FILES_FOLDER = 'files'

export interface StoreOptions {
  /** The data folder; created with mode 0700 on first use. */
  folder: string
  /** 32 bytes. Default: the file `master.key` in the folder, created on first use. */
  masterKey?: Buffer | undefined
  /** Of a PostgreSQL database; default: SQLite in the folder. */
  url?: string | undefined
  /** The name of this node, if several share the PostgreSQL database. */
  nodeId?: string | undefined
  /** Whether to create a missing folder, key or database. Default: true. */
  create?: boolean | undefined
  /** See `Fence`; PostgreSQL only. */
  fence?: Fence | undefined
  onCommit?: OnCommit | undefined
  onTrouble?: OnTrouble | undefined
}

/** @throws {StartError} with one sentence that names the cure */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, masterKey, url, nodeId, create = true, fence, onCommit, onTrouble } = options
  if (!create && url === undefined) assertThere(folder)
  await prepareFolder(folder)
  const sealFor = async (inUse: boolean) => createSeal(masterKey ?? (await readMasterKey(folder, inUse)))
  const files = openFiles(join(folder, FILES_FOLDER))
  if (url !== undefined)
    return openPostgres({ url, seal: sealFor, create, files, nodeId, fence, onCommit, onTrouble })
  // Check this before reading the key: of two first starts at once, the slower one must not mistake the other's new database
  // for an old one.
  const inUse = isThere(folder)
  return openSqlite(folder, await sealFor(inUse), files, onCommit, onTrouble)
}

/** The tables that nodes share, of a PostgreSQL database that a store was opened on. */
export const openClusterTables = (url: string): ClusterTables => openTables(url)

/**
 * The clock of a PostgreSQL database, in ms since the epoch, and the nodes that share it. Needs no store, and changes nothing.
 * @throws {StartError}
 */
export const lookForNodes = (url: string): Promise<{ clock: number; nodes: NodeRecord[] }> => lookFor(url)

/**
 * Checks that a server could open the store, also while another server uses it. Changes nothing. Answers whether there is a store.
 * @throws {StartError}
 */
export async function checkStore({ folder, masterKey, url }: StoreOptions): Promise<boolean> {
  // Where the store is in use, a missing key is a problem and is not made.
  const seal = async () => createSeal(masterKey ?? (await readMasterKey(folder, true)))
  if (url !== undefined) return checkPostgres(url, seal)
  const hasKey = masterKey !== undefined || existsSync(join(folder, KEY_FILE))
  if (isThere(folder)) checkSqlite(folder, await seal())
  else if (hasKey) await seal()
  return isThere(folder)
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
