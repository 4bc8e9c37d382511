import { sql, type Kysely } from 'kysely'
import type { SqlDialect } from '../dialect.ts'

/** Records for the operator: sessions, use of keys, webhook deliveries, measurements over time. */
export async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema.alterTable('projects').addColumn('webhook', 'text').execute()
  await db.schema.alterTable('api_keys').addColumn('last_used_at', 'bigint').execute()
  await db.schema.alterTable('api_keys').addColumn('origins', 'text').execute()
  await db.schema.alterTable('stays').addColumn('device', 'text').execute()
  await db.schema.alterTable('stays').addColumn('token_id', 'text').execute()

  await db.schema
    .createIndex('sessions_newest')
    .on('sessions')
    .columns(['project_id', 'started_at', 'session_id'])
    .execute()
  await db.schema
    .createIndex('sessions_ended')
    .on('sessions')
    .column('ended_at')
    .where(sql.ref('ended_at'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('sessions_live')
    .on('sessions')
    .columns(['project_id', 'started_at'])
    .where(sql.ref('ended_at'), 'is', null)
    .execute()
  // Without this table, a page of sessions would spend most of its time on counting rows.
  await db.schema
    .createTable('session_counts')
    .addColumn('project_id', 'text', (column) => column.primaryKey())
    .addColumn('total', 'bigint', (column) => column.notNull())
    .execute()
  await sql`insert into session_counts (project_id, total)
    select project_id, count(*) from sessions group by project_id`.execute(db)

  await db.schema
    .createTable('intervals')
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.session_id'))
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('intervals_participant')
    .on('intervals')
    .columns(['session_id', 'participant_id', 'kind'])
    .execute()

  await db.schema
    .createTable('participant_stats')
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('figures', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('participant_stats_key', ['session_id', 'participant_id', 'at'])
    .execute()
  await db.schema.createIndex('participant_stats_at').on('participant_stats').column('at').execute()
  await db.schema
    .createTable('server_samples')
    .addColumn('at', 'bigint', (column) => column.primaryKey())
    .addColumn('figures', 'text', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('deliveries')
    .addColumn('number', dialect.serialType, (column) => dialect.serial(column))
    .addColumn('delivery_id', 'text', (column) => column.notNull().unique())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('end_point', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('occurred_at', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    // Set only for the head of each queue (meeting and endpoint); the others wait for their turn.
    .addColumn('next_at', 'bigint')
    .addColumn('leased_until', 'bigint')
    .addColumn('last_status', 'integer')
    .addColumn('last_error', 'text')
    .addColumn('settled_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('deliveries_due')
    .on('deliveries')
    .column('next_at')
    .where(sql.ref('next_at'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('deliveries_line')
    .on('deliveries')
    .columns(['meeting_id', 'end_point', 'number'])
    .where(sql.ref('state'), '=', sql.lit('waiting'))
    .execute()
  await db.schema
    .createIndex('deliveries_newest')
    .on('deliveries')
    .columns(['project_id', 'number'])
    .execute()
  await db.schema.createIndex('deliveries_state').on('deliveries').columns(['state', 'number']).execute()
  await db.schema.createIndex('deliveries_settled').on('deliveries').column('settled_at').execute()

  await db.schema
    .createTable('revoked_tokens')
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('revoked_tokens_key', ['project_id', 'token_id'])
    .execute()
  await db.schema
    .createTable('sign_ins')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
}
