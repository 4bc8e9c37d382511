/** Debian's Firefox in a meeting with Chromium: on our page and with a published client. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { launchFirefox, noFirefox } from './support/firefox.ts'
import { RealServer } from './support/real-server.ts'

let chromium: Browser | undefined
let firefox: Browser | undefined
let server: RealServer | undefined
const people: Person[] = []

before(async () => {
  if (noFirefox !== false) return
  ;[chromium, firefox, server] = await Promise.all([launchBrowser(), launchFirefox(), RealServer.start()])
})
after(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), server?.stop()])
})
afterEach(async () => {
  for (const { name, errors } of people) {
    // On a busy machine Firefox gives up the first try, and the client connects anew.
    const others = errors.filter((error) => !error.startsWith('ICE failed'))
    assert.deepEqual(others, [], `errors in ${name}'s page`)
  }
  await Promise.all(people.splice(0).map((person) => person.close()))
})

async function person(at: Browser, name: string): Promise<Person> {
  const one = await Person.at(at, name)
  people.push(one)
  return one
}

test('on the page, Firefox and Chromium see and hear each other', { skip: noFirefox }, async () => {
  const fay = await person(firefox!, 'Fay')
  await fay.start(server!.url)
  const cem = await person(chromium!, 'Cem')
  await cem.open(await fay.invite('direct'))
  await cem.seesAndHears(1)
  await fay.seesAndHears(1)
})

/** Runs in a page before its own scripts: Firefox without a window has no screen, so a moving picture stands for it. */
function shareAPicture(): void {
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices }
  // The blank page before the first one has no media devices.
  if (!mediaDevices) return
  mediaDevices.getDisplayMedia = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 })
    const context = canvas.getContext('2d')!
    setInterval(() => {
      context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`
      context.fillRect(0, 0, 320, 240)
    }, 100)
    return Promise.resolve(canvas.captureStream(10))
  }
}

/** Waits until frames of a shared screen of the only other participant arrive. */
async function seesShared({ page }: Person): Promise<void> {
  await page.waitForFunction(
    async () => {
      const meeting = (globalThis as any).anteroom.meeting
      const streams = [...meeting.participants.values()].flatMap(({ streams }) => [...streams.values()])
      const shared = streams.find(({ kind }) => kind === 'share')
      const { receive } = await meeting.stats().catch(() => ({}))
      return [...(receive?.values() ?? [])].some(
        ({ type, trackIdentifier, framesDecoded }) =>
          type === 'inbound-rtp' && trackIdentifier === shared?.track?.id && framesDecoded > 5,
      )
    },
    undefined,
    { polling: 200 },
  )
}

test('on the page, Firefox shares and sees what is shared', { skip: noFirefox }, async () => {
  const fay = await person(firefox!, 'Fay')
  await fay.context.addInitScript(shareAPicture)
  await fay.start(server!.url)
  const cem = await person(chromium!, 'Cem')
  await cem.open(await fay.invite('direct'))
  await cem.inside()
  await fay.page.getByTestId('bar-share').click()
  await seesShared(cem)
  await fay.page.getByTestId('bar-share').click()
  await cem.knows((meeting) =>
    [...[...meeting.participants.values()][0].streams.values()].every(({ kind }) => kind !== 'share'),
  )
  await cem.page.getByTestId('bar-share').click()
  await seesShared(fay)
})

test('Firefox and Chromium see and hear each other end-to-end encrypted', { skip: noFirefox }, async () => {
  const fay = await person(firefox!, 'Fay')
  await fay.page.goto(server!.url)
  await fay.page.getByTestId('start-encrypted').check()
  await fay.page.getByTestId('start').click()
  await fay.preJoin()
  await fay.inside()
  const cem = await person(chromium!, 'Cem')
  await cem.open(await fay.invite('direct'))
  await Promise.all([cem.seesAndHears(1), fay.seesAndHears(1)])
})
