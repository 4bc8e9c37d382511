/**
 * `npm run attack:network`: a meeting on a bad line. The line is simulated in user space on loopback addresses (on
 * Linux, all of 127.0.0.0/8 belongs to this machine), so that it needs neither root nor `tc netem`, which not every
 * kernel has.
 */
import assert from 'node:assert/strict'
import { launchBrowser, Person } from '../support/browser.ts'
import { Arrivals, watchArrivals } from '../support/arrivals.ts'
import { BadLine, LINE_ADDRESS } from '../support/bad-line.ts'
import { AppServer, Published } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'

const PATIENCE_MS = 60_000
const SPELL_MS = 20_000
const OTHERS = 2

if (process.platform !== 'linux') {
  console.log('Skipped: only Linux gives a machine all addresses of 127.0.0.0/8.')
  process.exit()
}

const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
const server = await RealServer.start({
  LOG_LEVEL: 'fatal',
  MEDIA_WORKERS: '1',
  ANNOUNCED_ADDRESS: LINE_ADDRESS,
})
const ports = [server.env.PORT, server.env.HTTPS_PORT, server.env.MEDIA_PORT].map(Number) as [
  number,
  number,
  number,
]
const line = await BadLine.open([ports[0], ports[1]], [ports[2]])
const [browser, app] = [await launchBrowser(), await AppServer.start()]

try {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await enter('ann'), await enter('bob')]
  const cat = await Published.at(browser, app)
  await watchArrivals(cat.context)
  await cat.page.reload()
  await cat.inside(`https://${LINE_ADDRESS}:${ports[1]}`, { token, meetingId, participantId: 'cat' })
  const pages = [ann.page, bob.page, cat.page]
  const arrivals = pages.map((page) => new Arrivals(page))
  await alive('a good line')

  for (const [what, quality] of [
    ['10 % loss', { loss: 0.1 }],
    ['200 ms delay each way', { delayMs: 200 }],
    ['both', { loss: 0.1, delayMs: 200 }],
  ] as const) {
    line.quality = { ...line.quality, ...quality }
    await wait(SPELL_MS)
    await alive(what)
    if (what === '200 ms delay each way') {
      const late = await enter('late')
      await late.knows((meeting) => meeting.participants.size === 3)
      await late.close()
      await alive('somebody came and went meanwhile')
    }
    line.mend()
  }

  line.quality.silent = true
  await wait(30_000)
  line.mend()
  await alive('30 s of nothing')

  line.changeAddress()
  await alive('another address')

  async function enter(name: string): Promise<Person> {
    const person = await Person.at(browser, name, { viewport: { width: 400, height: 300 } })
    await watchArrivals(person.context)
    await person.open(`http://${LINE_ADDRESS}:${ports[0]}/m/${meetingId}#token=${token}`)
    return person.inside()
  }

  /** Everybody receives everybody, and nobody is listed twice or left over, on the server and in each client. */
  async function alive(what: string): Promise<void> {
    const from = performance.now()
    const ids = async (): Promise<string[]> => {
      const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
      return body.participants.map(({ name }: { name: string }) => name).sort()
    }
    const seen = async (): Promise<number[]> => [
      ...(await Promise.all(
        [ann, bob].map(({ page }) => page.evaluate<number>('anteroom.meeting.participants.size')),
      )),
      await cat.run<number>('return m.participants.size'),
    ]
    for (;;) {
      const state = JSON.stringify([await ids(), await seen()])
      if (
        state ===
        JSON.stringify([
          ['Published', 'ann', 'bob'],
          [OTHERS, OTHERS, OTHERS],
        ])
      )
        break
      assert.ok(performance.now() - from < PATIENCE_MS, `${what}: ${state}`)
      await wait(200)
    }
    for (const one of arrivals) await one.flows(OTHERS, PATIENCE_MS)
    console.log(
      `${what}: all three see and hear each other ${((performance.now() - from) / 1000).toFixed(1)} s after`,
    )
  }
} finally {
  await browser.close()
  line.close()
  app.stop()
  await server.stop()
}

function wait(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms))
}
