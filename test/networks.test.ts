/** Meetings over networks of all kinds: IPv6 alone, and firewalls. Each machine is a network namespace. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Browser } from 'playwright-core'
import { findChromium } from '../scripts/chromium.mjs'
import { launchBrowser, Person } from './support/browser.ts'
import { Namespace, noNamespaces } from './support/namespace.ts'
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
  await people[0]!.page.goto(url)
  const meetingId = await people[0]!.page.evaluate(async (authorization) => {
    const answer = await fetch('/v2/rooms', { method: 'POST', headers: { authorization } })
    return (await answer.json()).roomId as string
  }, TOKEN)
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

/** The protocols, addresses and ports over which a person's media goes. */
async function routesOf({ page }: Person): Promise<string[]> {
  return page.evaluate(async () => {
    const found = new Set<string>()
    // While the media is being rebuilt there are no statistics, and a pair may not be nominated yet.
    while (found.size === 0) {
      await new Promise((next) => setTimeout(next, 50))
      const { send, receive } = await (globalThis as any).anteroom.meeting.stats().catch(() => ({}))
      for (const stats of [send, receive])
        for (const report of stats?.values() ?? []) {
          if (report.type !== 'candidate-pair' || !report.nominated) continue
          const remote = stats.get(report.remoteCandidateId)
          found.add(`${remote.protocol} ${remote.address} ${remote.port}`)
        }
    }
    return [...found].sort()
  })
}

test('people on this machine receive each other at ::1', { timeout: 300_000 }, async (t) => {
  const server = await RealServer.start({ HOST: '::1', ANNOUNCED_ADDRESS: '::1', MEDIA_WORKERS: '1' })
  t.after(() => server.stop())
  const url = `http://[::1]:${new URL(server.url).port}`
  const cli = join(import.meta.dirname, '../src/cli.ts')
  // It fails if one of them receives nothing.
  execFileSync(process.execPath, [cli, 'load', '--url', url, '--participants', '2', '--seconds', '3'])
})

test('two people meet on machines that have IPv6 alone', { skip, timeout: 300_000 }, async (t) => {
  const network = await open(t, {
    addresses: ['fd00::1/64', 'fd00::2/64'],
    ipv6Only: true,
    // Media then also goes from one worker to another.
    env: { HOST: '::', MEDIA_WORKERS: '2', MEDIA_PLACEMENT: 'spread' },
  })
  const { people } = await meet(t, network)
  for (const person of people)
    for (const route of await routesOf(person)) assert.match(route, /^udp fd00::1 /)
  assert.deepEqual(network.server.failures, [])
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
  for (const person of people) assert.deepEqual(await routesOf(person), [`tcp 192.0.2.1 ${https}`])
  t.diagnostic(`from Join to the first picture: ${Math.round(firstPictureMs)} ms`)
})
