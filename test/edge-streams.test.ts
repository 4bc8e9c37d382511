/** One meeting over three nodes, the home and two edges: what people do to each other's streams across them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { workersFromMetrics } from '../src/load/server-figures.ts'
import { Crowd } from './support/crowd.ts'
import { startNodes, untilReady } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'
import { WireClient, type WireError } from './support/wire-client.ts'
import { flows, isSilent, WireReceiver } from './support/wire-receiver.ts'

/** Three layers: of 40, 100 and 400 kbit/s. */
const SIMULCAST = { audioBitrate: 32_000, videoBitrate: 400_000, layers: 3 }
const isSmall = (bitrate: number): boolean => bitrate > 0 && bitrate < 90_000
const isLarge = (bitrate: number): boolean => bitrate > 250_000
const CAMERA = { audioBitrate: 32_000, videoBitrate: 100_000 }
const moderator = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const guest = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
/** Long enough on a machine five times slower. */
const PATIENCE_MS = 60_000
const options = { skip: withoutPostgres, timeout: 240_000 }

const ends: (() => unknown)[] = []
let nodes: [home: RealServer, one: RealServer, two: RealServer]
before(async () => {
  if (withoutPostgres) return
  const t = { after: (end: () => unknown) => ends.unshift(end) }
  const started = await startNodes(t, 3, { EDGES: 'spread' })
  nodes = started.nodes as typeof nodes
  await untilReady(nodes[0], 3)
})
after(async () => {
  for (const end of ends) await end()
})

interface Stage {
  meetingId: string
  crowd: Crowd
  receives: (at: RealServer, participantId: string, token?: string) => Promise<WireReceiver>
}

/** A meeting whose home is the first node: somebody without media is there. */
async function stageOf(t: { after: (end: () => unknown) => void }): Promise<Stage> {
  const [home] = nodes
  const meetingId = await home.createMeeting()
  const host = new WireClient({ url: home.url, token: moderator, meetingId, participantId: 'host' })
  t.after(() => host.close())
  await host.join()
  const crowd = new Crowd(meetingId, guest)
  t.after(() => crowd.close())
  return {
    meetingId,
    crowd,
    receives: async ({ url }, participantId, token = guest) => {
      const receiver = await WireReceiver.join({ url, token, meetingId, participantId })
      t.after(() => receiver.close())
      return receiver
    },
  }
}

/** Streams that come to a node from others, and that go from it to others. */
async function pipesOf({ url }: RealServer): Promise<[into: number, out: number]> {
  const workers = [...(await workersFromMetrics(url, undefined)).values()]
  return [
    workers.reduce((sum, { pipesIn }) => sum + pipesIn, 0),
    workers.reduce((sum, { pipesOut }) => sum + pipesOut, 0),
  ]
}

/** Waits until the nodes have so many streams from and to each other; undefined: any number. */
async function piped(...expected: (number | undefined)[]): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const found = (await Promise.all(nodes.map(pipesOf))).flat()
    if (expected.every((count, at) => count === undefined || count === found[at])) return
    assert.ok(performance.now() < giveUpAt, `the streams between the nodes are ${found.join()}`)
    await delay(100)
  }
}

test(
  'somebody on each of three nodes: each receives the others, straight from their nodes',
  options,
  async (t) => {
    const { crowd } = await stageOf(t)
    for (const [at, { url }] of nodes.entries()) await crowd.join(url, `p${at}`, CAMERA)
    await Promise.all([...crowd.people.keys()].map((id) => crowd.flows(id, 4)))
    assert.equal(new Set([...crowd.people.values()].map(({ port }) => port)).size, 3, 'two at one node')
    // Both streams of two others come in; both own ones go to two nodes, and nothing is passed on.
    for (const node of nodes) assert.deepEqual(await pipesOf(node), [4, 4])
    for (const { unopened, opened } of crowd.people.values())
      assert.deepEqual([unopened, opened > 0], [0, true])

    await crowd.leave('p1')
    // Hers end everywhere. What nobody there receives any more is closed after a minute.
    await piped(2, undefined, undefined, 0, 2, undefined)
    for (const id of ['p0', 'p2']) await crowd.flows(id, 2)
  },
)

