/** What was used on each day, and what is still to be counted. */
import { sql, type Kysely, type Selectable } from 'kysely'
import type { OutputFileRecord, Store, UncountedOutput, UsageAddition, UsagePeak } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'
import { ALL, columns, monthRow, names, toSums, type Column } from './usage-rows.ts'
import { usageList } from './usage-list.ts'

/** All who add to the sums of a day take turns. */
export const USAGE = { lane: 'usage', holds: ['usage'] }
const COUNTED_UP_TO = 'usage-counted-up-to'
/** Rows in one statement; SQLite accepts 32,766 values. */
const ROWS_AT_ONCE = 500

/** Others were counted meanwhile. */
class Overtaken extends Error {}

/**
 * Adds to the sums of the days, of their months and of all days; of the keys, of their projects and of the server: adding up some years takes
 * too long where they are shown. Rows with the same names are added up first: one statement changes a row once.
 */
export async function addUsage(tx: Kysely<Schema>, additions: readonly UsageAddition[]): Promise<void> {
  const rows = new Map<string, Selectable<Schema['usage_days']>>()
  for (const { day: itsDay, projectId, apiKey, ...sums } of additions)
    for (const day of [itsDay, monthRow(itsDay.slice(0, 7)), ALL])
      for (const [project_id, api_key] of [
        [projectId, apiKey ?? ''],
        [projectId, ALL],
        [ALL, ALL],
      ] as const) {
        const key = JSON.stringify([day, project_id, api_key])
        const row = rows.get(key) ?? { ...nothing, day, project_id, api_key }
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
          for (const some of chunksOf(peakRows(peaks)))
            await tx
              .insertInto('usage_peaks')
              .values(some)
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
    list: usageList(db),
    dropBefore: (day, limit) =>
      write(USAGE, async (tx) => {
        let gone = 0
        for (const table of ['usage_days', 'usage_peaks'] as const)
          for (const [first, end] of [
            [monthRow(''), monthRow(day.slice(0, 7))],
            ['0', day],
          ] as const) {
            const rows = tx
              .selectFrom(table)
              .select(['day', 'project_id', 'api_key'])
              .where('day', '>=', first)
              .where('day', '<', end)
              .limit(limit)
            const { numDeletedRows } = await tx
              .deleteFrom(table)
              .where(sql<boolean>`(day, project_id, api_key) in ${rows}`)
              .executeTakeFirst()
            gone += Number(numDeletedRows)
          }
        return gone
      }),
    totals: async () => {
      const rows = await db
        .selectFrom('usage_days')
        .selectAll()
        .where('day', '=', ALL)
        .where('api_key', '!=', ALL)
        .execute()
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

/** The peaks of days and of their months, each once. */
function peakRows(peaks: readonly UsagePeak[]): Schema['usage_peaks'][] {
  const rows = new Map<string, Schema['usage_peaks']>()
  for (const { day: itsDay, projectId, apiKey, participants } of peaks)
    for (const day of [itsDay, monthRow(itsDay.slice(0, 7))]) {
      const row = { day, project_id: projectId ?? ALL, api_key: apiKey ?? ALL, participants }
      const key = JSON.stringify([day, row.project_id, row.api_key])
      if ((rows.get(key)?.participants ?? -1) < participants) rows.set(key, row)
    }
  return [...rows.values()]
}

function* chunksOf<One>(list: readonly One[]): Generator<readonly One[]> {
  for (let at = 0; at < list.length; at += ROWS_AT_ONCE) yield list.slice(at, at + ROWS_AT_ONCE)
}
