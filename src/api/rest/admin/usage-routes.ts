/** What was used over days and months, for whoever is asked what it cost. */
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Routes } from '../../context.ts'
import type { Store, UsageQuery as Asked, UsageRow as Used } from '../../../store/store.ts'
import { DAY_MS, dayOf } from '../../../protocol/days.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import { UsageFilter, UsagePage, UsageQuery, type UsageRow } from '../../../protocol/rest/usage.ts'
import { BYTE_ORDER_MARK, csvRow } from '../csv.ts'
import { describe } from '../describe.ts'

/** Of days and of months, where no beginning is named. */
const DEFAULT_DAYS = { day: 30, month: 365 }
const ROWS_AT_ONCE = 500
const MINUTE_MS = 60_000

const access = { tag: 'Watching', access: 'admin', role: 'viewer' } as const
const description =
  'Counted in days in UTC, when a participant has left or an output has ended, within about a minute; time over midnight belongs to both days. It outlives the records of sessions. Without `from`, the last 30 days, or 12 months.'

export const usageRoutes: Routes = (app, { store, now }) => {
  const asked = ({ by, from, to, per, projectId, apiKey }: UsageFilter): Asked => {
    const last = to ?? dayOf(now())
    const first = from ?? dayOf(Date.parse(last) - (DEFAULT_DAYS[by] - 1) * DAY_MS)
    return {
      by,
      // A month is shown whole.
      from: from === undefined && by === 'month' ? `${first.slice(0, 7)}-01` : first,
      to: last,
      per,
      projectId,
      apiKey,
    }
  }

  app.get(
    '/v2/admin/usage',
    describe({
      summary: 'Get what was used, by day or month, the newest first',
      ...access,
      description,
      query: UsageQuery,
      answer: UsagePage,
    }),
    async (request) => {
      const { page, perPage, ...filter } = request.query
      const { items, total } = await store.usage.list(asked(filter), { page, perPage })
      return { pageInfo: pageInfoOf(page, perPage, total), data: items.map(toRow) }
    },
  )

  app.get(
    '/v2/admin/usage.csv',
    describe({
      summary: 'Get what was used as CSV',
      ...access,
      description,
      query: UsageFilter,
      answer: Type.String(),
      answerType: 'text/csv',
    }),
    async (request, reply) => {
      const query = asked(request.query)
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="usage-${query.from}-${query.to}.csv"`)
        .header('x-content-type-options', 'nosniff')
        .send(Readable.from(csvOf(store, query)))
    },
  )
}

const columns = [
  'period',
  'projectId',
  'apiKey',
  'participants',
  'participantMinutes',
  'peakParticipants',
  'receivedBytes',
  'sentBytes',
  'recordingMinutes',
  'broadcastMinutes',
  'transcriptionMinutes',
  'storedBytes',
] as const satisfies (keyof UsageRow)[]

async function* csvOf({ usage }: Pick<Store, 'usage'>, query: Asked): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvRow(columns)
  for (let page = 1; ; page++) {
    const { items } = await usage.list(query, { page, perPage: ROWS_AT_ONCE })
    if (items.length > 0)
      yield items.map((item) => csvRow(columns.map((name) => String(toRow(item)[name] ?? '')))).join('')
    if (items.length < ROWS_AT_ONCE) return
  }
}

const minutes = (ms: number): number => Math.round((ms / MINUTE_MS) * 100) / 100

function toRow(used: Used): UsageRow {
  const { period, projectId, apiKey, participants, peak, receivedBytes, sentBytes, storedBytes } = used
  return {
    period,
    projectId,
    apiKey,
    participants,
    participantMinutes: minutes(used.participantMs),
    peakParticipants: peak,
    receivedBytes,
    sentBytes,
    recordingMinutes: minutes(used.recordingMs),
    broadcastMinutes: minutes(used.broadcastMs),
    transcriptionMinutes: minutes(used.transcriptionMs),
    storedBytes,
  }
}
