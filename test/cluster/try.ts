/**
 * Starts three nodes, a temporary PostgreSQL and a balancer on this machine, to try: `npm run cluster:try`. Ctrl-C stops
 * all of them and deletes what they made.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Balancer } from '../support/balancer.ts'
import { freePorts } from '../support/ports.ts'
import { OwnPostgres, runSql, withoutOwnPostgres } from '../support/postgres.ts'

interface Node {
  id: string
  url: string
  child: ChildProcess
}

const NODES = 3
const cli = join(import.meta.dirname, '../../src/cli.ts')
const READY = /"msg":"ready"|^ {2}media /m
const SIGN_IN = /#sign-in=[\w-]+/
const LOOK_MS = 500
/** For nodes to end in order, before they are killed. */
const END_MS = 8000

if (withoutOwnPostgres !== false) {
  console.error(withoutOwnPostgres)
  process.exit(1)
}

/** Undone in the opposite order. */
const made: (() => unknown)[] = []
let ending: Promise<void> | undefined
const end = (code: number): Promise<void> =>
  (ending ??= (async () => {
    for (const undo of made.toReversed()) await undo()
    process.exit(code)
  })())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(0))

try {
  await start()
} catch (error) {
  // What ends while it starts was ended on purpose.
  if (!ending) {
    console.error(error instanceof Error ? error.message : error)
    void end(1)
  }
}

async function start(): Promise<void> {
  console.log('Starting PostgreSQL, three nodes and a balancer …')
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-cluster-'))
  made.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const database = await OwnPostgres.start()
  made.push(() => database.stop())
  await runSql(database.admin, 'create database anteroom')
  const databaseUrl = database.urlOf('anteroom')

  const shared = {
    DATABASE_URL: databaseUrl,
    MASTER_KEY: randomBytes(32).toString('hex'),
    ADMIN_KEY: randomBytes(24).toString('base64url'),
    CLUSTER_PORT: String(await freePorts(1)),
  }
  const nodes: Node[] = []
  made.push(() => Promise.all(nodes.map(stop)))
  let signIn = ''
  // One after the other, so that the ports of one are taken before those of the next are chosen.
  for (let at = 1; at <= NODES; at++) {
    const output = await startNode(folder, at, shared, (node) => nodes.push(node))
    signIn ||= SIGN_IN.exec(output)?.[0] ?? ''
  }
  const { url, by } = await startBalancer(folder, nodes)

  const commands = nodes.map(({ id, url: its, child }) => `  ${id}       ${its}, kill -9 ${child.pid}`)
  console.log(
    [
      '',
      `  meetings     ${url}`,
      `  dashboard    ${url}/dashboard${signIn}`,
      ...commands,
      `  balancer     ${by}`,
      `  database     ${databaseUrl}`,
      `  logs         ${folder}`,
      '',
      'Start a meeting at the first address, and open its link in a second window. Then kill the node that is its home,',
      'and watch both windows come back. Ctrl-C stops everything and deletes it.',
      '',
    ].join('\n'),
  )
  for (const { id, child } of nodes)
    child.once('exit', (code, signal) => {
      if (!ending) console.log(`${id} (pid ${child.pid}) ended by ${signal ?? `exit code ${code}`}.`)
    })
  await tellHomes(databaseUrl, nodes)
}

/** Returns what it printed when it was ready. `onSpawned`: from then on it must be stopped. */
async function startNode(
  folder: string,
  at: number,
  shared: Record<string, string>,
  onSpawned: (node: Node) => void,
): Promise<string> {
  const id = `node-${at}`
  const port = await freePorts(3)
  const child = spawn(process.execPath, [cli, 'serve'], {
    // Not the folder with the .env of the reader.
    cwd: folder,
    env: {
      ...process.env,
      ...shared,
      NODE_ID: id,
      // Each has an address of its own, as on machines of their own.
      NODE_ADDRESS: `127.0.0.${at + 1}`,
      PORT: String(port),
      HTTPS_PORT: String(port + 1),
      MEDIA_PORT: String(port + 2),
      MEDIA_WORKERS: '1',
      DATA_DIR: join(folder, id),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in a terminal is for this program, which then stops the nodes in order.
    detached: true,
  })
  onSpawned({ id, url: `http://localhost:${port}`, child })
  const log = createWriteStream(join(folder, `${id}.log`))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log.write(chunk)
        output += String(chunk)
        if (READY.test(output)) resolve()
      })
    child.once('exit', () => reject(new Error(`${id} did not start:\n${output}`)))
  })
  return output
}

async function stop({ child }: Node): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(late)
}

/** Passes connections on as they are, so that who opens the page counts as somebody at this machine. */
async function startBalancer(folder: string, nodes: readonly Node[]): Promise<{ url: string; by: string }> {
  const program = whereIs('haproxy')
  if (program === undefined) {
    const balancer = await Balancer.over(nodes)
    made.push(() => balancer.close())
    return { url: balancer.url, by: 'a small one of this repository; with HAProxy installed, HAProxy' }
  }
  const port = await freePorts(1)
  const servers = nodes.map(({ id, url }) => `  server ${id} 127.0.0.1:${new URL(url).port}`)
  const config = join(folder, 'haproxy.cfg')
  await writeFile(
    config,
    `defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch 1
listen people
  bind 127.0.0.1:${port}
  balance leastconn
  option httpchk GET /health/ready
  http-check expect status 200 error-status L7OKC
  timeout check 1s
  default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`,
  )
  const child = spawn(program, ['-db', '-f', config], { stdio: 'ignore', detached: true })
  made.push(() => child.kill('SIGKILL'))
  const url = `http://localhost:${port}`
  while (
    !(await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    if (child.exitCode !== null) throw new Error(`HAProxy did not start: see ${config}`)
  return { url, by: `HAProxy (pid ${child.pid})` }
}

function whereIs(program: string): string | undefined {
  try {
    return execFileSync('which', [program], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** Says where each meeting has its home, whenever that changes, until the end. */
async function tellHomes(databaseUrl: string, nodes: readonly Node[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  client.on('error', () => undefined)
  await client.connect()
  const told = new Map<string, string>()
  const look = async (): Promise<void> => {
    const { rows } = await client.query<{ meeting_id: string; node_id: string }>(
      'select meeting_id, node_id from homes order by since',
    )
    for (const { meeting_id: meetingId, node_id: id } of rows) {
      if (told.get(meetingId) === id) continue
      const verb = told.has(meetingId) ? 'moved to' : 'is at'
      told.set(meetingId, id)
      const pid = nodes.find((node) => node.id === id)?.child.pid
      console.log(`Meeting ${meetingId} ${verb} ${id}. To kill its home: kill -9 ${pid}`)
    }
  }
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS)
  made.push(async () => {
    clearInterval(timer)
    await client.end().catch(() => undefined)
  })
}
