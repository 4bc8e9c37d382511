/** Meetings over networks of all kinds: IPv6 alone, and firewalls. Each machine is a network namespace. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { findChromium } from '../scripts/chromium.mjs'
import { launchBrowser, Person } from './support/browser.ts'
import { MediaClients, type MediaClient } from './support/media-clients.ts'
import { Namespace, noNamespaces } from './support/namespace.ts'
import { AppServer } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { API_KEY, SECRET, signAnything } from './support/test-server.ts'

const TOKEN = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const skip = noNamespaces

interface Network {
  server: RealServer
  /** Where the other machine finds the server. */
  url: string
  browser: Browser
  /** The server's. */
  machine: Namespace
}

/** A server on one machine and a browser on another, with a cable between them. */
async function open(
  t: TestContext,
  {
    addresses,
    ipv6Only = false,
    env = {},
  }: {
    addresses: [server: string, browser: string]
    ipv6Only?: boolean
    env?: NodeJS.ProcessEnv
  },
): Promise<Network> {
  const [here, there] = [new Namespace({ ipv6Only }), new Namespace({ ipv6Only })]
  t.after(() => {
    here.remove()
    there.remove()
  })
  here.connect(there, [addresses[0]], [addresses[1]])
  const [server, browser] = await Promise.all([
    RealServer.start({ VIDEOSDK_SECRET_KEY: SECRET, MEDIA_WORKERS: '1', ...env }, here.prefix),
    launchBrowser([], there.wrap(findChromium()!)),
  ])
  t.after(() => Promise.all([browser.close(), server.stop()]))
  const address = addresses[0].split('/')[0]!
  const host = address.includes(':') ? `[${address}]` : address
  return { server, url: `https://${host}:${server.env.HTTPS_PORT}`, browser, machine: here }
}

interface Meeting {
  people: Person[]
  /** From the second person's click on Join to the first picture that they see. */
  firstPictureMs: number
}

/** Two people meet on the page; resolves when each sees and hears the other. */
async function meet(t: TestContext, { browser, url }: Network): Promise<Meeting> {
  const people = await Promise.all(['Ann', 'Bob'].map((name) => Person.at(browser, name)))
  t.after(() => Promise.all(people.map((person) => person.close())))
  const meetingId = await newMeeting(people[0]!.page, url)
  let clickedAt = 0
  for (const person of people) {
    // Otherwise only the fragment changes, and the page stays.
    await person.page.goto('about:blank')
    await person.open(`${url}/m/${meetingId}#token=${TOKEN}`)
    clickedAt = performance.now()
    if (person === people[0]) await person.inside()
  }
  await people[1]!.page.waitForFunction(
    async () => {
      const { receive } = (await (globalThis as any).anteroom?.meeting?.stats().catch(() => undefined)) ?? {}
      return [...(receive?.values() ?? [])].some(
        ({ type, framesDecoded }) => type === 'inbound-rtp' && framesDecoded > 0,
      )
    },
    undefined,
    { polling: 20 },
  )
  const firstPictureMs = performance.now() - clickedAt
  await Promise.all(people.map((person) => person.seesAndHears(1)))
  return { people, firstPictureMs }
}

async function newMeeting(page: Page, url: string): Promise<string> {
  await page.goto(url)
  return page.evaluate(async (authorization) => {
    const answer = await fetch('/v2/rooms', { method: 'POST', headers: { authorization } })
    return (await answer.json()).roomId as string
  }, TOKEN)
}

/** Two people meet with the published client; resolves when each sees and hears the other. */
async function meetWithPublished(t: TestContext, { browser, url }: Network): Promise<void> {
  const app = await AppServer.start()
  t.after(() => app.stop())
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const meetingId = await newMeeting(await context.newPage(), url)
  await context.close()
  const newContext = browser.newContext.bind(browser)
  // The app is on this machine, not on that of the browser.
  const carried = async (options?: BrowserContextOptions) => {
    const made = await newContext(options)
    await made.route(`${app.url}/**`, async (route) => {
      const answer = await fetch(route.request().url())
      const contentType = answer.headers.get('content-type') ?? 'text/html'
      await route.fulfill({ status: answer.status, contentType, body: await answer.text() })
    })
    return made
  }
  const clients = new MediaClients({ newContext: carried }, app, { url, secureUrl: url })
  t.after(() => clients.closeAll())
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map((participantId) => clients.join('js-sdk', { meetingId, participantId })),
  )
  const meets = (client: MediaClient, other: string): Promise<unknown> =>
    Promise.all([client.tap.flows(other, 'video'), client.tap.flows(other, 'audio')])
  await Promise.all([meets(ann!, 'bob'), meets(bob!, 'ann')])
}

