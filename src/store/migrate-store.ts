/** Copies a whole store into another database, in one transaction, and compares the copy with the original row by row. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql, type Kysely } from 'kysely'
import { StartError } from '../errors.ts'
import { checkStore, openStore } from './open.ts'
import { connectPostgres, OTHER_CONNECTIONS } from './postgres/open.ts'
import { readMasterKey } from './secrets/master-key.ts'
import { SEAL_PROBE } from './sql/queries.ts'
import { assertUnused } from './sqlite/backup.ts'
import { connectSqlite, DATABASE_FILE } from './sqlite/sqlite.ts'

interface MigrateOptions {
  /** The data folder, which holds the master key unless `masterKey` gives it. */
  folder: string
  masterKey?: Buffer | undefined
  /** A data folder with a SQLite database, or the URL of a PostgreSQL database. */
  from: string
  to: string
}

interface TableCopy {
  table: string
  rows: number
}

interface Copied {
  copied: TableCopy[]
  /** Texts in which U+0000 was replaced. */
  replaced: number
}

/** Each after the tables that it refers to, with the column that numbers its rows if it has one. */
const tables: readonly [name: string, number?: string][] = [
  ['projects'],
  ['api_keys'],
  ['meetings'],
  ['sessions'],
  ['session_counts'],
  ['stays'],
  ['intervals'],
  ['admissions'],
  ['removals'],
  ['participant_stats'],
  ['server_samples'],
  ['deliveries', 'number'],
  ['delivery_tries', 'number'],
  ['revoked_tokens'],
  ['sign_ins'],
  ['invites'],
  ['outputs'],
  ['chat_messages', 'number'],
  ['chat_hearers'],
  ['stored_values'],
]
const ROWS_AT_ONCE = 500
/** PostgreSQL's own numbering of rows, which SQLite does without. */
const ROW_NUMBER = 'row_number'

type Row = Record<string, unknown>
type Db = Kysely<Record<string, Row>>

interface End {
  name: string
  isPostgres: boolean
  /** Opens the store as a start would, which brings its tables up to date. */
  prepare: () => Promise<void>
  assertUnused: () => Promise<void>
  connect: () => Db
}

/**
 * Nothing is copied unless all of it is: after an interruption the target is empty, and the command can be run again.
 * @throws {StartError} and changes nothing in the target: while a server uses either, or where the target holds anything
 */
export async function migrateStore(options: MigrateOptions): Promise<Copied> {
  const { folder, from, to } = options
  const masterKey = options.masterKey ?? (await readMasterKey(folder, true))
  const source = endOf(from, folder, masterKey, false)
  const target = endOf(to, folder, masterKey, true)
  await source.assertUnused()
  await target.assertUnused()
  await source.prepare()
  await target.prepare()
  const [reader, writer] = [source.connect(), target.connect()]
  try {
    await assertEmpty(writer, target.name)
    return await writer.transaction().execute((tx) => copyAll([reader, source], [tx, target]))
  } finally {
    await reader.destroy()
    await writer.destroy()
  }
}

