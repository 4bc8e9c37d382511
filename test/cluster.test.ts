/** Several nodes over one PostgreSQL: who is the home of a meeting, and how others reach it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KeptValues } from '../src/meeting/values/kept-values.ts'
import { openClusterTables, openStore } from '../src/store/open.ts'
import type { ClusterTables, NodeName } from '../src/store/cluster.ts'
import { makeDatabase, runSql, withoutPostgres } from './support/postgres.ts'
import { freePorts } from './support/ports.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, signAnything, TestServer } from './support/test-server.ts'
import { WireClient, WireError } from './support/wire-client.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MASTER_KEY = Buffer.alloc(32, 7)

test(
  'homes: one at a time, taken over from the dead alone, and fenced',
  { skip: withoutPostgres },
  async (t) => {
    const { url, drop } = await makeDatabase()
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-cluster-'))
    const epochs = new Map<string, number>()
    const lost = new Set<string>()
    const store = await openStore({
      folder,
      masterKey: MASTER_KEY,
      url,
      nodeId: 'a',
      fence: {
        epochOf: (meetingId) => epochs.get(meetingId),
        lost: (meetingId) => void lost.add(meetingId),
      },
    })
    const [one, two] = [openClusterTables(url), openClusterTables(url)] as [ClusterTables, ClusterTables]
    t.after(async () => {
      await Promise.all([one.close(), two.close(), store.close()])
      await drop()
      await rm(folder, { recursive: true })
    })
    const name = (nodeId: string, incarnation = `${nodeId}-1`): NodeName => ({ nodeId, incarnation })
    const load = {
      state: 'serving',
      meetings: 0,
      participants: 0,
      entryRequests: 0,
      processorPercent: 0,
      mediaWorkers: 0,
    } as const
    const register = (tables: ClusterTables, nodeId: string, incarnation?: string, former?: string) =>
      tables.register(
        {
          ...name(nodeId, incarnation),
          address: `address of ${nodeId}`,
          port: 1,
          fingerprint: '',
          version: '1',
          wireMin: 1,
          wireMax: 1,
        },
        former,
      )
    const sql = (text: string) => runSql(url, text)
    const settled = (nodeId: string) => sql(`update nodes set good_since = 0 where node_id = '${nodeId}'`)
    const lapse = (nodeId: string) => sql(`update nodes set lease_until = 0 where node_id = '${nodeId}'`)

    assert.equal(await one.claim(name('a'), 'meeting'), undefined, 'claimed without a lease')
    assert.equal(await register(one, 'a'), true)
    assert.equal(await register(two, 'b'), true)

    // Two at once: exactly one becomes the home.
    for (let round = 0; round < 20; round++) {
      const claims = await Promise.all([one.claim(name('a'), `m${round}`), two.claim(name('b'), `m${round}`)])
      assert.equal(claims.filter((claim) => claim !== undefined).length, 1)
    }

    const first = await one.claim(name('a'), 'meeting')
    assert.ok(first)
    assert.equal((await two.locate('meeting'))?.isLive, true)
    epochs.set('meeting', first.epoch)
    await store.projects.create({ projectId: 'p', name: 'p', webhook: null, createdAt: 1 })
    await store.meetings.create({
      id: 'id',
      meetingId: 'meeting',
      projectId: 'p',
      customId: null,
      settings: {},
      disabledAt: null,
      createdAt: 1,
      updatedAt: 1,
    })
    const session = {
      sessionId: 's',
      meetingId: 'meeting',
      projectId: 'p',
      startedAt: 1,
      endedAt: null,
      endReason: null,
    }
    await store.sessions.start(session, [])
    const errors: unknown[] = []
    const kept = new KeptValues({
      sessionId: 's',
      store: store.sessionValues!,
      onError: (error) => errors.push(error),
    })
    const slide = { key: 'slide', value: '1', tokenId: 't' }
    kept.set(slide)
    await kept.flush()

    await settled('b')
    assert.equal(await two.claim(name('b'), 'meeting'), undefined, 'took a home from a live node')
    await lapse('a')
    assert.equal((await two.locate('meeting'))?.isLive, false)
    assert.equal(await one.renew(name('a'), load), false)

    // A node whose own lease is young takes nothing.
    await sql(`update nodes set good_since = 9000000000000000 where node_id = 'b'`)
    assert.equal(await two.claim(name('b'), 'meeting'), undefined, 'took over too early')
    // The holder comes back first, under its old epoch.
    assert.equal(await register(one, 'a', 'a-2', 'a-1'), true)
    await settled('b')
    assert.equal(await two.claim(name('b'), 'meeting'), undefined, 'took over from one that came back')
    assert.equal((await one.homesOf(name('a', 'a-2'))).get('meeting'), first.epoch)
    await store.sessions.end('unknown', 1, 'x', [])
    assert.equal(lost.size, 0)

    await lapse('a')
    const second = await two.claim(name('b'), 'meeting')
    assert.ok(second && second.epoch > first.epoch)
    assert.equal(typeof second.seenAt, 'number')
    // The old home writes no more, and nothing of the write is left.
    const stay = {
      sessionId: 's',
      participantId: 'ann',
      name: 'Ann',
      joinedAt: 2,
      leftAt: null,
      leaveReason: null,
      device: null,
      tokenId: 't',
      apiKey: null,
    }
    await assert.rejects(store.sessions.join(stay, 'SEND_AND_RECV', []), {
      code: 'SERVER_STOPPING',
      reason: 'fenced',
    })
    assert.ok(lost.has('meeting'))
    assert.deepEqual(await store.sessions.stays('s'), [])
    for (const value of ['2', '3']) {
      kept.set({ ...slide, value })
      await kept.flush()
    }
    assert.deepEqual(await store.sessionValues!.list('s'), [slide], 'overwrote a value of the new home')
    assert.deepEqual(errors, [], 'it stops by itself')
    epochs.set('meeting', second.epoch)
    await store.sessions.join(stay, 'SEND_AND_RECV', [])
    assert.equal((await store.sessions.stays('s')).length, 1)

    assert.deepEqual(await one.orphans(10), [])
    await one.release(name('a', 'a-2'), 'meeting', first.epoch)
    assert.equal((await one.locate('meeting'))?.nodeId, 'b', 'released the home of another')
    await two.release(name('b'), 'meeting', second.epoch)
    assert.deepEqual(await one.orphans(10), ['meeting'])
  },
)

/** Connections of one address that are not admitted yet. */
const WAITING = 4
let nodes: TestServer[] = []
let database: { url: string; drop: () => Promise<void> }

