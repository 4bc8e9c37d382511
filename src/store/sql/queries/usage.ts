/** What was used on each day, and what is still to be counted. */
import { sql, type Kysely, type Selectable } from 'kysely'
import type { OutputFileRecord, Store, UncountedOutput, UsageAddition, UsageSums } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'

/** All who add to the sums of a day take turns. */
export const USAGE = { lane: 'usage', holds: ['usage'] }
const COUNTED_UP_TO = 'usage-counted-up-to'
/** In the key of a peak: of all projects, or of all keys. As the day of a sum: of all days; it comes before each of them. */
const ALL = '*'
/** Rows in one statement; SQLite accepts 32,766 values. */
const ROWS_AT_ONCE = 500

const columns = {
  participants: 'participants',
  participantMs: 'participant_ms',
  receivedBytes: 'received_bytes',
  sentBytes: 'sent_bytes',
  recordingMs: 'recording_ms',
  broadcastMs: 'broadcast_ms',
  transcriptionMs: 'transcription_ms',
  storedBytes: 'stored_bytes',
} as const satisfies Record<keyof UsageSums, keyof Schema['usage_days']>
type Column = (typeof columns)[keyof UsageSums]
const names = Object.keys(columns) as (keyof UsageSums)[]

/** Others were counted meanwhile. */
class Overtaken extends Error {}

/**
 * Adds to the sums of days, and of all days: metrics read those at each scrape, where adding up some years takes too long. Rows of the same
 * day, project and key are added up first: one statement changes a row once.
 */
export async function addUsage(tx: Kysely<Schema>, additions: readonly UsageAddition[]): Promise<void> {
  const rows = new Map<string, Selectable<Schema['usage_days']>>()
  for (const { day: itsDay, projectId, apiKey, ...sums } of additions)
    for (const day of [itsDay, ALL]) {
      const key = JSON.stringify([day, projectId, apiKey])
      const row = rows.get(key) ?? { ...nothing, day, project_id: projectId, api_key: apiKey ?? '' }
      for (const name of names) row[columns[name]] += sums[name] ?? 0
      rows.set(key, row)
    }
  const added = Object.fromEntries(
    Object.values(columns).map((column) => [
      column,
      sql<number>`${sql.ref(`usage_days.${column}`)} + ${sql.ref(`excluded.${column}`)}`,
    ]),
  )
  for (const some of chunksOf([...rows.values()]))
    await tx
      .insertInto('usage_days')
      .values(some)
      .onConflict((conflict) => conflict.columns(['day', 'project_id', 'api_key']).doUpdateSet(added))
      .execute()
}

const nothing = Object.fromEntries(Object.values(columns).map((column) => [column, 0])) as Record<
  Column,
  number
>

