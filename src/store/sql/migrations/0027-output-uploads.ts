import { sql, type Kysely } from 'kysely'

/** Adds the sealed address to which the file of an output is still to be uploaded. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('outputs').addColumn('upload_address', 'text').execute()
  await db.schema
    .createIndex('outputs_uploads')
    .on('outputs')
    .column('ended_at')
    .where(sql.ref('upload_address'), 'is not', null)
    .execute()
}
