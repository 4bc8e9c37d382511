/** Changes the master key of a store that no server is using. */
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
  /** The present key, if it is not in the file. */
  masterKey?: Buffer | undefined
  /** Ms since the epoch; part of the name under which the old key is kept. */
  now: number
}

/** Holds the new key until everything is sealed under it, so that an interruption leaves no secret without a key. */
const NEXT_KEY_FILE = `${KEY_FILE}.next`

/**
 * Seals every secret under a new key in one transaction, and puts the key in place. Run it again after an interruption, and
 * it continues. `kept` is the file of the old key; it is absent if the old key came from outside, and then the new key stays
 * in `keyFile`.
 * @throws {StartError} and changes nothing, if a server uses the store or the master key is another
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
  // Left over from an earlier rotation whose key has since been put into MASTER_KEY.
  if (existsSync(next) && (await readNext()).equals(inForce)) await rm(next)
  const fresh = !existsSync(next)
  const after = createSeal(await readNext())
  let sealed: number
  try {
    sealed = sealAnew(file, createSeal(inForce), after)
  } catch (error) {
    // A StartError is thrown before anything is sealed. After any other error the key may be in use, so keep it.
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

/** Returns how many secrets are sealed under `after`; those that already were are left as they are. */
function sealAnew(file: string, before: Seal, after: Seal): number {
  const db = new Database(file, { fileMustExist: true })
  try {
    // Leave nothing in the free pages of the file that the old key could open.
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
          `The database ${file} was created with another master key: put back the old key.`,
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

/** Everything that is sealed. Each value is bound to its id. */
const places = [
  { table: 'api_keys', column: 'sealed_secret', id: 'api_key', which: 'true' },
  { table: 'outputs', column: 'upload_address', id: 'output_id', which: 'upload_address is not null' },
  { table: 'jobs', column: 'upload_address', id: 'job_id', which: 'upload_address is not null' },
  { table: 'operators', column: 'sealed_password', id: 'operator_id', which: 'sealed_password is not null' },
  {
    table: 'operators',
    column: 'sealed_totp',
    id: "'totp:' || operator_id",
    which: 'sealed_totp is not null',
  },
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
    // Do not count the probe.
    .reduce((sum, count) => sum + count, -1)
