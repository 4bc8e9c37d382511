/** `anteroom backup`, `anteroom restore` and `anteroom master-key rotate`: the store as a whole. */
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
  summary: 'writes the whole store to a new file, also while a server works on it',
  details:
    'Secrets in it stay sealed under the master key, which is not in it: keep a copy of data/master.key elsewhere.\nFiles that people hand round in a session that goes on are not in it; they end with the session.',
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
  summary: 'puts a backup in the place of the store, which is kept beside it; the server must be stopped',
  run: async ({ env, positionals: [file = ''] }) => {
    const { dataDir, masterKey } = configOverSqlite(env, 'use "pg_restore".')
    const { restoreStore } = await import('../store/sqlite/backup.ts')
    const kept = await restoreStore({ folder: dataDir, masterKey, from: resolve(file), now: Date.now() })
    return {
      json: { restored: resolve(file), kept: kept ?? null },
      text: kept === undefined ? 'restored' : `restored; what was there is kept in ${kept}`,
    }
  },
}

export const rotateKey: Command = {
  name: 'master-key rotate',
  summary: 'seals all secrets under another master key; the server must be stopped',
  details:
    'The key before it is kept beside it, as backups that were taken until now need it. When this was interrupted, do it again.',
  run: async ({ env }) => {
    const { dataDir: folder, masterKey } = configOverSqlite(env, 'it is not built for PostgreSQL yet.')
    const { rotateMasterKey } = await import('../store/secrets/rotate.ts')
    const { sealed, keyFile, kept } = await rotateMasterKey({ folder, masterKey, now: Date.now() })
    return {
      json: { sealed, keyFile, kept: kept ?? null },
      text:
        kept === undefined
          ? `${sealed} secrets are sealed anew; put the key in ${keyFile} into MASTER_KEY, then delete that file`
          : `${sealed} secrets are sealed anew; the key before is kept in ${kept}, for the backups until now`,
    }
  },
}
