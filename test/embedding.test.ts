/** The page in an iframe of another origin, with the app's own token, and what remains of the token afterwards. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, smallPictures } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything } from './support/test-server.ts'

const ALLOW = 'camera; microphone; display-capture; autoplay'

let browser: Browser
let server: RealServer
let app: AppServer
before(async () => {
  browser = await launchBrowser()
  server = await RealServer.start()
  app = await AppServer.start({
    '/embed': `<!doctype html><script>
      globalThis.heard = []
      addEventListener('message', ({ data }) => heard.push(data))
    </script>`,
    '/element': `<!doctype html><script type="module" src="${server.url}/embed.js"></script>
      <anteroom-meeting style="display: block; height: 600px"></anteroom-meeting>
      <script>
        globalThis.heard = []
        const element = document.querySelector('anteroom-meeting')
        // The module with the element runs later.
        element.token = location.hash.slice(1)
        for (const type of ['ready', 'joined', 'participant-joined', 'participant-left', 'refused', 'left'])
          element.addEventListener(type, ({ detail }) => heard.push(detail))
      </script>`,
  })
})
after(async () => {
  await browser.close()
  await server.stop()
  app.stop()
})

async function embed(address: string): Promise<{ context: BrowserContext; page: Page; frame: Frame }> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  await page.goto(`${app.url}/embed`)
  await page.evaluate(
    ([src, allow]) => {
      const frame = document.createElement('iframe')
      frame.allow = allow!
      frame.width = '900'
      frame.height = '600'
      frame.src = src!
      document.body.append(frame)
    },
    [address, ALLOW],
  )
  const element = await page.waitForSelector('iframe')
  return { context, page, frame: (await element.contentFrame())! }
}

async function join(frame: Frame, name: string): Promise<void> {
  await frame.getByTestId('name').fill(name)
  // With the keyboard: the field, then Enter.
  await frame.getByTestId('name').press('Enter')
  await frame.getByTestId('meeting').waitFor()
}

test('embedded with a token behind the #, or sent by postMessage, it joins, and leaves the token nowhere', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'] })

  const asked: string[] = []
  const first = await embed('about:blank')
  first.page.on('request', (request) => asked.push(`${request.url()} ${request.headers().referer ?? ''}`))
  await first.page.evaluate(
    (src) => (document.querySelector('iframe')!.src = src),
    `${server.url}/m/${meetingId}#token=${token}`,
  )
  const frame = await first.page.waitForSelector('iframe').then((element) => element.contentFrame())
  await frame!.getByTestId('name').waitFor()
  assert.equal(frame!.url(), `${server.url}/m/${meetingId}`)
  await join(frame!, 'Framed')
  await ann.seesAndHears(1)

  const second = await embed(`${server.url}/`)
  await second.page.waitForFunction(() =>
    (globalThis as any).heard.some((one: any) => one?.type === 'anteroom:ready'),
  )
  const tell = (message: unknown): Promise<void> =>
    second.page.evaluate(
      (data) => document.querySelector('iframe')!.contentWindow!.postMessage(data, '*'),
      message,
    )
  for (const junk of [
    null,
    7,
    {},
    { type: 'anteroom:token' },
    { type: 'anteroom:token', token: 7, meetingId },
  ]) {
    await tell(junk)
  }
  await second.frame.getByTestId('start').waitFor()
  await tell({ type: 'anteroom:token', token, meetingId })
  await join(second.frame, 'Told')
  await ann.seesAndHears(2)

  // Only the address of the socket may contain it, because the published clients put it there.
  assert.deepEqual(
    asked.filter((one) => one.includes(token) && !one.includes('/socket.io/')),
    [],
  )
  for (const { context, page } of [first, second]) {
    const kept = await context.storageState()
    assert.equal(JSON.stringify(kept).includes(token), false, 'nothing beyond the tab')
    assert.equal(page.url().includes(token), false)
  }
  await second.frame.getByTestId('leave').click()
  await second.page.waitForFunction(() =>
    (globalThis as any).heard.some((one: any) => one?.type === 'anteroom:left'),
  )
  await Promise.all([first.context.close(), second.context.close()])
  assert.deepEqual(ann.errors, [])
})

test('the page names in its policy the sites of EMBED_ORIGINS alone', async () => {
  const narrow = await RealServer.start({ EMBED_ORIGINS: 'https://app.example' })
  try {
    const { headers } = await fetch(narrow.url, { headers: { accept: 'text/html' } })
    assert.match(headers.get('content-security-policy')!, /frame-ancestors 'self' https:\/\/app\.example$/)
  } finally {
    await narrow.stop()
  }
})

test('the element hands the token over, commands the page and hears what happens', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'] })
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  await page.goto(`${app.url}/element#${token}`)
  const hears = (type: string): Promise<unknown> =>
    page.waitForFunction(
      (wanted) => (globalThis as any).heard.find((one: any) => one.type === `anteroom:${wanted}`),
      type,
    )
  await hears('ready')
  await page.evaluate((meeting) => {
    const element = document.querySelector<any>('anteroom-meeting')
    element.setAttribute('lang', 'de')
    element.setAttribute('meeting', meeting)
  }, meetingId)
  const frame = page.frameLocator('iframe')
  await frame.getByTestId('name').fill('Framed')
  await frame.getByRole('button', { name: 'Beitreten', exact: true }).click()
  await hears('joined')
  await ann.seesAndHears(1)
  await page.evaluate(() => {
    const element = document.querySelector<any>('anteroom-meeting')
    element.setMic(false)
    // What is no command is not obeyed.
    document
      .querySelector('iframe')!
      .contentWindow!.postMessage({ type: 'anteroom:command', version: 2, command: 'leave' }, '*')
  })
  await ann.page.getByTestId('tile').filter({ hasText: 'microphone off' }).waitFor()
  await page.evaluate(() => document.querySelector<any>('anteroom-meeting').leave())
  await hears('left')
  assert.equal((await page.content()).includes(token), false)
  await context.close()
  assert.deepEqual(ann.errors, [])
})

test('every button of the page has a name', async () => {
  const ann = await Person.at(browser, 'Ann')
  await ann.page.goto(server.url)
  await ann.page.getByTestId('start').waitFor()
  const nameless = (): Promise<string[]> =>
    ann.page.locator('button, input, select, a').evaluateAll((all) =>
      all
        .filter((one) => {
          const labels = (one as HTMLInputElement).labels
          const texts = [one.getAttribute('aria-label'), one.textContent, labels?.[0]?.textContent]
          return !texts.some((text) => (text ?? '').trim() !== '')
        })
        .map((one) => one.outerHTML),
    )
  assert.deepEqual(await nameless(), [])
  await ann.page.getByTestId('start').click()
  await ann.page.getByTestId('name').waitFor()
  assert.deepEqual(await nameless(), [])
  await ann.preJoin()
  await ann.inside()
  for (const open of ['bar-chat', 'bar-people', 'bar-react', 'invite']) {
    await ann.page.getByTestId(open).click()
    assert.deepEqual(await nameless(), [], open)
  }
})

test('four people on a narrow screen each see three moving videos', async () => {
  const ann = await Person.at(browser, 'Ann', { viewport: { width: 360, height: 740 } })
  await ann.start(server.url)
  const link = await ann.invite('direct')
  for (const name of ['Bob', 'Carl', 'Dan'])
    await (await (await Person.at(browser, name)).open(link)).inside()
  await ann.seesAndHears(3)
  await ann.page.locator('[data-testid=tile] video').nth(3).waitFor()
  const giveUpAt = Date.now() + 90_000
  for (;;) {
    // A video that has not started is completely black.
    const bright = await ann.page.locator('[data-testid=tile] video').evaluateAll(
      (videos) =>
        videos.filter((video) => {
          const canvas = document.createElement('canvas')
          canvas.width = canvas.height = 8
          const drawing = canvas.getContext('2d')!
          drawing.drawImage(video as HTMLVideoElement, 0, 0, 8, 8)
          return drawing.getImageData(0, 0, 8, 8).data.some((value, at) => at % 4 !== 3 && value > 60)
        }).length,
    )
    if (bright === 4) break
    assert.ok(Date.now() < giveUpAt, `${bright} of 4 pictures are there`)
  }
})
