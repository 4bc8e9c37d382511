import type { Kysely } from 'kysely'

/** Records the key and token that made an invite, and the invite behind that token. Null for older invites. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['api_key', 'token_id', 'parent_id'])
    await db.schema.alterTable('invites').addColumn(column, 'text').execute()
}
