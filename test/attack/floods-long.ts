/**
 * The long run: `npm run attack:floods [seconds of each]`. Runs each kind of flood against the real server with its
 * defaults, from one address and from many, while people in another meeting send sound and video over the real media
 * workers. No flood may cause a gap of more than 500 ms in their media, or let the server's memory grow without bound.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { printTable } from '../../bench/table.ts'
import { LoadParticipant } from '../../src/load/participant.ts'
import { cpuOfProcess } from '../../src/load/server-figures.ts'
import { paces, Source } from '../../src/load/streams.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { WireClient } from '../support/wire-client.ts'
import { floods, type Flood, type FloodOrder, type FloodTally } from './flood-order.ts'

const seconds = Math.min(Number(process.argv[2] ?? 10), 300)
const only = process.argv[3]
const MOST_GAP_MS = 500
/** The allowed growth since before the first flood: the peak of the process, and the server's heap at the end. */
const MOST_GROWTH_MB = { resident: 600, held: 10 }
const LOOK_MS = 5
const ASK_MS = 100
/** Lets rate limits recover and closed connections disappear. */
const REST_MS = 5000

const token = (): string => signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
const server = await RealServer.start({
  LOG_LEVEL: 'fatal',
  // The defaults of a server that others can reach.
  MAX_HTTP_REQUESTS_PER_SECOND: '200',
  MAX_KEY_REQUESTS_PER_SECOND: '500',
  MAX_FAILED_TOKENS_PER_MINUTE: '120',
  MAX_ENTRY_REQUESTS_PER_MINUTE: '120',
  // Tells live objects from garbage that the system has not taken back yet.
  NODE_OPTIONS:
    "--expose-gc --import=data:text/javascript,process.on('SIGUSR2',()=>{gc();gc();console.log('held:',JSON.stringify(process.memoryUsage()))})",
})
const people: LoadParticipant[] = []
const talkers: WireClient[] = []
const missed: string[] = []

const createMeeting = async (): Promise<string> =>
  ((await server.rest('POST', '/v2/rooms', {}, token())) as { body: { roomId: string } }).body.roomId

/** The memory of the server alone; that of its media workers does not depend on the floods. */
const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024

/** The longest time without a packet in any stream, since the last query. */
class Gaps {
  readonly #streams = new Map<object, { received: number; at: number; longest: number }>()
  readonly #timer = setInterval(() => this.#look(), LOOK_MS)

  #look(): void {
    const now = performance.now()
    for (const arrival of people.flatMap(({ arrivals }) => [...arrivals.values()])) {
      const known = this.#streams.get(arrival)
      if (!known) this.#streams.set(arrival, { received: arrival.received, at: now, longest: 0 })
      else if (known.received !== arrival.received) {
        known.longest = Math.max(known.longest, now - known.at)
        known.received = arrival.received
        known.at = now
      }
    }
  }

  take(): { streams: number; longest: number } {
    this.#look()
    const now = performance.now()
    const all = [...this.#streams.values()]
    const longest = Math.max(...all.map((one) => Math.max(one.longest, now - one.at)))
    for (const one of all) one.longest = 0
    return { streams: all.length, longest }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

/** The server's heap after a garbage collection. */
async function heldMb(): Promise<number> {
  let held = ''
  for (let time = 0; time < 3; time++) {
    const from = server.output.length
    process.kill(server.pid, 'SIGUSR2')
    for (let tries = 0; tries < 100 && !/held: .*\n/.test(server.output.slice(from)); tries++)
      await delay(100)
    held = /held: (.*)\n/.exec(server.output.slice(from))![1]!
  }
  const { heapUsed, external } = JSON.parse(held) as NodeJS.MemoryUsage
  return (heapUsed + external) / 2 ** 20
}

interface Row {
  name: string
  tally: FloodTally
  gapMs: number
  askP95Ms: number
  askMaxMs: number
  cpuPercent: number
  beforeMb: number
  peakMb: number
  lagMs: number
}

const gaps = new Gaps()
const rows: Row[] = []
let said = 0

async function measure(name: string, doing: () => Promise<FloodTally>): Promise<Row> {
  const lag = monitorEventLoopDelay({ resolution: 10 })
  const [beforeMb, startedAt] = [residentMb(), performance.now()]
  const cpuBefore = (await cpuOfProcess(server.pid)) ?? NaN
  let peakMb = beforeMb
  const asks: number[] = []
  const over = new AbortController()
  gaps.take()
  lag.enable()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const from = performance.now()
      const value = `${++said}`
      await talkers[0]!.request('realtimeStoreSet', { key: 'said', value })
      const heard = (await talkers[1]!.request('realtimeStoreGet', { key: 'said' })) as { value: string }
      if (heard.value !== value) throw new Error('what was said was not heard')
      asks.push(performance.now() - from)
      peakMb = Math.max(peakMb, residentMb())
      await delay(ASK_MS)
    }
  })()
  const tally = await doing()
  over.abort()
  await asking
  lag.disable()
  const { longest: gapMs } = gaps.take()
  const cpu = ((await cpuOfProcess(server.pid)) ?? NaN) - cpuBefore
  asks.sort((one, other) => one - other)
  const row: Row = {
    name,
    tally,
    gapMs,
    askP95Ms: asks[Math.floor(asks.length * 0.95)]!,
    askMaxMs: asks.at(-1)!,
    cpuPercent: (100_000 * cpu) / (performance.now() - startedAt),
    beforeMb,
    peakMb,
    lagMs: lag.max / 1e6,
  }
  rows.push(row)
  console.log(
    `${name}: ${Object.entries(tally)
      .map(([what, times]) => `${what} ${times}`)
      .join(', ')}`,
  )
  return row
}

