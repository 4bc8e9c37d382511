/** A backup of a store in PostgreSQL: a SQLite file. */
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../../errors.ts'
import { checkStore } from '../open.ts'
import { readMasterKey } from '../secrets/master-key.ts'
import { assertUnused } from '../sqlite/backup.ts'
import { DATABASE_FILE } from '../sqlite/sqlite.ts'
import { endOf } from './end.ts'
import { pagesOf, Sum, TABLES, type Tables } from './rows.ts'

interface BackupOptions {
  folder: string
  masterKey?: Buffer | undefined
  /** The PostgreSQL database, which a server may use meanwhile. */
  url: string
  /** The file to create. */
  to: string
}

/**
 * Writes all that a store in PostgreSQL holds at one instant into a new SQLite file of mode 0600, which `restore` takes.
 * @throws {StartError}
 */
export async function backupPostgres({ folder, masterKey: given, url, to }: BackupOptions): Promise<void> {
  if (existsSync(to)) throw new StartError(`${to} exists already: name a new file.`)
  const masterKey = given ?? (await readMasterKey(folder, true))
  if (!(await checkStore({ folder, masterKey, url })))
    throw new StartError('There is no store in the database that DATABASE_URL names.')
  const aside = await mkdtemp(`${to}.part-`).catch((cause: unknown) => {
    throw new StartError(`${to} cannot be written: check that its folder exists and may be written.`, {
      cause,
    })
  })
  try {
    const target = endOf(aside, folder, masterKey)
    await target.prepare()
    const [reader, writer] = [endOf(url, folder, masterKey).connect(), target.connect()]
    try {
      await reader
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((snapshot) =>
          writer
            .transaction()
            .execute((tx) => copyAll({ db: snapshot, isPostgres: true }, { db: tx, isPostgres: false })),
        )
    } finally {
      await reader.destroy()
      await writer.destroy()
    }
    const file = join(aside, DATABASE_FILE)
    // Writes the write-ahead log into the file.
    assertUnused(file)
    await rename(file, to)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function copyAll(source: Tables, target: Tables): Promise<void> {
  for (const [table] of TABLES) {
    const sum = new Sum()
    for await (const { rows } of pagesOf(source, table)) {
      for (const row of rows) sum.add(row)
      await target.db.insertInto(table).values(rows).execute()
    }
    if (!(await Sum.of(target, table)).equals(sum))
      throw new StartError(`The copy of ${table} is not the original: nothing was written.`)
  }
}
