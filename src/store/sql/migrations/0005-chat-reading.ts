import { sql, type Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/** Lets chat be read by page and by reader, and be counted by sender. */
export async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .alterTable('chat_messages')
    .addColumn('is_private', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('chat_messages')
    .addColumn('bytes', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('chat_messages').addColumn('token_id', 'text').execute()
  // In SQLite's words: this is older than any other database of ours, where there is no message yet.
  const mayHoldMessages = dialect.name === 'sqlite'
  if (mayHoldMessages)
    await sql`update chat_messages set
    is_private = case when send_only = '[]' then 0 else 1 end,
    bytes = 256 + length(cast(message as blob)) + length(payload) + length(cast(topic as blob))
      + length(cast(send_only as blob))`.execute(db)

  // Finding, counting and sizing a page reads only these indexes; only the messages of the page itself are read.
  await db.schema.dropIndex('chat_messages_session').execute()
  await db.schema
    .createIndex('chat_messages_session')
    .on('chat_messages')
    .columns(['session_id', 'number', 'is_private', 'bytes'])
    .execute()
  await db.schema
    .createIndex('chat_messages_topic')
    .on('chat_messages')
    .columns(['session_id', 'topic', 'number', 'is_private', 'bytes'])
    .execute()

  // Who may read a private message: its recipients and its sender.
  await db.schema
    .createTable('chat_hearers')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('number', dialect.serialType, (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('chat_hearers_key', ['session_id', 'participant_id', 'number'])
    .execute()
  if (mayHoldMessages)
    await sql`insert into chat_hearers (session_id, participant_id, number, bytes)
    select session_id, sender_id, number, bytes from chat_messages where is_private = 1
    union
    select session_id, value, number, bytes from chat_messages, json_each(send_only) where is_private = 1`.execute(
      db,
    )
}
