/**
 * Lists over a million rows each of sessions, participants, deliveries, entries of the audit log and sums of usage, their last and
 * middle pages included: how long each call takes, and how many rows PostgreSQL reads for it. Goal: p95 < 50 ms on both databases,
 * which no call reaches that reads a whole table. `ROWS=100000` takes fewer rows.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { runSql } from '../test/support/postgres.ts'
import {
  ADMIN_KEY,
  call,
  cleanUp,
  dataOf,
  folder,
  ms,
  percentile,
  start,
  stop,
  whole,
} from './rest-server.ts'
import { onEachStore, type BenchStore } from './stores.ts'
import { printGoal, printTable } from './table.ts'

const ROWS = Number(process.env.ROWS ?? 1_000_000)
const CALLS = 40
const GOAL_MS = 50
/** PostgreSQL tells what was read when a connection has been idle for a second. */
const TOLD_MS = 1500
const KEYS = 300
const PER_PAGE = 20

const SQLITE = {
  rows: `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})`,
  from: 'n',
  id: (of: string) => `printf('%024x', ${of})`,
}
const POSTGRES = {
  rows: '',
  from: `generate_series(1, ${ROWS}) as n(i)`,
  id: (of: string) => `lpad(to_hex(${of}), 24, '0')`,
}

/** The statements that fill the tables; each person is in two sessions. */
function fills({ rows, from, id }: typeof SQLITE): string[] {
  const project = '(select project_id from projects limit 1)'
  const session = id('i')
  const meeting = '(select meeting_id from meetings limit 1)'
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
  /** The sums of usage as the server keeps them: of all keys and projects, of months and of all days. */
  const addUp = (dayName: string, projectName: string, keyName: string, only: string): string =>
    `insert into usage_days (day, project_id, api_key, ${sums.join()})
     select ${dayName}, ${projectName}, ${keyName}, ${sums.map((name) => `sum(${name})`).join()} from usage_days where ${only} group by 1, 2, 3`
  const into = (what: string, values: string): string =>
    `insert into ${what} ${rows} select ${values} from ${from}`
  const day = (of: string): string =>
    rows === ''
      ? `to_char(date '2020-01-01' + ${of}, 'YYYY-MM-DD')`
      : `date('2020-01-01', (${of}) || ' days')`
  return [
    into(
      'sessions (session_id, meeting_id, project_id, started_at, ended_at, end_reason)',
      `${session}, ${meeting}, ${project}, i * 1000, i * 1000 + 500, 'empty'`,
    ),
    into(
      'stays (session_id, participant_id, name, joined_at, left_at, leave_reason, counted_at)',
      `${session}, 'person-' || (i / 2), 'Ann', i * 1000, i * 1000 + 500, 'x', 1`,
    ),
    into(
      `deliveries (delivery_id, project_id, meeting_id, session_id, event, end_point, body, occurred_at, state, attempts, settled_at)`,
      `${session}, ${project}, ${meeting}, ${session}, case i % 2 when 0 then 'session-started' else 'participant-joined' end,
       'https://backend.example/hook', '{"webhookType":"participant-joined","data":{"participantId":"person-' || (i / 2) || '"}}',
       i * 1000, case i % 50 when 0 then 'parked' else 'delivered' end, 1, i * 1000`,
    ),
    into(
      'audit_entries (at, actor, actor_id, actor_name, role, action, outcome, facts, subject)',
      `i * 1000, 'operator', 'operator-' || (i % 7), 'Ada', 'operator',
       case i % 3 when 0 then 'meeting.end' when 1 then 'key.create' else 'recording.delete' end,
       case i % 20 when 0 then 'refused' else 'done' end, '{}', 'subject-' || (i % 5000)`,
    ),
    into(
      `usage_days (day, project_id, api_key, participants, participant_ms, received_bytes, sent_bytes, recording_ms, broadcast_ms, transcription_ms, stored_bytes)`,
      `${day(`i / ${KEYS}`)}, ${project}, 'key-' || (i % ${KEYS}), 1, 2, 3, 4, 5, 6, 7, 8`,
    ),
    addUp(`'*'`, 'project_id', 'api_key', 'true'),
    addUp(`'m' || substr(day, 1, 7)`, 'project_id', 'api_key', `day != '*'`),
    addUp('day', 'project_id', `'*'`, 'true'),
    addUp('day', `'*'`, `'*'`, `api_key = '*'`),
    `insert into usage_peaks (day, project_id, api_key, participants) select day, project_id, api_key, participants from usage_days where day != '*'`,
    'delete from session_counts',
    'insert into session_counts select project_id, count(*) from sessions group by project_id',
  ]
}

async function fill(store: BenchStore): Promise<void> {
  if (store.url !== undefined) {
    for (const statement of fills(POSTGRES))
      await runSql(store.url, `set synchronous_commit = off; ${statement}`)
    await runSql(store.url, 'vacuum analyze')
    return
  }
  const db = new Database(join(dataOf(store), 'anteroom.db'))
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -500000')
  for (const statement of fills(SQLITE)) db.exec(statement)
  db.close()
}

