import type { Kysely } from 'kysely'

/** Invites that expired long ago are found and deleted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('invites_expiry').on('invites').column('expires_at').execute()
}
