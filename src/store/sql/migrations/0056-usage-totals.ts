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

/** Adds the sums of all days, as the day `*`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const columns = sql.join(sums.map((name) => sql.ref(name)))
  const totals = sql.join(sums.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint)`))
  await sql`insert into usage_days (day, project_id, api_key, ${columns})
    select '*', project_id, api_key, ${totals} from usage_days group by project_id, api_key`.execute(db)
}
