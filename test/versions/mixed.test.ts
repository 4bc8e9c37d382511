/**
 * One meeting with published clients of four generations, our own page and our own client: everybody sees, hears and
 * reads everybody.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, Person } from '../support/browser.ts'
import { mediaApp } from '../support/media-clients.ts'
import { Published, smallPictures, type AppServer, type Version } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'

const VERSIONS: readonly Version[] = ['0.0.82', '0.2.14', '0.7.1', '1.1.1']
const PATIENCE_MS = 90_000

let browser: Browser
let app: AppServer
let server: RealServer
before(async () => {
  ;[browser, app, server] = await Promise.all([
    launchBrowser(['--ignore-certificate-errors', '--use-fake-device-for-media-stream=fps=5']),
    mediaApp(),
    RealServer.start({ MEDIA_WORKERS: '1' }),
  ])
})
after(async () => {
  await browser.close()
  app.stop()
  await server.stop()
})

/** A participant with any client. */
interface Party {
  name: string
  id: string
  /** The ids of the others. */
  others(): Promise<string[]>
  sees(id: string): Promise<void>
  hears(id: string): Promise<void>
  says(text: string): Promise<void>
  reads(text: string): Promise<void>
  leaves(): Promise<void>
}

test('published clients of four generations, our page and our client meet, and none stays as a ghost', async () => {
  const person = await Person.at(browser, 'page')
  const meetingId = (await person.start(server.url)).split('/m/')[1]!
  const parties: Party[] = [await onOurPage(person), await onOurClient(meetingId)]
  for (const version of VERSIONS) parties.push(await onPublished(version, meetingId))

  for (const one of parties) await knows(one, others(parties, one))
  const failed: string[] = []
  for (const one of parties) {
    for (const other of parties) {
      if (one === other) continue
      await Promise.all([one.sees(other.id), one.hears(other.id)]).catch((error: unknown) =>
        failed.push(`${one.name} of ${other.name}: ${String(error)}`),
      )
    }
  }
  assert.deepEqual(failed, [], 'each sees and hears each')

  for (const one of parties) await one.says(`${one.name} says`)
  for (const one of parties) for (const other of parties) await one.reads(`${other.name} says`)

  let inside = parties
  for (const leaver of [...parties].reverse().slice(0, -1)) {
    await leaver.leaves()
    inside = others(inside, leaver)
    for (const one of inside) await knows(one, others(inside, one))
  }
  assert.deepEqual(person.errors, [])
})

function others(parties: Party[], one: Party): Party[] {
  return parties.filter((other) => other !== one)
}

/** Waits until it has exactly these others, each once. */
async function knows(one: Party, expected: Party[]): Promise<void> {
  const wanted = expected.map(({ id }) => id).sort()
  await eventually(
    async () => String((await one.others()).sort()) === String(wanted),
    async () => `${one.name} has ${String(await one.others())} instead of ${String(wanted)}`,
  )
}

async function eventually(holds: () => Promise<boolean>, otherwise: () => Promise<string>): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(await otherwise())
    await new Promise((next) => setTimeout(next, 100))
  }
}

const token = (): string => signAnything({ apikey: API_KEY, permissions: ['allow_join'] })

async function onPublished(version: Version, meetingId: string): Promise<Party> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['camera', 'microphone'] })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  await page.goto(app.pageWith(version))
  const client = new Published(page, context, version)
  const id = `on-${version.replaceAll('.', '-')}`
  await client.inside(server.secureUrl, {
    token: token(),
    meetingId,
    participantId: id,
    name: version,
    multiStream: false,
  })
  await client.subscribe('CHAT')
  return {
    name: version,
    id,
    others: () => client.run('return [...m.participants.keys()]'),
    sees: (other) => client.sees(other),
    hears: (other) => client.hears(other),
    says: async (text) => assert.equal(await client.publish('CHAT', text, { persist: true }), undefined),
    reads: async (text) => {
      await client.heard(text)
    },
    leaves: async () => {
      await client.run('await m.leave()')
      await client.logged('meeting-left')
      await client.close()
    },
  }
}

async function onOurClient(meetingId: string): Promise<Party> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['camera', 'microphone'] })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  await page.goto(`${app.url}/own`)
  const options = {
    url: server.url,
    token: token(),
    meetingId,
    participantId: 'on-our-client',
    name: 'client',
    camera: true,
    mic: true,
  }
  await page.evaluate(`(async () => {
    globalThis.m = await connect(${JSON.stringify(options)})
    if (m.state !== 'joined') await new Promise((joined) => m.on('stateChanged', (state) => state === 'joined' && joined()))
    globalThis.chat = []
    m.chat.listen('CHAT', ({ text }) => chat.push(text))
  })()`)
  return {
    ...(await withOurs(page, 'client', 'm')),
    says: (text) => page.evaluate(`m.chat.publish('CHAT', ${JSON.stringify(text)}, { keep: true })`),
    reads: (text) =>
      eventually(
        () => page.evaluate(`chat.includes(${JSON.stringify(text)})`),
        async () => `our client never read ${text}, but ${String(await page.evaluate('chat'))}`,
      ),
    leaves: async () => {
      await page.evaluate('m.leave()')
      await context.close()
    },
  }
}

async function onOurPage(person: Person): Promise<Party> {
  const { page } = person
  await page.getByTestId('bar-chat').click()
  return {
    ...(await withOurs(page, 'page', 'anteroom.meeting')),
    says: async (text) => {
      await page.getByTestId('chat-text').fill(text)
      await page.getByTestId('chat-send').click()
    },
    reads: (text) => page.getByRole('log').getByText(text, { exact: true }).waitFor({ timeout: PATIENCE_MS }),
    leaves: async () => assert.fail('our page is the last, and sees all others leave'),
  }
}

/** What our client knows and receives; `meeting` is where a script in the page finds it. */
async function withOurs(
  page: Page,
  name: string,
  meeting: string,
): Promise<Pick<Party, 'name' | 'id' | 'others' | 'sees' | 'hears'>> {
  const count = (id: string, kind: string, field: string): Promise<number> =>
    page.evaluate(`(async () => {
      const streams = [...(${meeting}.participants.get(${JSON.stringify(id)})?.streams.values() ?? [])]
      const stream = streams.find(({ kind }) => kind === '${kind}')
      if (!stream) return 0
      // Audio that nothing plays is not decoded.
      const players = (globalThis.players ??= new Map())
      if (!players.has(stream.track)) {
        const player = document.createElement('${kind}')
        players.set(stream.track, player)
        player.muted = '${kind}' === 'video'
        player.srcObject = new MediaStream([stream.track])
        void player.play()
      }
      for (const report of (await stream.stats())?.values() ?? [])
        if (report.type === 'inbound-rtp') return report.${field} ?? 0
      return 0
    })()`)
  const grows = async (id: string, kind: string, field: string): Promise<void> => {
    const before = await count(id, kind, field)
    await eventually(
      async () => (await count(id, kind, field)) > before,
      async () => `${field} of the ${kind} of ${id} stays at ${await count(id, kind, field)}`,
    )
  }
  return {
    name,
    id: await page.evaluate(`${meeting}.self.id`),
    others: () => page.evaluate(`[...${meeting}.participants.keys()]`),
    sees: (id) => grows(id, 'video', 'framesDecoded'),
    hears: (id) => grows(id, 'audio', 'totalAudioEnergy'),
  }
}
