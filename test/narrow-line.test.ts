/** What viewers on a narrow line receive, measured in the video that arrives in a real browser. */
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { BadLine, LINE_ADDRESS } from './support/bad-line.ts'
import { launchBrowser } from './support/browser.ts'
import { makes, mediaApp, MediaClients, mediaFlags, type MediaClient } from './support/media-clients.ts'
import type { AppServer } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { eventually, HIGH, sendsAllSizes } from './support/sizes.ts'

let browser: Browser
let app: AppServer
before(async () => {
  ;[browser, app] = await Promise.all([launchBrowser([...mediaFlags]), mediaApp()])
})
after(async () => {
  await browser.close()
  app.stop()
})

/** The time until the media server has estimated the bandwidth; after a narrow line it is slow. */
const ESTIMATE_MS = 120_000

test(
  'on a narrow line videos shrink and keep moving, priority decides who is large, and a wide line makes them large again',
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
