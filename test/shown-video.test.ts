/** Our client receives the videos that it shows, in the sizes in which it shows them, speakers first. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { launchBrowser } from './support/browser.ts'
import { Tap } from './support/media-tap.ts'
import { mediaApp, MediaClients, mediaFlags } from './support/media-clients.ts'
import type { AppServer } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { HIGH, LOW, sendsAllSizes } from './support/sizes.ts'
import { TestServer } from './support/test-server.ts'
import type { WireClient } from './support/wire-client.ts'

let browser: Browser
let app: AppServer
let server: RealServer
before(async () => {
  ;[browser, app, server] = await Promise.all([
    launchBrowser([...mediaFlags]),
    mediaApp(),
    RealServer.start(),
  ])
})
after(async () => {
  await browser.close()
  app.stop()
  await server.stop()
})

test('the page receives a small video for a small tile, a large one for a large tile, none while it is hidden', async () => {
  const clients = new MediaClients(browser, app, server)
  const meetingId = await server.createMeeting()
  const ann = await clients.join('js-sdk', { meetingId, participantId: 'ann' })
  const bob = await clients.join('our client', { meetingId, participantId: 'bob' })
  await Promise.all([ann, bob].map(sendsAllSizes))
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    permissions: ['camera', 'microphone'],
    viewport: { width: 500, height: 500 },
  })
  await Tap.into(context)
  const page = await context.newPage()
  await page.goto(`${server.url}/m/${meetingId}#token=${clients.token()}`)
  await page.getByLabel('Your name').fill('Eve')
  await page.getByRole('button', { name: 'Join' }).click()
  const tap = new Tap(page)
  for (const name of ['ann', 'bob']) await tap.sees(name, LOW)
  await page.setViewportSize({ width: 3000, height: 1600 })
  for (const name of ['ann', 'bob']) await tap.sees(name, HIGH)

  const hide = (hidden: boolean) =>
    page.evaluate((now) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => now })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  await hide(true)
  for (const name of ['ann', 'bob']) await tap.stops(name, 'video')
  await tap.flows('ann', 'audio')
  await hide(false)
  for (const name of ['ann', 'bob']) await tap.sees(name, HIGH)
  await context.close()
  await clients.closeAll()
})

test('of more cameras than a client of ours may receive, the speakers are live; cameras that are not shown make room', async () => {
  const fake = await TestServer.start({ maxVideoStreams: 2 })
  try {
    const meetingId = await fake.createMeeting()
    const join = async (participantId: string, own: boolean): Promise<WireClient> => {
      const client = fake.connect({ token: fake.token(['allow_join']), meetingId, participantId, own })
      await client.join()
      return client
    }
    const produce = async (client: WireClient, kind: 'audio' | 'video'): Promise<string> => {
      const { id } = await client.request('produce', {
        transportId: client.transports.send,
        kind,
        rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
        appData: {},
      })
      return id as string
    }
    const viewer = await join('viewer', true)
    const published = await join('published', false)
    const sounds = new Map<string, string>()
    for (const name of ['ann', 'bob', 'cem']) {
      const client = await join(name, true)
      sounds.set(name, await produce(client, 'audio'))
      await produce(client, 'video')
      await viewer.hears('request:newConsumer', ({ peerId, kind }) => peerId === name && kind === 'video')
    }
    const last = (method: string) =>
      viewer.heard
        .filter((heard) => heard.method === method)
        .map(({ peerId }) => String(peerId))
        .at(-1)
    await viewer.hears('consumerPausedSubManager', ({ peerId }) => peerId === 'cem')

    fake.sfu.routers.at(-1)!.speak(sounds.get('cem')!)
    await viewer.hears('consumerResumedSubManager', ({ peerId }) => peerId === 'cem')
    await viewer.hears('consumerPausedSubManager', ({ peerId }) => peerId === 'bob')

    const ofAnn = viewer.heard.find(
      ({ method, peerId, kind }) => method === 'request:newConsumer' && peerId === 'ann' && kind === 'video',
    )!
    await viewer.request('pauseConsumer', { consumerId: ofAnn.id })
    await viewer.hears('consumerResumedSubManager', ({ peerId }) => peerId === 'bob')
    await viewer.request('resumeConsumer', { consumerId: ofAnn.id })
    await viewer.hears('consumerPausedSubManager', () => last('consumerPausedSubManager') === 'bob')
    assert.ok(!published.heard.some(({ method }) => method === 'consumerPausedSubManager'))
  } finally {
    await fake.stop()
  }
})
