/** Backs up the whole store to one file while a server uses it, and restores it while none does. */
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../errors.ts'
import { prepareFolder, readMasterKey } from '../secrets/master-key.ts'
import { openFiles } from '../files.ts'
import { assertThere } from '../open.ts'
import { createSeal, type Seal } from '../secrets/seal.ts'
import { DATABASE_FILE, openSqlite } from './sqlite.ts'

export interface RestoreOptions {
  /** The data folder. */
  folder: string
  /** As `StoreOptions.masterKey`. */
  masterKey?: Buffer | undefined
  /** A file that `backupStore` wrote. */
  from: string
  /** Ms since the epoch; part of the name under which the old store is kept. */
  now: number
}

/**
 * Writes everything that the store holds at this instant to a new file with mode 0600, in one transaction, while others read
 * and write. The file does not hold the master key: secrets stay sealed.
 * @throws {StartError}
 */
export async function backupStore(folder: string, to: string): Promise<void> {
  assertThere(folder)
  const file = join(folder, DATABASE_FILE)
  if (existsSync(to)) throw new StartError(`${to} already exists: name another file.`)
  const aside = `${to}.part`
  try {
    // Create the file here: SQLite would create one that others may read.
    const handle = await open(aside, 'wx', 0o600)
    await handle.close()
    const db = new Database(file, { fileMustExist: true, timeout: 5000 })
    try {
      db.prepare('vacuum into ?').run(aside)
    } finally {
      db.close()
    }
    assertWhole(aside)
    await sync(aside)
    await rename(aside, to)
  } catch (cause) {
    await rm(aside, { force: true })
    if (cause instanceof StartError) throw cause
    throw new StartError(
      `${to} cannot be written: check that its folder is there, has room, and may be written.`,
      {
        cause,
      },
    )
  }
}

/**
 * Replaces the store with a backup. First opens the backup as a start would, with the present master key. Keeps the old
 * store beside it and returns the name of that file, if there was one.
 * @throws {StartError} and changes nothing, if a server uses the store, the master key is another, or the file is damaged
 */
export async function restoreStore({
  folder,
  masterKey,
  from,
  now,
}: RestoreOptions): Promise<string | undefined> {
  if (!existsSync(from)) throw new StartError(`There is no file ${from}.`)
  const seal = createSeal(masterKey ?? (await readMasterKey(folder, true)))
  const made = !existsSync(folder)
  await prepareFolder(folder)
  try {
    return await putBack(from, folder, seal, now)
  } catch (error) {
    if (made) await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function putBack(from: string, folder: string, seal: Seal, now: number): Promise<string | undefined> {
  const file = join(folder, DATABASE_FILE)
  const there = existsSync(file)
  if (there) assertUnused(file)
  const aside = await mkdtemp(join(folder, 'restore-'))
  try {
    const copy = join(aside, DATABASE_FILE)
    await copyFile(from, copy)
    await chmod(copy, 0o600)
    assertWhole(copy)
    const store = await openSqlite(aside, seal, openFiles(aside))
    await store.close()
    await sync(copy)
    const kept = there ? `${file}.before-${new Date(now).toISOString().replaceAll(':', '-')}` : undefined
    if (kept !== undefined) await rename(file, kept)
    for (const rest of ['-wal', '-shm']) await rm(`${file}${rest}`, { force: true })
    await rename(copy, file)
    return kept
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

function assertWhole(file: string): void {
  let answer: unknown
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true })
    try {
      answer = db.pragma('integrity_check', { simple: true })
    } finally {
      db.close()
    }
  } catch (cause) {
    throw new StartError(`${file} is damaged or is not a backup of a store.`, { cause })
  }
  if (answer !== 'ok') throw new StartError(`${file} is damaged: take another backup.`)
}

/**
 * Throws if another process has the database open: only the last connection can leave WAL mode. Leaving it also writes the
 * whole log into the database.
 */
export function assertUnused(file: string): void {
  try {
    const db = new Database(file, { fileMustExist: true, timeout: 0 })
    try {
      db.pragma('journal_mode = delete')
    } finally {
      db.close()
    }
  } catch (cause) {
    if ((cause as { code?: string }).code?.startsWith('SQLITE_BUSY') !== true) return
    throw new StartError(`A server is using ${file}: stop it first.`, { cause })
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
