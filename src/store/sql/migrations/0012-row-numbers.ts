import type { Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/** Numbers rows in the order in which they are inserted, where the database does not do so by itself. */
export async function up(db: Kysely<unknown>, { rowOrder }: SqlDialect): Promise<void> {
  if (rowOrder === 'rowid') return
  for (const table of ['stays', 'intervals', 'admissions', 'removals', 'revoked_tokens'])
    await db.schema
      .alterTable(table)
      .addColumn(rowOrder, 'bigint', (column) => column.generatedByDefaultAsIdentity())
      .execute()
}
