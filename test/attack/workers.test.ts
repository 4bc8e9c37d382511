/** Two of the deaths of `npm run attack:workers`; times are compared with the goals there. */
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { attackWorkers } from './workers.ts'

let browser: Browser
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

test('a media worker killed while six people talk in two meetings: all are back, and nothing is left behind', async (t) => {
  await attackWorkers(browser, 2, (line) => t.diagnostic(line))
})
