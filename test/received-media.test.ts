/**
 * What clients ask of media, seen in the pictures and the sound that arrive in a real browser, not in the answers: the
 * same journey for our own client and the published one.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import type { StreamKind } from '../src/protocol/media.ts'
import {
  makes,
  mediaApp,
  MediaClients,
  mediaFlags,
  type Make,
  type MediaClient,
} from './support/media-clients.ts'
import type { AppServer } from './support/published.ts'
import { BadLine, LINE_ADDRESS } from './support/bad-line.ts'
import { RealServer } from './support/real-server.ts'

let browser: Browser
let app: AppServer
let server: RealServer
let clients: MediaClients

before(async () => {
  ;[browser, app, server] = await Promise.all([
    launchBrowser([...mediaFlags]),
    mediaApp(),
    RealServer.start(),
  ])
  clients = new MediaClients(browser, app, server)
})
after(async () => {
  await browser.close()
  app.stop()
  await server.stop()
})
afterEach(() => clients.closeAll())

const [LOW, MED, HIGH] = [320, 640, 1280]
/** Of all the switches of one viewer the quickest takes no longer; a machine under load is slow, but not each time. */
const SWITCH_MS = 2000
const PATIENCE_MS = 45_000
/** Until the media server has found out what a line takes: it is slow to trust one that was narrow. */
const ESTIMATE_MS = 120_000

/** The browser sends its largest picture once it has found out that the line takes it. */
async function sendsAllSizes(sender: MediaClient): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const widths = String(await sender.tap.sentWidths())
    if (widths === String([LOW, MED, HIGH])) return
    if (Date.now() > giveUpAt) throw new Error(`sends only ${widths}`)
    await sender.tap.page.waitForTimeout(200)
  }
}

/** Asks for a size and waits until it is seen; answers how long that took. */
async function sizedTo(viewer: MediaClient, quality: 'low' | 'med' | 'high', width: number): Promise<number> {
  const asked = Date.now()
  await viewer.setQuality('ann', quality)
  await viewer.tap.until('ann', 'video', `was ${width} wide`, (now) => now.width === width)
  const took = Date.now() - asked
  await viewer.tap.sees('ann', width)
  return took
}

/** The viewer's newest stream of this kind. */
async function consumerOf({ tap }: MediaClient, kind: StreamKind): Promise<{ consumerId: string }> {
  return { consumerId: (await tap.until('ann', kind, 'was there', () => true)).consumerId }
}

/** What one viewer asks for, and sees, whatever the others do. */
async function asksOfStreams(viewer: MediaClient, say: (line: string) => void): Promise<void> {
  const { tap } = viewer
  const ups: number[] = []
  await sizedTo(viewer, 'low', LOW)
  ups.push(await sizedTo(viewer, 'high', HIGH))
  await sizedTo(viewer, 'low', LOW)
  await sizedTo(viewer, 'med', MED)
  ups.push(await sizedTo(viewer, 'high', HIGH))
  await sizedTo(viewer, 'low', LOW)
  ups.push(await sizedTo(viewer, 'high', HIGH))
  say(`switches up took ${ups.join(', ')} ms`)
  assert.ok(Math.min(...ups) <= SWITCH_MS, `switches up took ${String(ups)} ms`)

  const video = await consumerOf(viewer, 'video')
  const all = await tap.frameRate('ann')
  await tap.ask('setConsumerPreferredLayers', { ...video, spatialLayer: 2, temporalLayer: 0 })
  await eventually('few frames came', async () => (await tap.frameRate('ann', 1)) < all * 0.6)
  await tap.ask('setConsumerPreferredLayers', { ...video, spatialLayer: 2, temporalLayer: 2 })
  await eventually('all frames came', async () => (await tap.frameRate('ann', 1)) > all * 0.8)

  await tap.ask('pauseConsumer', video)
  await tap.stops('ann', 'video')
  await tap.flows('ann', 'audio')
  await tap.ask('resumeConsumer', video)
  await tap.sees('ann', HIGH)
  const audio = await consumerOf(viewer, 'audio')
  await tap.ask('pauseConsumer', audio)
  await tap.stops('ann', 'audio')
  await tap.ask('resumeConsumer', audio)
  await tap.flows('ann', 'audio')

  assert.deepEqual(await tap.ask('pauseAllConsumers', { kind: 'audio' }), { consumersWithIssues: [] })
  await tap.stops('ann', 'audio')
  await tap.flows('ann', 'video')
  assert.deepEqual(await tap.ask('pauseAllConsumers', { kind: 'all' }), { consumersWithIssues: [] })
  await tap.stops('ann', 'video')
  await tap.ask('resumeAllConsumers', { kind: 'all' })
  await Promise.all([tap.sees('ann', HIGH), tap.flows('ann', 'audio')])

  await tap.ask('stopConsumingVideoStreams', { peerId: 'ann' })
  await eventually('it was closed', async () => (await tap.received('ann', 'video')) === undefined)
  await tap.flows('ann', 'audio')
  await tap.ask('consumeVideoStreams', { peerId: 'ann' })
  await tap.flows('ann', 'video')
  await sizedTo(viewer, 'high', HIGH)
}

