/** Every codec, on the sender's worker and piped to another, measured in the video that arrives in a real stage.browser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makes, mediaStage, type Make, type MediaClient } from './support/media-clients.ts'
import { eventually, HIGH, LOW, MED, sendsAllSizes, sizedTo } from './support/sizes.ts'

const stage = mediaStage()

/**
 * Relays a participant to a meeting on another worker. The placement of a meeting depends on the current load,
 * including that of earlier meetings; one on the sender's own worker adds to the load there, so the next one is placed
 * elsewhere.
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
  const meetingId = await stage.server.createMeeting()
  const there = await stage.clients.join(viewer, {
    meetingId,
    participantId: 'there',
    camera: false,
    mic: false,
  })
  await sender.tap.ask('mediaRelayRequestSent', { meetingId, secret: stage.clients.token() })
  await eventually(
    'it was asked',
    async () => (await there.tap.heard('mediaRelayRequestReceived')).length > 0,
  )
  await there.tap.ask('respondToMediaRelayRequest', { peerId: 'ann', meetingId: from, decision: 'allowed' })
  await there.tap.flows('ann', 'video')
  return there
}

for (const codec of ['VP8', 'H264', 'VP9'] as const) {
  test(`${codec}, here and piped to another worker: each viewer gets the size it asked for`, async (t) => {
    const meetingId = await stage.server.createMeeting()
    const sender = await stage.clients.join(codec === 'VP8' ? 'js-sdk' : 'our client', {
      meetingId,
      participantId: 'ann',
      ...(codec !== 'VP8' && { codec }),
    })
    const viewers = await Promise.all([
      ...makes.map((make) =>
        stage.clients.join(make, {
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
