/** The whole store as one file, taken while a server works on it, and put back when none does. */
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../errors.ts'
import { prepareFolder, readMasterKey } from '../secrets/master-key.ts'
import { assertThere } from '../open.ts'
import { createSeal, type Seal } from '../secrets/seal.ts'
import { DATABASE_FILE, openSqlite } from './sqlite.ts'

export interface RestoreOptions {
  /** The data folder. */
  folder: string
  /** As `StoreOptions.masterKey`. */
  masterKey?: Buffer | undefined
  /** What `backupStore` wrote. */
  from: string
  /** Ms since the epoch; names the file under which the store that was there is kept. */
  now: number
}

/**
 * Writes all that the store holds at this instant to a new file of mode 0600: one transaction, beside whoever reads and
 * writes. The master key is not in it: secrets stay sealed.
 * @throws {StartError}
 */
export async function backupStore(folder: string, to: string): Promise<void> {
  assertThere(folder)
  const file = join(folder, DATABASE_FILE)
  if (existsSync(to)) throw new StartError(`${to} is there already: name a file that is not.`)
  const aside = `${to}.part`
  try {
    // Made by us, and filled by SQLite, which would make one that others may read.
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
 * Puts a backup in the place of the store. It is opened first, as a start would, with the master key that is here; what
 * was there is kept beside it. Answers the name of the file that it is kept under, if there was one.
 * @throws {StartError} and changes and makes nothing: while a server works on the store, with another master key, with a damaged file
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
    const store = await openSqlite(aside, seal)
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
    throw new StartError(`${file} is damaged or no backup of a store.`, { cause })
  }
  if (answer !== 'ok') throw new StartError(`${file} is damaged: take another backup.`)
}

/** Only the last connection of all can leave the write-ahead log; and leaving it brings all that is in it home. */
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
    throw new StartError(`A server works on ${file}: stop it first.`, { cause })
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
