/** Accessibility of the page: in light and dark, on a phone, without a mouse, without a camera, and on a slow line. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { complaints, overflow } from './support/accessibility.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { weigh } from './support/page-weight.ts'
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

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [screen, viewport] of [
    ['desk', { width: 1100, height: 700 }],
    ['phone', { width: 360, height: 740 }],
  ] as const) {
    test(`${colorScheme}, on a ${screen}: every screen keeps the rules of accessibility and fits the window`, async () => {
      const ann = await Person.at(browser, 'Ann', { viewport })
      const { page } = ann
      await page.emulateMedia({ colorScheme })
      const holds = async (what: string, shown = page): Promise<void> => {
        assert.deepEqual(await complaints(shown), [], what)
        assert.ok((await overflow(shown)) <= 0, `${what} is too wide`)
      }
      await page.goto(`${server.url}/check${screen === 'phone' ? '?lang=ar' : ''}`)
      await page.getByTestId('check-start').waitFor()
      const title = screen === 'phone' ? 'فحص هذا المتصفح' : 'Check this browser'
      await page.getByRole('heading', { name: title }).waitFor()
      await holds('check')
      await page.goto(server.url)
      await page.getByTestId('start').waitFor()
      await holds('start')
      const light = await page.evaluate(() => {
        const [red, green, blue] = getComputedStyle(document.body)
          .backgroundColor.match(/[\d.]+/g)!
          .map(Number)
        return red! + green! + blue! > 1.5 * 255
      })
      assert.equal(light, colorScheme === 'light')
      await page.getByTestId('start').click()
      await page.locator('.preview video').waitFor()
      await holds('before joining')
      await ann.preJoin()
      await ann.inside()
      await holds('meeting')
      for (const panel of ['bar-people', 'bar-chat']) {
        await page.getByTestId(panel).click()
        await holds(panel)
        await page.locator('.panel').getByRole('button', { name: 'Close' }).click()
      }
      await page.keyboard.press(',')
      for (const tab of ['Devices', 'View', 'Notifications', 'Connection', 'Shortcuts']) {
        await page.getByRole('tab', { name: tab }).click()
        await holds(`settings: ${tab}`)
      }
      await page.keyboard.press('Escape')
      await page.getByTestId('invite').click()
      await page.getByTestId('invite-link').waitFor()
      await holds('invite')
      await page.keyboard.press('Escape')
      const bob = await Person.at(browser, 'Bob', { viewport })
      await bob.page.emulateMedia({ colorScheme })
      const link = new URL(await ann.invite('ask'))
      if (screen === 'phone') link.searchParams.set('lang', 'ar')
      await bob.open(link.href)
      await bob.page.getByTestId('waiting').waitFor()
      await holds('waiting', bob.page)
      const direction = await bob.page.evaluate(() => document.documentElement.dir)
      assert.equal(direction, screen === 'phone' ? 'rtl' : 'ltr')
      await page.getByTestId('knock').waitFor()
      await holds('somebody asks to enter')
      assert.deepEqual(bob.errors, [])
      await bob.close()
      await page.goto(`${server.url}/m/abcd-efgh-ijkl#invite=0000000000000000000000aa`)
      await page.getByTestId('message').waitFor()
      await holds('refusal')
      assert.deepEqual(ann.errors, [])
      await ann.close()
    })
  }
}

for (const [problem, name, sentence, cure] of [
  [
    'is missing',
    'NotFoundError',
    'No camera was found. You can join without.',
    'Plug a camera in, or let Chrome use it in the privacy settings of the computer.',
  ],
  [
    'is in use by another program',
    'NotReadableError',
    'The camera is in use by another program. You can join without.',
    'Close other programs and tabs that use the camera, and switch it on again here.',
  ],
  [
    'may not be used',
    'NotAllowedError',
    'This page may not use the camera. You can join without.',
    'Click the icon at the left of the address, switch the camera on, and reload the page.',
  ],
] as const) {
  test(`a camera that ${problem}: the page says so before joining, and joins with sound alone`, async () => {
    const ann = await Person.at(browser, 'Ann')
    await ann.start(server.url)
    const bob = await Person.at(browser, 'Bob')
    await bob.page.addInitScript((reason) => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
      navigator.mediaDevices.getUserMedia = (wanted) =>
        wanted?.video ? Promise.reject(new DOMException('', reason)) : open(wanted)
    }, name)
    await bob.page.goto(await ann.invite('direct'))
    await bob.page.getByText(sentence).waitFor()
    await bob.page.getByText(cure).waitFor()
    await bob.preJoin()
    await bob.inside()
    await ann.knows((meeting) =>
      [...meeting.participants.values()].some((one: any) => one.micOn && !one.cameraOn),
    )
    // Switched on again inside, it reports the problem again, and the meeting continues.
    await bob.page.getByTestId('bar-camera').click()
    await bob.page.getByText(sentence.replace(' You can join without.', '')).waitFor()
    await bob.knows((meeting) => meeting.participants.size === 1)
    assert.deepEqual([ann.errors, bob.errors], [[], []])
    await Promise.all([ann.close(), bob.close()])
  })
}

test('without a mouse: from the start page into a meeting, muted, through a dialog, and out again', async () => {
  const ann = await Person.at(browser, 'Ann')
  const { page } = ann
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const one = document.activeElement
      return one?.getAttribute('data-testid') ?? one?.getAttribute('aria-label') ?? one?.textContent ?? ''
    })
  const tabTo = async (testId: string): Promise<void> => {
    for (let pressed = 0; (await focused()) !== testId; pressed++) {
      assert.ok(pressed < 30, `${testId} is not reached; the focus is on ${await focused()}`)
      await page.keyboard.press('Tab')
    }
  }
  await page.goto(server.url)
  await page.getByTestId('start').waitFor()
  await tabTo('start')
  await page.keyboard.press('Enter')
  await page.getByTestId('name').waitFor()
  assert.equal(await focused(), 'name')
  await page.keyboard.type('Ann')
  await tabTo('join')
  await page.keyboard.press('Enter')
  await ann.inside()
  await ann.knows((meeting) => meeting.devices.mic !== undefined)
  await page.keyboard.press('m')
  await ann.knows((meeting) => meeting.devices.mic === undefined)
  await tabTo('invite')
  await page.keyboard.press('Enter')
  await page.getByTestId('invite-link').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('invite-link').waitFor({ state: 'detached' })
  assert.equal(await focused(), 'invite', 'the focus comes back to what opened the dialog')
  await tabTo('leave')
  await page.keyboard.press('Enter')
  await page.getByTestId('message').or(page.getByTestId('end-for-all')).first().waitFor()
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('the start page loads nothing of the meeting, and each screen loads what was weighed', async () => {
  const ann = await Person.at(browser, 'Ann')
  const asked = new Set<string>()
  ann.page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/assets/')) asked.add(pathname)
  })
  const weighed = async (...later: string[]): Promise<string[]> =>
    (await weigh(server.url, '/', later)).paths.slice(1).sort()
  await ann.page.goto(server.url)
  await ann.page.getByTestId('start').waitFor()
  // The rest of the page follows the start page at once.
  await ann.page.waitForLoadState('networkidle')
  assert.deepEqual([...asked].sort(), await weighed('show-app'))
  const coded = await ann.page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('.js'))
      .map((entry) => entry.toJSON() as { encodedBodySize: number; decodedBodySize: number })
      // Short files can hardly be compressed.
      .filter(({ decodedBodySize }) => decodedBodySize > 4000),
  )
  assert.ok(coded.length > 0 && coded.every((one) => one.encodedBodySize * 2 < one.decodedBodySize))

  await ann.page.getByTestId('start').click()
  await ann.page.getByTestId('name').waitFor()
  // During the preview.
  await ann.page.waitForLoadState('networkidle')
  assert.deepEqual([...asked].sort(), await weighed('show-app', 'inside'))
  await ann.preJoin()
  await ann.inside()
  assert.deepEqual([...asked].sort(), await weighed('show-app', 'inside'))
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('the start page can be used before the rest is here, in another language too, and says that it does not come', async () => {
  const ann = await Person.at(browser, 'Ann')
  const { page } = ann
  const rest = '**/assets/show-app-*.js'
  await page.route(rest, (route) => route.abort())
  await page.goto(server.url)
  await page.getByTestId('language').selectOption('de')
  await page.getByRole('button', { name: 'Treffen starten' }).waitFor()
  await page.locator('#join-text').fill('two words')
  await page.getByRole('button', { name: 'Beitreten' }).click()
  await page.locator('#join-problem', { hasText: /./ }).waitFor()
  assert.equal(await page.locator('#join-text').getAttribute('aria-invalid'), 'true')
  await page.getByTestId('language').selectOption('en')
  await page.getByTestId('start').click()
  await page.getByText('A part of this page could not be loaded').waitFor()
  await page.unroute(rest)
  await page.getByTestId('start').click()
  await page.waitForFunction(() => document.querySelector('#join-problem')?.textContent === '')
  await ann.start(server.url)
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('a part of the page that cannot be loaded is reported at the join, and trying again reloads the page', async () => {
  const ann = await Person.at(browser, 'Ann')
  const { page } = ann
  await page.route('**/assets/inside-*.js', (route) => route.abort())
  await page.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    const tracks: MediaStreamTrack[] = ((globalThis as any).opened = [])
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await open(wanted)
      tracks.push(...stream.getTracks())
      return stream
    }
  })
  await page.goto(server.url)
  await page.getByTestId('start').click()
  await page.locator('.preview video').waitFor()
  await ann.preJoin()
  await page.getByText('A part of this page could not be loaded').waitFor()
  const states = await page.evaluate<string[]>('opened.map((track) => track.readyState)')
  assert.ok(states.length > 0 && states.every((state) => state === 'ended'), states.join())
  await page.unroute('**/assets/inside-*.js')
  await page.getByTestId('again').click()
  await ann.preJoin()
  await ann.inside()
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('the check: without signing in, each part is tried, media comes back over UDP and over TCP, and a text says so', async () => {
  const ann = await Person.at(browser, 'Ann')
  const { page } = ann
  await page.goto(`${server.url}/check`)
  await page.getByTestId('check-start').click()
  await page.getByTestId('check-heard').click()
  const stateOf = (step: string): Promise<string | null> =>
    page.getByTestId(`check-${step}`).getAttribute('data-state')
  const report = page.getByTestId('check-report')
  await report.waitFor()
  const text = await report.inputValue()
  for (const step of ['browser', 'camera', 'speaker', 'socket'])
    assert.equal(await stateOf(step), 'good', text)
  for (const step of ['udp', 'tcp']) {
    // A busy machine may make the line look narrow.
    assert.match((await stateOf(step))!, /good|warning/, text)
    const said = await page.getByTestId(`check-${step}`).innerText()
    const [, up, down] = /(\d+) kbit\/s up, (\d+) kbit\/s down/.exec(said)!
    assert.ok(Number(up) > 50 && Number(down) > 50, said)
  }
  assert.deepEqual(await complaints(page), [])

  // Where nothing comes through over either, the page says what to do.
  await page.evaluate(() => {
    const connection = RTCPeerConnection.prototype as any
    connection.setRemoteDescription = () => new Promise(() => undefined)
  })
  await page.getByTestId('check-start').click()
  await page.getByTestId('check-tcp').getByText('you will see and hear nobody').waitFor()
  await page.getByTestId('check-udp').getByText('ANNOUNCED_ADDRESS').waitFor()
  assert.deepEqual(ann.errors, [])
  await ann.close()
})
