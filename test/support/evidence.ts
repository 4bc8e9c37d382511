/**
 * Saves evidence of failed tests: screenshots, the consoles of pages and the logs of servers, in the folder that
 * `TEST_EVIDENCE` names. Without it, nothing is saved.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const MAX_LINES = 2000
const SCREENSHOT_TIMEOUT_MS = 10_000

interface SeenPage {
  page: Page
  console: string[]
}
const pages: SeenPage[] = []
const servers: { name: string; log: () => string }[] = []

/** Records the consoles of this browser's pages; saves them when a test fails. */
export function watchBrowser(browser: Browser): Browser {
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context: BrowserContext = await newContext(options)
    context.on('page', watchPage)
    return context
  }
  return browser
}

function watchPage(page: Page): void {
  const seen: SeenPage = { page, console: [] }
  const keep = (line: string): void => {
    seen.console.push(`${new Date().toISOString()} ${line}`)
    if (seen.console.length > MAX_LINES) seen.console.shift()
  }
  page.on('console', (message) => keep(`${message.type()} ${message.text()}`))
  page.on('pageerror', (error) => keep(`uncaught ${error.stack ?? error.message}`))
  page.on(
    'framenavigated',
    (frame) => frame === page.mainFrame() && keep(`went to ${withoutFragment(frame.url())}`),
  )
  pages.push(seen)
}

/** Registers the log of a server; it is saved when a test fails. */
export function watchServer(name: string, log: () => string): void {
  servers.push({ name, log })
}

const folder = process.env.TEST_EVIDENCE
if (folder !== undefined)
  afterEach(async (context) => {
    if (!('passed' in context) || context.passed) return
    const own = join(folder, context.fullName.replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 100))
    await mkdir(own, { recursive: true })
    await Promise.all([
      ...pages.map(({ page, console }, at) => keepPage(join(own, `page-${at + 1}`), page, console)),
      ...servers.map(({ name, log }) => writeFile(join(own, `${name}.log`), log())),
    ])
    context.diagnostic(`pages, consoles and logs: ${own}`)
  })

async function keepPage(path: string, page: Page, console: readonly string[]): Promise<void> {
  await writeFile(`${path}.log`, console.join('\n'))
  if (page.isClosed()) return
  // There is no screenshot of a page that hangs, but the test must end anyway.
  await page.screenshot({ path: `${path}.png`, timeout: SCREENSHOT_TIMEOUT_MS }).catch(() => undefined)
}

/** Removes the fragment of an address, because it may contain an invite or a token. */
function withoutFragment(url: string): string {
  return url.replace(/#.*/s, '#…')
}
