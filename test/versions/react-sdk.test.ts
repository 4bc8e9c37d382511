/**
 * One version of each generation of the published React SDK, unmodified, on the example's page; the other side is the
 * newest js-sdk.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { launchBrowser } from '../support/browser.ts'
import { AppServer, Published, smallPictures } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { SLOW_CAMERA } from './journeys.ts'
import { sampleOf } from './sample.ts'
import { Table } from './table.ts'

const SDK = '@videosdk.live/react-sdk'
const withPlayer = join(import.meta.dirname, 'react-sdk-of-version.tsx')
/** For each version, the React of its time, and the names of the packages. */
const versions: Record<string, { sdk: string; react: string; reactDom: string }> = {
  '0.1.105': { sdk: 'react-sdk-0.1.105', react: 'react-18', reactDom: 'react-dom-18' },
  '0.3.14': { sdk: 'react-sdk-0.3.14', react: 'react-18', reactDom: 'react-dom-18' },
  '0.6.8': { sdk: 'react-sdk-0.6.8', react: 'react-18', reactDom: 'react-dom-18' },
  '0.13.5': { sdk: 'react-sdk-0.13.5', react: 'react', reactDom: 'react-dom' },
  '1.1.1': { sdk: SDK, react: 'react', reactDom: 'react-dom' },
}
const tried = sampleOf(Object.keys(versions), '0.6.8')
const COLUMNS = ['join', 'picture', 'sound', 'chat', 'mute', 'leave'] as const
const PATIENCE_MS = 90_000

let browser: Browser
let server: RealServer
let app: AppServer
const table = new Table(COLUMNS)

before(async () => {
  const pages: Record<string, string> = {}
  for (const version of tried) Object.assign(pages, await pageWith(version))
  app = await AppServer.start(pages)
  browser = await launchBrowser(['--ignore-certificate-errors', SLOW_CAMERA])
  server = await RealServer.start({ MEDIA_WORKERS: '1' })
})
after(async () => {
  await browser.close()
  await server.stop()
  app.stop()
  table.print()
})

/** Bundles the page with this version. */
async function pageWith(version: string): Promise<Record<string, string>> {
  const { sdk, react, reactDom } = versions[version]!
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-react-'))
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      root: join(import.meta.dirname, '../../examples/page-react-sdk'),
      plugins: [
        {
          name: 'sdk-of-version',
          enforce: 'pre',
          resolveId(source, importer) {
            if (source !== SDK) return null
            return importer === withPlayer ? this.resolve(sdk, importer, { skipSelf: true }) : withPlayer
          },
        },
      ],
      base: `/react-${version}/`,
      resolve: {
        alias: [
          { find: /^react-dom(?=$|\/)/, replacement: reactDom },
          { find: /^react(?=$|\/)/, replacement: react },
        ],
      },
      build: { outDir: folder, emptyOutDir: true, minify: false },
    })
    const read = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8')
    const pages = { [`/react-${version}/`]: await read('index.html') }
    for (const name of await readdir(join(folder, 'assets')))
      pages[`/react-${version}/assets/${name}`] = await read('assets', name)
    return pages
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('react-sdk', { concurrency: 2 }, () => {
  for (const version of tried) {
    test(version, async () => {
      const meetingId = await server.createMeeting()
      const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
      const seen = async (column: (typeof COLUMNS)[number], work: () => Promise<unknown>): Promise<void> => {
        table.set(version, column, 'no')
        await work()
        table.set(version, column, 'yes')
      }
      const bob = await Published.at(browser, app)
      await bob.inside(server.secureUrl, { token, meetingId, participantId: 'bob', name: 'Bob' })
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        permissions: ['camera', 'microphone'],
        // The SDK pauses a video that is scrolled out of sight.
        viewport: { width: 700, height: 1400 },
      })
      await context.addInitScript(smallPictures)
      context.setDefaultTimeout(PATIENCE_MS)
      const page = await context.newPage()
      const query = new URLSearchParams({
        server: server.secureUrl.replace('https://', ''),
        token,
        meetingId,
        name: 'Rea',
      })
      await page.goto(`${app.url}/react-${version}/?${query.toString()}`)

      let rea = ''
      await seen('join', async () => {
        await page.getByRole('button', { name: 'Join' }).click()
        await page.locator('[data-participant=Bob][data-mic=true][data-camera=true]').waitFor()
        rea = await bob.until<string>(
          `[...m.participants.values()].find(({ displayName }) => displayName === 'Rea')?.id`,
        )
      })
      await seen('picture', () => Promise.all([bob.sees(rea), showsMovingPictures(page)]))
      await seen('sound', () => Promise.all([bob.hears(rea), playsSound(page)]))
      await seen('chat', async () => {
        await bob.subscribe('CHAT')
        await bob.publish('CHAT', 'hello, Rea', { persist: true })
        await page.getByText('Bob: hello, Rea').waitFor()
        await page.getByLabel('Message').fill('hello, Bob')
        await page.getByRole('button', { name: 'Send' }).click()
        assert.equal((await bob.heard('hello, Bob')).senderName, 'Rea')
        await page.getByText('Rea: hello, Bob').waitFor()
      })
      await seen('mute', async () => {
        await page.getByRole('button', { name: 'Microphone' }).click()
        await bob.until(`!m.participants.get('${rea}').micOn`)
        await bob.run('await m.disableWebcam()')
        await page.locator('[data-participant=Bob][data-camera=false]').waitFor()
        await page.getByRole('button', { name: 'Microphone' }).click()
        await bob.hears(rea)
      })
      await seen('leave', async () => {
        await page.getByRole('button', { name: 'Leave' }).click()
        await page.getByRole('status').filter({ hasText: 'left' }).waitFor()
        await bob.logged('participant-left', `values[0].id === '${rea}'`)
        assert.equal(await bob.run('return m.participants.size'), 0)
      })
      await Promise.all([context.close(), bob.close()])
    })
  }
})

/** Waits until the element that shows Bob gets new frames. */
async function showsMovingPictures(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-participant=Bob] video')
    if (!video?.srcObject) return false
    const frames = video.getVideoPlaybackQuality().totalVideoFrames
    const first = (video.dataset.first ??= String(frames))
    return video.videoWidth > 0 && frames > Number(first) + 5
  })
}

/** Waits until the element that plays Bob gets audible sound. */
async function playsSound(page: Page): Promise<void> {
  await page.waitForFunction(async () => {
    const audio = document.querySelector<HTMLAudioElement>('[data-participant=Bob] audio')
    if (!audio?.srcObject || audio.paused) return false
    const inside = globalThis as any
    if (inside.analysed !== audio.srcObject) {
      inside.analysed = audio.srcObject
      const sound = new AudioContext()
      await sound.resume()
      inside.analyser = sound.createAnalyser()
      sound.createMediaStreamSource(audio.srcObject as MediaStream).connect(inside.analyser)
    }
    const samples = new Float32Array(inside.analyser.fftSize)
    inside.analyser.getFloatTimeDomainData(samples)
    return samples.some((sample) => Math.abs(sample) > 0.001)
  })
}
