import type { Kysely } from 'kysely'

/** Adds who is always let in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('standing_admissions')
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('bound', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('admitted_by', 'text')
    .addPrimaryKeyConstraint('standing_admissions_key', ['meeting_id', 'participant_id', 'token_id'])
    .execute()
}
