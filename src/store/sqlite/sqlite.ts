/** The store in one file, with a write-ahead log. */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import {
  CompiledQuery,
  Kysely,
  sql,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type SqliteDatabase,
  type SqliteDialectConfig,
  type SqliteStatement,
} from 'kysely'
import { StartError } from '../../errors.ts'
import type { Schema } from '../sql/schema.ts'
import type { OnTrouble, Store, StoreTrouble } from '../store.ts'
import { StoreConflict } from '../problem.ts'
import { HALF_COPY_TABLE, halfCopy, isHalfCopied } from '../sql/half-copy.ts'
import { knowsAll, migrate } from '../sql/migrations.ts'
import type { RunInTransaction, Turn } from '../sql/sql-context.ts'
import { checked } from '../sql/parameters.ts'
import { proveSeal, SEAL_PROBE, storeOver } from '../sql/queries.ts'
import { SealBroken, type Seal } from '../secrets/seal.ts'
import { asUnavailable, troubleOf } from '../unavailable.ts'
import { WriteQueue, type OnCommit } from '../sql/write-queue.ts'
import { sqliteDialect } from './dialect.ts'

/** Name of the database in the data folder. */
export const DATABASE_FILE = 'anteroom.db'
/** How long a start waits for another process, e.g. `anteroom keys create`. The start does nothing else meanwhile. */
const START_BUSY_TIMEOUT_MS = 5000
/** How long a read may block the process: only while another process checkpoints its log. */
const READ_BUSY_TIMEOUT_MS = 500
/** One statement after the other: it does not wait for anything that others could be done meanwhile. */
const ONE_LANE: Turn = { lane: '' }

/** @throws {StartError} */
export async function openSqlite(
  folder: string,
  seal: Seal,
  files: Store['files'],
  onCommit: OnCommit = () => undefined,
  onTrouble: OnTrouble = () => undefined,
): Promise<Store> {
  const file = join(folder, DATABASE_FILE)
  const writer = connectSqlite(file)
  const open = [writer]
  const destroy = () => Promise.all(open.map((db) => db.destroy()))
  try {
    if (await isHalfCopied(writer, 'sqlite')) throw halfCopy(`The database ${file}`)
    await bringUpToDate(writer, file)
    // A second connection for reading: it sees only what has been committed, never a part of a group in progress.
    const reader = connectSqlite(file)
    open.push(reader)
    await sql`pragma query_only = on`.execute(reader)

    // From here on the process must serve others while a write waits for the lock, so the queue waits and not SQLite.
    await sql`pragma busy_timeout = 0`.execute(writer)
    await sql`pragma busy_timeout = ${sql.lit(READ_BUSY_TIMEOUT_MS)}`.execute(reader)

    let trouble: StoreTrouble | undefined
    const isIn = (now: StoreTrouble | undefined, cause?: unknown): void => {
      if (trouble !== now) onTrouble(now, cause)
      trouble = now
    }
    const failed = (error: unknown): void => {
      const why = troubleOf(error)
      if (why) isIn(why, (error as Error).cause)
    }
    const queue = new WriteQueue<Schema>(
      // One transaction writes at a time, which holds everything.
      (_holds, work) => writer.transaction().execute(work),
      (...commit) => {
        isIn(undefined)
        onCommit(...commit)
      },
      failed,
    )
    const write: RunInTransaction = (_turn, work) =>
      queue.run(ONE_LANE, work).catch((error: unknown) => {
        failed(error)
        throw isUniqueViolation(error) ? new StoreConflict('This value is taken.', { cause: error }) : error
      })
    const context = {
      db: reader,
      write,
      settled: () => queue.settled(),
      seal,
      nodeId: null,
      dialect: sqliteDialect,
    }
    await proveSeal(context)
    return {
      ...storeOver(context),
      // Asked through the reader, so that this process's own writes count too.
      version: async () =>
        (await sql<{ data_version: number }>`pragma data_version`.execute(reader)).rows[0]!.data_version,
      files,
      close: async () => {
        await queue.idle()
        await destroy()
      },
    }
  } catch (cause) {
    await destroy()
    throw cause instanceof StartError ? cause : problem(file, cause)
  }
}

/**
 * Checks that the database opens with this seal, also while a server uses it. Changes nothing in it.
 * @throws {StartError}
 */