async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const giveUpAt = Date.now() + patienceMs
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`never: ${what}`)
    await new Promise((next) => setTimeout(next, 100))
  }
}

for (const make of makes) {
  test(`sent by ${make}: sizes, frames and sound are what each viewer asked for`, async (t) => {
    const meetingId = await server.createMeeting()
    const sender = await clients.join(make, { meetingId, participantId: 'ann' })
    const join = (viewer: Make, participantId = `on-${viewer.replace(' ', '-')}`): Promise<MediaClient> =>
      clients.join(viewer, { meetingId, participantId, camera: false, mic: false })
    const viewers = await Promise.all(makes.map((viewer) => join(viewer)))
    await sendsAllSizes(sender)
    await Promise.all(
      viewers.map((viewer, at) => asksOfStreams(viewer, (line) => t.diagnostic(`${makes[at]}: ${line}`))),
    )

    const each = (work: (viewer: MediaClient) => Promise<unknown>): Promise<unknown> =>
      Promise.all(viewers.map(work))
    // One at a time: a key frame that one asks for comes to all.
    for (const viewer of viewers) {
      const before = await viewer.tap.until('ann', 'video', 'was there', () => true)
      await viewer.tap.ask('requestConsumerKeyFrame', { consumerId: before.consumerId })
      await viewer.tap.until('ann', 'video', 'had a key frame', (now) => now.keyFrames > before.keyFrames)
    }

    for (const { id, kind } of await sender.tap.producers()) {
      await sender.tap.ask('pauseProducer', { producerId: id })
      await each(({ tap }) => tap.stops('ann', kind))
      await sender.tap.ask('resumeProducer', { producerId: id })
      await each(({ tap }) => tap.flows('ann', kind))
    }

    await sender.switchCamera()
    await each(({ tap }) => tap.flows('ann', 'video'))
    await each((viewer) => viewer.setQuality('ann', 'high'))
    await each((viewer) => viewer.tap.sees('ann', HIGH))
    await each((viewer) => sizedTo(viewer, 'low', LOW))

    const late = await join(make === 'js-sdk' ? 'our client' : 'js-sdk', 'late')
    await late.tap.flows('ann', 'video')
    await sizedTo(late, 'low', LOW)
    t.diagnostic(`the late one's switch took ${await sizedTo(late, 'high', HIGH)} ms`)
    await late.close()

    await sender.mic(false)
    await each(({ tap }) =>
      eventually('it was muted', async () => (await tap.received('ann', 'audio')) === undefined),
    )
    await sender.mic(true)
    await each(({ tap }) => tap.flows('ann', 'audio'))

    await sender.share(true)
    // As large as it is sent, whatever is asked for: it has one size.
    await each(async ({ tap }) => {
      const { consumerId } = await tap.until('ann', 'share', 'had a size', (now) => now.width > 0)
      await tap.ask('setConsumerPreferredLayers', { consumerId, spatialLayer: 0, temporalLayer: 0 })
      await tap.flows('ann', 'share')
      await eventually('a screen of the size that is sent', async () =>
        (await sender.tap.sentWidths()).includes((await tap.received('ann', 'share'))!.width),
      )
    })
    await each(({ tap }) => tap.flows('ann', 'video'))
    await sender.share(false)
    await each(({ tap }) =>
      eventually('it ended', async () => (await tap.received('ann', 'share')) === undefined),
    )

    const streams = await Promise.all(viewers.map(({ tap }) => tap.received('ann', 'video')))
    server.killWorkers()
    await Promise.all(
      viewers.map(({ tap }, at) =>
        tap.until(
          'ann',
          'video',
          'came anew',
          (now) => now.consumerId !== streams[at]!.consumerId && now.frames > 2,
        ),
      ),
    )
    await each(({ tap }) => tap.flows('ann', 'audio'))
    await sendsAllSizes(sender)
    await each((viewer) => sizedTo(viewer, 'low', LOW))
    await each((viewer) => sizedTo(viewer, 'high', HIGH))
  })
}

/**
 * Relayed to a meeting on another worker; answers who is there. Where a meeting comes to lie depends on the load at that
 * instant, of the meetings before too. One on the sender's own worker adds to the load there, so the next lies elsewhere.
 */
async function relayed(sender: MediaClient, viewer: Make, from: string): Promise<MediaClient> {
  const here = await sender.tap.mediaPorts()
  const tried: number[][] = []
  for (let attempt = 0; attempt < 8; attempt++) {
    const there = await relayedAnywhere(sender, viewer, from)
    const ports = await there.tap.mediaPorts()
    if (!ports.some((port) => here.includes(port))) return there
    tried.push(ports)
  }
  throw new Error(`no meeting on another worker than ${String(here)}: ${tried.join(' and ')}`)
}

