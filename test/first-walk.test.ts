/** Two people who see the page for the first time get through a whole meeting. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { firstWalk } from './support/first-walk.ts'
import { RealServer } from './support/real-server.ts'

let browser: Browser
let server: RealServer
before(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), RealServer.start()])
})
after(async () => {
  await Promise.all([browser.close(), server.stop()])
})

test('they start, pass on the address, are let in, talk, share and leave', async () => {
  const steps = await firstWalk(server.url, browser)
  assert.equal(steps.length, 7)
})