const last = Math.ceil(ROWS / PER_PAGE) - 1
const middle = Math.floor(last / 2)
const admin = `Bearer ${ADMIN_KEY}`
const aDay = '2022-03-04'
const years = 'from=2020-01-15&to=2022-12-20'
/** By what is shown. */
const CASES: Record<string, { path: string; as?: string; body?: object }> = {
  'sessions, first page': { path: '/v2/sessions?page=1' },
  'sessions, last page': { path: `/v2/sessions?page=${last}` },
  'sessions, middle page': { path: `/v2/sessions?page=${middle}` },
  'sessions of some days': { path: '/v2/sessions?startDate=1000000&endDate=90000000' },
  'one session': { path: `/v2/sessions/${'1'.padStart(24, '0')}` },
  'deliveries, first page': { path: '/v2/webhooks/deliveries?page=1' },
  'deliveries, last page': { path: `/v2/webhooks/deliveries?page=${last}` },
  'deliveries, middle page': { path: `/v2/webhooks/deliveries?page=${middle}` },
  'deliveries that are parked': { path: '/v2/webhooks/deliveries?state=parked' },
  'deliveries of an event': { path: '/v2/webhooks/deliveries?event=session-started' },
  'audit log, first page': { path: '/v2/admin/audit?page=1', as: admin },
  'audit log, last page': { path: `/v2/admin/audit?page=${last}`, as: admin },
  'audit log, middle page': { path: `/v2/admin/audit?page=${middle}`, as: admin },
  'audit log, refused': { path: '/v2/admin/audit?outcome=refused', as: admin },
  'audit log, of one operator': { path: '/v2/admin/audit?actorId=operator-3', as: admin },
  'audit log, one action': { path: '/v2/admin/audit?action=key.create', as: admin },
  'usage, a month by day': { path: `/v2/admin/usage?by=day&from=2022-03-01&to=2022-03-31`, as: admin },
  'usage, a day by key': { path: `/v2/admin/usage?by=day&per=key&from=${aDay}&to=${aDay}`, as: admin },
  'usage, three years by month': { path: `/v2/admin/usage?by=month&${years}`, as: admin },
  'usage, three years by day': { path: `/v2/admin/usage?by=day&${years}`, as: admin },
  'usage, three years by day and key': { path: `/v2/admin/usage?by=day&per=key&${years}`, as: admin },
  'usage, three years by month and key': { path: `/v2/admin/usage?by=month&per=key&${years}`, as: admin },
  'usage, of one key by month': { path: `/v2/admin/usage?by=month&apiKey=key-3&${years}`, as: admin },
  'what is kept about a person': {
    path: '/v2/admin/projects/PROJECT/people/export',
    as: admin,
    body: { participantId: 'person-4711' },
  },
  metrics: { path: '/metrics' },
}

interface Row {
  name: string
  p50: number
  p95: number
  /** Rows and entries of indexes that one call read. */
  read: number | undefined
}

const READ = `select (select sum(coalesce(seq_tup_read, 0)) from pg_stat_user_tables)
  + (select sum(coalesce(idx_tup_read, 0)) from pg_stat_user_indexes) as read`

async function rowsRead({ url }: BenchStore): Promise<number | undefined> {
  if (url === undefined) return undefined
  await delay(TOLD_MS)
  return Number((await runSql(url, READ))[0]!.read)
}

async function measure(store: BenchStore): Promise<Row[]> {
  let child = await start(store)
  await call('POST', '/create-meeting')
  await stop(child)
  await fill(store)
  child = await start(store)
  try {
    const rows: Row[] = []
    const { data } = await call<{ data: { projectId: string }[] }>('GET', '/v2/admin/projects', admin)
    for (const [name, { path: template, as, body }] of Object.entries(CASES)) {
      const path = template.replace('PROJECT', data[0]!.projectId)
      const before = await rowsRead(store)
      const times: number[] = []
      for (let index = 0; index < CALLS; index++) {
        const from = performance.now()
        await call(body ? 'POST' : 'GET', path, as, body)
        times.push(performance.now() - from)
      }
      // Connections that were busy tell at their next use.
      await delay(store.url === undefined ? 0 : TOLD_MS)
      await call(body ? 'POST' : 'GET', path, as, body)
      const after = await rowsRead(store)
      rows.push({
        name,
        p50: percentile(times, 0.5),
        p95: percentile(times, 0.95),
        read: after === undefined ? undefined : (after - before!) / (CALLS + 1),
      })
    }
    return rows
  } finally {
    await stop(child)
  }
}

function print({ name: store, url }: BenchStore, rows: readonly Row[]): void {
  console.log(`calls over ${whole(ROWS)} rows of each kind on ${store}, ${CALLS} times each, ms`)
  printTable(
    ['', 'p50', 'p95', ...(url === undefined ? [] : ['rows read a call'])],
    rows.map(({ name, p50, p95, read }) => [
      name,
      ms(p50),
      ms(p95),
      ...(read === undefined ? [] : [whole(read)]),
    ]),
  )
  const slow = rows.filter(({ p95 }) => p95 >= GOAL_MS).map(({ name }) => name)
  printGoal(
    `p95 under ${GOAL_MS} ms on ${store}${slow.length > 0 ? `, not: ${slow.join('; ')}` : ''}`,
    slow.length === 0,
  )
}

try {
  await onEachStore(folder, async (store) => print(store, await measure(store)))
} finally {
  cleanUp()
}