async function startNode(last: number, clusterPort: number): Promise<TestServer> {
  const server = await TestServer.start({
    databaseUrl: database.url,
    masterKey: MASTER_KEY,
    adminKey: ADMIN_KEY,
    nodeAddress: `127.0.0.${last}`,
    clusterPort,
    sessionGraceSeconds: 60,
    maxWaitingPerAddress: WAITING,
  })
  nodes.push(server)
  return server
}

before(async () => {
  if (withoutPostgres !== false) return
  database = await makeDatabase()
  const port = await freePorts(1)
  for (const last of [2, 3]) await startNode(last, port)
})
after(async () => {
  for (const node of nodes) await node.stop()
  nodes = []
  if (withoutPostgres === false) await database.drop()
})

test('any node carries a socket to the home, and a REST call too', { skip: withoutPostgres }, async () => {
  const [one, two] = nodes as [TestServer, TestServer]
  const meetingId = await one.createMeeting()
  const token = one.token(['allow_join', 'allow_mod'])
  const ann = one.connect({ token, meetingId, participantId: 'ann', name: 'Ann' })
  await ann.join()
  const bob = two.connect({ token, meetingId, participantId: 'bob', name: 'Bob' })
  await bob.join()
  await ann.hears('newPeer', ({ id }) => id === 'bob')

  const ongoing = `/v2/sessions?roomId=${meetingId}&status=ongoing`
  const [here, there] = [await one.rest('GET', ongoing), await two.rest('GET', ongoing)]
  assert.equal(here.body.data.length, 1)
  // What depends on the node asked, and on the second.
  const plain = (body: unknown): string =>
    JSON.stringify(body)
      .replaceAll(/localhost:\d+/g, 'host')
      .replaceAll(/"activeDuration":\d+/g, '')
  assert.equal(plain(there.body), plain(here.body))
  assert.equal(there.body.data[0].participants.length, 2)

  const [sessionId] = [here.body.data[0].id]
  // Removed by way of the other node: put out, and kept out at both.
  const removed = await two.rest('POST', '/v2/sessions/participants/remove', {
    roomId: meetingId,
    participantId: 'bob',
  })
  assert.equal(removed.status, 200)
  await bob.gone()
  for (const node of [one, two]) {
    const again = node.connect({ token, meetingId, participantId: 'bob' })
    await assert.rejects(again.join(), /removed/)
  }

  // The home stops: another node takes the session up, with what was set just before.
  await ann.request('realtimeStoreSet', { key: 'slide', value: '7' })
  await one.restart()
  const back = two.connect({ token, meetingId, participantId: 'ann', name: 'Ann' })
  await back.join()
  assert.equal((await back.request('realtimeStoreGet', { key: 'slide' })).value, '7')
  const after = await one.rest('GET', ongoing)
  assert.equal(after.body.data[0].id, sessionId)
  const removedStill = one.connect({ token, meetingId, participantId: 'bob' })
  await assert.rejects(removedStill.join(), /removed/)
  assert.equal((await one.rest('POST', '/v2/sessions/end', { roomId: meetingId })).status, 200)
  await back.gone()
})