export function usageQueries({ db, write }: SqlContext): Store['usage'] {
  const sumOf = (column: Column) => sql<number>`cast(sum(${sql.ref(column)}) as bigint)`.as(column)

  return {
    uncountedStays: async (limit) => {
      const rows = await db
        .selectFrom('stays')
        .innerJoin('sessions', 'sessions.session_id', 'stays.session_id')
        .select(['sessions.project_id', 'stays.api_key', 'stays.joined_at', 'stays.left_at'])
        .select((select) =>
          select
            .exists(
              select
                .selectFrom('stays as before')
                .select('before.joined_at')
                .whereRef('before.session_id', '=', 'stays.session_id')
                .whereRef('before.participant_id', '=', 'stays.participant_id')
                .whereRef('before.joined_at', '<', 'stays.joined_at'),
            )
            .as('is_return'),
        )
        .where('stays.counted_at', 'is', null)
        .orderBy('stays.joined_at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        projectId: row.project_id,
        apiKey: row.api_key,
        joinedAt: row.joined_at,
        leftAt: row.left_at,
        isReturn: Boolean(row.is_return),
      }))
    },
    uncountedOutputs: async (limit) => {
      const outputs = await db
        .selectFrom('outputs')
        .select(['output_id as id', 'kind', 'project_id', 'api_key', 'started_at', 'ended_at', 'files'])
        .where('counted_bytes', 'is', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      const jobs = await db
        .selectFrom('jobs')
        .select(['job_id as id', 'project_id', 'api_key', 'started_at', 'ended_at', 'files'])
        .where('counted_bytes', 'is', null)
        .where('ended_at', 'is not', null)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      return [...outputs, ...jobs.map((job) => ({ ...job, kind: null }))].map((row) => ({
        id: row.id,
        kind: row.kind,
        projectId: row.project_id,
        apiKey: row.api_key,
        startedAt: row.started_at,
        endedAt: row.ended_at!,
        bytes: (JSON.parse(row.files) as OutputFileRecord[]).reduce((sum, { size }) => sum + size, 0),
      }))
    },
    countedUpTo: async () => {
      const row = await db
        .selectFrom('stored_values')
        .select('value')
        .where('name', '=', COUNTED_UP_TO)
        .executeTakeFirst()
      return Number(row?.value ?? 0)
    },
    count: async ({ upTo, stays, outputs, additions, peaks, countedUpTo }) => {
      try {
        await write(USAGE, async (tx) => {
          const { numUpdatedRows } = await tx
            .updateTable('stays')
            .set({ counted_at: upTo })
            .where('counted_at', 'is', null)
            .where('joined_at', '<=', upTo)
            .where('left_at', '<=', upTo)
            .executeTakeFirst()
          if (Number(numUpdatedRows) !== stays) throw new Overtaken()
          for (const output of outputs) if (!(await mark(tx, output))) throw new Overtaken()
          await addUsage(tx, additions)
          for (const some of chunksOf(peaks))
            await tx
              .insertInto('usage_peaks')
              .values(
                some.map(({ day, projectId, apiKey, participants }) => ({
                  day,
                  project_id: projectId ?? ALL,
                  api_key: apiKey ?? ALL,
                  participants,
                })),
              )
              .onConflict((conflict) =>
                conflict.columns(['day', 'project_id', 'api_key']).doUpdateSet({
                  participants: sql`case when excluded.participants > usage_peaks.participants
                    then excluded.participants else usage_peaks.participants end`,
                }),
              )
              .execute()
          await tx
            .insertInto('stored_values')
            .values({ name: COUNTED_UP_TO, value: String(countedUpTo) })
            .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: String(countedUpTo) }))
            .execute()
        })
        return true
      } catch (error) {
        if (error instanceof Overtaken) return false
        throw error
      }
    },
    add: async (additions) => {
      if (additions.length > 0) await write(USAGE, (tx) => addUsage(tx, additions))
    },
    list: async ({ by, from, to, per, projectId, apiKey }, { page, perPage }) => {
      const periodOf = sql<string>`substr(day, 1, ${sql.lit(by === 'day' ? 10 : 7)})`
      const project = per === 'server' ? sql<string>`''` : sql.ref<string>('project_id')
      const key = per === 'key' ? sql.ref<string>('api_key') : sql<string>`''`
      let all = db.selectFrom('usage_days')
      if (projectId !== undefined) all = all.where('project_id', '=', projectId)
      if (apiKey !== undefined) all = all.where('api_key', '=', apiKey)
      const groups = all
        .where('day', '>=', from)
        .where('day', '<=', to)
        .select([periodOf.as('period'), project.as('project'), key.as('key')])
        .groupBy([periodOf, project, key].slice(0, { server: 1, project: 2, key: 3 }[per]))
      const { total } = await db
        .selectFrom(groups.as('groups'))
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await groups
        .select(Object.values(columns).map(sumOf))
        .orderBy('period', 'desc')
        .orderBy('project')
        .orderBy('key')
        .limit(perPage)
        .offset((page - 1) * perPage)
        .execute()
      if (rows.length === 0) return { items: [], total }

      const oldest = rows.at(-1)!.period
      const newest = rows[0]!.period
      // Of one key or project alone, its own peak is that of all that was asked for.
      const scope =
        per === 'server' && apiKey !== undefined
          ? 'key'
          : per === 'server' && projectId !== undefined
            ? 'project'
            : per
      let peaks = db
        .selectFrom('usage_peaks')
        .select([periodOf.as('period'), 'project_id', 'api_key'])
        .select((select) => select.fn.max<number>('participants').as('most'))
        .groupBy([periodOf, 'project_id', 'api_key'])
        .where('project_id', scope === 'server' ? '=' : '!=', ALL)
        .where('api_key', scope === 'key' ? '!=' : '=', ALL)
        .where('day', '>=', oldest)
        // `~` comes after every day of a month.
        .where('day', '<=', `${newest}~`)
      if (projectId !== undefined) peaks = peaks.where('project_id', '=', projectId)
      if (apiKey !== undefined) peaks = peaks.where('api_key', '=', apiKey)
      const most = new Map<string, number>()
      for (const row of await peaks.execute()) {
        const name = keyOf(
          row.period,
          per === 'server' ? '' : row.project_id,
          per === 'key' ? row.api_key : '',
        )
        most.set(name, Math.max(most.get(name) ?? 0, row.most))
      }

      // What is stored now, less what came after each period.
      const changes = await all
        .where('day', '>=', oldest)
        .select([periodOf.as('period'), project.as('project'), key.as('key'), sumOf('stored_bytes')])
        .groupBy([periodOf, project, key].slice(0, { server: 1, project: 2, key: 3 }[per]))
        .orderBy('period', 'desc')
        .execute()
      const sums = all
        .where('day', '=', ALL)
        .select([project.as('project'), key.as('key'), sumOf('stored_bytes')])
      const totals = await (
        per === 'server' ? sums : sums.groupBy([project, key].slice(0, per === 'key' ? 2 : 1))
      ).execute()
      const left = new Map(totals.map((row) => [keyOf('', row.project, row.key), row.stored_bytes]))
      const stored = new Map<string, number>()
      for (const row of changes) {
        const name = keyOf('', row.project, row.key)
        const atEnd = left.get(name) ?? 0
        stored.set(keyOf(row.period, row.project, row.key), atEnd)
        left.set(name, atEnd - row.stored_bytes)
      }
      return {
        total,
        items: rows.map((row) => {
          const name = keyOf(row.period, row.project, row.key)
          return {
            ...toSums(row),
            period: row.period,
            projectId: per === 'server' ? null : row.project,
            apiKey: per === 'key' ? row.key : null,
            peak: most.get(name) ?? 0,
            storedBytes: stored.get(name) ?? 0,
          }
        }),
      }
    },
    totals: async () => {
      const rows = await db.selectFrom('usage_days').selectAll().where('day', '=', ALL).execute()
      return rows.map((row) => ({ ...toSums(row), projectId: row.project_id, apiKey: row.api_key }))
    },
    peaksOf: async (day) => {
      const rows = await db
        .selectFrom('usage_peaks')
        .select(['project_id', 'api_key', 'participants'])
        .where('day', '=', day)
        .where('api_key', '!=', ALL)
        .execute()
      return rows.map((row) => ({
        projectId: row.project_id,
        apiKey: row.api_key,
        participants: row.participants,
      }))
    },
  }
}

async function mark(tx: Kysely<Schema>, { id, kind, bytes }: UncountedOutput): Promise<boolean> {
  const [table, column] = kind === null ? (['jobs', 'job_id'] as const) : (['outputs', 'output_id'] as const)
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .set({ counted_bytes: bytes })
    .where(column, '=', id)
    .where('counted_bytes', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

const keyOf = (...parts: string[]): string => JSON.stringify(parts)

const toSums = (row: Record<Column, number>): UsageSums =>
  Object.fromEntries(names.map((name) => [name, row[columns[name]]])) as Record<keyof UsageSums, number>

function* chunksOf<One>(list: readonly One[]): Generator<readonly One[]> {
  for (let at = 0; at < list.length; at += ROWS_AT_ONCE) yield list.slice(at, at + ROWS_AT_ONCE)
}
