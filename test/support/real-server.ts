/** The real program in its own process: `anteroom serve` with real media workers and its own ports. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownDatabase, type OwnDatabase } from './databases.ts'
import { watchServer } from './evidence.ts'
import { freePorts } from './ports.ts'
import { API_KEY, SECRET, signAnything } from './test-server.ts'
import { spreads, spreadWorkers } from './workers.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
/** The `ready` line as JSON, or as text for people. */
const READY = /"msg":"ready"|^ {2}media /m
const START_TIMEOUT_MS = 120_000
const SPREAD = { MEDIA_WORKERS: String(spreadWorkers), MEDIA_PLACEMENT: 'spread' }

export class RealServer {
  readonly url: string
  readonly secureUrl: string
  readonly env: NodeJS.ProcessEnv
  /** The command line that the next start runs; another version of the program has another one. */
  program = cli
  /** Everything that it printed since its last start. */
  output = ''
  /** The failures in its log, for people who debug a failed test. */
  readonly failures: string[] = []
  readonly #folder: string
  readonly #database: OwnDatabase | undefined
  readonly #prefix: readonly string[]
  #child: ChildProcess | undefined

  private constructor(
    folder: string,
    ports: [http: number, https: number, media: number],
    env: NodeJS.ProcessEnv,
    database: OwnDatabase | undefined,
    prefix: readonly string[],
    address: string,
  ) {
    this.#prefix = prefix
    this.#folder = folder
    this.#database = database
    this.url = `http://${address}:${ports[0]}`
    this.secureUrl = `https://${address}:${ports[1]}`
    this.env = {
      ...process.env,
      DATA_DIR: join(folder, 'data'),
      PORT: String(ports[0]),
      HTTPS_PORT: String(ports[1]),
      MEDIA_PORT: String(ports[2]),
      MEDIA_WORKERS: '2',
      VIDEOSDK_API_KEY: API_KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
      LOG_LEVEL: 'warn',
      ...(database && { DATABASE_URL: database.url }),
      ...env,
      ...(spreads && SPREAD),
    }
  }

  /**
   * @param prefix words before the command, such as those of a network namespace
   * @param address where it is reached
   */
  static async start(
    env: NodeJS.ProcessEnv = {},
    prefix: readonly string[] = [],
    address = 'localhost',
    program = cli,
  ): Promise<RealServer> {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-real-'))
    // One port for each listener and each media worker.
    const workers = spreads ? spreadWorkers : Number(env.MEDIA_WORKERS ?? 2)
    const port = await freePorts(2 + workers)
    const database = env.DATABASE_URL === undefined ? await ownDatabase() : undefined
    const server = new RealServer(folder, [port, port + 1, port + 2], env, database, prefix, address)
    server.program = program
    watchServer(`server-${port}`, () => server.output)
    await server.run()
    return server
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** The processes of its media workers. */
  get workers(): number[] {
    const pids = execFileSync('pgrep', ['-P', String(this.pid), '-f', 'mediasoup-worker'], {
      encoding: 'utf8',
    })
    return pids.trim().split('\n').map(Number)
  }

  /** Kills all its media workers at once. */
  killWorkers(): void {
    for (const pid of this.workers) process.kill(pid, 'SIGKILL')
  }

  /** Calls the REST API as a client does; returns the body whatever the status is. */
  async rest(
    method: string,
    path: string,
    body?: unknown,
    token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] }),
  ): Promise<{ status: number; body: any }> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: token, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json = answer.headers.get('content-type')?.includes('json') ?? false
    return { status: answer.status, body: json && text !== '' ? JSON.parse(text) : text }
  }

  async createMeeting(options: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.rest('POST', '/v2/rooms', options)
    if (status !== 200) throw new Error(`no meeting was made: ${JSON.stringify(body)}`)
    return body.roomId
  }

  async run(): Promise<void> {
    this.output = ''
    const [program, ...args] = [...this.#prefix, process.execPath, this.program, 'serve']
    const child = spawn(program, args, {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const ready = new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        this.output += String(chunk)
        this.failures.push(
          ...String(chunk)
            .split('\n')
            .filter((line) => line.includes('"level":50')),
        )
        if (READY.test(this.output)) resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${this.output}`)))
      setTimeout(
        () => reject(new Error(`the server did not start: ${this.output}`)),
        START_TIMEOUT_MS,
      ).unref()
    })
    await ready
  }

  /** Resolves with the exit code when the program ends. */
  get exited(): Promise<number | null> {
    return once(this.#child!, 'exit').then(([code]) => code as number | null)
  }

  /** Resolves with the exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child!
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = (await exited) as [number | null]
    return code
  }

  async stop(): Promise<void> {
    for (const line of this.failures) console.error(line)
    await this.end('SIGKILL')
    await this.#database?.drop()
    // A browser of the killed server may still write files.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
