import { sql, type Kysely, type RawBuilder } from 'kysely'

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

/** Adds the sums of months, as the day `m2026-01`, and the sums of projects and of the server, as the key `*` and the project `*`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const columns = sql.join(sums.map((name) => sql.ref(name)))
  const totals = sql.join(sums.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint)`))
  const all = sql`'*'`
  const [project, key] = [sql.ref('project_id'), sql.ref('api_key')]
  const month = sql`'m' || substr(day, 1, 7)`
  const addUp = async (
    of: Record<'day' | 'project' | 'key', RawBuilder<unknown>>,
    only: RawBuilder<unknown>,
  ) => {
    await sql`insert into usage_days (day, project_id, api_key, ${columns})
      select ${of.day}, ${of.project}, ${of.key}, ${totals} from usage_days where ${only} group by 1, 2, 3`.execute(
      db,
    )
  }
  // Those of projects from those of keys, and those of the server from those of projects.
  await addUp({ day: sql.ref('day'), project, key: all }, sql`true`)
  await addUp({ day: sql.ref('day'), project: all, key: all }, sql`api_key = '*'`)
  await addUp({ day: month, project, key }, sql`day != '*'`)
  await sql`insert into usage_peaks (day, project_id, api_key, participants)
    select ${month}, project_id, api_key, max(participants) from usage_peaks group by 1, 2, 3`.execute(db)
  for (const table of ['usage_days', 'usage_peaks'])
    await db.schema
      .createIndex(`${table}_by_key`)
      .on(table)
      .columns(['api_key', 'project_id', 'day'])
      .execute()
}
