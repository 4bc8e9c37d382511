import type { Kysely } from 'kysely'

/** Lets the measurements of a session be read by time, without those of all its participants. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('participant_stats_of_session')
    .on('participant_stats')
    .columns(['session_id', 'at'])
    .execute()
}
