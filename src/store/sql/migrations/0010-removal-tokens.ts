import { sql, type Kysely } from 'kysely'

/** A removal covers every token that the participant used: one row for each. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('removals_by_token')
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.session_id'))
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('removed_by', 'text')
    .addColumn('by_moderator', 'integer', (column) => column.notNull())
    .addColumn('token_shared', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('removals_by_token_key', ['session_id', 'participant_id', 'token_id'])
    .execute()
  const columns = sql.raw(
    'session_id, participant_id, token_id, name, at, removed_by, by_moderator, token_shared',
  )
  await sql`insert into removals_by_token (${columns}) select ${columns} from removals`.execute(db)
  await db.schema.dropTable('removals').execute()
  await db.schema.alterTable('removals_by_token').renameTo('removals').execute()
}
