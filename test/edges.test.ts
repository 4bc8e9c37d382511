/** One meeting over several nodes: its home, and the edges that have some of its people. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Crowd } from './support/crowd.ts'
import { freePorts } from './support/ports.ts'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, signAnything } from './support/test-server.ts'

const MASTER_KEY = Buffer.alloc(32, 7)
const CAMERA = { audioBitrate: 32_000, videoBitrate: 200_000 }
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

let database: { url: string; drop: () => Promise<void> }
let home: RealServer
let edge: RealServer

/** Waits until a node knows that this many have media workers: others are no edges. */
async function known(node: RealServer, nodes: number): Promise<void> {
  for (;;) {
    const { body } = await node.rest('GET', '/v2/admin/status', undefined, `Bearer ${ADMIN_KEY}`)
    if (body.nodes.filter(({ mediaWorkers }: any) => mediaWorkers > 0).length >= nodes) return
    await delay(100)
  }
}

before(async () => {
  if (withoutPostgres !== false) return
  database = await makeDatabase()
  const clusterPort = String(await freePorts(1))
  const start = (last: number) =>
    RealServer.start({
      DATABASE_URL: database.url,
      MASTER_KEY: MASTER_KEY.toString('hex'),
      ADMIN_KEY,
      CLUSTER_PORT: clusterPort,
      NODE_ADDRESS: `127.0.0.${last}`,
      MEDIA_WORKERS: '1',
      EDGES: 'spread',
    })
  home = await start(2)
  edge = await start(3)
  await known(home, 2)
})
after(async () => {
  if (withoutPostgres !== false) return
  await Promise.all([home.stop(), edge.stop()])
  await database.drop()
})

test(
  'people at an edge and people at the home see and hear each other',
  { skip: withoutPostgres },
  async () => {
    const crowd = new Crowd(await home.createMeeting(), token)
    try {
      await crowd.join(home.url, 'ann', CAMERA)
      await crowd.join(edge.url, 'bob', CAMERA)
      assert.notEqual(crowd.people.get('ann')!.port, crowd.people.get('bob')!.port)
      await crowd.flows('bob', 2)
      await crowd.flows('ann', 2)
    } finally {
      await crowd.close()
    }
    assert.deepEqual([...home.failures, ...edge.failures], [])
  },
)
