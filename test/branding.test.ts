/** The operator's name, logo, colour and links on each screen, in both themes, wide and on a phone. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { complaints } from './support/accessibility.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40" rx="8" fill="#e30613"/></svg>'

let folder: string
let browser: Browser
let server: RealServer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-branding-'))
  await writeFile(join(folder, 'logo.svg'), LOGO)
  ;[browser, server] = await Promise.all([
    launchBrowser(),
    RealServer.start({
      BRAND_NAME: 'Acme Meet',
      BRAND_LOGO: join(folder, 'logo.svg'),
      // Yellow cannot be read on a light page.
      BRAND_COLOUR: '#ffff00',
      BRAND_LINKS: 'Imprint=https://acme.example/imprint, Help=mailto:help@acme.example',
    }),
  ])
})
after(async () => {
  await browser.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

async function shows(page: Page, what: string, links = true): Promise<void> {
  const logo = page.locator('img.logo').first()
  await logo.waitFor()
  const { width, height } = (await logo.boundingBox())!
  assert.ok(Math.abs(width / height - 3) < 0.1, `${what}: the logo is ${width} × ${height}`)
  if (links) {
    const imprint = page.getByRole('link', { name: 'Imprint' })
    assert.equal(await imprint.getAttribute('href'), 'https://acme.example/imprint', what)
    assert.equal(await page.getByRole('link', { name: 'Help' }).getAttribute('target'), '_blank', what)
  }
  assert.equal(await page.title(), 'Acme Meet', what)
  assert.deepEqual(await complaints(page), [], what)
  const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  assert.ok(Number(wider) <= 0, `${what} is too wide`)
}

for (const [colorScheme, viewport, accent] of [
  ['light', { width: 1100, height: 700 }, 'rgb(105, 105, 0)'],
  ['dark', { width: 360, height: 740 }, 'rgb(255, 255, 0)'],
] as const)
  test(`${colorScheme}: every screen has the brand and can be read`, async () => {
    const ann = await Person.at(browser, 'Ann', { viewport })
    const { page } = ann
    await page.emulateMedia({ colorScheme })
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'Acme Meet' }).waitFor()
    await shows(page, 'start')
    const button = await page.getByTestId('start').evaluate((one) => getComputedStyle(one).backgroundColor)
    assert.equal(button, accent)
    await page.goto(`${server.url}/check`)
    await page.getByTestId('brand').getByText('Acme Meet').waitFor()
    await shows(page, 'check')
    await page.goto(server.url)
    await page.getByTestId('start').click()
    await page.getByTestId('brand').getByText('Acme Meet').waitFor()
    await shows(page, 'before joining')
    await ann.preJoin()
    await ann.inside()
    await shows(page, 'meeting', false)
    await page.locator('body').press(',')
    await shows(page, 'settings')
    await page.keyboard.press('Escape')
    const bob = await Person.at(browser, 'Bob', { viewport })
    await bob.page.emulateMedia({ colorScheme })
    await bob.open(await ann.invite('ask'))
    await bob.page.getByTestId('waiting').waitFor()
    await shows(bob.page, 'lobby')
    await page.getByTestId('deny').click()
    await bob.page.getByTestId('message').waitFor()
    await shows(bob.page, 'refusal')
    assert.deepEqual([...ann.errors, ...bob.errors], [])
    await Promise.all([ann.close(), bob.close()])
  })

test('the brand is on the first picture of the page, before a script has run', async () => {
  const context = await browser.newContext({ colorScheme: 'light', javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(server.url)
  assert.equal(await page.title(), 'Acme Meet')
  const root = page.locator('html')
  assert.equal(await root.evaluate((one) => getComputedStyle(one).accentColor), 'rgb(105, 105, 0)')
  await context.close()
})
