import type { Kysely } from 'kysely'

/** Keeps the shared values of sessions, so that the next home of a meeting has them. Used by several nodes only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('session_values')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text')
    .addPrimaryKeyConstraint('session_values_key', ['session_id', 'key'])
    .execute()
}
