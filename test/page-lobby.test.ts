/** Letting people in on the page: for good, and how that ends. */
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

for (const viewport of [
  { width: 1280, height: 720 },
  { width: 390, height: 844 },
])
  test(`let in always: by a host, ${viewport.width} px wide, who sees whom and lets them ask again`, async () => {
    const ann = await Person.at(browser, 'Ann', { viewport })
    const bob = await Person.at(browser, 'Bob')
    const looksRight = async (what: string): Promise<void> => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await ann.page.emulateMedia({ colorScheme })
        assert.deepEqual(await complaints(ann.page), [], `${what}, ${colorScheme}`)
        assert.ok((await overflow(ann.page)) <= 0, `${what} is too wide`)
      }
    }
    await ann.start(server.url)
    await bob.open(await ann.invite('ask'))
    await ann.page.getByTestId('allow-always').waitFor()
    await looksRight('request')
    // By keyboard. What disappears hands the focus back, instead of losing it.
    const focusIs = (selector: string): Promise<unknown> => ann.page.locator(`${selector}:focus`).waitFor()
    await ann.page.getByTestId('bar-people').focus()
    await ann.page.getByTestId('allow-always').press('Enter')
    await bob.inside()
    await ann.page.getByTestId('knock').waitFor({ state: 'detached' })
    await focusIs('[data-testid=bar-people]')
    await ann.page.keyboard.press('Enter')
    await ann.page.getByTestId('host-controls').click()
    const list = ann.page.getByTestId('let-in-always')
    await list.getByText('Bob').waitFor()
    await looksRight('controls')
    await ann.page.getByRole('group', { name: 'Bob' }).getByTestId('ask-again').press('Enter')
    await list.waitFor({ state: 'detached' })
    await focusIs('dialog')
    await ann.page.keyboard.press('Escape')
    await focusIs('[data-testid=host-controls]')
    await ann.page.locator('.panel').getByRole('button', { name: 'Close' }).press('Enter')
    await focusIs('[data-testid=bar-people]')
    assert.deepEqual([...ann.errors, ...bob.errors], [])
    await Promise.all([ann.close(), bob.close()])
  })
