/**
 * The effect of clients' media requests, measured in the video and sound that arrive in a real browser, not in the
 * answers: the same journey for our own client and the published one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamKind } from '../src/protocol/media.ts'
import { makes, mediaStage, type Make, type MediaClient } from './support/media-clients.ts'
import { eventually, HIGH, LOW, MED, sendsAllSizes, sizedTo } from './support/sizes.ts'

const stage = mediaStage()

/** The fastest of a viewer's switches takes no longer; a machine under load is slow, but not every time. */
const SWITCH_MS = 2000

/** The viewer's newest stream of this kind. */
async function consumerOf({ tap }: MediaClient, kind: StreamKind): Promise<{ consumerId: string }> {
  return { consumerId: (await tap.until('ann', kind, 'was there', () => true)).consumerId }
}

/** One viewer gets what it requests, whatever the others do. */
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

for (const make of makes) {
  test(`sent by ${make}: each viewer gets the size, frames and sound it asked for`, async (t) => {
    const meetingId = await stage.server.createMeeting()
    const sender = await stage.clients.join(make, { meetingId, participantId: 'ann' })
    const join = (viewer: Make, participantId = `on-${viewer.replace(' ', '-')}`): Promise<MediaClient> =>
      stage.clients.join(viewer, { meetingId, participantId, camera: false, mic: false })
    const viewers = await Promise.all(makes.map((viewer) => join(viewer)))
    await sendsAllSizes(sender)
    await Promise.all(
      viewers.map((viewer, at) => asksOfStreams(viewer, (line) => t.diagnostic(`${makes[at]}: ${line}`))),
    )

    const each = (work: (viewer: MediaClient) => Promise<unknown>): Promise<unknown> =>
      Promise.all(viewers.map(work))
    // One at a time, because a key frame that one viewer requests reaches all.
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
    // It has only one size, whatever is requested.
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
    stage.server.killWorkers()
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
