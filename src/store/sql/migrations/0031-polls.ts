import type { Kysely } from 'kysely'

/** Adds the polls of sessions, and who voted in them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('polls')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('poll_id', 'text', (column) => column.notNull())
    .addColumn('question', 'text', (column) => column.notNull())
    .addColumn('options', 'text', (column) => column.notNull())
    .addColumn('multiple', 'integer', (column) => column.notNull())
    .addColumn('anonymous', 'integer', (column) => column.notNull())
    .addColumn('asker_id', 'text', (column) => column.notNull())
    .addColumn('asker_name', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addPrimaryKeyConstraint('polls_key', ['session_id', 'poll_id'])
    .execute()
  await db.schema
    .createTable('poll_votes')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('poll_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('choices', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('poll_votes_key', ['session_id', 'poll_id', 'participant_id', 'token_id'])
    .execute()
}
