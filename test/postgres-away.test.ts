/**
 * A meeting over a PostgreSQL that is really stopped: what continues, what is refused, and what is saved when it is
 * back.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { OwnPostgres, runSql, withoutOwnPostgres } from './support/postgres.ts'
import { TestServer } from './support/test-server.ts'
import { WireError } from './support/wire-client.ts'

const PATIENCE_MS = 120_000
/** `npm run attack:away` sets thirty. */
const AWAY_MS = 1000 * Number(process.env.TEST_AWAY_SECONDS ?? 0)
let database: OwnPostgres
let server: TestServer

before(async () => {
  if (withoutOwnPostgres !== false) return
  database = await OwnPostgres.start()
  await runSql(database.admin, 'create database anteroom')
  server = await TestServer.start({ databaseUrl: database.urlOf('anteroom'), logLevel: 'silent' })
})
after(async () => {
  if (withoutOwnPostgres !== false) return
  await server.stop()
  await database.stop()
})

const unsaved = (thrown: unknown): boolean =>
  thrown instanceof WireError && thrown.errorName === 'STORE_UNAVAILABLE'

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) assert.fail(`never: ${what}`)
    await delay(100)
  }
}

test(
  'while PostgreSQL is away a meeting continues, those inside come back, and newcomers are told to try again',
  { skip: withoutOwnPostgres, timeout: 600_000 },
  async () => {
    const roomId = await server.createMeeting()
    const token = server.token(['allow_join', 'allow_mod'])
    const person = (participantId: string) => server.connect({ token, meetingId: roomId, participantId })
    const [ann, bob, leaver] = [person('ann'), person('bob'), person('leaver')]
    const { self } = await ann.join()
    await bob.join()
    await leaver.join()
    const [denied, waiting] = ['denied', 'waiting'].map((participantId) =>
      server.connect({ token: server.token(['ask_join']), meetingId: roomId, participantId }),
    )
    for (const guest of [denied!, waiting!]) {
      await guest.enter()
      await ann.hears('entryRequested', ({ id }) => id === guest.participantId)
    }

    await database.end('SIGQUIT')
    const awaySince = performance.now()
    for (const [method, path, body] of [
      ['POST', '/v2/rooms', {}],
      ['GET', `/v2/rooms/${roomId}`, undefined],
      ['GET', '/v2/sessions', undefined],
      ['POST', '/v2/rooms/deactivate', { roomId }],
      ['POST', '/v2/invites', { roomId, entry: 'direct' }],
      [
        'POST',
        `/v2/rooms/${roomId}/messages`,
        { topic: 'CHAT', message: 'kept', persist: true, senderName: 'x' },
      ],
      ['POST', '/v2/sessions/end', { roomId }],
      ['POST', '/v2/sessions/participants/remove', { roomId, participantId: 'bob' }],
    ] as const) {
      const answer = await server.rest(method, path, body)
      assert.deepEqual([answer.status, answer.body.code], [503, 'STORE_UNAVAILABLE'], `${method} ${path}`)
    }
    const health = await fetch(`${server.url}/health`)
    assert.equal(health.status, 503)
    assert.equal((await health.json()).store.reason, 'The database server does not answer.')
    await assert.rejects(ann.request('removePeer', { peerId: 'bob' }), unsaved)
    await assert.rejects(ann.request('closeRoom'), unsaved)
    await assert.rejects(ann.request('respondEntry', { id: 'waiting', decision: 'allowed' }), unsaved)
    await ann.request('respondEntry', { id: 'denied', decision: 'denied' })
    assert.equal((await denied!.hears('entryResponded')).decision, 'denied')

    // The published client returns after its line is cut, but leaves the meeting if its connection is closed.
    const late = person('late')
    assert.equal((await late.hears('error')).name, 'STORE_UNAVAILABLE')
    await until(() => Promise.resolve(!late.socket.connected), 'the newcomer is cut off')
    assert.equal(late.closed, undefined)

    // Participants inside receive each other; those who left are gone, and one who lost the connection is back.
    await ann.request('changeDisplayName', { displayName: 'Ann, without a database' })
    await bob.hears('peerDisplayNameChanged')
    leaver.close()
    await ann.hears('peerClosed')
    bob.socket.disconnect()
    const bobAgain = person('bob')
    const back = await bobAgain.join()
    assert.equal(back.self.sessionId, self.sessionId)
    await ann.request('changeDisplayName', { displayName: 'Ann' })
    await bobAgain.hears('peerDisplayNameChanged')

    await delay(AWAY_MS - (performance.now() - awaySince))
    await database.run()
    await until(async () => (await fetch(`${server.url}/health`)).status === 200, 'the store works again')
    await ann.request('respondEntry', { id: 'waiting', decision: 'allowed' })
    assert.equal((await waiting!.hears('entryResponded')).decision, 'allowed')
    waiting!.close()
    await person('late').join()
    const { body } = await server.rest('POST', '/v2/sessions/end', { roomId })
    assert.equal(body.code, undefined, JSON.stringify(body))
    const stays = async (): Promise<[string, number, boolean][]> => {
      const answer = await server.rest('GET', `/v2/sessions/${self.sessionId}`)
      return answer.body.participants
        .map((one: any): [string, number, boolean] => [
          one.participantId,
          one.timelog.length,
          one.timelog.every((log: any) => log.end !== null),
        ])
        .toSorted()
    }
    const expected = [
      ['ann', 1, true],
      ['bob', 2, true],
      ['late', 1, true],
      ['leaver', 1, true],
    ]
    await until(
      async () => JSON.stringify(await stays()) === JSON.stringify(expected),
      'all stays are whole',
    ).catch(async () => assert.deepEqual(await stays(), expected))
  },
)
