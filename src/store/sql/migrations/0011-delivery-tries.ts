import type { Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/** Records every attempt of a delivery; the delivery's own row holds only the last. */
export async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable('delivery_tries')
    .addColumn('number', dialect.serialType, (column) => dialect.serial(column))
    .addColumn('delivery_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('took_ms', 'integer', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .execute()
  await db.schema
    .createIndex('delivery_tries_of')
    .on('delivery_tries')
    .columns(['delivery_id', 'number'])
    .execute()
}
