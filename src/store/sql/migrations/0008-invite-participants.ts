import type { Kysely } from 'kysely'

/** The participant that an invite's maker was bound to by its token. Null for those made before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('invites').addColumn('participant_id', 'text').execute()
}
