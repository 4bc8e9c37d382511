/** `anteroom backup`, `anteroom restore` and `anteroom master-key rotate`. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { readConfig, type Config } from '../config/read.ts'
import type { MigrateProgress } from '../store/copy/migrate.ts'

/** @throws {CommandError} if the store is in PostgreSQL */
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
    const { dataDir: folder, masterKey, databaseUrl: url } = readConfig(env)
    if (url === undefined) {
      const { backupStore } = await import('../store/sqlite/backup.ts')
      await backupStore(folder, to)
    } else {
      const { backupPostgres } = await import('../store/copy/backup.ts')
      await backupPostgres({ folder, masterKey, url, to })
    }
    const { size } = await stat(to)
    return { json: { file: to, bytes: size }, text: `${to} (${size} bytes)` }
  },
}

export const restore: Command = {
  name: 'restore',
  positionals: ['file'],
  summary: 'replaces the store with a backup and keeps the old store beside it; stop the server first',
  run: async ({ env, positionals: [file = ''] }) => {
    const { dataDir, masterKey } = configOverSqlite(
      env,
      'restore with DATABASE_URL unset, then use "migrate-store".',
    )
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

export const migrate: Command = {
  name: 'migrate-store',
  summary: 'copies the whole store from SQLite to PostgreSQL or back; the server must be stopped',
  details:
    'At the end all is compared with the original. After an interruption run it again: it goes on where it stopped, and until it has ended no server starts on the target. The target must be empty. The original stays. Secrets stay sealed under the master key of DATA_DIR, which is not copied. Give a password in PGPASSWORD rather than in the URL, which other users of the machine can see.',
  options: {
    from: { value: '<folder or URL>', help: 'data folder with a SQLite database, or postgres://…' },
    to: { value: '<folder or URL>', help: 'the same, of a database that is empty or not there yet' },
  },
  run: async ({ env, values: { from, to }, isTerminal, json }) => {
    if (typeof from !== 'string' || typeof to !== 'string')
      throw new CommandError('Say with --from and --to what to copy where.', exitCodes.usage)
    const { dataDir: folder, masterKey } = readConfig(env)
    const { migrateStore } = await import('../store/copy/migrate.ts')
    const place = (text: string): string => (/^postgres(ql)?:/.test(text) ? text : resolve(text))
    const { copied, replaced, resumedAt } = await migrateStore({
      folder,
      masterKey,
      from: place(from),
      to: place(to),
      ...(!json && { onProgress: progressLine(isTerminal) }),
    })
    const rows = copied.reduce((sum, one) => sum + one.rows, 0)
    return {
      json: { tables: copied, replacedTexts: replaced, resumedAtRow: resumedAt },
      text: [
        ...copied.map((one) => `${one.table}: ${one.rows}`),
        `${rows} rows are copied and compared; serve the copy from now on, not the original`,
        ...(replaced > 0 ? [`U+0000 was replaced in ${replaced} texts`] : []),
      ].join('\n'),
    }
  },
}

const PROGRESS_EVERY_MS = 1000

/** Says about once a second how far a copy has come: on a terminal in one line, elsewhere in one line each. */
function progressLine(isTerminal: boolean): (progress: MigrateProgress) => void {
  let saidAt = -Infinity
  return ({ step, table, rows, of }) => {
    const now = performance.now()
    if (now - saidAt < PROGRESS_EVERY_MS) return
    saidAt = now
    const what = step === 'copy' ? 'copying' : 'comparing'
    const line = `${what} ${table}: ${rows} of ${of} rows`
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
  }
}
