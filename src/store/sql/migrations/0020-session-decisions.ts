import type { Kysely } from 'kysely'

/** Adds what moderators decided for a session, as JSON. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('decisions', 'text').execute()
}
