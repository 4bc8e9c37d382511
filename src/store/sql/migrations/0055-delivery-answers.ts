import type { Kysely } from 'kysely'

/** Keeps how the answer to each try began. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('delivery_tries').addColumn('answer', 'text').execute()
}
