import type { Kysely } from 'kysely'

/** Adds the name of who removed a participant, and finds old chat messages for retention. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('removals').addColumn('removed_by_name', 'text').execute()
  await db.schema.createIndex('chat_messages_at').on('chat_messages').column('at').execute()
}
