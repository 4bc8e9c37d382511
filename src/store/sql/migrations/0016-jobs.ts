import type { Kysely } from 'kysely'

/** Adds what is made of outputs after they ended: merged, joined and converted files. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('job_id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('output_id', 'text')
    .addColumn('config', 'text', (column) => column.notNull())
    .addColumn('inputs', 'text', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('base_url', 'text', (column) => column.notNull())
    .addColumn('webhook_url', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('files', 'text', (column) => column.notNull())
    .addColumn('problem', 'text')
    .execute()
  await db.schema
    .createIndex('jobs_of_project')
    .on('jobs')
    .columns(['project_id', 'created_at', 'job_id'])
    .execute()
  await db.schema
    .createIndex('jobs_of_meeting')
    .on('jobs')
    .columns(['meeting_id', 'created_at', 'job_id'])
    .execute()
  await db.schema.createIndex('jobs_ended').on('jobs').columns(['ended_at']).execute()
}
