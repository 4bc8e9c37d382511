/** Copies a whole store into another database and compares the copy with the original. Resumes after an interruption. */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { StartError } from '../../errors.ts'
import { readMasterKey } from '../secrets/master-key.ts'
import { isHalfCopied } from '../sql/half-copy.ts'
import { SEAL_PROBE } from '../sql/queries.ts'
import { troubleOf } from '../unavailable.ts'
import { endOf, type End } from './end.ts'
import { CopyProgress } from './progress.ts'
import { continueNumbers, countOf, pagesOf, Sum, TABLES, type Db, type Tables } from './rows.ts'

interface MigrateOptions {
  /** The data folder, which holds the master key unless `masterKey` gives it. */
  folder: string
  masterKey?: Buffer | undefined
  /** A data folder with a SQLite database, or the URL of a PostgreSQL database. */
  from: string
  to: string
  onProgress?: (progress: MigrateProgress) => void
}

export interface MigrateProgress {
  step: 'copy' | 'compare'
  table: string
  rows: number
  of: number
}

interface TableCopy {
  table: string
  rows: number
}

interface Copied {
  copied: TableCopy[]
  /** Texts in which U+0000 was replaced. */
  replaced: number
  /** Rows that an earlier, interrupted run had copied. */
  resumedAt: number
}

/** How far the copy of one table has come. */
interface Mark {
  place: string
  rows: number
}

const SOURCE = 'source'

/**
 * The target cannot be served until the copy is complete. Each page is written with a mark of how far the copy has come, so
 * that the next run goes on there. At the end both databases are read whole and compared.
 * @throws {StartError} and changes nothing in the target: while a server or another copy uses it, or where it holds anything
 */
export async function migrateStore(options: MigrateOptions): Promise<Copied> {
  const { folder, from, to, onProgress = () => undefined } = options
  const masterKey = options.masterKey ?? (await readMasterKey(folder, true))
  const [source, target] = [endOf(from, folder, masterKey), endOf(to, folder, masterKey)]
  await source.assertUnused()
  await target.assertUnused()
  await source.open()
  await target.prepare()
  try {
    return await holding(source, (reader) =>
      target.hold((writer) =>
        new Copy({ db: reader, isPostgres: source.isPostgres }, writer, target, onProgress).run(),
      ),
    )
  } catch (cause) {
    if (cause instanceof StartError) throw cause
    const why = troubleOf(cause) ?? (cause instanceof Error ? cause.message : String(cause))
    throw new StartError(
      `The copy stopped before its end (${why}): run the same command again, which goes on where it stopped.`,
      { cause },
    )
  }
}

/** Locks servers out of the source if the database can; otherwise the comparison detects their writes. */
async function holding<T>(source: End, work: (reader: Db) => Promise<T>): Promise<T> {
  if (!source.isPostgres) return source.hold(work)
  const reader = source.connect()
  try {
    return await work(reader)
  } finally {
    await reader.destroy()
  }
}

async function assertEmpty(db: Db, name: string): Promise<void> {
  for (const [table] of TABLES) {
    let rows = db.selectFrom(table).selectAll().limit(1)
    if (table === 'stored_values') rows = rows.where('name', '!=', SEAL_PROBE)
    if (await rows.executeTakeFirst())
      throw new StartError(`There is a store in ${name}: name an empty database or folder as the target.`)
  }
}

class Copy {
  readonly #source: Tables
  readonly #target: Tables
  readonly #end: End
  readonly #progress: CopyProgress
  readonly #onProgress: (progress: MigrateProgress) => void

  constructor(source: Tables, writer: Db, end: End, onProgress: (progress: MigrateProgress) => void) {
    this.#source = source
    this.#target = { db: writer, isPostgres: end.isPostgres }
    this.#end = end
    this.#progress = new CopyProgress(writer)
    this.#onProgress = onProgress
  }

  async run(): Promise<Copied> {
    const resumedAt = await this.#begin()
    await this.#copy()
    let outcome = await this.#compare()
    if (!outcome.equal && resumedAt > 0) {
      // A server has changed the original since the interruption.
      await this.#clear()
      await this.#begin()
      await this.#copy()
      outcome = await this.#compare()
    }
    if (!outcome.equal) {
      await this.#clear()
      throw new StartError(
        `The copy of ${outcome.table} in ${this.#end.name} is not the original: nothing was copied.`,
      )
    }
    await this.#target.db.transaction().execute(async (tx) => {
      await continueNumbers({ ...this.#target, db: tx })
      await new CopyProgress(tx).drop()
    })
    const { copied, replaced } = outcome
    return { copied, replaced, resumedAt }
  }

  /** Returns the number of rows from an earlier run. */
  async #begin(): Promise<number> {
    const { db } = this.#target
    // Every store seals the probe differently, so its sealed form identifies the source.
    const { rows } = await sql<{ value: string }>`
      select value from stored_values where name = ${SEAL_PROBE}`.execute(this.#source.db)
    const source = createHash('sha256').update(rows[0]!.value).digest('hex')
    if (!(await isHalfCopied(db, this.#end.isPostgres ? 'postgres' : 'sqlite'))) {
      await assertEmpty(db, this.#end.name)
      await db.transaction().execute(async (tx) => {
        // A start that was interrupted may have left its own value; the source's replaces it.
        await tx.deleteFrom('stored_values').execute()
        const progress = new CopyProgress(tx)
        await progress.create()
        await progress.set(SOURCE, source)
      })
      return 0
    }
    if ((await this.#progress.get(SOURCE)) !== source)
      throw new StartError(
        `There is an unfinished copy of another store in ${this.#end.name}: name an empty database or folder as the target.`,
      )
    const marks = await Promise.all(TABLES.map(([table]) => this.#markOf(table)))
    return marks.reduce((sum, mark) => sum + (mark?.rows ?? 0), 0)
  }

  async #copy(): Promise<void> {
    for (const [table] of TABLES) {
      const mark = await this.#markOf(table)
      let copied = mark?.rows ?? 0
      const of = await countOf(this.#source, table)
      for await (const { rows, place } of pagesOf(this.#source, table, mark?.place)) {
        copied += rows.length
        await this.#target.db.transaction().execute(async (tx) => {
          await tx.insertInto(table).values(rows).execute()
          await new CopyProgress(tx).set(table, JSON.stringify({ place, rows: copied } satisfies Mark))
        })
        this.#onProgress({ step: 'copy', table, rows: copied, of })
      }
    }
  }

  async #compare(): Promise<
    { copied: TableCopy[]; replaced: number } & ({ equal: true } | { equal: false; table: string })
  > {
    const copied: TableCopy[] = []
    let replaced = 0
    for (const [table] of TABLES) {
      const original = await Sum.of(this.#source, table)
      const copy = await Sum.of(this.#target, table, (rows) => {
        this.#onProgress({ step: 'compare', table, rows, of: original.rows })
      })
      if (!copy.equals(original)) return { equal: false, table, copied, replaced }
      replaced += original.replaced
      copied.push({ table, rows: copy.rows })
    }
    return { equal: true, copied, replaced }
  }

  /** Deletes what was copied. */
  async #clear(): Promise<void> {
    await this.#target.db.transaction().execute(async (tx) => {
      for (const [table] of TABLES.toReversed()) await tx.deleteFrom(table).execute()
      await new CopyProgress(tx).drop()
    })
  }

  async #markOf(table: string): Promise<Mark | undefined> {
    const text = await this.#progress.get(table)
    return text === undefined ? undefined : (JSON.parse(text) as Mark)
  }
}
