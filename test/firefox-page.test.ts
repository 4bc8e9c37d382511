/** The main journey of the page in Debian's Firefox, with Chromium at the other end. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { launchFirefox, noFirefox } from './support/firefox.ts'
import { RealServer } from './support/real-server.ts'

let chromium: Browser | undefined
let firefox: Browser | undefined
let server: RealServer | undefined

before(async () => {
  if (noFirefox !== false) return
  ;[chromium, firefox, server] = await Promise.all([launchBrowser(), launchFirefox(), RealServer.start()])
})
after(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), server?.stop()])
})

const button = ({ page }: Person, name: string) => page.getByRole('button', { name, exact: true })

/** Waits until others receive these streams of the only other participant. */
async function receives({ page }: Person, kinds: string): Promise<void> {
  const received = `[...[...anteroom.meeting.participants.values()][0].streams.values()].map(({ kind }) => kind).sort().join()`
  while ((await page.evaluate(received)) !== kinds) await page.waitForTimeout(100)
}

test(
  'Firefox starts, lets Chromium in, talks, chats, switches devices off and on, and leaves',
  { skip: noFirefox },
  async () => {
    const fay = await Person.at(firefox!, 'Fay')
    const cem = await Person.at(chromium!, 'Cem')
    await fay.page.goto(server!.url)
    await button(fay, 'Start a meeting').click()
    await fay.page.getByLabel('Your name').fill('Fay')
    await button(fay, 'Join').click()
    await fay.inside()
    await cem.page.goto(fay.page.url())
    await cem.page.getByLabel('Your name').fill('Cem')
    await button(cem, 'Ask to join').click()
    await button(fay, 'Let in').click()
    await cem.inside()
    await Promise.all([fay.seesAndHears(1), cem.seesAndHears(1)])

    await fay.page.getByTestId('bar-chat').click()
    await fay.page.getByTestId('chat-text').fill('Hello from Firefox')
    await fay.page.getByTestId('chat-send').click()
    await cem.page.getByTestId('bar-chat').click()
    await cem.page.getByText('Hello from Firefox').waitFor()

    await receives(cem, 'audio,video')
    await fay.page.getByTestId('bar-camera').click()
    await receives(cem, 'audio')
    await fay.page.getByTestId('bar-mic').click()
    await receives(cem, '')
    await fay.page.getByTestId('bar-camera').click()
    await fay.page.getByTestId('bar-mic').click()
    await receives(cem, 'audio,video')

    await cem.page.evaluate('void anteroom.meeting.leave()')
    await fay.knows((meeting) => meeting.participants.size === 0)
    await fay.page.evaluate('void anteroom.meeting.leave()')
    await fay.page.getByTestId('message').waitFor()
    // On a busy machine Firefox reports a connection that it then restarts.
    assert.deepEqual(
      fay.errors.filter((error) => !error.startsWith('ICE failed')),
      [],
    )
    await Promise.all([fay.close(), cem.close()])
  },
)
