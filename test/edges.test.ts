/** One meeting over several nodes: its home, and the edges that have some of its people. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ownDrops } from '../src/load/own-drops.ts'
import { workersFromMetrics } from '../src/load/server-figures.ts'
import { Crowd } from './support/crowd.ts'
import { FREE_PERCENT, startNodes, untilReady } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const CAMERA = { audioBitrate: 32_000, videoBitrate: 200_000 }
/** A third of what a browser sends. */
const SIMULCAST = { audioBitrate: 32_000, videoBitrate: 400_000, layers: 3 }
const PEOPLE = 12
const SENDERS = 4
const MEASURED_MS = 5000
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

async function pipes({ url }: RealServer): Promise<{ in: number; out: number }> {
  const workers = [...(await workersFromMetrics(url, undefined)).values()]
  return {
    in: workers.reduce((sum, { pipesIn }) => sum + pipesIn, 0),
    out: workers.reduce((sum, { pipesOut }) => sum + pipesOut, 0),
  }
}

test(
  'a meeting over two nodes: every stream flows, crosses once, and not unless somebody receives it',
  { skip: withoutPostgres },
  async (t) => {
    const { nodes } = await startNodes(t, 2, { EDGES: 'spread' })
    const [home, edge] = nodes as [RealServer, RealServer]
    await untilReady(home, 2)
    const crowd = new Crowd(await home.createMeeting(), token)
    t.after(() => crowd.close())

    await crowd.join(home.url, 'p0', SIMULCAST)
    await crowd.join(home.url, 'p2', SIMULCAST)
    await crowd.flows('p0', 2)
    assert.deepEqual(await pipes(home), { in: 0, out: 0 }, 'piped what nobody receives elsewhere')
    for (const at of [1, 3]) await crowd.join(edge.url, `p${at}`, SIMULCAST)
    for (let at = SENDERS; at < PEOPLE; at++) await crowd.join([home, edge][at % 2]!.url, `p${at}`)
    const ports = [...crowd.people.values()].map(({ port }) => port)
    assert.equal(new Set(ports).size, 2, 'all at one node')

    // Nobody receives what it sends itself.
    const streams = (at: number): number => 2 * (at < SENDERS ? SENDERS - 1 : SENDERS)
    await Promise.all([...Array(PEOPLE).keys()].map((at) => crowd.flows(`p${at}`, streams(at))))
    // Two senders with two streams each, on each side.
    for (const node of [home, edge]) assert.deepEqual(await pipes(node), { in: 4, out: 4 })

    const before = await crowd.count()
    const droppedBefore = (await ownDrops()) ?? 0
    await delay(MEASURED_MS)
    const after = await crowd.count()
    const dropped = ((await ownDrops()) ?? 0) - droppedBefore
    const received = after.received - before.received
    const lost = Math.max(0, after.lost - before.lost - dropped)
    t.diagnostic(`${received} packets received, ${lost} lost, ${dropped} not read by this test`)
    assert.ok(received > 0 && lost / received < 0.001, `${lost} of ${received} packets were lost`)
    const opened = [...crowd.people.values()]
    assert.ok(
      opened.every(({ opened }) => opened > 0),
      'nothing could be decrypted',
    )
    assert.deepEqual(opened.filter(({ unopened }) => unopened > 0).length, 0)
    assert.equal(crowd.lost.size, 0)

    // A stream that ends at its sender ends everywhere.
    await crowd.leave('p1')
    for (;;) {
      const [here, there] = [await pipes(home), await pipes(edge)]
      if (here.in === 2 && there.out === 2) break
      await delay(100)
    }
  },
)

test(
  'an edge that dies costs only its own people their media, and so does its worker',
  { skip: withoutPostgres },
  async (t) => {
    const { nodes } = await startNodes(t, 2, { EDGES: 'spread', SESSION_GRACE_SECONDS: '60' })
    const [home, edge] = nodes as [RealServer, RealServer]
    await untilReady(home, 2)
    const crowd = new Crowd(await home.createMeeting(), token)
    t.after(() => crowd.close())
    const [ann, , bob] = [
      await crowd.join(home.url, 'ann', CAMERA),
      await crowd.join(home.url, 'cat', CAMERA),
      await crowd.join(edge.url, 'bob', CAMERA),
    ]
    assert.notEqual(ann.port, bob.port)
    for (const id of ['ann', 'cat', 'bob']) await crowd.flows(id, 4)

    // Its media worker dies: a published client is cut off, and comes back.
    edge.killWorkers()
    await crowd.gone('bob')
    await crowd.flows('ann', 2)
    await untilReady(home, 2)
    await crowd.join(edge.url, 'bob', CAMERA)
    for (const id of ['ann', 'cat', 'bob']) await crowd.flows(id, 4)

    // The whole edge dies: its people come back by another node.
    await edge.end('SIGKILL')
    await crowd.gone('bob')
    await crowd.flows('ann', 2)
    await crowd.flows('cat', 2)
    await crowd.join(home.url, 'bob', CAMERA)
    assert.equal(crowd.people.get('bob')!.port, ann.port)
    for (const id of ['ann', 'cat', 'bob']) await crowd.flows(id, 4)
    assert.deepEqual([...crowd.lost.keys()], [], 'the people of the home were cut off')

    // The home dies: everybody comes back at the other node, which is the home then.
    await edge.run()
    await untilReady(home, 2)
    await crowd.leave('bob')
    await crowd.join(edge.url, 'bob', CAMERA)
    await crowd.flows('bob', 4)
    await home.end('SIGKILL')
    for (const id of ['ann', 'bob', 'cat']) await crowd.gone(id)
    for (const id of ['ann', 'bob']) await crowd.join(edge.url, id, CAMERA)
    for (const id of ['ann', 'bob']) await crowd.flows(id, 2)
  },
)

test(
  'a meeting that fills its share goes on at an edge, and its people there rebuild their media when that dies',
  { skip: withoutPostgres },
  async (t) => {
    const { nodes } = await startNodes(t, 2, { EDGE_SHARE: '15' })
    const [home, edge] = nodes as [RealServer, RealServer]
    await untilReady(home, 2, FREE_PERCENT)
    const meetingId = await home.createMeeting()
    const people: WireClient[] = []
    const ports: number[] = []
    for (const participantId of ['ann', 'bob', 'cat']) {
      const client = new WireClient({ url: home.url, token, meetingId, participantId, own: true })
      t.after(() => client.close())
      await client.join()
      people.push(client)
      const { iceCandidates, id } = await client.request('createWebRtcTransport', {
        producing: false,
        consuming: true,
      })
      client.transports.receive = id
      ports.push(iceCandidates[0].port)
    }
    const [ann, bob, cat] = people as [WireClient, WireClient, WireClient]
    // Two fill the share of the home.
    assert.equal(ports[0], ports[1])
    assert.notEqual(ports[0], ports[2])
    await edge.end('SIGKILL')
    await cat.hears('mediaReset')
    const { iceCandidates } = await cat.request('createWebRtcTransport', {
      producing: false,
      consuming: true,
    })
    assert.equal(iceCandidates[0].port, ports[0])
    for (const client of [ann, bob]) {
      assert.ok(!client.heard.some(({ method }) => method === 'mediaReset'))
      assert.equal(client.closed, undefined)
    }
  },
)
