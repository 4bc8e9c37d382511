import type { Kysely } from 'kysely'

/** Records the participant that the token of an invite's maker was bound to. Null for older invites. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('invites').addColumn('participant_id', 'text').execute()
}
