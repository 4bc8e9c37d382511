import type { Kysely } from 'kysely'

/** An output that goes on at another node has a piece for each node that made a part of it. Used by several nodes only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('outputs')
    .addColumn('piece', 'integer', (column) => column.notNull().defaultTo(1))
    .execute()
  await db.schema
    .createTable('output_pieces')
    .addColumn('output_id', 'text', (column) => column.notNull())
    .addColumn('piece', 'integer', (column) => column.notNull())
    .addColumn('node_id', 'text', (column) => column.notNull())
    .addColumn('files', 'text')
    .addColumn('stored_at', 'bigint')
    .addPrimaryKeyConstraint('output_pieces_key', ['output_id', 'piece'])
    .execute()
  await db.schema.createIndex('output_pieces_by_node').on('output_pieces').column('node_id').execute()
}
