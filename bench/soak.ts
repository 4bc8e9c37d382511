/**
 * An hour of ordinary use, or `--minutes` of it: meetings with generated media; a meeting in which people join, request
 * entry, are admitted or denied, chat, set shared values, lose their connection and come back; and from time to time a
 * media worker dies. Samples the figures that must stay flat after the warm-up, and draws them into `bench/soak.svg`.
 * The exit code tells whether they stayed flat.
 */
import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { runLoad } from '../src/load/load.ts'
import { decodeServerFrame, encodeClientFrame } from '../src/protocol/chat.ts'
import { RealServer } from '../test/support/real-server.ts'
import { API_KEY, signAnything } from '../test/support/test-server.ts'
import { WireClient } from '../test/support/wire-client.ts'
import { drawPlots, type Series } from './plot.ts'
import { printGoal, printTable } from './table.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 600)) throw new Error('--minutes takes a number from 1 to 600')

const SAMPLE_MS = Math.max(1000, (minutes * 60_000) / 360)
/** The share of the run in which caches may fill and figures may grow. */
const WARM_UP = 0.3
const TALK_SECONDS = 8
const TALKERS = 4
/** The interval between deaths of a media worker. */
const DEATH_EVERY_MS = Math.min(120_000, (minutes * 60_000) / 4)
const MB = 1024 * 1024

/** For each figure, the most it may grow from the first to the last third after the warm-up. */
const figures = {
  // In a short run, the heap is young and still grows at the end.
  'resident memory, MB': { most: minutes < 10 ? 150 : 60 },
  'memory of media workers, MB': { most: 40 },
  'file descriptors': { most: 20 },
  'sockets of ports': { most: 20 },
  timers: { most: 20 },
  'event loop delay p99, ms': { most: 50 },
  'store, MB': { most: Infinity },
} as const
type Figure = keyof typeof figures

const allow = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'], exp: inHours(12) })
const ask = (): string => signAnything({ apikey: API_KEY, permissions: ['ask_join'], exp: inHours(12) })
function inHours(hours: number): number {
  return Math.floor(Date.now() / 1000) + hours * 3600
}

const server = await RealServer.start({
  SESSION_GRACE_SECONDS: '1',
  STATS_INTERVAL_SECONDS: '2',
  MAX_ENTRY_REQUESTS_PER_MINUTE: '100000',
  LOG_LEVEL: 'fatal',
})
const samples: { at: number; values: Record<Figure, number> }[] = []
const done = { talks: 0, rounds: 0, deaths: 0, joins: 0, admitted: 0, denied: 0, messages: 0, returns: 0 }
const troubles = new Map<string, number>()
const startedAt = performance.now()
const endAt = startedAt + minutes * 60_000
const isOver = (): boolean => performance.now() >= endAt

function workers(): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(server.pid), '-f', 'mediasoup-worker'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number)
  } catch {
    return []
  }
}

function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

function socketsOf(pids: readonly number[]): number {
  const inodes = new Set<string>()
  for (const file of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const line of readFileSync(`/proc/net/${file}`, 'utf8').trim().split('\n').slice(1))
      inodes.add(line.trim().split(/\s+/)[9]!)
  }
  let count = 0
  for (const pid of pids) {
    for (const link of execFileSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' }).matchAll(
      /socket:\[(\d+)\]/g,
    ))
      if (inodes.has(link[1]!)) count++
  }
  return count
}

async function look(): Promise<void> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const metric = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? NaN)
  const media = workers()
  const folder = server.env.DATA_DIR!
  samples.push({
    at: performance.now() - startedAt,
    values: {
      'resident memory, MB': residentMb(server.pid),
      'memory of media workers, MB': media.reduce((sum, pid) => sum + residentMb(pid), 0),
      'file descriptors': readdirSync(`/proc/${server.pid}/fd`).length,
      'sockets of ports': socketsOf([server.pid, ...media]),
      timers: metric(/^nodejs_active_resources\{type="Timeout"\} (\S+)/m),
      'event loop delay p99, ms': metric(/^anteroom_event_loop_lag_seconds\{quantile="0.99"\} (\S+)/m) * 1000,
      'store, MB':
        ['', '-wal'].reduce((sum, end) => sum + statSync(join(folder, `anteroom.db${end}`)).size, 0) / MB,
    },
  })
}

async function rest(path: string, body: unknown): Promise<Record<string, string>> {
  const answer = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: allow, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return (await answer.json()) as Record<string, string>
}

/** Runs a meeting with generated sound and video, sent and received. */
async function talk(): Promise<void> {
  const report = await runLoad({
    url: server.url,
    token: allow,
    meetings: 1,
    participants: TALKERS,
    seconds: TALK_SECONDS,
    senders: Infinity,
    layers: 1,
    joinsPerSecond: 4,
    audioBitrate: 32_000,
    videoBitrate: 200_000,
    serverCpu: () => Promise.resolve(undefined),
    serverWorkers: () => Promise.resolve(new Map()),
    serverDrops: () => Promise.resolve(undefined),
    mayAim: () => undefined,
    signal: AbortSignal.timeout(60_000),
  })
  done.talks++
  done.joins += report.joined
  for (const [why, times] of Object.entries(report.failures)) trouble(`talk: ${why}`, times)
}

function trouble(why: string, times = 1): void {
  troubles.set(why, (troubles.get(why) ?? 0) + times)
}

async function inside(
  meetingId: string,
  participantId: string,
  token = allow,
): Promise<{ client: WireClient; chat: string }> {
  const client = new WireClient({ url: server.url, token, meetingId, participantId, name: participantId })
  const { pubSubUrl } = await client.join()
  done.joins++
  return { client, chat: pubSubUrl }
}

