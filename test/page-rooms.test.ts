/** Breakout rooms on the page: opened, entered, visited, spoken to, and called back. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { complaints, overflow } from './support/accessibility.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'

let browser: Browser
let server: RealServer
before(async () => {
  browser = await launchBrowser()
  server = await RealServer.start()
})
after(async () => {
  await browser.close()
  await server.stop()
})

async function looksRight(person: Person, what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await person.page.emulateMedia({ colorScheme })
    assert.deepEqual(await complaints(person.page), [], `${what}, ${colorScheme}`)
    assert.ok((await overflow(person.page)) <= 0, `${what} is too wide`)
  }
}

test('breakout rooms: opened by a host, who visits, speaks to all, and calls everybody back', async () => {
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const link = await ann.invite('ask')
  const bob = await Person.at(browser, 'Bob', { viewport: { width: 390, height: 844 } })
  await bob.open(link)
  await ann.page.getByTestId('allow').click()
  await bob.inside()
  await ann.seesAndHears(1)

  await ann.page.keyboard.press('a')
  await ann.page.getByTestId('breakouts-minutes').fill('x')
  assert.equal(await ann.page.getByTestId('breakouts-open').isDisabled(), true)
  await ann.page.getByTestId('breakouts-minutes').fill('20')
  await ann.page.getByTestId('breakouts-evenly').click()
  const where = ann.page.getByTestId('breakouts-form').getByLabel('Bob')
  await where.selectOption('Main meeting')
  await where.selectOption('Room 2')
  await looksRight(ann, 'the form of breakout rooms')
  await ann.page.getByTestId('breakouts-open').click()

  // Bob goes there by himself, as a guest who need not ask again, and invites nobody.
  const sign = bob.page.getByTestId('room-sign')
  await sign.getByText('Room 2').waitFor()
  await bob.page.getByTestId('meeting').waitFor()
  assert.equal(await bob.page.getByTestId('invite').count(), 0)
  const room = ann.page.getByTestId('breakout-room').nth(1)
  await room.getByText('not there').waitFor({ state: 'detached' })
  await looksRight(ann, 'open rooms')

  await room.getByTestId('breakout-visit').click()
  await ann.page.getByTestId('room-sign').getByText('Room 2').waitFor()
  await ann.seesAndHears(1)
  await bob.seesAndHears(1)
  await ann.page.getByTestId('room-back').click()
  await ann.page.getByTestId('room-sign').waitFor({ state: 'detached' })
  await ann.page.getByTestId('meeting').waitFor()

  await ann.page.keyboard.press('a')
  await ann.page.getByTestId('breakouts-message').fill('Five <b>minutes</b> left')
  await ann.page.getByTestId('breakouts-announce').click()
  const said = bob.page.getByTestId('announcement')
  await said.getByText('Five <b>minutes</b> left').waitFor()
  await looksRight(bob, 'what is said to all rooms')
  await said.getByRole('button', { name: 'Close' }).click()

  // After a reload he is in the main meeting, and finds the way again.
  await bob.page.reload()
  await bob.preJoin()
  await bob.page.getByTestId('room-go').click()
  await sign.getByText('Room 2').waitFor()

  await ann.page.getByTestId('breakouts-close').click()
  const recalled = bob.page.getByTestId('recalled')
  await recalled.waitFor()
  await looksRight(bob, 'a call back')
  await sign.waitFor({ state: 'detached' })
  await bob.inside()
  await ann.seesAndHears(1)
  await bob.seesAndHears(1)
  await ann.page.getByTestId('breakouts-form').waitFor()
  for (const person of [ann, bob]) {
    assert.deepEqual(person.errors, [])
    await person.close()
  }
})
