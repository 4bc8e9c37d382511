/**
 * The time to come back after the server was killed and restarted: three browsers in one meeting, from the server's
 * first answer until each decodes new frames of the others. Measures our client (goal: p50 of at most 3 s) and the
 * newest published client. The server cannot speed up the published one: its socket waits 2.5 to 5 s before each
 * attempt (`reconnectionDelay: 5000` with socket.io's own maximum and jitter), and gives up after ten.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { launchBrowser, Person } from '../test/support/browser.ts'
import { AppServer, Published } from '../test/support/published.ts'
import { RealServer } from '../test/support/real-server.ts'
import { API_KEY, signAnything } from '../test/support/test-server.ts'
import { printGoal, printTable } from './table.ts'

const KILLS = { ours: 7, published: 3 }
const PEOPLE = 3
const GOAL_MS = 3000
/** Far longer than the slowest client waits between two attempts. */
const GIVE_UP_MS = 120_000

interface Client {
  page: Page
  /** When the first message of the server arrived on the newest socket, in ms since the epoch. */
  socketAt: number
}

/** Runs in a page before its own scripts: keeps the peer connections, so that the bench can read their statistics. */
function watchConnections(): void {
  const inside = globalThis as any
  inside.connections = []
  inside.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, [configuration]: [RTCConfiguration | undefined]) {
      const connection = new target(configuration)
      inside.connections.push(connection)
      return connection
    },
  })
}

/** Forgets the current connections, so that only new ones count. */
const forgetConnections = (client: Client): Promise<void> =>
  client.page.evaluate(() => void ((globalThis as any).connections.length = 0))

/** When this client first decoded frames of that many others over new connections, in ms since the epoch. */
function seesEverybody({ page }: Client): Promise<number> {
  return page.evaluate(
    async ({ others, giveUpMs }) => {
      const giveUpAt = Date.now() + giveUpMs
      while (Date.now() < giveUpAt) {
        let decoded = 0
        for (const connection of (globalThis as any).connections as RTCPeerConnection[]) {
          for (const report of (await connection.getStats()).values())
            if (report.type === 'inbound-rtp' && report.kind === 'video' && report.framesDecoded > 0)
              decoded++
        }
        if (decoded >= others) return Date.now()
        await new Promise((next) => setTimeout(next, 20))
      }
      throw new Error('A client did not come back.')
    },
    { others: PEOPLE - 1, giveUpMs: GIVE_UP_MS },
  )
}

function watchSockets(page: Page): Client {
  const client: Client = { page, socketAt: 0 }
  page.on('websocket', (socket) => {
    // The chat has its own socket, which does not count.
    if (socket.url().includes('socket.io'))
      socket.once('framereceived', () => void (client.socketAt = Date.now()))
  })
  return client
}

async function answers(url: string): Promise<number> {
  for (;;) {
    const answer = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1000) }).catch(
      () => undefined,
    )
    if (answer?.ok) return Date.now()
    await pause(10)
  }
}

const fields = [
  'killed to answering',
  'answering to sockets',
  'sockets to frames',
  'answering to frames',
] as const
type Fields = Record<(typeof fields)[number], number>

async function kill(server: RealServer, clients: Client[]): Promise<Fields> {
  await Promise.all(clients.map(forgetConnections))
  const killedAt = Date.now()
  await server.end('SIGKILL')
  const seen = Promise.all(clients.map(seesEverybody))
  const [answeredAt, at] = await Promise.all([answers(server.url), seen, server.run()])
  const socketsAt = Math.max(...clients.map(({ socketAt }) => socketAt))
  const framesAt = Math.max(...at)
  return {
    'killed to answering': answeredAt - killedAt,
    'answering to sockets': socketsAt - answeredAt,
    'sockets to frames': framesAt - socketsAt,
    'answering to frames': framesAt - answeredAt,
  }
}

const at = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!

/** Returns the p50 from the server's answer until every client decodes frames of all others. */
async function measure(title: string, kills: number, server: RealServer, clients: Client[]): Promise<number> {
  const runs: Fields[] = []
  await Promise.all(clients.map(seesEverybody))
  for (let run = 0; run < kills; run++) runs.push(await kill(server, clients))
  console.log(`${title}: ${PEOPLE} browser windows and the server on one machine, killed ${kills} times, ms`)
  printTable(
    ['the last of them', 'p50', 'longest', 'each'],
    fields.map((field) => {
      const values = runs.map((run) => run[field])
      return [field, at(values, 0.5).toFixed(), Math.max(...values).toFixed(), values.join(' ')]
    }),
  )
  return at(
    runs.map((run) => run['answering to frames']),
    0.5,
  )
}

async function ours(): Promise<number> {
  const browser = await launchBrowser()
  const server = await RealServer.start()
  try {
    const people = []
    for (const name of ['Ann', 'Bob', 'Cem']) {
      const person = await Person.at(browser, name)
      await person.context.addInitScript(watchConnections)
      people.push({ person, client: watchSockets(person.page) })
    }
    await people[0]!.person.start(server.url)
    const link = await people[0]!.person.invite('direct')
    for (const { person } of people.slice(1)) await (await person.open(link)).inside()
    return await measure(
      'our client',
      KILLS.ours,
      server,
      people.map(({ client }) => client),
    )
  } finally {
    await browser.close()
    await server.stop()
  }
}

async function published(): Promise<void> {
  const browser = await launchBrowser()
  const server = await RealServer.start()
  const app = await AppServer.start()
  try {
    const meetingId = await server.createMeeting()
    const clients: Client[] = []
    for (let one = 0; one < PEOPLE; one++) {
      const person = await Published.at(browser, app)
      await person.context.addInitScript(watchConnections)
      await person.reload()
      clients.push(watchSockets(person.page))
      const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
      await person.inside(server.secureUrl, { token, meetingId })
    }
    await measure('js-sdk 1.1.1', KILLS.published, server, clients)
  } finally {
    await browser.close()
    await server.stop()
    app.stop()
  }
}

const p50 = await ours()
await published()
printGoal('our client: everybody sees everybody 3 s after the server answers', p50 <= GOAL_MS)
