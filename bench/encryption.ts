/**
 * What end-to-end encryption costs the processor of those who use it: two people in two pages of one browser, each sending camera and
 * microphone, without it and with it. The time is that of all processes of the browser.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { launchBrowser } from '../test/support/browser.ts'
import { mediaApp, MediaClients, mediaFlags } from '../test/support/media-clients.ts'
import { RealServer } from '../test/support/real-server.ts'
import { printTable } from './table.ts'

const [ROUNDS, SETTLE_MS, MEASURED_MS] = [2, 8000, 20_000]
/** The unit of times in /proc (proc(5)); it is 10 ms on every Linux of today. */
const TICK_MS = 10

/** Of all processes that descend from this one, without those of the server. */
function busyMs(server: number): number {
  const processes = new Map<number, { parent: number; ms: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ms = (Number(fields[11]) + Number(fields[12])) * TICK_MS
      processes.set(Number(name), { parent: Number(fields[1]), ms })
    } catch {
      // It ended meanwhile.
    }
  }
  const isOfBrowser = (pid: number): boolean => {
    for (let at = pid; ;) {
      const parent = processes.get(at)?.parent
      if (at === server || parent === undefined) return false
      if (parent === process.pid) return true
      at = parent
    }
  }
  return [...processes].reduce((sum, [pid, { ms }]) => (isOfBrowser(pid) ? sum + ms : sum), 0)
}

async function measure(key: string | undefined): Promise<number> {
  const [browser, app, server] = await Promise.all([
    launchBrowser([...mediaFlags]),
    mediaApp(),
    RealServer.start(),
  ])
  const clients = new MediaClients(browser, app, server)
  try {
    const meetingId = await server.createMeeting()
    const join = (participantId: string) =>
      clients.join('our client', { meetingId, participantId, ...(key !== undefined && { key }) })
    const [ann, ben] = [await join('ann'), await join('ben')]
    await Promise.all([ann.tap.flows('ben', 'video'), ben.tap.flows('ann', 'video')])
    await delay(SETTLE_MS)
    const [before, began] = [busyMs(server.pid), performance.now()]
    await delay(MEASURED_MS)
    return (100 * (busyMs(server.pid) - before)) / (performance.now() - began)
  } finally {
    await clients.closeAll()
    await browser.close()
    app.stop()
    await server.stop()
  }
}

const rows: string[][] = []
const [plain, sealed]: number[][] = [[], []]
for (let round = 0; round < ROUNDS; round++) {
  plain!.push(await measure(undefined))
  sealed!.push(await measure('correct horse battery'))
}
const shown = (all: number[]): string => all.map((one) => `${one.toFixed(0)} %`).join(', ')
rows.push(['without encryption', shown(plain!)], ['with encryption', shown(sealed!)])
printTable(['two people in one browser, each sends 1280×720 and sound', 'of one core, in each round'], rows)
