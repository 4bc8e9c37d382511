/**
 * Twenty agents in one process on one core, each speaking and hearing: gaps in the sound that they read, and processor time. The server
 * runs on the other cores.
 *
 *     npm run bench:agents -- [agents in a meeting, default 2 and 4]
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { RealServer } from '../test/support/real-server.ts'
import { tone } from '../test/support/sounds.ts'
import { API_KEY, signAnything } from '../test/support/test-server.ts'
import { printGoal, printTable } from './table.ts'

const AGENTS = 20
const SECONDS = 30
/** Not measured: everybody joins, and the code gets warm. */
const SETTLE_MS = 5000
const MOST_GAP_MS = 60
const CORE = '0'
/**
 * Before other programs of a busy machine, if this program may decide that: the core is to be theirs. Only the main thread, without
 * those that V8 starts to collect garbage and to compile: with the same priority, each of them may keep the core for 100 ms.
 */
const ahead = spawnSync('chrt', ['-R', '-r', '1', 'true']).status === 0 ? ['chrt', '-R', '-r', '1'] : []

/**
 * What this process did in a gap. `core`: it was ready to run, and another program had its core. `collection`: it collected garbage.
 * `work`: it ran. `idle`: it waited for packets that the server had not sent yet.
 */
type Cause = 'core' | 'collection' | 'work' | 'idle'

interface Result {
  streams: number
  frames: number
  /** Between two frames as the app reads them. */
  longestGapMs: number
  gaps: number
  /** Of the gaps over the goal: why the frame was late, by what took most of the gap. */
  causes: Record<Cause, number>
  /** Packets that were lost or thrown away. */
  missing: number
  /** Of the decoder's guesses for them. */
  concealed: number
  cpuPercent: number
  /** Of the time: ready to run, but the core was given to another program. */
  waitedPercent: number
  megabytes: number
}

/** In the process of the agents. */
async function run(url: string, meetings: string[]): Promise<Result> {
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const agents: Agent[] = []
  for (let at = 0; at < AGENTS; at++)
    agents.push(
      await joinMeeting({ url, token, meetingId: meetings[at % meetings.length]!, name: `Agent ${at}` }),
    )
  const causes: Record<Cause, number> = { core: 0, collection: 0, work: 0, idle: 0 }
  const result = { streams: 0, frames: 0, longestGapMs: 0, gaps: 0, causes, missing: 0, concealed: 0 }
  const why = explainGaps()
  let isMeasured = false
  const follow = async (agent: Agent, id: string): Promise<void> => {
    const reading = agent.pcm(id)
    let last: number | undefined
    let dropped = 0
    result.streams++
    for await (const frame of reading) {
      const now = performance.now()
      if (isMeasured) {
        result.frames++
        if (frame.isConcealed) result.concealed++
        result.missing += reading.dropped - dropped
        const gap = last === undefined ? 0 : now - last
        result.longestGapMs = Math.max(result.longestGapMs, gap)
        if (gap > MOST_GAP_MS) {
          result.gaps++
          why.note(now - gap, now)
        }
      }
      dropped = reading.dropped
      last = now
    }
  }
  for (const agent of agents) {
    for (const id of agent.participants.keys()) void follow(agent, id)
    agent.on('participantJoined', ({ id }) => void follow(agent, id))
  }
  await Promise.all(agents.map((agent, at) => agent.publishAudio(tone(300 + 50 * at))))
  await delay(SETTLE_MS)
  isMeasured = true
  const [cpu, began, waited] = [process.cpuUsage(), performance.now(), scheduled().waitedMs]
  await delay(SECONDS * 1000)
  isMeasured = false
  const { user, system } = process.cpuUsage(cpu)
  const lastedMs = performance.now() - began
  const cpuPercent = (user + system) / 10 / lastedMs
  const waitedPercent = (100 * (scheduled().waitedMs - waited)) / lastedMs
  const megabytes = process.memoryUsage().rss / 2 ** 20
  await Promise.all(agents.map((agent) => agent.leave()))
  for (const cause of why.causes()) causes[cause]++
  return { ...result, cpuPercent, waitedPercent, megabytes }
}

/** Of the main thread, by the system's scheduler (proc(5), schedstat): how long it ran, and how long it waited for a core. */
function scheduled(): { ranMs: number; waitedMs: number } {
  const [ran, waited] = readFileSync('/proc/self/schedstat', 'utf8').split(' ')
  return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 }
}

