/**
 * Answers to `GET /get-token` per second of one core: our server, the published Express sample, and a bare `node:http`
 * server that mints tokens. Each runs in a process of its own; the same client asks them in turns. Goal: ≥ 0.85 × bare.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { printGoal, printTable } from './table.ts'

const ROUNDS = 9
const ANSWERS = 10_000
/** The number of requests until all code is compiled. */
const WARM_UP = 30_000
const CONNECTIONS = 32
const KEY = 'bench-key'
const SECRET = 'a-secret-for-the-bench-of-enough-length'

const sample = `
const express = require('express4'); const cors = require('cors'); const jwt = require('jsonwebtoken8')
const { randomUUID } = require('node:crypto')
const app = express(); app.use(cors()); app.use(express.urlencoded({ extended: true })); app.use(express.json())
app.get('/get-token', (req, res) => {
  const token = jwt.sign({ apikey: '${KEY}', permissions: ['allow_join'] }, '${SECRET}', { algorithm: 'HS256', expiresIn: '24h', jwtid: randomUUID() })
  res.json({ token })
})
app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))`

const bare = `
const { createServer } = require('node:http'); const { createHmac, randomUUID } = require('node:crypto')
const head = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
createServer((req, res) => {
  const now = Math.floor(Date.now() / 1000)
  const signed = head + '.' + Buffer.from(JSON.stringify({ apikey: '${KEY}', permissions: ['allow_join'], iat: now, exp: now + 86400, jti: randomUUID() })).toString('base64url')
  const body = JSON.stringify({ token: signed + '.' + createHmac('sha256', '${SECRET}').update(signed).digest('base64url') })
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'access-control-allow-origin': '*' }); res.end(body)
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))`

const children: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'anteroom-bench-'))
const root = join(import.meta.dirname, '..')

async function start(args: string[], port: number): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(port),
      HTTPS_PORT: String(port + 100),
      MEDIA_PORT: String(port + 200),
      MEDIA_WORKERS: '1',
      DATA_DIR: join(folder, 'data'),
      VIDEOSDK_API_KEY: KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const output = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    output.on('line', (line) => line.includes('ready') && resolve())
    output.once('close', () => reject(new Error(`${args.at(-1)!.slice(0, 40)} ended before it was ready`)))
  })
}

/** Processor time of all threads of a process, in ms. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const spent = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  )
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6
}

/**
 * Sends requests over kept connections with no library in between, so that the client is faster than every server. It
 * never sleeps, because waking it would cost the slower server more than the faster one.
 */
class Client {
  readonly #connections: Socket[] = []
  readonly #request: Buffer

  constructor(port: number) {
    this.#request = Buffer.from(`GET /get-token HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)
    for (let at = 0; at < CONNECTIONS; at++) {
      this.#connections.push(connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1'))
    }
  }

  async ask(answers: number): Promise<void> {
    let left = answers
    let awake = true
    const stayAwake = (): void => {
      if (awake) setImmediate(stayAwake)
    }
    stayAwake()
    await Promise.all(
      this.#connections.map(
        (connection) =>
          new Promise<void>((resolve, reject) => {
            let heard = ''
            const hear = (text: string): void => {
              heard += text
              const head = heard.indexOf('\r\n\r\n')
              const length = Number(/content-length: (\d+)/i.exec(heard)?.[1])
              if (head < 0 || heard.length < head + 4 + length) return
              if (!heard.startsWith('HTTP/1.1 200 ')) reject(new Error(heard.slice(0, head)))
              heard = ''
              if (--left >= CONNECTIONS) connection.write(this.#request)
              else {
                connection.off('data', hear)
                resolve()
              }
            }
            connection.on('data', hear).once('error', reject)
            connection.write(this.#request)
          }),
      ),
    )
    awake = false
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy()
  }
}

/**
 * Returns answers per second of the server's own processor time. The speed of the client and other load on the machine
 * do not count.
 */
async function measure({ pid }: ChildProcess, client: Client, answers: number): Promise<number> {
  const before = cpuMs(pid!)
  await client.ask(answers)
  return (answers * 1000) / (cpuMs(pid!) - before)
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const contestants = [
  { name: 'bare node:http', args: ['-e', bare], port: 19_100 },
  { name: 'anteroom', args: ['src/cli.ts', 'serve'], port: 19_101 },
  { name: 'express sample', args: ['-e', sample], port: 19_102 },
]
const clients: Client[] = []
const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
try {
  for (const { args, port } of contestants) {
    await start(args, port)
    clients.push(new Client(port))
  }
  for (const client of clients) await client.ask(WARM_UP)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, { name }] of contestants.entries()) {
      rates.get(name)!.push(await measure(children[at]!, clients[at]!, ANSWERS))
    }
  }
} finally {
  for (const client of clients) client.close()
  await Promise.all(
    children.map(async (child) => {
      const gone = child.exitCode === null && once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }),
  )
  rmSync(folder, { recursive: true, force: true })
}
const [bareRate, sampleRate] = [median(rates.get('bare node:http')!), median(rates.get('express sample')!)]
console.log(
  `GET /get-token, Node ${process.version}, ${CONNECTIONS} kept connections, median of ${ROUNDS} rounds of ${ANSWERS} answers`,
)
printTable(
  ['server', 'answers per CPU second', 'µs each', 'slowest and quickest round', '× bare', '× sample'],
  contestants.map(({ name }) => {
    const all = rates.get(name)!
    const rate = median(all)
    return [
      name,
      Math.round(rate).toLocaleString('en'),
      (1e6 / rate).toFixed(1),
      [Math.min(...all), Math.max(...all)].map((one) => Math.round(one).toLocaleString('en')).join(' – '),
      (rate / bareRate).toFixed(2),
      (rate / sampleRate).toFixed(2),
    ]
  }),
)
printGoal(
  '0.85 × a bare node:http server that mints, or more',
  median(rates.get('anteroom')!) >= 0.85 * bareRate,
)
