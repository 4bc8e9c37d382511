/** The React component of the package, on the page of `examples/page-embedded-react`. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { build } from 'vite'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, smallPictures } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything } from './support/test-server.ts'

let browser: Browser
let server: RealServer
let app: AppServer
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-embedded-react-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root: join(import.meta.dirname, '../examples/page-embedded-react'),
    resolve: { conditions: ['source'] },
    build: { outDir: folder, emptyOutDir: true, minify: false },
  })
  const pages: Record<string, string> = { '/': await readFile(join(folder, 'index.html'), 'utf8') }
  for (const name of await readdir(join(folder, 'assets')))
    pages[`/assets/${name}`] = await readFile(join(folder, 'assets', name), 'utf8')
  ;[app, browser, server] = await Promise.all([AppServer.start(pages), launchBrowser(), RealServer.start()])
})
after(async () => {
  await browser.close()
  await server.stop()
  app.stop()
  await rm(folder, { recursive: true, force: true })
})

test('it joins with its token, obeys the app, and tells it what happens', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'] })
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  const query = new URLSearchParams({ server: server.url, meetingId, token })
  await page.goto(`${app.url}/?${query}`)
  const frame = page.frameLocator('iframe')
  await frame.getByTestId('name').fill('Framed')
  await frame.getByTestId('name').press('Enter')
  await page.getByText('joined as').waitFor()
  await ann.seesAndHears(1)
  await page.getByRole('button', { name: 'Mute me' }).click()
  await ann.page.getByTestId('tile').filter({ hasText: 'microphone off' }).waitFor()
  await page.getByRole('button', { name: 'Leave' }).click()
  await page.getByText('left: ').waitFor()
  assert.equal((await page.content()).includes(token), false)
  await context.close()
  assert.deepEqual(ann.errors, [])
})

test('a server that does not answer is reported to the app', async () => {
  const page = await browser.newPage()
  await page.goto(`${app.url}/?server=http://127.0.0.1:9&meetingId=a&token=b`)
  await page.getByText('the server cannot be reached').waitFor()
  await page.close()
})
