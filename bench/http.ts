/**
 * `GET /get-token` for a second of one core: ours, the published Express sample's way, and a bare `node:http` server that mints; each in a
 * process of its own, asked by the same client in turns. Goals: ≥ 3 × the sample, ≥ 0.75 × bare.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printGoal, printTable } from './table.ts'

const ROUNDS = 5
const ROUND_MS = 2000
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

const folder = mkdtempSync(join(tmpdir(), 'anteroom-bench-'))
const root = join(import.meta.dirname, '..')

async function start(args: string[], port: number): Promise<ChildProcess> {
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
  for await (const chunk of child.stdout) if (String(chunk).includes('ready')) break
  child.stdout.resume()
  return child
}

/** Ticks of the process's CPU time; 100 a second on Linux. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Answers for each second of the server's own CPU time, so that the client's speed does not count. */
async function measure({ pid }: ChildProcess, port: number, forMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const stopAt = performance.now() + forMs
  let answers = 0
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/get-token', agent }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`))
        answer.resume()
        answer.on('end', resolve)
      }).on('error', reject)
    })
  const before = cpuTicks(pid!)
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < stopAt) {
        await ask()
        answers++
      }
    }),
  )
  const rate = (answers * 100) / (cpuTicks(pid!) - before)
  agent.destroy()
  return rate
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const contestants = [
  { name: 'bare node:http', args: ['-e', bare], port: 19_100 },
  { name: 'anteroom', args: ['src/cli.ts', 'serve'], port: 19_101 },
  { name: 'express sample', args: ['-e', sample], port: 19_102 },
]
const children: ChildProcess[] = []
const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
try {
  for (const { args, port } of contestants) children.push(await start(args, port))
  for (const [at, { port }] of contestants.entries()) await measure(children[at]!, port, 1000)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, { name, port }] of contestants.entries()) {
      rates.get(name)!.push(await measure(children[at]!, port, ROUND_MS))
    }
  }
} finally {
  await Promise.all(
    children.map(async (child) => {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }),
  )
  rmSync(folder, { recursive: true, force: true })
}
const [bareRate, sampleRate] = [median(rates.get('bare node:http')!), median(rates.get('express sample')!)]
console.log(
  `GET /get-token, Node ${process.version}, ${CONNECTIONS} kept connections, median of ${ROUNDS} rounds of ${ROUND_MS} ms`,
)
printTable(
  ['server', 'answers per CPU second', '× bare', '× sample'],
  contestants.map(({ name }) => {
    const rate = median(rates.get(name)!)
    return [
      name,
      Math.round(rate).toLocaleString('en'),
      (rate / bareRate).toFixed(2),
      (rate / sampleRate).toFixed(2),
    ]
  }),
)
const ours = median(rates.get('anteroom')!)
printGoal('0.75 × a bare node:http server that mints, or more', ours >= 0.75 * bareRate)
printGoal('3 × the sample or more', ours >= 3 * sampleRate)
