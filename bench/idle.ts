/**
 * The cost of an idle server: processor time, wake-ups and memory in one minute without a request, of the server and of
 * each process that it started. Goal: ≤ 0.1 s of processor time per minute in total.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { printGoal, printTable } from './table.ts'

/** The time for the work that follows a start: garbage collection and compilation. */
const SETTLE_MS = 15_000
const IDLE_MS = 60_000
const GOAL_MS = 100
const PORT = 19_110

interface Reading {
  name: string
  cpuMs: number
  wakings: number
}

/** Returns a process and all its descendants. */
function familyOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    readFileSync(`${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(familyOf)]
}

const threadsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`)

function read(pid: number): Reading {
  const reading = { name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), cpuMs: 0, wakings: 0 }
  for (const thread of threadsOf(pid)) {
    reading.cpuMs += Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    const [, switches] =
      /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`${thread}/status`, 'utf8')) ?? []
    reading.wakings += Number(switches)
  }
  return reading
}

/** Returns the resident memory and the part that no other process shares, in MB. */
function memoryOf(pid: number): { resident: number; own: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024
  return { resident: of('Rss'), own: of('Private_Clean') + of('Private_Dirty') }
}

const folder = mkdtempSync(join(tmpdir(), 'anteroom-bench-'))
const server = spawn(process.execPath, ['src/cli.ts', 'serve'], {
  cwd: join(import.meta.dirname, '..'),
  env: {
    ...process.env,
    PORT: String(PORT),
    HTTPS_PORT: String(PORT + 1),
    MEDIA_PORT: String(PORT + 2),
    DATA_DIR: join(folder, 'data'),
    LOG_FORMAT: 'json',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
try {
  const output = createInterface({ input: server.stdout })
  await new Promise<void>((resolve, reject) => {
    output.on('line', (line) => line.includes('"msg":"ready"') && resolve())
    output.once('close', () => reject(new Error('the server ended before it was ready')))
  })
  await delay(SETTLE_MS)
  const before = new Map(familyOf(server.pid!).map((pid) => [pid, read(pid)]))
  await delay(IDLE_MS)
  const spent = [...before].map(([pid, start]) => {
    const end = read(pid)
    return {
      name: start.name,
      cpuMs: end.cpuMs - start.cpuMs,
      wakings: end.wakings - start.wakings,
      ...memoryOf(pid),
    }
  })
  const sum = {
    name: 'all',
    cpuMs: spent.reduce((all, { cpuMs }) => all + cpuMs, 0),
    wakings: spent.reduce((all, { wakings }) => all + wakings, 0),
    resident: spent.reduce((all, { resident }) => all + resident, 0),
    own: spent.reduce((all, { own }) => all + own, 0),
  }
  console.log(
    `a minute of a server that nobody uses, Node ${process.version}, ${availableParallelism()} cores`,
  )
  printTable(
    ['process', 'CPU ms', 'wakings', 'resident MB', 'own MB'],
    [...spent, sum].map(({ name, cpuMs, wakings, resident, own }) => [
      name,
      cpuMs.toFixed(1),
      String(wakings),
      resident.toFixed(0),
      own.toFixed(0),
    ]),
  )
  printGoal(`${GOAL_MS} ms of processor a minute or less`, sum.cpuMs <= GOAL_MS)
} finally {
  const gone = server.exitCode === null && once(server, 'exit')
  server.kill('SIGTERM')
  await gone
  rmSync(folder, { recursive: true, force: true })
}
