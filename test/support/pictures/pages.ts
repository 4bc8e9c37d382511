/** Bundles the screens with fixed content, and opens them in a browser. */
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import type { Browser, Page } from 'playwright-core'
import { build, type Rolldown } from 'vite'

const ORIGIN = 'http://localhost'
const NOON = new Date('2026-06-01T12:00:00Z')

const answers: Record<string, unknown> = {
  '/health': { status: 'ok', media: { available: true } },
  '/v2/rooms/aaaa-bbbb-cccc/inside': { count: 2, names: ['Amara', 'Ben'] },
}

/** The files of the page by their paths. */
export async function bundle(): Promise<Map<string, string | Uint8Array>> {
  const { output } = (await build({
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: join(import.meta.dirname, 'page.tsx'),
        output: { format: 'es', entryFileNames: 'page.js' },
      },
    },
  })) as Rolldown.RolldownOutput
  return new Map(output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
}

const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }

/** Opens a window that serves these files to itself. */
export async function openPictures(
  browser: Browser,
  files: Map<string, string | Uint8Array>,
  viewport: { width: number; height: number },
): Promise<Page> {
  const context = await browser.newContext({
    viewport,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  const page = await context.newPage()
  await page.clock.setFixedTime(NOON)
  const styles = [...files.keys()].filter((path) => path.endsWith('.css'))
  const html = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width" />
    <meta name="color-scheme" content="light dark" />
    ${styles.map((path) => `<link rel="stylesheet" href="${path}" />`).join('')}
    <body><div id="root"></div><script type="module" src="/page.js"></script></body></html>`
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url())
    const file = files.get(pathname)
    if (file !== undefined)
      return route.fulfill({
        contentType: types[pathname.split('.').at(-1)!] ?? 'application/octet-stream',
        body: typeof file === 'string' ? file : Buffer.from(file),
      })
    const answer = answers[pathname]
    return answer === undefined && pathname !== '/m/aaaa-bbbb-cccc'
      ? route.fulfill({ status: 404, json: {} })
      : answer === undefined
        ? route.fulfill({ contentType: 'text/html', body: html })
        : route.fulfill({ json: answer })
  })
  await page.goto(`${ORIGIN}/m/aaaa-bbbb-cccc`)
  await page.waitForFunction('globalThis.show !== undefined')
  return page
}

/** Shows a screen, and waits until it stands still. */
export async function showScreen(page: Page, name: string): Promise<void> {
  await page.evaluate(`show(${JSON.stringify(name)})`)
  if (name.startsWith('meeting') || name === 'chat' || name === 'settings')
    await page.getByTestId('meeting').waitFor()
  if (name === 'chat') {
    await page.getByTestId('bar-chat').click()
    await page.evaluate('talk()')
    await page.getByText('new ones').waitFor()
  }
  if (name === 'settings') {
    await page.locator('body').press(',')
    await page.getByTestId('background-none').waitFor()
  }
  await page.evaluate(async () => {
    await document.fonts.ready
    for (;;) {
      const videos = [...document.querySelectorAll('video')]
      if (videos.every((video) => video.readyState >= 2 && video.videoWidth > 2)) break
      await new Promise((done) => setTimeout(done, 50))
    }
    for (let frames = 0; frames < 10; frames++) await new Promise((done) => requestAnimationFrame(done))
  })
}