test(
  'a moderator on one edge switches off who is on the other, and nobody receives it any more',
  options,
  async (t) => {
    const { crowd, receives } = await stageOf(t)
    const [home, one, two] = nodes
    await crowd.join(two.url, 'cat', CAMERA)
    const others = [
      await receives(home, 'ann'),
      await receives(one, 'bob', moderator),
      await receives(two, 'dan'),
    ]
    const seen = await Promise.all(
      others.map(async (receiver) => {
        const [audio, video] = [
          await receiver.offered('cat', 'audio'),
          await receiver.offered('cat', 'video'),
        ]
        await Promise.all([receiver.rates(audio, flows), receiver.rates(video, flows)])
        return { receiver, audio, video }
      }),
    )
    const [ann, bob] = others as [WireReceiver, WireReceiver]
    for (const method of ['disablePeerMic', 'disablePeerWebcam'])
      await assert.rejects(
        ann.client.request(method, { peerId: 'cat' }),
        (error: WireError) => error.code === 4008,
        method,
      )

    // Her program goes on sending all the same.
    await bob.client.request('disablePeerMic', { peerId: 'cat' })
    for (const { receiver, audio, video } of seen) {
      await receiver.rates(audio, isSilent)
      await receiver.rates(video, flows)
      await receiver.client.hears('consumerClosed', (heard) => heard.consumerId === audio.consumerId)
    }
    await bob.client.request('disablePeerWebcam', { peerId: 'cat' })
    for (const { receiver, video } of seen) {
      await receiver.rates(video, isSilent)
      await receiver.client.hears('consumerClosed', (heard) => heard.consumerId === video.consumerId)
    }
    await piped(0, 0, 0, 0, 0, 0)
  },
)

test(
  'each receiver gets the layer that it asked for, from one stream between the nodes',
  options,
  async (t) => {
    const { crowd, receives } = await stageOf(t)
    const [, one, two] = nodes
    await crowd.join(one.url, 'cat', SIMULCAST)
    const [ann, bob] = [await receives(two, 'ann'), await receives(two, 'bob')]
    const [small, large] = [await ann.offered('cat', 'video'), await bob.offered('cat', 'video')]
    const ask = (receiver: WireReceiver, { consumerId }: typeof small, spatialLayer: number) =>
      receiver.client.request('setConsumerPreferredLayers', { consumerId, spatialLayer })
    await ask(ann, small, 0)
    await ask(bob, large, 2)
    await Promise.all([ann.rates(small, isSmall), bob.rates(large, isLarge)])
    assert.deepEqual(await pipesOf(two), [2, 0])

    await ask(ann, small, 2)
    await ask(bob, large, 0)
    await Promise.all([ann.rates(small, isLarge), bob.rates(large, isSmall)])
  },
)

test(
  'a shared screen and chat reach those on the other edge, and the share ends there too',
  options,
  async (t) => {
    const { meetingId, receives } = await stageOf(t)
    const [, one, two] = nodes
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-edge-streams-'))
    t.after(() => rm(folder, { recursive: true }))
    const film = join(folder, 'screen.ivf')
    const source = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=5', '-t', '2', '-g', '5']
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, '-c:v', 'libvpx', '-b:v', '300k', film])
    const enter = async ({ url }: RealServer, participantId: string): Promise<Agent> => {
      const agent = await joinMeeting({ url, token: guest, meetingId, participantId, name: participantId })
      t.after(() => agent.leave())
      return agent
    }
    const [ann, bob] = [await enter(one, 'ann'), await enter(two, 'bob')]
    const cat = await receives(two, 'cat')

    const screen = await ann.publishVideo(film, { kind: 'share', loop: true })
    const { value: frame } = await bob.frames('ann', { kind: 'share' }).next()
    assert.deepEqual(frame!.size, { width: 640, height: 360 })
    const shared = await cat.offered('ann', 'video', true)
    await cat.rates(shared, flows)

    const heard = new Promise((resolve) => bob.chat.listen('CHAT', ({ text }) => resolve(text)))
    await ann.chat.publish('CHAT', 'Do you see my screen?')
    assert.equal(await heard, 'Do you see my screen?')

    await screen.stop()
    await cat.rates(shared, isSilent)
    await cat.client.hears('consumerClosed', ({ consumerId }) => consumerId === shared.consumerId)
  },
)

test('data that is sent on one edge is offered on the other, and ends there', options, async (t) => {
  const { meetingId } = await stageOf(t)
  const enter = async ({ url }: RealServer, participantId: string): Promise<WireClient> => {
    const client = new WireClient({ url, token: guest, meetingId, participantId })
    t.after(() => client.close())
    await client.join()
    return client
  }
  const [, one, two] = nodes
  const [ann, bob] = [await enter(one, 'ann'), await enter(two, 'bob')]
  const { id } = await ann.request('produceData', {
    transportId: ann.transports.send,
    sctpStreamParameters: { streamId: 1, ordered: true },
    label: 'positions',
  })
  const offered = await bob.hears('request:newDataConsumer')
  assert.deepEqual([offered.dataProducerId, offered.label, offered.peerId], [id, 'positions', 'ann'])
  ann.close()
  await bob.hears('dataConsumerClosed', ({ dataConsumerId }) => dataConsumerId === offered.id)
})
