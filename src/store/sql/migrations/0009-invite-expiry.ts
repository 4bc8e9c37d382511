import type { Kysely } from 'kysely'

/** An index for finding and deleting expired invites. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('invites_expiry').on('invites').column('expires_at').execute()
}
