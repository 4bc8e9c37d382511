import type { Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

export async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable('chat_messages')
    // Numbers follow the order in which messages arrived.
    .addColumn('number', dialect.serialType, (column) => dialect.serial(column))
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.session_id'))
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('client_message_id', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('sender_id', 'text', (column) => column.notNull())
    .addColumn('sender_name', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('payload', dialect.bytesType, (column) => column.notNull())
    .addColumn('send_only', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('chat_messages_session')
    .on('chat_messages')
    .columns(['session_id', 'number'])
    .execute()
}
