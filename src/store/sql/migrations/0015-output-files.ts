import type { Kysely } from 'kysely'

/** Adds where the files of outputs are, and what of them is still to be done. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['stored_at', 'deleted_at'])
    await db.schema.alterTable('outputs').addColumn(column, 'bigint').execute()
  await db.schema
    .createIndex('outputs_stored')
    .on('outputs')
    .columns(['stored_at', 'deleted_at', 'ended_at'])
    .execute()
}
