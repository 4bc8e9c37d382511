/** Another master key for a store that no server works on. */
import { existsSync } from 'node:fs'
import { copyFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../errors.ts'
import { assertUnused } from '../sqlite/backup.ts'
import { KEY_FILE, readMasterKey } from './master-key.ts'
import { assertThere } from '../open.ts'
import { SEAL_PROBE } from '../sql/queries.ts'
import { createSeal, SealBroken, type Seal } from './seal.ts'
import { DATABASE_FILE } from '../sqlite/sqlite.ts'

export interface RotateOptions {
  /** The data folder. */
  folder: string
  /** The key in force, where it is not the file's. */
  masterKey?: Buffer | undefined
  /** Ms since the epoch; names the file under which the key before is kept. */
  now: number
}

/** Holds the key to come until everything is sealed under it, so that an interruption leaves no secret without a key. */
const NEXT_KEY_FILE = `${KEY_FILE}.next`

/**
 * Seals every secret under a new key, in one transaction, and puts the key in its place. After an interruption it goes on
 * where it was. `kept` is where the key before is; without it the key in force came from outside, and the new one waits in
 * `keyFile`.
 * @throws {StartError} and changes nothing: while a server works on the store, with another master key
 */
export async function rotateMasterKey({
  folder,
  masterKey,
  now,
}: RotateOptions): Promise<{ sealed: number; keyFile: string; kept?: string }> {
  assertThere(folder)
  const file = join(folder, DATABASE_FILE)
  assertUnused(file)
  const inForce = masterKey ?? (await readMasterKey(folder, true))
  const next = join(folder, NEXT_KEY_FILE)
  const readNext = (): Promise<Buffer> => readMasterKey(folder, false, NEXT_KEY_FILE)
  // Left from the last time, by one who took it into MASTER_KEY.
  if (existsSync(next) && (await readNext()).equals(inForce)) await rm(next)
  const fresh = !existsSync(next)
  const after = createSeal(await readNext())
  let sealed: number
  try {
    sealed = sealAnew(file, createSeal(inForce), after)
  } catch (error) {
    // Only what is thrown before anything is sealed; a key that may be in use is kept.
    if (fresh && error instanceof StartError) await rm(next)
    throw error
  }
  if (masterKey !== undefined) return { sealed, keyFile: next }
  const keyFile = join(folder, KEY_FILE)
  const kept = `${keyFile}.before-${new Date(now).toISOString().replaceAll(':', '-')}`
  await copyFile(keyFile, kept)
  await rename(next, keyFile)
  return { sealed, keyFile, kept }
}

/** How many secrets were sealed; those that `after` seals already stay. */
function sealAnew(file: string, before: Seal, after: Seal): number {
  const db = new Database(file, { fileMustExist: true })
  try {
    // Nothing that the key before opens stays behind in what is free of the file.
    db.pragma('secure_delete = on')
    const opens = (seal: Seal, sealed: string, belongsTo: string): boolean => {
      try {
        seal.open(sealed, belongsTo)
        return true
      } catch (error) {
        if (error instanceof SealBroken) return false
        throw error
      }
    }
    const work = db.transaction((): number => {
      const probe = db.prepare('select value from stored_values where name = ?').pluck().get(SEAL_PROBE)
      if (typeof probe === 'string' && opens(after, probe, SEAL_PROBE)) return countSecrets(db)
      if (typeof probe !== 'string' || !opens(before, probe, SEAL_PROBE))
        throw new StartError(
          `The master key is not the one that ${file} was made with: put back the old key.`,
        )
      for (const { table, column, id, which } of places) {
        const rows = db.prepare(`select ${id} as id, ${column} as sealed from ${table} where ${which}`).all()
        const write = db.prepare(`update ${table} set ${column} = ? where ${id} = ?`)
        for (const row of rows as { id: string; sealed: string }[])
          write.run(after.seal(before.open(row.sealed, row.id), row.id), row.id)
      }
      return countSecrets(db)
    })
    const sealed = work.immediate()
    db.exec('vacuum')
    return sealed
  } finally {
    db.close()
  }
}

/** Everything that is sealed, each bound to its id. */
const places = [
  { table: 'api_keys', column: 'sealed_secret', id: 'api_key', which: 'true' },
  {
    table: 'stored_values',
    column: 'value',
    id: 'name',
    which: `name = '${SEAL_PROBE}' or name like 'secret:%'`,
  },
] as const

const countSecrets = (db: Database.Database): number =>
  places
    .map(
      ({ table, which }) =>
        db.prepare(`select count(*) from ${table} where ${which}`).pluck().get() as number,
    )
    // The probe is no secret.
    .reduce((sum, count) => sum + count, -1)
