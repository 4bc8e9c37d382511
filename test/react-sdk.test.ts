/** The published React SDK, unmodified, on the page of `examples/page-react-sdk`. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, smallPictures } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { hasRtmpServer, noOutputs, RtmpServer } from './support/rtmp-server.ts'
import { startFakeRecogniser, type FakeRecogniser } from './support/fake-recogniser.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

let browser: Browser
let server: RealServer
let app: AppServer
let folder: string
let recogniser: FakeRecogniser
let rtmp: RtmpServer | undefined
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-react-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root: join(import.meta.dirname, '../examples/page-react-sdk'),
    build: { outDir: folder, emptyOutDir: true, minify: false },
  })
  const pages: Record<string, string> = { '/': await readFile(join(folder, 'index.html'), 'utf8') }
  for (const name of await readdir(join(folder, 'assets'))) {
    pages[`/assets/${name}`] = await readFile(join(folder, 'assets', name), 'utf8')
  }
  app = await AppServer.start(pages)
  browser = await launchBrowser(['--ignore-certificate-errors'])
  recogniser = await startFakeRecogniser('hello')
  rtmp = hasRtmpServer ? await RtmpServer.start() : undefined
  server = await RealServer.start({ TRANSCRIPTION_URL: recogniser.url, OUTPUTS_ALLOW_PRIVATE: 'true' })
})
after(async () => {
  await browser.close()
  await server.stop()
  await rtmp?.stop()
  recogniser.close()
  app.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Opens a page of the app. */
async function opens(
  meetingId: string,
  name: string,
  permissions: string[],
  others: Record<string, string> = {},
): Promise<Page> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    permissions: ['camera', 'microphone'],
    // The SDK pauses a video that is scrolled out of sight.
    viewport: { width: 700, height: 1400 },
  })
  await context.addInitScript(smallPictures)
  const page = await context.newPage()
  const query = new URLSearchParams({
    server: server.secureUrl.replace('https://', ''),
    token: signAnything({ apikey: API_KEY, permissions }),
    meetingId,
    name,
    ...others,
  })
  await page.goto(`${app.url}/?${query.toString()}`)
  await page.getByRole('button', { name: 'Join' }).click()
  return page
}

test('the React SDK joins, is seen and heard, chats, mutes, leaves', async () => {
  const ann = await Person.at(browser, 'Ann')
  const address = await ann.start(server.url)
  const page = await opens(address.split('/m/')[1]!, 'Rea', ['allow_join'])
  await page.locator('[data-participant=Ann][data-mic=true][data-camera=true]').waitFor()
  await ann.seesAndHears(1)
  await page.locator('[data-participant=Ann] video').waitFor()
  // The player may replace its element; the current one must show new frames.
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-participant=Ann] video')
    return video !== null && video.getVideoPlaybackQuality().totalVideoFrames > 5
  })

  await ann.page.getByTestId('bar-chat').click()
  await ann.page.getByTestId('chat-text').fill('hello, Rea')
  await ann.page.getByTestId('chat-send').click()
  await page.getByText('Ann: hello, Rea').waitFor()
  await page.getByLabel('Message').fill('hello, Ann')
  await page.getByRole('button', { name: 'Send' }).click()
  await ann.page.getByRole('log').getByText('hello, Ann').waitFor()

  await page.getByRole('button', { name: 'Microphone' }).click()
  await ann.knows((meeting) => [...meeting.participants.values()].every((one: any) => !one.micOn))
  await page.getByRole('button', { name: 'Leave' }).click()
  await ann.knows((meeting) => meeting.participants.size === 0)
  assert.deepEqual(ann.errors, [])
})

test(
  'the hooks of the React SDK start, follow and stop what leaves a meeting',
  { skip: noOutputs },
  async () => {
    const meetingId = await server.createMeeting()
    const rtmpTarget = { rtmp: rtmp!.url, key: 'secret' }
    const rea = await opens(meetingId, 'Rea', ['allow_join', 'allow_mod'], rtmpTarget)
    const outputs = ['Recording', 'HLS', 'Livestream', 'Captions', 'Whiteboard']
    for (const name of outputs) await rea.getByRole('button', { name }).click()
    const late = await opens(meetingId, 'Lee', ['allow_join'])
    for (const page of [rea, late]) {
      for (const name of outputs) await page.getByRole('button', { name, pressed: true }).waitFor()
      await page.getByRole('link', { name: 'Watch' }).waitFor()
      await page.getByText('Rea: hello').or(page.getByText('Lee: hello')).waitFor()
    }

    for (const name of outputs) await rea.getByRole('button', { name }).click()
    for (const page of [rea, late])
      for (const name of outputs) await page.getByRole('button', { name, pressed: false }).waitFor()
    const { body } = await server.rest('GET', `/v2/recordings?roomId=${meetingId}`)
    assert.ok(body.data[0].file.meta.duration > 0)
  },
)