/** Resolves when all of a person's media goes over one protocol, address and port, which match. */
async function goesOver({ page }: Person, expected: RegExp): Promise<void> {
  const routes = (): Promise<string[]> =>
    page.evaluate(async () => {
      const { send, receive } = await (globalThis as any).anteroom.meeting.stats().catch(() => ({}))
      const found = new Set<string>()
      for (const stats of [send, receive])
        for (const { type, selectedCandidatePairId } of stats?.values() ?? []) {
          // Others may have been nominated before: on a slow machine TCP answers before UDP now and then.
          const pair = type === 'transport' ? stats.get(selectedCandidatePairId) : undefined
          const remote = pair && stats.get(pair.remoteCandidateId)
          if (remote) found.add(`${remote.protocol} ${remote.address} ${remote.port}`)
        }
      return [...found].sort()
    })
  let found = await routes()
  for (const giveUpAt = performance.now() + 60_000; performance.now() < giveUpAt; found = await routes()) {
    if (found.length === 1 && expected.test(found[0]!)) return
    await delay(50)
  }
  assert.fail(`it goes over ${found.join(', ') || 'nothing'}`)
}

test('people on this machine receive each other at ::1', { timeout: 300_000 }, async (t) => {
  const server = await RealServer.start({ HOST: '::1', ANNOUNCED_ADDRESS: '::1', MEDIA_WORKERS: '1' })
  t.after(() => server.stop())
  const url = `http://[::1]:${new URL(server.url).port}`
  const cli = join(import.meta.dirname, '../src/cli.ts')
  // It fails if one of them receives nothing.
  execFileSync(process.execPath, [cli, 'load', '--url', url, '--participants', '2', '--seconds', '3'])
})

test('programs go over TCP where UDP is blocked', { skip, timeout: 300_000 }, async (t) => {
  const [here, there] = [new Namespace(), new Namespace()]
  t.after(() => {
    here.remove()
    there.remove()
  })
  here.connect(there, ['192.0.2.1/24'], ['192.0.2.2/24'])
  here.drop('iif != lo meta l4proto udp')
  const server = await RealServer.start(
    { VIDEOSDK_SECRET_KEY: SECRET, HOST: '0.0.0.0', MEDIA_WORKERS: '1' },
    here.prefix,
  )
  t.after(() => server.stop())
  const [program, ...before] = there.prefix
  const cli = join(import.meta.dirname, '../src/cli.ts')
  const load = [
    'load',
    '--url',
    `http://192.0.2.1:${server.env.PORT}`,
    '--token',
    TOKEN,
    '--i-may-load-this-server',
  ]
  // It fails if one of them receives nothing.
  execFileSync(
    program!,
    [...before, process.execPath, cli, ...load, '--participants', '2', '--seconds', '3'],
    { timeout: 120_000 },
  )
})

test('two people meet on machines that have IPv6 alone', { skip, timeout: 300_000 }, async (t) => {
  const network = await open(t, {
    addresses: ['fd00::1/64', 'fd00::2/64'],
    ipv6Only: true,
    // Media then also goes from one worker to another.
    env: { HOST: '::', MEDIA_WORKERS: '2', MEDIA_PLACEMENT: 'spread' },
  })
  const { people } = await meet(t, network)
  for (const person of people) await goesOver(person, /^udp fd00::1 /)
  assert.deepEqual(network.server.failures, [])
})

test('where UDP is blocked, media goes over TCP', { skip, timeout: 400_000 }, async (t) => {
  const addresses: [string, string] = ['192.0.2.1/24', '192.0.2.2/24']
  const network = await open(t, { addresses, env: { HOST: '0.0.0.0' } })
  const media = network.server.env.MEDIA_PORT!
  const overUdp = await meet(t, network)
  for (const person of overUdp.people) await goesOver(person, new RegExp(`^udp 192\\.0\\.2\\.1 ${media}$`))
  network.machine.drop('meta l4proto udp')
  const overTcp = await meet(t, network)
  for (const person of overTcp.people) await goesOver(person, new RegExp(`^tcp 192\\.0\\.2\\.1 ${media}$`))
  await meetWithPublished(t, network)
  const [udp, tcp] = [overUdp, overTcp].map(({ firstPictureMs }) => Math.round(firstPictureMs))
  t.diagnostic(`from Join to the first picture: ${udp} ms over UDP, ${tcp} ms over TCP`)
  assert.ok(tcp! - udp! < 3000, `it took ${tcp} ms instead of ${udp} ms`)
})

test('where only the HTTPS port is open, media goes through it', { skip, timeout: 400_000 }, async (t) => {
  const network = await open(t, {
    addresses: ['192.0.2.1/24', '192.0.2.2/24'],
    env: { HOST: '0.0.0.0', MEDIA_TCP_ON_HTTPS: 'true', MEDIA_WORKERS: '2', MEDIA_PLACEMENT: 'spread' },
  })
  const https = network.server.env.HTTPS_PORT!
  network.machine.drop('iif != lo meta l4proto udp')
  network.machine.drop(`iif != lo tcp dport != ${https}`)
  const { people, firstPictureMs } = await meet(t, network)
  for (const person of people) await goesOver(person, new RegExp(`^tcp 192\\.0\\.2\\.1 ${https}$`))
  t.diagnostic(`from Join to the first picture: ${Math.round(firstPictureMs)} ms`)
})
