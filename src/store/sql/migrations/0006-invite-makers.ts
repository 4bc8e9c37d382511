import type { Kysely } from 'kysely'

/** Who made an invite: by which key and token, and by which invite that token came to be. Null for those made before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['api_key', 'token_id', 'parent_id'])
    await db.schema.alterTable('invites').addColumn(column, 'text').execute()
}