test('breakout rooms work at other nodes than their meeting', { skip: withoutPostgres }, async () => {
  const [one, two] = nodes as [TestServer, TestServer]
  const meetingId = await one.createMeeting()
  const join = async (
    node: TestServer,
    at: string,
    participantId: string,
    token: string,
  ): Promise<WireClient> => {
    const client = node.connect({ token, meetingId: at, participantId, name: participantId })
    await client.join()
    return client
  }
  const guest = one.token(['allow_join'], { roomId: meetingId })
  const host = await join(one, meetingId, 'host', one.token(['allow_mod'], { roomId: meetingId }))
  const people = [await join(one, meetingId, 'ann', guest), await join(one, meetingId, 'bob', guest)]
  await host.request('openBreakouts', {
    rooms: [
      { name: 'Red', peerIds: ['ann'] },
      { name: 'Blue', peerIds: ['bob'] },
    ],
  })
  type Way = { roomId: string; token: string }
  const [toRed, toBlue] = (await Promise.all(
    people.map((client) => client.hears('request:switchRoom')),
  )) as unknown as [Way, Way]
  // The first one to reach a room decides where its home is.
  const inRed = await join(two, toRed.roomId, 'ann', toRed.token)
  const inBlue = await join(one, toBlue.roomId, 'bob', toBlue.token)
  const homes = await runSql(
    database.url,
    'select meeting_id, node_id from homes where meeting_id in ($1, $2, $3)',
    [meetingId, toRed.roomId, toBlue.roomId],
  )
  assert.deepEqual(Object.fromEntries(homes.map(({ meeting_id: id, node_id: node }) => [id, node])), {
    [meetingId]: '127.0.0.2',
    [toRed.roomId]: '127.0.0.3',
    [toBlue.roomId]: '127.0.0.2',
  })

  // Nobody else comes in there, and the meeting knows who is inside.
  const stranger = two.connect({
    token: two.token(['allow_join']),
    meetingId: toRed.roomId,
    participantId: 'eve',
  })
  assert.equal((await stranger.hears('error')).name, 'INVALID_PERMISSIONS')
  await host.hears('breakoutsChanged', ({ breakouts }) => {
    const { rooms } = breakouts as { rooms: { people: { id: string }[] }[] }
    return rooms.map((room) => room.people.map(({ id }) => id).join()).join(' ') === 'ann bob'
  })
  // What is said to all is heard there, whoever is moved is led, and whoever is removed leaves.
  await host.request('announceBreakouts', { message: 'Five minutes left' })
  for (const client of [inRed, inBlue]) await client.hears('breakoutAnnounced')
  await host.request('assignBreakout', { peerId: 'bob', roomId: toRed.roomId })
  const way = (await inBlue.hears(
    'request:switchRoom',
    ({ roomId }) => roomId === toRed.roomId,
  )) as unknown as Way
  inBlue.close()
  const moved = await join(one, way.roomId, 'bob', way.token)
  await inRed.hears('newPeer', ({ id }) => id === 'bob')
  await host.request('removePeer', { peerId: 'ann' })
  await inRed.gone()
  const again = two.connect({ token: toRed.token, meetingId: toRed.roomId, participantId: 'ann' })
  assert.equal((await again.hears('error')).name, 'REMOVED_FROM_SESSION')
  // Everybody is called back.
  await host.request('closeBreakouts')
  await moved.hears('request:switchRoom', ({ roomId }) => roomId === meetingId)
  for (const client of [moved, host, ...people]) client.close()
})

