import { sql, type Kysely } from 'kysely'

const sums = [
  'participants',
  'participant_ms',
  'received_bytes',
  'sent_bytes',
  'recording_ms',
  'broadcast_ms',
  'transcription_ms',
  'stored_bytes',
]

/** Adds what was used on each day. Records that are there are counted after the start, as are those of older nodes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  let days = db.schema
    .createTable('usage_days')
    .addColumn('day', 'text', (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('api_key', 'text', (column) => column.notNull())
  for (const name of sums) days = days.addColumn(name, 'bigint', (column) => column.notNull())
  await days.addPrimaryKeyConstraint('usage_days_key', ['day', 'project_id', 'api_key']).execute()
  await db.schema
    .createTable('usage_peaks')
    .addColumn('day', 'text', (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('api_key', 'text', (column) => column.notNull())
    .addColumn('participants', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_peaks_key', ['day', 'project_id', 'api_key'])
    .execute()

  await db.schema.alterTable('stays').addColumn('api_key', 'text').execute()
  await db.schema.alterTable('stays').addColumn('counted_at', 'bigint').execute()
  await db.schema
    .createIndex('stays_uncounted')
    .on('stays')
    .column('joined_at')
    .where(sql.ref('counted_at'), 'is', null)
    .execute()
  for (const table of ['outputs', 'jobs']) {
    await db.schema.alterTable(table).addColumn('api_key', 'text').execute()
    await db.schema.alterTable(table).addColumn('counted_bytes', 'bigint').execute()
    await db.schema
      .createIndex(`${table}_uncounted`)
      .on(table)
      .column('ended_at')
      .where(sql.ref('counted_bytes'), 'is', null)
      .execute()
  }
}
