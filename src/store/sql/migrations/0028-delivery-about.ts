import { sql, type Kysely } from 'kysely'

/** Adds the output or job that a delivery reports, so that its webhooks can be counted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('deliveries').addColumn('about', 'text').execute()
  await db.schema
    .createIndex('deliveries_about')
    .on('deliveries')
    .columns(['about', 'number'])
    .where(sql.ref('about'), 'is not', null)
    .execute()
}
