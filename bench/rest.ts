/**
 * Durable `create-meeting` a second at 1, 10 and 50 clients, beside bare commits of the same size to the same disk; what was
 * acknowledged after a `kill -9` in the middle; and pages of a list of 1,000,000 past sessions.
 * Goals: ≥ 3,000 a second at 50 clients; nothing lost; p99 < 20 ms on the first and on the last page.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { printGoal, printTable } from './table.ts'

const ROUND_MS = 5000
const BARE_MS = 2000
const PAST_SESSIONS = 1_000_000
const ASKED_PAGES = 300
const PORT = 19_300
const KEY = 'bench-key'
const SECRET = 'a-secret-for-the-bench-of-enough-length'
const folder = mkdtempSync(join(tmpdir(), 'anteroom-bench-'))
const database = join(folder, 'data', 'anteroom.db')
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = Math.floor(Date.now() / 1000)
const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ apikey: KEY, permissions: ['allow_join'], iat: now, exp: now + 3600, jti: randomUUID() })}`
const token = `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`

async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    cwd: join(import.meta.dirname, '..'),
    env: {
      ...process.env,
      PORT: String(PORT),
      HTTPS_PORT: String(PORT + 1),
      MEDIA_PORT: String(PORT + 2),
      MEDIA_WORKERS: '1',
      DATA_DIR: join(folder, 'data'),
      VIDEOSDK_API_KEY: KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const chunk of child.stdout) if (String(chunk).includes('"msg":"ready"')) break
  child.stdout.resume()
  return child
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

function call<T>(method: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: PORT, method, path, agent, headers: { authorization: token } },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () =>
          answer.statusCode === 200
            ? resolve(JSON.parse(text) as T)
            : reject(new Error(`answered ${answer.statusCode}: ${text.slice(0, 200)}`)),
        )
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

const percentile = (values: number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN
const ms = (value: number): string => value.toFixed(1)

/** Creates meetings until told to stop; ends quietly when the server is gone. */
async function create(clients: number, forMs: number): Promise<{ ids: string[]; latencies: number[] }> {
  const [ids, latencies]: [string[], number[]] = [[], []]
  const until = performance.now() + forMs
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        const from = performance.now()
        try {
          ids.push((await call<{ meetingId: string }>('POST', '/create-meeting')).meetingId)
        } catch (error) {
          if (String(error).includes('answered')) throw error
          return
        }
        latencies.push(performance.now() - from)
      }
    }),
  )
  return { ids, latencies }
}

/** One row of a meeting's size in each commit, each waiting for the disk: what SQLite does alone. */
function bareCommits(): number {
  const db = new Database(join(folder, 'bare.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('create table meetings (id text primary key, settings text)')
  const insert = db.prepare('insert into meetings values (?, ?)')
  const until = performance.now() + BARE_MS
  let commits = 0
  while (performance.now() < until) {
    insert.run(randomUUID(), '{"autoCloseConfig":{"type":"session-ends","duration":480}}'.repeat(3))
    commits++
  }
  db.close()
  return (commits * 1000) / BARE_MS
}

function fillWithSessions(): void {
  const db = new Database(database)
  const { meeting_id, project_id } = db
    .prepare('select meeting_id, project_id from meetings limit 1')
    .get() as {
    meeting_id: string
    project_id: string
  }
  const before = db.prepare('select count(*) as n from sessions').get() as { n: number }
  db.transaction(() => {
    const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${PAST_SESSIONS})`
    db.prepare(
      `${numbers} insert into sessions select printf('%024x', i), ?, ?, i * 1000, i * 1000 + 500, 'empty' from n`,
    ).run(meeting_id, project_id)
    db.prepare(
      `${numbers} insert into stays select printf('%024x', i), 'ann', 'Ann', i * 1000, i * 1000 + 500, 'x', null, null from n`,
    ).run()
    db.prepare('insert or replace into session_counts values (?, ?)').run(
      project_id,
      before.n + PAST_SESSIONS,
    )
  })()
  db.close()
}

async function pageTimes(page: number): Promise<number[]> {
  const times: number[] = []
  for (let asked = 0; asked < ASKED_PAGES; asked++) {
    const from = performance.now()
    const { data } = await call<{ data: unknown[] }>('GET', `/v2/sessions?page=${page}`)
    times.push(performance.now() - from)
    if (data.length === 0) throw new Error('an empty page')
  }
  return times
}

let child = await start()
try {
  const bare = bareCommits()
  await create(10, 1000)
  const rates = new Map<number, number>()
  const rows = [['bare commits, one after the other', Math.round(bare).toLocaleString('en'), '', '']]
  for (const clients of [1, 10, 50]) {
    const { ids, latencies } = await create(clients, ROUND_MS)
    const rate = (ids.length * 1000) / ROUND_MS
    rates.set(clients, rate)
    rows.push([
      `create-meeting, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      Math.round(rate).toLocaleString('en'),
      ms(percentile(latencies, 0.5)),
      ms(percentile(latencies, 0.99)),
    ])
  }
  console.log(`durable create-meeting, Node ${process.version}, ${ROUND_MS} ms each`)
  printTable(['', 'a second', 'p50 ms', 'p99 ms'], rows)

  const creating = create(50, 60_000)
  setTimeout(() => child.kill('SIGKILL'), 2000)
  const { ids } = await creating
  child = await start()
  const kept = new Set<string>()
  for (let page = 1, last = 1; page <= last; page++) {
    const answer = await call<{ pageInfo: { lastPage: number }; data: { meetingId: string }[] }>(
      'GET',
      `/v2/rooms?page=${page}&perPage=100`,
    )
    last = answer.pageInfo.lastPage
    for (const { meetingId } of answer.data) kept.add(meetingId)
  }
  const lost = ids.filter((id) => !kept.has(id)).length
  console.log(`killed in the middle: ${ids.length} acknowledged, ${lost} lost\n`)

  await stop(child)
  fillWithSessions()
  child = await start()
  const lastPage = Math.ceil((PAST_SESSIONS + 1) / 20) - 1
  const pages = [
    ['first', 1],
    ['last', lastPage],
    ['middle', Math.floor(lastPage / 2)],
  ] as const
  const p99 = new Map<string, number>()
  const pageRows = []
  for (const [name, page] of pages) {
    const times = await pageTimes(page)
    p99.set(name, percentile(times, 0.99))
    pageRows.push([`${name} page`, ms(percentile(times, 0.5)), ms(percentile(times, 0.99))])
  }
  console.log(`GET /v2/sessions over ${PAST_SESSIONS.toLocaleString('en')} past sessions, 20 a page`)
  printTable(['', 'p50 ms', 'p99 ms'], pageRows)
  printGoal('3,000 durable creations a second at 50 clients, or more', rates.get(50)! >= 3000)
  printGoal('nothing acknowledged is lost', lost === 0)
  printGoal('p99 of the first page under 20 ms', p99.get('first')! < 20)
  printGoal('p99 of the last page under 20 ms', p99.get('last')! < 20)
} finally {
  await stop(child)
  agent.destroy()
  rmSync(folder, { recursive: true, force: true })
}
