/** A PostgreSQL server for tests: started for this process and removed with it, or the one that TEST_POSTGRES names. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { freePorts } from './ports.ts'

/** The programs in Debian's packages; one folder for each version. */
const DEBIAN = '/usr/lib/postgresql'
const USER = 'anteroom'
const START_TIMEOUT_MS = 60_000

function findBinaries(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : []
  const debian = versions.map((one) => join(DEBIAN, one, 'bin'))
  return [...debian, ...(process.env.PATH ?? '').split(delimiter)].find((one) =>
    existsSync(join(one, 'initdb')),
  )
}

const binaries = findBinaries()
const given = process.env.TEST_POSTGRES

/** Why tests over PostgreSQL are skipped here; false if they run. */
export const withoutPostgres: string | false =
  given === undefined &&
  binaries === undefined &&
  'PostgreSQL is not installed: run "apt-get install postgresql", or name a server in TEST_POSTGRES'

/** Why tests that stop and start PostgreSQL are skipped here; false if they run. */
export const withoutOwnPostgres: string | false =
  binaries === undefined && 'PostgreSQL is not installed: run "apt-get install postgresql"'

/** PostgreSQL refuses to run as root, so it runs as this user. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }).trim())
  return { uid: id('-u'), gid: id('-g') }
}

/** One server with its own folder and port. */
export class OwnPostgres {
  readonly port: number
  readonly password = randomBytes(12).toString('hex')
  readonly #folder: string
  readonly #settings: readonly string[]
  #child: ChildProcess | undefined

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.#folder = folder
    this.port = port
    this.#settings = settings
  }

  /** `settings`: lines of `postgresql.conf`, as `name=value`; `parent`: where its folder is created. */
  static async start(settings: readonly string[] = [], parent = tmpdir()): Promise<OwnPostgres> {
    const folder = mkdtempSync(join(parent, 'anteroom-postgres-'))
    const server = new OwnPostgres(folder, await freePorts(1), settings)
    const { uid, gid } = identity()
    const password = join(folder, 'password')
    writeFileSync(password, server.password)
    if (uid !== undefined) for (const path of [folder, password]) chownSync(path, uid, gid!)
    execFileSync(
      join(binaries!, 'initdb'),
      [
        '-D',
        server.data,
        '-U',
        USER,
        '--pwfile',
        password,
        '-A',
        'scram-sha-256',
        '-E',
        'UTF8',
        '--locale',
        'C',
      ].concat('--no-sync'),
      { ...identity(), cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    await server.run()
    return server
  }

  /** Makes a folder to which the server may write, e.g. for a tablespace. */
  makeFolder(path: string): void {
    mkdirSync(path, { mode: 0o700 })
    const { uid, gid } = identity()
    if (uid !== undefined) chownSync(path, uid, gid!)
  }

  get data(): string {
    return join(this.#folder, 'data')
  }

  urlOf(database: string, port = this.port): string {
    return `postgres://${USER}:${this.password}@127.0.0.1:${port}/${database}`
  }

  get admin(): string {
    return this.urlOf('postgres')
  }

  /** Resolves when it accepts connections. */
  async run(): Promise<void> {
    const settings = [
      'fsync=off',
      'listen_addresses=127.0.0.1',
      `port=${this.port}`,
      `unix_socket_directories=`,
    ]
      .concat('max_connections=200', 'shared_buffers=32MB', 'max_wal_size=256MB', ...this.#settings)
      .flatMap((setting) => ['-c', setting])
    // The shell stops the server when this process ends, for any reason, and deletes the folder.
    const script = `"$0" "$@" < /dev/null & server=$!; read -r word; kill -QUIT $server 2> /dev/null; wait $server
      [ "$word" = keep ] || rm -rf "$PWD"`
    const child = spawn('sh', ['-c', script, join(binaries!, 'postgres'), '-D', this.data, ...settings], {
      ...identity(),
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C in a terminal is for this process, which then stops the server in order.
      detached: true,
    })
    let said = ''
    child.stderr.on('data', (chunk) => (said = `${said}${String(chunk)}`.slice(-4000)))
    child.unref()
    for (const pipe of [child.stdin, child.stderr]) (pipe as unknown as { unref?: () => void }).unref?.()
    this.#child = child
    const startedAt = performance.now()
    for (;;) {
      if (await answers(this.admin)) return
      if (child.exitCode !== null || performance.now() - startedAt > START_TIMEOUT_MS)
        throw new Error(`PostgreSQL did not start: ${said}`)
      await delay(50)
    }
  }

  /** The main process of the server. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  /** `SIGINT` is a fast stop; after `SIGQUIT` the next start must recover. */
  async end(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#child = undefined
    const { pid } = this
    const exited = once(child, 'exit')
    child.ref()
    process.kill(pid, signal)
    while (isAlive(pid)) await delay(20)
    child.stdin!.end('keep\n')
    await exited
  }

  async stop(): Promise<void> {
    await this.end('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** For the end of the process, when nothing can be awaited. */
  abandon(): void {
    this.#child?.stdin!.destroy()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

let shared: Promise<string> | undefined

/** The URL under which databases are created. */
function administration(): Promise<string> {
  if (given !== undefined) return Promise.resolve(given)
  return (shared ??= OwnPostgres.start().then((server) => {
    process.once('exit', () => server.abandon())
    return server.admin
  }))
}

/** Creates a database and returns its URL; `drop` deletes it. */
export async function makeDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const admin = await administration()
  const name = `anteroom_test_${randomBytes(6).toString('hex')}`
  await runSql(admin, `create database ${name} encoding 'UTF8' template template0`)
  const url = new URL(admin)
  url.pathname = name
  return {
    url: url.href,
    drop: async () => {
      await runSql(admin, `drop database ${name} with (force)`)
    },
  }
}

/** Runs statements on their own connection. Returns the rows of the last one. */
export async function runSql(url: string, text: string, values?: unknown[]): Promise<Record<string, any>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text, values)).rows as Record<string, any>[]
  } finally {
    await client.end()
  }
}
