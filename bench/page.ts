/**
 * What the page costs: the bytes of each first screen, the time until it can be used on a slow line and processor, what
 * jumps when people join, what the page computes with 25 people in it, and how long a first meeting takes.
 */
import type { Browser, CDPSession } from 'playwright-core'
import { launchBrowser } from '../test/support/browser.ts'
import { firstWalk } from '../test/support/first-walk.ts'
import { firstScreens, weigh } from '../test/support/page-weight.ts'
import { bundle, openPictures, showScreen } from '../test/support/pictures/pages.ts'
import { RealServer } from '../test/support/real-server.ts'
import { printGoal, printTable } from './table.ts'

const LINE = { offline: false, latency: 0, downloadThroughput: 200_000, uploadThroughput: 200_000 }
const SLOWER = 4
const OPENINGS = 9
const MEASURE_MS = 10_000
const WINDOW = { width: 1280, height: 720 }

const server = await RealServer.start()
// The camera runs at its own frame rate, not at the lower one of the tests.
const browser = await launchBrowser(['--use-fake-device-for-media-stream=fps=30'])

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!

async function printBytes(): Promise<void> {
  const rows: string[][] = []
  for (const [name, { path, later }] of Object.entries(firstScreens)) {
    const { paths, raw, gzip, br } = await weigh(server.url, path, later)
    rows.push([name, ...[paths.length, raw, gzip, br].map((count) => count.toLocaleString('en'))])
  }
  printTable(['first screen', 'requests', 'bytes', 'gzip', 'br'], rows)
  console.log(
    'Bodies alone; without a cache. "In a meeting" holds what loads while people look at themselves.\n',
  )
}

/** The ms from the call of the address until "Start a meeting" can be clicked, without a cache. */
async function opening(): Promise<number> {
  const context = await browser.newContext({ viewport: WINDOW })
  try {
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', LINE)
    await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
    await page.addInitScript(() => {
      const look = (): void => {
        const button = document.querySelector<HTMLButtonElement>('[data-testid="start"]')
        // After the frame that shows it, and whatever the page had to do then.
        if (button && !button.disabled) setTimeout(() => ((globalThis as any).usableAt = performance.now()))
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    })
    await page.goto(server.url)
    await page.waitForFunction(() => (globalThis as any).usableAt !== undefined)
    return await page.evaluate(() => (globalThis as any).usableAt as number)
  } finally {
    await context.close()
  }
}

async function taskSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')!.value
}

/** Lets 24 people join, and measures what jumps meanwhile, and afterwards what the page computes. */
async function meetingOf25(at: Browser): Promise<{ shift: number; share: number }> {
  const page = await openPictures(at, await bundle(), WINDOW)
  await showScreen(page, 'meeting-25')
  const shift = await page.evaluate(async () => {
    let sum = 0
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value
    })
    observer.observe({ type: 'layout-shift', buffered: false })
    await (globalThis as any).come(24)
    await new Promise((done) => setTimeout(done, 2000))
    return sum
  })
  await page.evaluate('converse()')
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const before = await taskSeconds(session)
  await page.waitForTimeout(MEASURE_MS)
  const share = ((await taskSeconds(session)) - before) / (MEASURE_MS / 1000)
  await page.context().close()
  return { shift, share }
}

try {
  await printBytes()
  const openings: number[] = []
  for (let count = 0; count < OPENINGS; count++) openings.push(await opening())
  const { shift, share } = await meetingOf25(browser)
  const steps = await firstWalk(server.url, browser)
  printTable(
    ['a first meeting', 'ms'],
    steps.map(({ step, ms }) => [step, ms.toFixed(0)]),
  )
  const usable = median(openings)
  const walk = steps.reduce((sum, { ms }) => sum + ms, 0) / 1000
  printGoal(
    `usable after ${usable.toFixed(0)} ms at 1.6 Mbit/s on a processor ${SLOWER}× slower; goal 1000 ms`,
    usable < 1000,
  )
  printGoal(`layout shift while 24 people join: ${shift.toFixed(3)}; goal 0.1`, shift < 0.1)
  printGoal(
    `work of the page with 25 people: ${(share * 100).toFixed(1)} % of a core; goal 30 %`,
    share < 0.3,
  )
  printGoal(`a first meeting takes this computer ${walk.toFixed(1)} s; goal 60 s`, walk < 60)
} finally {
  await browser.close()
  await server.stop()
}
