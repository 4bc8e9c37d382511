/** A server of its own process for the benches of REST, and calls to it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchStore } from './stores.ts'

const PORT = 19_300
const KEY = 'bench-key'
const SECRET = 'a-secret-for-the-bench-of-enough-length'
export const ADMIN_KEY = 'an-admin-key-for-the-bench-of-enough-length'
export const folder = mkdtempSync(join(tmpdir(), 'anteroom-bench-'))
// PostgreSQL refuses to run as root, so its own user needs access.
chmodSync(folder, 0o755)
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = Math.floor(Date.now() / 1000)
const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ apikey: KEY, permissions: ['allow_join', 'allow_mod'], iat: now, exp: now + 3600, jti: randomUUID() })}`
const token = `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`

export const dataOf = ({ name }: BenchStore): string => join(folder, name)

export async function start(store: BenchStore): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    cwd: join(import.meta.dirname, '..'),
    env: {
      ...process.env,
      PORT: String(PORT),
      HTTPS_PORT: String(PORT + 1),
      MEDIA_PORT: String(PORT + 2),
      MEDIA_WORKERS: '1',
      DATA_DIR: dataOf(store),
      ...(store.url !== undefined && { DATABASE_URL: store.url }),
      VIDEOSDK_API_KEY: KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
      ADMIN_KEY,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const chunk of child.stdout) if (String(chunk).includes('"msg":"ready"')) break
  child.stdout.resume()
  return child
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** @param authorization a token of the project by default */
export function call<T>(method: string, path: string, authorization = token, body?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: PORT,
        method,
        path,
        agent,
        headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () =>
          answer.statusCode === 200
            ? resolve(
                (/^application\/json(;|$)/.test(answer.headers['content-type'] ?? '')
                  ? JSON.parse(text)
                  : text) as T,
              )
            : reject(new Error(`answered ${answer.statusCode}: ${text.slice(0, 200)}`)),
        )
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })
}

export const percentile = (values: number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN
export const ms = (value: number): string => value.toFixed(1)
export const whole = (value: number): string => Math.round(value).toLocaleString('en')

/** Ends what outlives the servers. */
export function cleanUp(): void {
  agent.destroy()
  rmSync(folder, { recursive: true, force: true })
}
