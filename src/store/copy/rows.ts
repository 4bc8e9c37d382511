/** All rows of a store, table by table, and a checksum of them. */
import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'

/** The tables, each after those that it references, with the column that numbers its rows, if any. */
export const TABLES: readonly [name: string, number?: string][] = [
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
  ['node_samples'],
  ['deliveries', 'number'],
  ['delivery_tries', 'number'],
  ['revoked_tokens'],
  ['operators'],
  ['operator_recovery_codes'],
  ['operator_invites'],
  ['sign_ins'],
  ['invites'],
  ['standing_admissions'],
  ['outputs'],
  ['output_pieces'],
  ['jobs'],
  ['chat_messages', 'number'],
  ['chat_hearers'],
  ['stored_values'],
  ['session_files'],
  ['session_values'],
  ['polls'],
  ['poll_votes'],
  ['audit_entries', 'number'],
  ['usage_days'],
  ['usage_peaks'],
]
/** Tables of running nodes, which are not copied. */
export const NOT_COPIED: readonly string[] = ['leases', 'nodes', 'homes', 'audit_retention']
const ROWS_AT_ONCE = 500
/** The column that numbers rows in PostgreSQL; SQLite needs none. */
const ROW_NUMBER = 'row_number'
const NUMBERED = ['stays', 'intervals', 'admissions', 'removals', 'revoked_tokens']

export type Row = Record<string, unknown>
export type Db = Kysely<Record<string, Row>>

/** The part of a database that a copy reads and writes. */
export interface Tables {
  db: Db
  isPostgres: boolean
}

/**
 * The rows of a table in the order of insertion, as far as the database knows it, without U+0000, which PostgreSQL cannot
 * store and older versions accepted.
 * @param after the place of the last page that was read
 */
export async function* pagesOf(
  { db, isPostgres }: Tables,
  table: string,
  after?: string,
): AsyncGenerator<{ rows: Row[]; place: string; replaced: number }> {
  const [name, type, first] = !isPostgres
    ? ['rowid', '', '-9223372036854775808']
    : NUMBERED.includes(table)
      ? [ROW_NUMBER, '::bigint', '-9223372036854775808']
      : ['ctid', '::tid', '(0,0)']
  const cursor = sql.ref(name)
  for (let place = after ?? first; ;) {
    const bound = isPostgres ? sql`${place}${sql.raw(type)}` : sql`cast(${place} as integer)`
    const { rows } =
      await sql<Row>`select *, cast(${cursor} as text) as cursor_of_row from ${sql.table(table)}
      where ${cursor} > ${bound} order by ${cursor} limit ${sql.lit(ROWS_AT_ONCE)}`.execute(db)
    if (rows.length === 0) return
    place = rows.at(-1)!.cursor_of_row as string
    let replaced = 0
    const clean = rows.map(({ cursor_of_row: _, [ROW_NUMBER]: __, ...row }) =>
      withoutNul(row, () => replaced++),
    )
    yield { rows: clean, place, replaced }
  }
}

function withoutNul(row: Row, onReplaced: () => void): Row {
  const entries = Object.entries(row).map(([column, value]) => {
    if (typeof value !== 'string' || !value.includes('\0')) return [column, value]
    onReplaced()
    return [column, value.replaceAll('\0', '\ufffd')]
  })
  return Object.fromEntries(entries) as Row
}

export async function countOf({ db }: Tables, table: string): Promise<number> {
  const { rows } = await sql<{ total: number }>`select count(*) as total from ${sql.table(table)}`.execute(db)
  return rows[0]!.total
}

/** Continues the numbering after the rows that were copied with their numbers. */
export async function continueNumbers({ db, isPostgres }: Tables): Promise<void> {
  if (!isPostgres) return
  for (const [table, column] of TABLES)
    if (column !== undefined)
      await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
        greatest((select max(${sql.ref(column)}) from ${sql.table(table)}), 1),
        exists (select from ${sql.table(table)}))`.execute(db)
}

/** A checksum of rows that does not depend on their order. */
export class Sum {
  rows = 0
  replaced = 0
  #total = 0n

  static async of(
    tables: Tables,
    table: string,
    onPage: (rows: number) => void = () => undefined,
  ): Promise<Sum> {
    const sum = new Sum()
    for await (const { rows, replaced } of pagesOf(tables, table)) {
      for (const row of rows) sum.add(row)
      sum.replaced += replaced
      onPage(sum.rows)
    }
    return sum
  }

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

  toString(): string {
    return `${this.rows} rows ${this.#total.toString(16)}`
  }
}