/** Opens a chat socket that subscribes to a topic. */
async function listen(
  address: string,
): Promise<{ socket: WebSocket; hears: (text: string) => Promise<void> }> {
  const socket = new WebSocket(address)
  const heard: string[] = []
  let look = (): void => undefined
  socket.on('message', (bytes: Buffer) => {
    const frame = decodeServerFrame(bytes)
    if (frame.kind === 'batch')
      for (const one of frame.value.payloads) heard.push(Buffer.from(one).toString('latin1'))
    look()
  })
  await once(socket, 'open')
  socket.send(encodeClientFrame('subscribe', { topic: 'CHAT', requestId: 's', oldMessageLimit: 0 }))
  return {
    socket,
    hears: (text) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('a message was not heard')), 10_000)
        look = () => {
          if (!heard.some((one) => one.includes(text))) return
          clearTimeout(timer)
          resolve()
        }
        look()
      }),
  }
}

/** One round of signalling: a host, guests who request entry, chat, shared values, a lost connection and a return. */
async function visit(round: number): Promise<void> {
  const { roomId: meetingId = '' } = await rest('/v2/rooms', {})
  const host = await inside(meetingId, 'host')
  const guests = []
  for (let at = 0; at < 4; at++) {
    const participantId = `guest${at}`
    const client = new WireClient({
      url: server.url,
      token: ask(),
      meetingId,
      participantId,
      name: participantId,
    })
    await client.enter()
    await host.client.hears('entryRequested', ({ id }) => id === participantId)
    const decision = at === 3 ? 'denied' : 'allowed'
    await host.client.request('respondEntry', { id: participantId, decision })
    await client.hears('entryResponded', (heard) => heard.decision === decision)
    if (decision === 'denied') {
      await client.gone()
      done.denied++
      continue
    }
    guests.push({ client, chat: (await client.finishJoin()).pubSubUrl as string })
    done.admitted++
  }
  const [ears, mouth] = [await listen(guests[0]!.chat), await listen(host.chat)]
  for (let said = 0; said < 20; said++) {
    const text = `message ${round}-${said}`
    mouth.socket.send(
      encodeClientFrame('publish', {
        topic: 'CHAT',
        message: text,
        persist: said % 4 === 0,
        requestId: text,
        messageId: text,
      }),
    )
    await ears.hears(text)
    done.messages++
  }
  await guests[1]!.client.request('realtimeStoreSet', { key: 'round', value: String(round) })
  const cut = await inside(meetingId, 'cut')
  cut.client.socket.io.engine.close()
  const back = await inside(meetingId, 'cut')
  done.returns++
  await host.client.request('removePeer', { peerId: 'guest2' })
  await guests[2]!.client.hears('close')
  await host.client.request('closeRoom')
  await Promise.all([host.client.gone(), guests[0]!.client.gone(), back.client.gone()])
  for (const { socket } of [ears, mouth]) socket.close()
  await rest('/v2/rooms/deactivate', { roomId: meetingId })
  done.rounds++
}

async function untilOver(work: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; !isOver(); round++) {
    try {
      await work(round)
    } catch (error) {
      trouble(error instanceof Error ? error.message.slice(0, 120) : String(error))
    }
  }
}

const looking = setInterval(() => {
  look().catch((error: unknown) => trouble(`looking: ${String(error).slice(0, 100)}`))
}, SAMPLE_MS)
try {
  await Promise.all([
    untilOver(async () => talk()),
    untilOver(async (round) => {
      await visit(round)
      if (performance.now() - startedAt > (done.deaths + 1) * DEATH_EVERY_MS) {
        const [first] = workers()
        if (first !== undefined) process.kill(first, 'SIGKILL')
        done.deaths++
      }
      await new Promise((next) => setTimeout(next, 1000))
    }),
  ])
  await look()
} finally {
  clearInterval(looking)
  await server.stop()
}

const mean = (numbers: number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
const settled = samples.filter(({ at }) => at >= minutes * 60_000 * WARM_UP)
const third = Math.max(1, Math.floor(settled.length / 3))
const rows: string[][] = []
const goals: [string, boolean][] = []
for (const [name, { most }] of Object.entries(figures) as [Figure, { most: number }][]) {
  const [first, last] = [settled.slice(0, third), settled.slice(-third)].map((part) =>
    mean(part.map((sample) => sample.values[name])),
  ) as [number, number]
  rows.push([name, first.toFixed(1), last.toFixed(1), (last - first).toFixed(1)])
  if (most !== Infinity) goals.push([`${name}: grows by ${most} at the most`, last - first <= most])
}
console.log(
  `${minutes} minutes: ${Object.entries(done)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`,
)
for (const [why, times] of troubles) console.log(`  ${times} × ${why}`)
printTable(['after warm-up', 'first third', 'last third', 'growth'], rows)
const joinsPerMb = done.joins / (samples.at(-1)!.values['store, MB'] - samples[0]!.values['store, MB'])
console.log(
  `the store keeps records, and so grows: ${joinsPerMb.toFixed(0)} joins with their meetings and chat a MB\n`,
)
for (const [text, reached] of goals) printGoal(text, reached)
const series: Series[] = (Object.keys(figures) as Figure[]).map((name) => ({
  name,
  points: samples.map(({ at, values: all }) => [at / 60_000, all[name]]),
}))
mkdirSync(import.meta.dirname, { recursive: true })
writeFileSync(join(import.meta.dirname, 'soak.svg'), drawPlots(`${minutes} minutes`, 'minutes', series))
process.exitCode = goals.every(([, reached]) => reached) ? 0 : 1
