import { sql, type Kysely } from 'kysely'

/** By which the server spoke over REST in a participant's place. */
const SERVER = 'server'

/** On which participant's account a message is kept; null for one that was said over REST by a token bound to nobody. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('chat_messages').addColumn('account_id', 'text').execute()
  // Over REST nothing else was written down than that the server said it.
  await sql`update chat_messages set account_id = sender_id where sender_id <> ${SERVER}`.execute(db)
}
