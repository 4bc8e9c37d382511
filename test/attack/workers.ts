/**
 * Kills media workers at random while six people talk in two meetings: those in the affected meeting are soon back,
 * those in the other one are not affected, and nothing is left behind.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { Arrivals, watchArrivals } from '../support/arrivals.ts'
import { Person } from '../support/browser.ts'
import { AppServer, Published } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { spread } from './kills.ts'

/** Goals in ms, checked only if nothing else runs on the machine. */
export const goals = { ownP95: 2000, published: 8000, gap: 500 }

/** More workers than meetings, so that each meeting has its own worker, also after a death. */
const WORKERS = 4
const PATIENCE_MS = 120_000
const OTHERS = 2

interface Meeting {
  own: Arrivals[]
  published: Arrivals
}

export interface WorkerTimes {
  own: number[]
  published: number[]
  /** Gaps in the other meeting. */
  gaps: number[]
  /** Gaps in both meetings before a death. */
  quietGaps: number[]
}

export async function attackWorkers(
  browser: Browser,
  kills: number,
  say: (line: string) => void,
): Promise<WorkerTimes> {
  const server = await RealServer.start({ LOG_LEVEL: 'fatal', MEDIA_WORKERS: String(WORKERS) })
  const app = await AppServer.start()
  const times: WorkerTimes = { own: [], published: [], gaps: [], quietGaps: [] }
  try {
    const meetings = [
      await openMeeting(browser, app, server, 'a'),
      await openMeeting(browser, app, server, 'b'),
    ]
    const everybody = meetings.flatMap(({ own, published }) => [...own, published])
    for (const one of everybody) await one.flows(OTHERS, PATIENCE_MS)
    let before = traces(server)
    for (let round = 0; round < kills; round++) {
      const at = Math.floor(Math.random() * meetings.length)
      const [hit, other] = [meetings[at]!, meetings[1 - at]!]
      const port = await hit.published.port()
      assert.notEqual(port, await other.published.port(), 'each meeting is on a worker of its own')
      const victim = server.workers.find((pid) => udpPorts(pid).has(port))
      assert.ok(victim !== undefined, `a worker listens on ${port}`)
      // The usual gaps on this machine, without a death.
      await Promise.all(everybody.map((one) => one.arm()))
      await new Promise((next) => setTimeout(next, 3000 + Math.random() * 1000))
      const quiet = await Promise.all(everybody.map((one) => one.gapMs()))
      times.quietGaps.push(...quiet)

      await Promise.all(everybody.map((one) => one.arm()))
      process.kill(victim, 'SIGKILL')
      const [published, ...own] = await Promise.all([
        hit.published.back(OTHERS, PATIENCE_MS),
        // The third participant, with the published client, takes longer.
        ...hit.own.map((one) => one.back(1, PATIENCE_MS)),
      ])
      for (const one of everybody) await one.flows(OTHERS, PATIENCE_MS)
      const gaps = await Promise.all([...other.own, other.published].map((one) => one.gapMs()))
      for (const [at, one] of [...other.own, other.published].entries()) {
        if (gaps[at]! < goals.gap) continue
        say(
          `a gap of ${Math.round(gaps[at]!)} ms, ${at < 2 ? 'own' : 'published'} client: ${await one.gap()}`,
        )
      }
      times.own.push(...own)
      times.published.push(published)
      times.gaps.push(...gaps)
      say(
        `kill ${round + 1} of ${kills}: own ${own.map(Math.round).join(' ')} ms, published ${Math.round(published)} ms, ` +
          `longest gap in the other meeting ${Math.round(Math.max(...gaps))} ms`,
      )
      // Modules and caches that the first death loads do not count as a leak.
      if (round === 0) before = traces(server)
    }
    const after = traces(server)
    say(`left behind, before and after: ${JSON.stringify(before)} ${JSON.stringify(after)}`)
    assert.equal(after.workers, WORKERS)
    assert.equal(after.ports, before.ports, 'no port is left behind')
    assert.ok(after.files <= before.files + 8, 'no descriptor is left behind')
    assert.ok(after.megabytes < before.megabytes + 60, 'no memory is left behind')
  } finally {
    await server.stop()
    app.stop()
  }
  say(`back, own client: ${spread(times.own)}`)
  say(`back, published client: ${spread(times.published)}`)
  say(`longest gap in the other meeting, of each of its people: ${spread(times.gaps)}`)
  say(`longest gap of each before a death: ${spread(times.quietGaps)}`)
  return times
}

async function openMeeting(
  browser: Browser,
  app: AppServer,
  server: RealServer,
  name: string,
): Promise<Meeting> {
  const meetingId = await server.createMeeting()
  const token = (): string => signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const own: Arrivals[] = []
  for (const at of [1, 2]) {
    const person = await Person.at(browser, `${name}${at}`, { viewport: { width: 400, height: 300 } })
    await watchArrivals(person.context)
    await person.open(`${server.url}/m/${meetingId}#token=${token()}`)
    await person.inside()
    own.push(new Arrivals(person.page))
  }
  const published = await Published.at(browser, app)
  await watchArrivals(published.context)
  await published.page.reload()
  await published.inside(server.secureUrl, { token: token(), meetingId, participantId: `${name}3` })
  return { own, published: new Arrivals(published.page) }
}

/** The resources of a server: processes, UDP ports, descriptors, memory. */
function traces(server: RealServer): { workers: number; ports: number; files: number; megabytes: number } {
  const { pid, workers } = server
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    workers: workers.length,
    ports: workers.reduce((sum, worker) => sum + udpPorts(worker).size, 0),
    files: readdirSync(`/proc/${pid}/fd`).length,
    megabytes: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024),
  }
}

function udpPorts(pid: number): Set<number> {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    }),
  )
  const ports = new Set<number>()
  for (const line of readFileSync(`/proc/${pid}/net/udp`, 'utf8').trim().split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (sockets.has(fields[9]!)) ports.add(parseInt(fields[1]!.split(':')[1]!, 16))
  }
  return ports
}