test(
  'those who were carried and admitted count as waiting at no node',
  { skip: withoutPostgres },
  async () => {
    const [one, two] = nodes as [TestServer, TestServer]
    const meetingId = await one.createMeeting()
    const token = one.token(['allow_join'])
    const first = one.connect({ token, meetingId, participantId: 'first' })
    await first.join()
    // So many more connections over the limit are opened to be refused there.
    for (let at = 0; at < WAITING + 32 + 1; at++)
      await two.connect({ token, meetingId, participantId: `p${at}` }).join()
    const asking = two.token(['ask_join'])
    const waiting = Array.from({ length: WAITING }, (_, at) =>
      two.connect({ token: asking, meetingId, participantId: `w${at}` }),
    )
    for (const client of waiting) await client.enter()
    const over = two.connect({ token: asking, meetingId, participantId: 'over' })
    await assert.rejects(over.request('requestEntry'), /waiting to be admitted/)
  },
)

test(
  'when the home is killed, its people are inside the same session at another node',
  { skip: withoutPostgres },
  async (t) => {
    const own = await makeDatabase()
    const running: RealServer[] = []
    t.after(async () => {
      for (const node of running) await node.stop()
      await own.drop()
    })
    const env = {
      DATABASE_URL: own.url,
      MASTER_KEY: MASTER_KEY.toString('hex'),
      ADMIN_KEY,
      CLUSTER_PORT: String(await freePorts(1)),
      MEDIA_WORKERS: '1',
    }
    const start = async (last: number): Promise<RealServer> => {
      const node = await RealServer.start({ ...env, NODE_ADDRESS: `127.0.0.${last}` })
      t.after(() => node.stop())
      return node
    }
    const [home, other] = [await start(2), await start(3)]
    const meetingId = await home.createMeeting()
    const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
    const connect = ({ url }: RealServer, participantId: string): WireClient => {
      const client = new WireClient({ url, token, meetingId, participantId })
      t.after(() => client.close())
      return client
    }
    // One comes to the home, the others by way of the other node.
    const people = { ann: home, bob: other, eve: other }
    const clients: WireClient[] = []
    for (const [id, node] of Object.entries(people)) {
      const client = connect(node, id)
      await client.join()
      clients.push(client)
    }
    const ongoing = `/v2/sessions?roomId=${meetingId}&status=ongoing`
    const sessionId = (await other.rest('GET', ongoing)).body.data[0].id
    const remove = { roomId: meetingId, participantId: 'eve' }
    assert.equal((await other.rest('POST', '/v2/sessions/participants/remove', remove)).status, 200)
    const homes = () => runSql(own.url, 'select node_id from homes where meeting_id = $1', [meetingId])
    assert.deepEqual(await homes(), [{ node_id: '127.0.0.2' }])
    const homesIn = async ({ url }: RealServer): Promise<string | undefined> =>
      /^anteroom_cluster_homes (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]
    assert.deepEqual([await homesIn(home), await homesIn(other)], ['1', '0'])
    // A switch and a relay need both meetings in one process.
    const elsewhere = await home.createMeeting()
    const there = new WireClient({ url: other.url, token, meetingId: elsewhere, participantId: 'dan' })
    t.after(() => there.close())
    await there.join()
    for (const [method, code] of [
      ['switchToMeeting', 4076],
      ['mediaRelayRequestSent', 4078],
    ] as const)
      await assert.rejects(
        clients[0]!.request(method, { meetingId: elsewhere, secret: token }),
        (error) =>
          error instanceof WireError && error.code === code && error.message.includes('Another server'),
      )
    there.close()

    const killedAt = performance.now()
    await home.end('SIGKILL')
    for (const client of clients) await client.gone()
    const comeBack = async (id: string): Promise<void> => {
      for (;;) {
        const again = connect(other, id)
        // A line that is cut meanwhile is tried again, as clients do.
        const cut = again.gone().then(() => false)
        if (await Promise.race([again.join().then(() => true), cut]).catch(() => false)) return
        assert.ok(performance.now() - killedAt < 60_000, `${id} did not come back`)
      }
    }
    await Promise.all(['ann', 'bob'].map(comeBack))
    t.diagnostic(`all were back after ${Math.round(performance.now() - killedAt)} ms`)
    const { data } = (await other.rest('GET', ongoing)).body
    assert.deepEqual(
      data.map(({ id }: { id: string }) => id),
      [sessionId],
    )
    await assert.rejects(connect(other, 'eve').join(), /removed/)
    assert.deepEqual(await homes(), [{ node_id: '127.0.0.3' }])
  },
)
