import { sql, type Kysely } from 'kysely'

/** The sender id of messages that the server sent over REST for a participant. */
const SERVER = 'server'

/** Records whose quota a message counts against; null if a token without a participant sent it over REST. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('chat_messages').addColumn('account_id', 'text').execute()
  // For messages sent over REST, only the server was recorded as their sender.
  await sql`update chat_messages set account_id = sender_id where sender_id <> ${SERVER}`.execute(db)
}
