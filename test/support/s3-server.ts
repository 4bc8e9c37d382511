/** OpenStack Swift with its S3 API, in a process and a folder of its own: a real store, which checks signatures. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3mini } from 's3mini'
import { freePorts } from './ports.ts'

/** Debian's, which has Debian's packages. */
const PYTHON = '/usr/bin/python3'
const START_TIMEOUT_MS = 60_000

/** Why tests with an S3 server are skipped here; false where they are not. */
export const withoutS3: string | false =
  spawnSync(PYTHON, ['-c', 'import swift.common.middleware.s3api']).status !== 0 &&
  'OpenStack Swift is not installed: run "apt-get install python3-swift"'

export class S3Server {
  readonly bucket = 'recordings'
  readonly endpoint: string
  readonly accessKeyId = 'test:keeper'
  readonly secretAccessKey = randomBytes(12).toString('hex')
  /** Looks into the bucket, past the server under test. */
  readonly client: S3mini
  readonly #port: number
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.endpoint = `http://127.0.0.1:${port}`
    this.client = new S3mini({
      ...this.credentials,
      endpoint: `${this.endpoint}/${this.bucket}`,
      region: 'us-east-1',
    })
  }

  /** It does not run yet. */
  static async make(): Promise<S3Server> {
    return new S3Server(await mkdtemp(join(tmpdir(), 'anteroom-swift-')), await freePorts(1))
  }

  get credentials(): { accessKeyId: string; secretAccessKey: string } {
    const { accessKeyId, secretAccessKey } = this
    return { accessKeyId, secretAccessKey }
  }

  /** What a server is told of it. */
  settings(prefix: string): Record<string, string> {
    return {
      FILES_URL: `s3://${this.bucket}/${prefix}?endpoint=${this.endpoint}`,
      FILES_ACCESS_KEY_ID: this.accessKeyId,
      FILES_SECRET_ACCESS_KEY: this.secretAccessKey,
    }
  }

  async run(): Promise<void> {
    const program = join(import.meta.dirname, 'swift-server.py')
    const args = [this.#folder, String(this.#port), this.accessKeyId, this.secretAccessKey]
    const child = spawn(PYTHON, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        printed += String(chunk)
        if (/^ready$/m.test(printed)) resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`Swift did not start: ${printed}`)))
      setTimeout(() => reject(new Error(`Swift did not start in time: ${printed}`)), START_TIMEOUT_MS).unref()
    })
    await this.client.createBucket()
  }

  /** What it has stays. */
  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** The keys below a prefix, in order. */
  async keys(prefix = ''): Promise<string[]> {
    const found = await this.client.listObjects('/', prefix, 10_000)
    return (found ?? []).map(({ Key }) => Key).sort()
  }

  async stop(): Promise<void> {
    await this.end()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