async function flooded(flood: Flood, from: 'one' | 'many'): Promise<FloodTally> {
  const child = fork(join(import.meta.dirname, 'flooder.ts'))
  try {
    child.send({
      flood,
      from,
      url: server.url,
      meetingId: await createMeeting(),
      seconds,
    } satisfies FloodOrder)
    const answer = await Promise.race([
      once(child, 'message') as Promise<[{ tally?: FloodTally; failed?: string }]>,
      delay((seconds + 60) * 1000, undefined, { ref: false }),
    ])
    if (!answer?.[0].tally) throw new Error(`the flood of ${flood} failed: ${answer?.[0].failed ?? 'no end'}`)
    return answer[0].tally
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

let sending: NodeJS.Timeout | undefined
try {
  const meetingId = await createMeeting()
  const sources = new Map<string, Source>()
  let lost = 0
  for (let at = 0; at < 2; at++) {
    const person = new LoadParticipant({
      url: server.url,
      path: '',
      token: token(),
      meetingId,
      participantId: `person-${at}`,
      sources: [new Source('audio', 32_000, at * 2 + 1), new Source('video', 500_000, at * 2 + 2)],
      sourceOf: (producerId) => sources.get(producerId),
      onProducer: (producerId, source) => sources.set(producerId, source),
      onDelay: () => undefined,
      mayAim: () => undefined,
      onLost: () => lost++,
    })
    await person.join()
    people.push(person)
    const talker = new WireClient({
      url: server.url,
      token: token(),
      meetingId,
      participantId: `talker-${at}`,
    })
    await talker.join()
    talkers.push(talker)
  }
  const due = new Map<Source, number>()
  sending = setInterval(() => {
    for (const person of people)
      for (const source of person.sources) {
        const { intervalMs } = paces[source.media]
        const now = performance.now()
        const at = due.get(source) ?? now
        if (at > now) continue
        person.sendFrame(source, now)
        due.set(source, Math.max(at + intervalMs, now - intervalMs))
      }
  }, LOOK_MS)
  // Waits until the streams flow both ways.
  for (let tries = 0; tries < 100 && gaps.take().streams < 4; tries++) await delay(100)
  await delay(1000)

  const calm = async (): Promise<FloodTally> => {
    await delay(seconds * 1000)
    return {}
  }
  const heldBeforeMb = await heldMb()
  const first = await measure('nothing, before', calm)
  for (const from of ['one', 'many'] as const) {
    for (const flood of floods) {
      if (only !== undefined && !flood.includes(only)) continue
      const { tally } = await measure(`${flood}, ${from}`, () => flooded(flood, from))
      const refused = Object.keys(tally).some((what) => /^(429|told|cut|ended|closed with)/.test(what))
      if (!refused && from === 'one') missed.push(`nothing of ${flood} was refused`)
      await delay(REST_MS)
    }
  }
  await delay(20_000)
  await measure('nothing, after', calm)
  const heldAfterMb = await heldMb()

  console.log()
  printTable(
    ['flood, from', 'longest gap ms', 'ask p95 ms', 'max', 'server CPU %', 'MB before', 'peak', 'own lag ms'],
    rows.map((row) => [
      row.name,
      ...[row.gapMs, row.askP95Ms, row.askMaxMs, row.cpuPercent, row.beforeMb, row.peakMb, row.lagMs].map(
        (value) => value.toFixed(0),
      ),
    ]),
  )
  for (const { name, gapMs, lagMs } of rows) {
    // While this program was blocked, it neither sent nor received.
    if (gapMs - lagMs > MOST_GAP_MS) missed.push(`${name}: a gap of ${gapMs.toFixed(0)} ms`)
  }
  const peak = Math.max(...rows.map(({ peakMb }) => peakMb))
  if (peak > first.beforeMb + MOST_GROWTH_MB.resident) missed.push(`${peak.toFixed(0)} MB at the height`)
  if (heldAfterMb > heldBeforeMb + MOST_GROWTH_MB.held)
    missed.push(`${(heldAfterMb - heldBeforeMb).toFixed(1)} MB more are held than before`)
  if (lost > 0) missed.push(`${lost} people were lost`)
  const unopened = people.reduce((sum, one) => sum + one.unopened, 0)
  if (unopened > 0) missed.push(`${unopened} packets did not hold what was sent`)
  console.log(
    `memory: resident ${first.beforeMb.toFixed(0)} MB before, ${peak.toFixed(0)} MB at the height, ${residentMb().toFixed(0)} MB in the end; held ${heldBeforeMb.toFixed(1)} MB before, ${heldAfterMb.toFixed(1)} MB in the end`,
  )
  for (const one of missed) console.log(`MISSED   ${one}`)
  if (missed.length === 0)
    console.log(`reached  no gap over ${MOST_GAP_MS} ms, nobody lost, everything over a limit refused`)
} finally {
  clearInterval(sending)
  gaps.close()
  for (const talker of talkers) talker.close()
  await Promise.all(people.map((person) => person.leave()))
  await server.stop()
}
process.exit(missed.length > 0 ? 1 : 0)