async function relayedAnywhere(sender: MediaClient, viewer: Make, from: string): Promise<MediaClient> {
  const meetingId = await server.createMeeting()
  const there = await clients.join(viewer, { meetingId, participantId: 'there', camera: false, mic: false })
  await sender.tap.ask('mediaRelayRequestSent', { meetingId, secret: clients.token() })
  await eventually(
    'it was asked',
    async () => (await there.tap.heard('mediaRelayRequestReceived')).length > 0,
  )
  await there.tap.ask('respondToMediaRelayRequest', { peerId: 'ann', meetingId: from, decision: 'allowed' })
  await there.tap.flows('ann', 'video')
  return there
}

for (const codec of ['VP8', 'H264', 'VP9'] as const) {
  test(`${codec}, here and piped to another worker: sizes are what each viewer asked for`, async (t) => {
    const meetingId = await server.createMeeting()
    const sender = await clients.join(codec === 'VP8' ? 'js-sdk' : 'our client', {
      meetingId,
      participantId: 'ann',
      ...(codec !== 'VP8' && { codec }),
    })
    const viewers = await Promise.all([
      ...makes.map((make) =>
        clients.join(make, {
          meetingId,
          participantId: `on-${make.replace(' ', '-')}`,
          camera: false,
          mic: false,
        }),
      ),
      relayed(sender, codec === 'VP8' ? 'our client' : 'js-sdk', meetingId),
    ])
    if (codec !== 'VP9') await sendsAllSizes(sender)
    await Promise.all(
      viewers.map(async (viewer, at) => {
        const took = []
        for (const [quality, width] of [
          ['low', LOW],
          ['high', HIGH],
          ['med', MED],
          ['high', HIGH],
        ] as const)
          took.push(await sizedTo(viewer, quality, width))
        t.diagnostic(`${makes[at] ?? 'piped'}: switches took ${took.join(', ')} ms`)
        assert.equal((await viewer.tap.received('ann', 'video'))!.codec, `video/${codec}`)
      }),
    )
  })
}

test(
  'a narrow line: pictures step down and move on, priority says whose is large, and a wide line makes them large again',
  { skip: process.platform !== 'linux' && 'only Linux gives a machine all addresses of 127.0.0.0/8' },
  async (t) => {
    const far = await RealServer.start({ MEDIA_WORKERS: '1', ANNOUNCED_ADDRESS: LINE_ADDRESS })
    const line = await BadLine.open([], [Number(far.env.MEDIA_PORT)])
    const there = new MediaClients(browser, app, far)
    try {
      const meetingId = await far.createMeeting()
      const senders = await Promise.all([
        there.join('js-sdk', { meetingId, participantId: 'ann' }),
        there.join('our client', { meetingId, participantId: 'bob' }),
      ])
      const viewers = await Promise.all(
        makes.map((make) =>
          there.join(make, {
            meetingId,
            participantId: `on-${make.replace(' ', '-')}`,
            camera: false,
            mic: false,
          }),
        ),
      )
      await Promise.all(senders.map(sendsAllSizes))
      const widths = async ({ tap }: MediaClient): Promise<[ann: number, bob: number]> => {
        const [ann, bob] = await Promise.all([tap.received('ann', 'video'), tap.received('bob', 'video')])
        return [ann?.width ?? 0, bob?.width ?? 0]
      }
      const all = async (
        what: string,
        holds: (widths: [ann: number, bob: number]) => boolean,
      ): Promise<void> => {
        const from = Date.now()
        await Promise.all(
          viewers.map(async (viewer, at) => {
            await eventually(what, async () => holds(await widths(viewer)), ESTIMATE_MS)
            t.diagnostic(
              `${makes[at]}: ${what} after ${Date.now() - from} ms: ${String(await widths(viewer))}`,
            )
            for (const name of ['ann', 'bob'])
              if (await viewer.tap.received(name, 'video')) await viewer.tap.flows(name, 'video')
          }),
        )
      }
      const prefer = async (peerId: string): Promise<void> => {
        for (const { tap } of viewers)
          for (const name of ['ann', 'bob'])
            await tap.ask('setConsumerPriority', {
              consumerId: (await tap.received(name, 'video'))!.consumerId,
              priority: name === peerId ? 255 : 1,
            })
      }
      for (const viewer of viewers) for (const name of ['ann', 'bob']) await viewer.setQuality(name, 'high')
      await all('both large', ([ann, bob]) => ann === HIGH && bob === HIGH)
      await prefer('ann')
      line.quality.downBitsPerSecond = 600_000
      await all("bob's small", ([ann, bob]) => bob < HIGH && ann > bob)
      await prefer('bob')
      await all("ann's small", ([ann, bob]) => ann < HIGH && bob > ann)
      await senders[1].close()
      line.mend()
      await all("ann's large again", ([ann]) => ann === HIGH)
    } finally {
      await there.closeAll()
      line.close()
      await far.stop()
    }
  },
)
