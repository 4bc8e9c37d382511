import type { Kysely } from 'kysely'

/** Adds who an operator is for the provider by which they sign in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('operators').addColumn('external_id', 'text').execute()
  await db.schema
    .createIndex('operators_by_external_id')
    .unique()
    .on('operators')
    .column('external_id')
    .execute()
}
