import type { Kysely } from 'kysely'

/** Adds where the files of jobs are, and what of them is still to be done, as with outputs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['stored_at', 'deleted_at'])
    await db.schema.alterTable('jobs').addColumn(column, 'bigint').execute()
  await db.schema
    .createIndex('jobs_stored')
    .on('jobs')
    .columns(['stored_at', 'deleted_at', 'ended_at'])
    .execute()
}
