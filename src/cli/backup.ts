/** `anteroom backup`, `anteroom restore` and `anteroom master-key rotate`. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { readConfig, type Config } from '../config/read.ts'

/** @throws {CommandError} where the store is in PostgreSQL */
function configOverSqlite(env: NodeJS.ProcessEnv, instead: string): Config {
  const config = readConfig(env)
  if (config.databaseUrl === undefined) return config
  throw new CommandError(
    `DATABASE_URL is set, and this command works on SQLite alone: ${instead}`,
    exitCodes.refused,
  )
}

export const backup: Command = {
  name: 'backup',
  positionals: ['file'],
  summary: 'writes the whole store to a new file, even while a server is running',
  details:
    'Secrets stay sealed under the master key, which the file does not contain: keep a copy of data/master.key elsewhere.\nFiles shared in an ongoing session are not included; they are deleted when the session ends.',
  run: async ({ env, positionals: [file = ''] }) => {
    const to = resolve(file)
    const { backupStore } = await import('../store/sqlite/backup.ts')
    await backupStore(configOverSqlite(env, 'use "pg_dump".').dataDir, to)
    const { size } = await stat(to)
    return { json: { file: to, bytes: size }, text: `${to} (${size} bytes)` }
  },
}

export const restore: Command = {
  name: 'restore',
  positionals: ['file'],
  summary: 'replaces the store with a backup and keeps the old store beside it; stop the server first',
  run: async ({ env, positionals: [file = ''] }) => {
    const { dataDir, masterKey } = configOverSqlite(env, 'use "pg_restore".')
    const { restoreStore } = await import('../store/sqlite/backup.ts')
    const kept = await restoreStore({ folder: dataDir, masterKey, from: resolve(file), now: Date.now() })
    return {
      json: { restored: resolve(file), kept: kept ?? null },
      text: kept === undefined ? 'restored' : `restored; the old store is kept in ${kept}`,
    }
  },
}

export const rotateKey: Command = {
  name: 'master-key rotate',
  summary: 'seals all secrets under a new master key; stop the server first',
  details:
    'The old key is kept beside the new one, because existing backups need it. If the command is interrupted, run it again.',
  run: async ({ env }) => {
    const { dataDir: folder, masterKey } = configOverSqlite(env, 'it is not built for PostgreSQL yet.')
    const { rotateMasterKey } = await import('../store/secrets/rotate.ts')
    const { sealed, keyFile, kept } = await rotateMasterKey({ folder, masterKey, now: Date.now() })
    return {
      json: { sealed, keyFile, kept: kept ?? null },
      text:
        kept === undefined
          ? `${sealed} secrets were sealed again; copy the key from ${keyFile} into MASTER_KEY, then delete that file`
          : `${sealed} secrets were sealed again; the old key is kept in ${kept} for existing backups`,
    }
  },
}
