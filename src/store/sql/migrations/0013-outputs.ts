import type { Kysely } from 'kysely'

/** Adds what leaves a meeting: recordings, HLS, livestreams, transcriptions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outputs')
    .addColumn('output_id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text')
    .addColumn('track_kind', 'text')
    .addColumn('config', 'text', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('base_url', 'text', (column) => column.notNull())
    .addColumn('webhook_url', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('files', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('outputs_of_project')
    .on('outputs')
    .columns(['project_id', 'kind', 'created_at', 'output_id'])
    .execute()
  await db.schema
    .createIndex('outputs_of_meeting')
    .on('outputs')
    .columns(['meeting_id', 'kind', 'created_at', 'output_id'])
    .execute()
  await db.schema.createIndex('outputs_ended').on('outputs').columns(['ended_at']).execute()
}
