/** Lists of what was used, by day or month. */
import { sql, type Kysely, type SelectQueryBuilder } from 'kysely'
import { dayOf, nextDayAt } from '../../../protocol/days.ts'
import type { Store, UsageQuery } from '../../store.ts'
import { Totals, reach } from '../pages.ts'
import type { Schema } from '../schema.ts'
import { ALL, columns, monthRow, toSums, type Column } from './usage-rows.ts'

/** Days of rows, both inclusive. */
type Range = readonly [from: string, to: string]

export function usageList(db: Kysely<Schema>): Store['usage']['list'] {
  const counts = new Totals()
  return async (query, { page, perPage }) => {
    const { by, per, projectId, apiKey } = query
    // The name of the rows of sums is no name to ask for.
    if (projectId === ALL || apiKey === ALL) return { items: [], total: 0 }
    const ranges = rangesOf(query)
    // Whose rows are read: those of keys if one was asked for, otherwise those of what the answer lists.
    const scope = apiKey !== undefined ? 'key' : per === 'server' && projectId !== undefined ? 'project' : per
    /** @param page the rows on the page, if only those of their projects and keys are wanted */
    const rowsOf = (
      table: 'usage_days' | 'usage_peaks',
      among: readonly Range[],
      page: readonly { project: string; key: string }[] = [],
    ) => {
      let rows = db
        .selectFrom(table)
        .where((row) =>
          row.or(among.map(([from, to]) => row.and([row('day', '>=', from), row('day', '<=', to)]))),
        )
      if (scope !== 'key') rows = rows.where('api_key', '=', ALL)
      else rows = rows.where('api_key', apiKey === undefined ? '!=' : '=', apiKey ?? ALL)
      if (projectId !== undefined) rows = rows.where('project_id', '=', projectId)
      else if (scope === 'server') rows = rows.where('project_id', '=', ALL)
      else rows = rows.where('project_id', '!=', ALL)
      if (page.length === 0) return rows
      if (per !== 'server') rows = rows.where('project_id', 'in', distinct(page.map((row) => row.project)))
      return per === 'key' ? rows.where('api_key', 'in', distinct(page.map((row) => row.key))) : rows
    }

    const period = sql<string>`substr(replace(day, 'm', ''), 1, ${sql.lit(by === 'day' ? 10 : 7)})`
    const project = per === 'server' ? sql<string>`''` : sql.ref<string>('project_id')
    const key = per === 'key' ? sql.ref<string>('api_key') : sql<string>`''`
    const named = [period.as('period'), project.as('project'), key.as('key')] as const
    const names = [period, project, key].slice(0, { server: 1, project: 2, key: 3 }[per])
    // Where each row is a row of the answer, the database need not read all of them for a page.
    const isAddedUp =
      (by === 'month' && ranges.some(([from]) => !isMonthRow(from))) ||
      (per === 'server' && scope === 'key' && projectId === undefined)

    const all = rowsOf('usage_days', ranges)
    const total = await counts.of(query, async () => {
      const counted = await db
        .selectFrom((isAddedUp ? all.select(named).groupBy(names) : all.select(named)).as('rows'))
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      return counted.total
    })
    const way = reach({ page, perPage }, total)
    if (!way) return { items: [], total }
    const { direction, limit, offset, inOrder } = way
    const opposite = direction === 'desc' ? 'asc' : 'desc'
    const ordered = <O>(rows: SelectQueryBuilder<Schema, 'usage_days', O>) => {
      let sorted = isAddedUp ? rows.orderBy(period, direction) : rows.orderBy('day', direction)
      if (per !== 'server') sorted = sorted.orderBy('project_id', opposite)
      return per === 'key' ? sorted.orderBy('api_key', opposite) : sorted
    }
    // Skips entries of the index instead of whole rows.
    const its = ordered(all.select(['day', 'project_id', 'api_key']))
      .limit(limit)
      .offset(offset)
    const used = inOrder(
      await (
        isAddedUp
          ? ordered(all.select(named).select(Object.values(columns).map(sumOf)).groupBy(names))
              .limit(limit)
              .offset(offset)
          : ordered(db.selectFrom('usage_days').select(named).select(Object.values(columns))).where(
              sql<boolean>`(day, project_id, api_key) in ${its}`,
            )
      ).execute(),
    )
    if (used.length === 0) return { items: [], total }

    const newest = used[0]!.period
    const oldest = used.at(-1)!.period
    const shown: Range = by === 'month' ? [monthRow(oldest), monthRow(newest)] : [oldest, newest]
    const peaks = await rowsOf('usage_peaks', [shown], used)
      .select(named)
      .select((select) => select.fn.max<number>('participants').as('most'))
      .groupBy(names)
      .execute()
    const most = new Map(peaks.map((row) => [keyOf(row.period, row.project, row.key), row.most]))

    // What is stored now, less what came after each period.
    const sinceThen: Range[] =
      by === 'month'
        ? [[monthRow(oldest), LAST_MONTH]]
        : [
            [monthRow(monthAfter(newest.slice(0, 7))), LAST_MONTH],
            [oldest, lastDayOf(newest.slice(0, 7))],
          ]
    /** SQLite uses the index only if the query has no `or`. */
    const ofThose = (range: Range) =>
      rowsOf('usage_days', [range], used).select([
        project.as('project'),
        key.as('key'),
        sumOf('stored_bytes'),
      ])
    const changes = []
    // The latest first.
    for (const range of sinceThen)
      changes.push(
        ...(await ofThose(range)
          .select(period.as('period'))
          .groupBy(names)
          .orderBy('period', 'desc')
          .execute()),
      )
    const now = ofThose([ALL, ALL])
    const totals = await (per === 'server' ? now : now.groupBy(names.slice(1))).execute()
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
      items: used.map((row) => {
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
  }
}

/** After every month. */
const LAST_MONTH = monthRow('9999-99')
const isMonthRow = (day: string): boolean => day.startsWith(monthRow(''))
/** No month has a later day; shorter months have no such rows. */
const lastDayOf = (month: string): string => `${month}-31`
const monthBeside = (month: string, by: 1 | -1): string =>
  new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1 + by, 1)).toISOString().slice(0, 7)
const monthAfter = (month: string): string => monthBeside(month, 1)
const dayAfter = (day: string): string => dayOf(nextDayAt(Date.parse(day)))

/** The rows whose sum is what was used: whole months as such, and the days beside them. */
function rangesOf({ by, from, to }: UsageQuery): Range[] {
  if (by === 'day') return [[from, to]]
  const first = from.endsWith('-01') ? from.slice(0, 7) : monthAfter(from.slice(0, 7))
  /** The first month after the whole ones. */
  const end = dayAfter(to).slice(0, 7)
  if (first >= end) return [[from, to]]
  const days: Range[] = [
    [from, `${first}-00`],
    [`${end}-01`, to],
  ]
  return [[monthRow(first), monthRow(monthBeside(end, -1))], ...days.filter(([start, last]) => start <= last)]
}

const sumOf = (column: Column) => sql<number>`cast(sum(${sql.ref(column)}) as bigint)`.as(column)
const distinct = (list: readonly string[]): string[] => [...new Set(list)]
const keyOf = (...parts: string[]): string => JSON.stringify(parts)
