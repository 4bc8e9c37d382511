/** A database into which `migrate-store` is copying, or was when it was interrupted. No server may work on it. */
import { sql, type QueryExecutorProvider } from 'kysely'
import { StartError } from '../../errors.ts'
import type { SqlDialect } from './dialect.ts'

/** The table in which a copy keeps how far it has come. It is gone when the copy is complete. */
export const HALF_COPY_TABLE = 'store_copy'

/** @param name of the database, for people */
export function halfCopy(name: string): StartError {
  return new StartError(
    `${name} holds an unfinished copy of a store: run the same "anteroom migrate-store" again, which completes it.`,
  )
}

export async function isHalfCopied(
  db: QueryExecutorProvider,
  database: SqlDialect['name'],
): Promise<boolean> {
  const { rows } = await (
    database === 'postgres'
      ? sql`select from pg_tables where schemaname = current_schema() and tablename = ${HALF_COPY_TABLE}`
      : sql`select 1 from sqlite_master where name = ${HALF_COPY_TABLE}`
  ).execute(db)
  return rows.length > 0
}
