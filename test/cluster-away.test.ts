/** Two nodes whose PostgreSQL is really stopped: meetings go on, and those inside come back by way of either node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './support/ports.ts'
import { OwnPostgres, runSql, withoutOwnPostgres } from './support/postgres.ts'
import { ADMIN_KEY, TestServer } from './support/test-server.ts'

const LEASE_MS = 4000
const PATIENCE_MS = 60_000

test(
  'while PostgreSQL is away, both nodes stay ready, and those inside come back',
  { skip: withoutOwnPostgres },
  async (t) => {
    const database = await OwnPostgres.start()
    await runSql(database.admin, 'create database anteroom')
    const clusterPort = await freePorts(1)
    const nodes: TestServer[] = []
    t.after(async () => {
      for (const node of nodes) await node.stop()
      await database.stop()
    })
    for (const last of [2, 3])
      nodes.push(
        await TestServer.start({
          databaseUrl: database.urlOf('anteroom'),
          masterKey: Buffer.alloc(32, 7),
          nodeAddress: `127.0.0.${last}`,
          clusterPort,
          sessionGraceSeconds: 60,
          logLevel: 'silent',
        }),
      )
    const [home, other] = nodes as [TestServer, TestServer]
    const readyAt = async (node: TestServer): Promise<{ status: number; body: any }> => {
      const answer = await fetch(`${node.url}/health/ready`)
      return { status: answer.status, body: await answer.json() }
    }
    const meetingId = await home.createMeeting()
    const token = home.token(['allow_join'])
    const connect = (node: TestServer, participantId: string) =>
      node.connect({ token, meetingId, participantId })
    const ann = connect(home, 'ann')
    await ann.join()
    const bob = connect(other, 'bob')
    await bob.join()
    // The other node learns how many people there are from the leases.
    for (const asked of nodes) assert.equal((await readyAt(asked)).status, 200)
    const toldOfPeople = async (node: TestServer): Promise<boolean> => {
      const answer = await fetch(`${node.url}/v2/admin/status`, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      })
      const { nodes: told } = (await answer.json()) as { nodes: { participants: number }[] }
      return told.some(({ participants }) => participants === 2)
    }
    for (const node of nodes) while (!(await toldOfPeople(node))) await delay(50)

    await database.end('SIGQUIT')
    const awayAt = performance.now()
    for (const node of nodes) {
      const { status, body } = await readyAt(node)
      assert.equal(status, 200)
      assert.deepEqual(body.missing, [])
      assert.equal(body.troubled[0]?.part, 'store')
    }
    // Longer than a lease: nobody takes or drops a meeting.
    while (performance.now() - awayAt < 1.5 * LEASE_MS) await delay(100)
    for (const [node, id, client] of [
      [other, 'bob', bob],
      [home, 'bob', undefined],
      [other, 'ann', ann],
    ] as const) {
      client?.close()
      await connect(node, id).join()
    }
    // A node that has no meeting finds out where it is; who was not inside is told to try again.
    await connect(other, 'eve').hears('error', ({ name }) => name === 'STORE_UNAVAILABLE')

    await database.run()
    for (const startedAt = performance.now(); ;) {
      const eve = connect(other, 'eve')
      // A line that is cut meanwhile is tried again, as clients do.
      const cut = Promise.race([eve.gone(), delay(LEASE_MS)]).then(() => false)
      if (await Promise.race([eve.join().then(() => true), cut]).catch(() => false)) break
      assert.ok(performance.now() - startedAt < PATIENCE_MS, 'nobody could join when it was back')
      await delay(100)
    }
    const homes = await runSql(database.urlOf('anteroom'), 'select node_id from homes')
    assert.deepEqual(homes, [{ node_id: '127.0.0.2' }], 'it stayed where it was')
  },
)
