/** What a person's own buttons say is what everybody has, however quickly they are pressed: slow devices, a slow line. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { agree, OwnSide, PublishedSide, type Side } from './support/agreement.ts'
import { watchArrivals } from './support/arrivals.ts'
import { BadLine, LINE_ADDRESS } from './support/bad-line.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, Published } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { openTracks, slowDevices } from './support/slow-devices.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const DEVICE_MS = 600
const LINE_MS = 100
/** Only Linux gives a machine all addresses of 127.0.0.0/8. */
const skip = process.platform !== 'linux'

let browser: Browser
let app: AppServer
let server: RealServer
let line: BadLine
let meetingId: string
let ann: Person
let bob: Person
let cat: Published
let sides: Side[]
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

before(async () => {
  if (skip) return
  ;[browser, app, server] = await Promise.all([
    launchBrowser(['--ignore-certificate-errors']),
    AppServer.start(),
    RealServer.start({ MEDIA_WORKERS: '1', ANNOUNCED_ADDRESS: LINE_ADDRESS }),
  ])
  const [http, https, media] = [server.env.PORT, server.env.HTTPS_PORT, server.env.MEDIA_PORT].map(Number)
  line = await BadLine.open([http!, https!], [media!])
  meetingId = await server.createMeeting()
  const enter = async (name: string): Promise<Person> => {
    const person = await Person.at(browser, name, { viewport: { width: 500, height: 400 } })
    await watchArrivals(person.context)
    await slowDevices(person.context, DEVICE_MS)
    await person.page.addInitScript(`sessionStorage.setItem('anteroom:participant', ${JSON.stringify(name)})`)
    await person.open(`http://${LINE_ADDRESS}:${http}/m/${meetingId}#token=${token}`)
    return person.inside()
  }
  ;[ann, bob] = [await enter('ann'), await enter('bob')]
  cat = await Published.at(browser, app)
  await watchArrivals(cat.context)
  await cat.page.reload()
  await cat.inside(`https://${LINE_ADDRESS}:${https}`, {
    token,
    meetingId,
    participantId: 'cat',
    name: 'cat',
  })
  sides = [new OwnSide('ann', ann), new OwnSide('bob', bob), new PublishedSide('cat', cat)]
  await agree(sides, 20_000)
  line.quality.delayMs = LINE_MS
})
after(async () => {
  if (skip) return
  await browser.close()
  line.close()
  app.stop()
  await server.stop()
})

const press = (button: string): Promise<void> => bob.page.getByTestId(`bar-${button}`).click()
const wait = (ms: number): Promise<void> => bob.page.waitForTimeout(ms)

/** To a known state, by single clicks and in one's own time. */
async function set(button: 'mic' | 'camera' | 'share', on: boolean): Promise<void> {
  await agree(sides, 20_000)
  if ((await sides[1]!.says())![button] !== on) await press(button)
  await agree(sides, 20_000)
}

test('a double click on the muted microphone, then one click: as the button says', { skip }, async () => {
  await set('mic', false)
  await bob.page.getByTestId('bar-mic').dblclick()
  await wait(2500)
  await press('mic')
  await agree(sides, 20_000)
  await set('mic', false)
  await bob.page.keyboard.press('m')
  await bob.page.keyboard.press('m')
  await wait(2500)
  await bob.page.keyboard.press('m')
  await agree(sides, 20_000)
})

test('a double click on Share, then Stop: no second screen', { skip }, async () => {
  await set('share', false)
  await bob.page.getByTestId('bar-share').dblclick()
  await wait(2500)
  if ((await sides[1]!.says())?.share) await press('share')
  await agree(sides, 20_000)
  assert.equal((await sides[1]!.says())!.share, false)
  const wanted = (await sides[1]!.says())!
  assert.deepEqual(
    await openTracks(bob.page),
    [...(wanted.mic ? ['audio'] : []), ...(wanted.camera ? ['video'] : [])],
    'nothing is left open',
  )
})

for (const button of ['camera', 'mic', 'share'] as const) {
  test(`${button}: off, two quick clicks, later on again: one live stream`, { skip }, async () => {
    for (const apart of [0, 20, 80, 160, 240]) {
      await set(button, false)
      // Open at once, so that what is quick is the line's alone.
      await bob.page.evaluate(`globalThis.deviceDelayMs = 0`)
      await press(button)
      await wait(apart)
      await press(button)
      await wait(1500)
      await agree(sides, 20_000)
      await set(button, true)
    }
    await bob.page.evaluate(`globalThis.deviceDelayMs = ${DEVICE_MS}`)
    await set(button, false)
  })
}
