import { sql, type Kysely } from 'kysely'

/** Adds the sealed address to which the file of a job is still to be uploaded. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('upload_address', 'text').execute()
  await db.schema
    .createIndex('jobs_uploads')
    .on('jobs')
    .column('ended_at')
    .where(sql.ref('upload_address'), 'is not', null)
    .execute()
}