interface BackupOptions {
  folder: string
  masterKey?: Buffer | undefined
  /** Of the PostgreSQL database, which a server may use meanwhile. */
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
    const [source, target] = [endOf(url, folder, masterKey, false), endOf(aside, folder, masterKey, true)]
    await target.prepare()
    const [reader, writer] = [source.connect(), target.connect()]
    try {
      await reader
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((snapshot) =>
          writer.transaction().execute((tx) => copyAll([snapshot, source], [tx, target])),
        )
    } finally {
      await reader.destroy()
      await writer.destroy()
    }
    const file = join(aside, DATABASE_FILE)
    // Brings home what is in its write-ahead log.
    assertUnused(file)
    await rename(file, to)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function copyAll([reader, source]: [Db, End], [writer, target]: [Db, End]): Promise<Copied> {
  const copied: TableCopy[] = []
  let replaced = 0
  // The probe of the target was sealed anew; that of the source takes its place.
  await writer.deleteFrom('stored_values').execute()
  for (const [table, number] of tables) {
    const sum = new Sum()
    for await (const rows of pagesOf(reader, source, table)) {
      const clean = rows.map((row) => withoutNul(row, () => replaced++))
      for (const row of clean) sum.add(row)
      await writer.insertInto(table).values(clean).execute()
    }
    const kept = new Sum()
    for await (const rows of pagesOf(writer, target, table)) for (const row of rows) kept.add(row)
    if (!kept.equals(sum))
      throw new StartError(`The copy of ${table} in ${target.name} is not the original: nothing was copied.`)
    if (target.isPostgres && number !== undefined) await continueNumbers(writer, table, number)
    copied.push({ table, rows: sum.rows })
  }
  return { copied, replaced }
}

function endOf(place: string, folder: string, masterKey: Buffer, create: boolean): End {
  if (/^postgres(ql)?:/.test(place)) {
    return {
      name: 'the PostgreSQL database',
      isPostgres: true,
      prepare: async () => {
        await (await openStore({ folder, masterKey, url: place, create })).close()
      },
      assertUnused: async () => {
        const db = connectPostgres(place) as unknown as Db
        try {
          const { rows } = await OTHER_CONNECTIONS.execute(db)
          if (rows[0]!.others > 0)
            throw new StartError('A server uses the PostgreSQL database: stop the server first.')
        } catch (error) {
          if (error instanceof StartError) throw error
          // Why it cannot be reached is told by the opening, with the cure.
        } finally {
          await db.destroy()
        }
      },
      connect: () => connectPostgres(place) as unknown as Db,
    }
  }
  const file = join(place, DATABASE_FILE)
  return {
    name: file,
    isPostgres: false,
    prepare: async () => {
      await (await openStore({ folder: place, masterKey, create })).close()
    },
    assertUnused: () => {
      if (existsSync(file)) assertUnused(file)
      return Promise.resolve()
    },
    connect: () => connectSqlite(file) as unknown as Db,
  }
}

async function assertEmpty(db: Db, name: string): Promise<void> {
  for (const [table] of tables) {
    let rows = db.selectFrom(table).selectAll().limit(1)
    if (table === 'stored_values') rows = rows.where('name', '!=', SEAL_PROBE)
    if (await rows.executeTakeFirst())
      throw new StartError(`There is a store in ${name}: name an empty database or folder as the target.`)
  }
}

/** The rows of a table in the order in which they were inserted, as far as the database knows it. */
async function* pagesOf(db: Db, { isPostgres }: End, table: string): AsyncGenerator<Row[]> {
  const numbered =
    isPostgres && ['stays', 'intervals', 'admissions', 'removals', 'revoked_tokens'].includes(table)
  const [place, type, first] = !isPostgres
    ? ['rowid', '', '-9223372036854775808']
    : numbered
      ? [ROW_NUMBER, '::bigint', '-9223372036854775808']
      : ['ctid', '::tid', '(0,0)']
  const cursor = sql.ref(place)
  for (let after = first; ;) {
    const bound = isPostgres ? sql`${after}${sql.raw(type)}` : sql`cast(${after} as integer)`
    const { rows } =
      await sql<Row>`select *, cast(${cursor} as text) as cursor_of_row from ${sql.table(table)}
      where ${cursor} > ${bound} order by ${cursor} limit ${sql.lit(ROWS_AT_ONCE)}`.execute(db)
    if (rows.length === 0) return
    after = rows.at(-1)!.cursor_of_row as string
    yield rows.map(({ cursor_of_row: _, [ROW_NUMBER]: __, ...row }) => row)
  }
}

/** PostgreSQL keeps no U+0000, which older versions took in. */
function withoutNul(row: Row, onReplaced: () => void): Row {
  const entries = Object.entries(row).map(([column, value]) => {
    if (typeof value !== 'string' || !value.includes('\0')) return [column, value]
    onReplaced()
    return [column, value.replaceAll('\0', '\ufffd')]
  })
  return Object.fromEntries(entries) as Row
}

/** Goes on counting after the rows that were copied with their numbers. */
async function continueNumbers(db: Db, table: string, column: string): Promise<void> {
  await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
    greatest((select max(${sql.ref(column)}) from ${sql.table(table)}), 1),
    exists (select from ${sql.table(table)}))`.execute(db)
}

/** A checksum of rows in any order. */
class Sum {
  rows = 0
  #total = 0n

  add(row: Row): void {
    this.rows++
    const text = JSON.stringify(
      Object.keys(row)
        .toSorted()
        .map((column) => {
          const value = row[column]
          return [column, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value]
        }),
    )
    this.#total = BigInt.asUintN(
      64,
      this.#total + createHash('sha256').update(text).digest().readBigUInt64BE(),
    )
  }

  equals(other: Sum): boolean {
    return this.rows === other.rows && this.#total === other.#total
  }
}