export function checkSqlite(folder: string, seal: Seal): void {
  const file = join(folder, DATABASE_FILE)
  try {
    // Not opened read-only, because SQLite would then leave its log and index behind.
    const db = new Database(file, { fileMustExist: true, timeout: START_BUSY_TIMEOUT_MS })
    try {
      db.pragma('query_only = on')
      const text = (query: string, ...values: string[]): unknown[] =>
        db
          .prepare(query)
          .pluck()
          .all(...values)
      // There are no tables yet if the first start was killed.
      if (text("select name from sqlite_master where name = 'kysely_migration'").length === 0) return
      assertKnown(text('select name from kysely_migration') as string[], file)
      if (text('select name from sqlite_master where name = ?', HALF_COPY_TABLE).length > 0)
        throw halfCopy(`The database ${file}`)
      const [probe] = text('select value from stored_values where name = ?', SEAL_PROBE)
      if (typeof probe === 'string') seal.open(probe, SEAL_PROBE)
    } finally {
      db.close()
    }
  } catch (cause) {
    throw cause instanceof StartError ? cause : problem(file, cause)
  }
}

/** @throws {StartError} */
function assertKnown(done: readonly string[], file: string, cause?: unknown): void {
  if (knowsAll(done)) return
  throw new StartError(
    `The database ${file} was written by a newer Anteroom: start that version, or name another folder in DATA_DIR.`,
    { cause },
  )
}

/**
 * A transaction that begins as a reader cannot always become a writer: if another process has written meanwhile, SQLite
 * rejects it at once. All our transactions write, so they take the write lock when they begin.
 */
class Driver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection)
    } catch (error) {
      // When the disk fails, SQLite has already rolled back. Let the caller see the first error.
      if (!(error as Error).message.includes('no transaction is active')) throw error
    }
  }
}

/** Runs migrations in one transaction: a start that is killed leaves no half-made tables, and two starts take turns. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class Dialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig

  constructor(config: SqliteDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new Driver(this.#config)
  }

  override createAdapter(): Adapter {
    return new Adapter()
  }
}

/** @param options `alone`: no other process may have the database open, from now until the end */
export function connectSqlite(file: string, { alone = false } = {}): Kysely<Schema> {
  let database
  try {
    // Create the file with mode 0600: SQLite gives its log and index the mode of the database.
    closeSync(openSync(file, 'a', 0o600))
    database = new Database(file, { timeout: START_BUSY_TIMEOUT_MS })
    if (alone) database.pragma('locking_mode = exclusive')
    database.pragma('journal_mode = WAL')
    // A call that resolved survives a power cut, not only the end of the process.
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
  } catch (cause) {
    database?.close()
    throw problem(file, cause)
  }
  return new Kysely<Schema>({ dialect: new Dialect({ database: cachingStatements(database) }) })
}

/** Caches prepared statements. All values are parameters, so there is one statement per query. */
function cachingStatements(database: Database.Database): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>()
  return {
    prepare(text) {
      let statement = kept.get(text)
      if (!statement)
        kept.set(text, (statement = reportingTrouble(attempt<SqliteStatement>(() => database.prepare(text)))))
      return statement
    },
    close: () => void database.close(),
  }
}

/** Makes a statement throw STORE_UNAVAILABLE if the database or its disk fails. */
function reportingTrouble(statement: SqliteStatement): SqliteStatement {
  return {
    reader: statement.reader,
    all: (parameters) => attempt(() => statement.all(checked(parameters))),
    run: (parameters) => attempt(() => statement.run(checked(parameters))),
    iterate: (parameters) => attempt(() => statement.iterate(checked(parameters))),
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** Makes the tables of a store, or brings them up to date, also those of an unfinished copy. @throws {StartError} */
export async function prepareSqlite(file: string): Promise<void> {
  const db = connectSqlite(file)
  try {
    await bringUpToDate(db, file)
  } finally {
    await db.destroy()
  }
}

async function bringUpToDate(db: Kysely<Schema>, file: string): Promise<void> {
  const { error, taken } = await migrate(db, sqliteDialect)
  if (error === undefined) return
  assertKnown(taken, file, error)
  throw problem(file, error)
}

/** Turns an error of SQLite or the seal into one sentence that names the cure. */
function problem(file: string, thrown: unknown): StartError {
  const cause = troubleOf(thrown) ? (thrown as Error).cause : thrown
  const { code = '' } = cause as { code?: string }
  const sentence =
    cause instanceof SealBroken
      ? `The database ${file} was created with another master key: put back the old key.`
      : code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')
        ? `Another program holds the database ${file}: stop that program.`
        : code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')
          ? `The database ${file} is damaged: restore a backup.`
          : code.startsWith('SQLITE_FULL') || code === 'ENOSPC'
            ? `The disk of ${file} is full: make room on it.`
            : `The database ${file} cannot be opened: check that it is complete and that this user may write to it and its folder.`
  return new StartError(sentence, { cause })
}

function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code === 'SQLITE_CONSTRAINT_UNIQUE' || error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  )
}
