/** A browser on a slow processor: its pages may compute only a part of the time, in all their threads. */
import type { Browser } from 'playwright-core'

const PERIOD_MS = 200

/** Slows down all pages of the browser that are open now. Returns a function that ends it. */
export async function slowDown(browser: Browser, times: number): Promise<() => void> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
    processInfo: { type: string; id: number }[]
  }
  await session.detach()
  const pages = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const id of pages)
      try {
        process.kill(id, name)
      } catch {
        // A page that was closed needs no signal.
      }
  }
  let resuming: ReturnType<typeof setTimeout> | undefined
  const timer = setInterval(() => {
    signal('SIGSTOP')
    resuming = setTimeout(() => signal('SIGCONT'), PERIOD_MS - PERIOD_MS / times)
  }, PERIOD_MS)
  return () => {
    clearInterval(timer)
    clearTimeout(resuming)
    signal('SIGCONT')
  }
}
