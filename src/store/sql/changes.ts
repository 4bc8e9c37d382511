/**
 * Counts changes of what every server keeps in memory: keys, revoked tokens, projects. Servers over one PostgreSQL look at
 * the count once a second, and read the lists only when it has moved. SQLite counts all writes by itself.
 */
import { sql, type Kysely } from 'kysely'
import type { SqlContext } from './sql-context.ts'
import type { Schema } from './schema.ts'

const CHANGES = 'changes'

/** Counts in the transaction of the change, so that whoever sees the new count sees the change too. */
export async function recordChange(tx: Kysely<Schema>, { dialect }: SqlContext): Promise<void> {
  if (dialect.name !== 'postgres') return
  await tx
    .insertInto('stored_values')
    .values({ name: CHANGES, value: '1' })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ value: sql<string>`(cast(stored_values.value as bigint) + 1)::text` }),
    )
    .execute()
}

export async function changesIn(db: Kysely<Schema>): Promise<string> {
  const row = await db
    .selectFrom('stored_values')
    .select('value')
    .where('name', '=', CHANGES)
    .executeTakeFirst()
  return row?.value ?? ''
}