const SAMPLE_MS = 10
const SAMPLES = 100

/** Keeps what the process did of late, to say why a frame was late. */
function explainGaps(): { note: (from: number, to: number) => void; causes: () => Cause[] } {
  const samples: ({ at: number } & ReturnType<typeof scheduled>)[] = []
  const sample = () => ({ at: performance.now(), ...scheduled() })
  setInterval(() => {
    samples.push(sample())
    if (samples.length > SAMPLES) samples.shift()
  }, SAMPLE_MS).unref()
  const collections: { from: number; to: number }[] = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      collections.push({ from: startTime, to: startTime + duration })
  }).observe({ entryTypes: ['gc'] })
  const noted: { from: number; to: number; ranMs: number; waitedMs: number }[] = []
  return {
    note: (from, to) => {
      const now = sample()
      const before = samples.findLast(({ at }) => at <= from) ?? samples[0] ?? now
      noted.push({
        from,
        to,
        ranMs: now.ranMs - before.ranMs,
        waitedMs: now.waitedMs - before.waitedMs,
      })
    },
    causes: () =>
      noted.map(({ from, to, ranMs, waitedMs }) => {
        const collected = collections.reduce(
          (sum, one) => sum + Math.max(0, Math.min(to, one.to) - Math.max(from, one.from)),
          0,
        )
        const parts: [Cause, number][] = [
          ['core', waitedMs],
          ['collection', collected],
          ['work', ranMs - collected],
          ['idle', to - from - ranMs - waitedMs],
        ]
        return parts.sort(([, one], [, other]) => other - one)[0]![0]
      }),
  }
}

async function measure(server: RealServer, perMeeting: number): Promise<Result> {
  const meetings = await Promise.all(
    Array.from({ length: Math.ceil(AGENTS / perMeeting) }, () => server.createMeeting()),
  )
  const child = spawn(
    'taskset',
    ['-c', CORE, ...ahead, process.execPath, import.meta.filename, '--run', server.url, ...meetings],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
  await once(child, 'close')
  return JSON.parse(said) as Result
}

const [, , first, ...rest] = process.argv
if (first === '--run') console.log(JSON.stringify(await run(rest[0]!, rest.slice(1))))
else {
  const sizes = process.argv.slice(2).map(Number)
  const server = await RealServer.start({ MEDIA_WORKERS: '1' })
  try {
    // The agents have their core alone, as far as other programs leave it to them.
    const others = `1-${Math.max(1, Number(process.env.CORES ?? 2) - 1)}`
    for (const pid of [server.pid, ...server.workers]) {
      spawnSync('taskset', ['-apc', others, String(pid)])
      if (ahead.length > 0) spawnSync('chrt', ['-R', '-r', '-p', '1', String(pid)])
    }
    const rows: string[][] = []
    let worst = 0
    for (const perMeeting of sizes.length > 0 ? sizes : [2, 4]) {
      const one = await measure(server, perMeeting)
      if (rows.length === 0) worst = one.longestGapMs
      rows.push([
        `${AGENTS} agents, ${perMeeting} in a meeting`,
        String(one.streams),
        String(one.frames),
        `${one.longestGapMs.toFixed(0)} ms`,
        one.gaps === 0
          ? '0'
          : `${one.gaps} (${Object.entries(one.causes)
              .filter(([, count]) => count > 0)
              .map(([cause, count]) => `${cause} ${count}`)
              .join(', ')})`,
        String(one.missing + one.concealed),
        `${one.cpuPercent.toFixed(0)} %`,
        `${one.waitedPercent.toFixed(0)} %`,
        `${one.megabytes.toFixed(0)} MB`,
      ])
    }
    printTable(
      [
        ahead.length > 0 ? 'with real-time priority' : 'with the priority of other programs',
        'streams',
        'frames',
        'longest gap',
        `gaps > ${MOST_GAP_MS} ms`,
        'lost',
        'of one core',
        'waited for it',
        'memory',
      ],
      rows,
    )
    printGoal(
      `${AGENTS} agents on one core without a gap in sound over ${MOST_GAP_MS} ms`,
      worst <= MOST_GAP_MS,
    )
  } finally {
    await server.stop()
  }
}
