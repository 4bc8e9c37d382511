import type { Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/** Names the node that has the files of an output or a job, and keeps what several nodes share. */
export async function up(db: Kysely<unknown>, { bytesType }: SqlDialect): Promise<void> {
  for (const table of ['outputs', 'jobs'])
    await db.schema.alterTable(table).addColumn('node_id', 'text').execute()
  await db.schema
    .createTable('node_samples')
    .addColumn('node_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('figures', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('node_samples_key', ['node_id', 'at'])
    .execute()
  await db.schema.createIndex('node_samples_at').on('node_samples').columns(['at']).execute()
  await db.schema
    .createTable('leases')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('leased_until', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('session_files')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('file_id', 'text', (column) => column.notNull())
    .addColumn('content', bytesType, (column) => column.notNull())
    .addPrimaryKeyConstraint('session_files_key', ['session_id', 'file_id'])
    .execute()
}
