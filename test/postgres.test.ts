/** The whole server over PostgreSQL: stored data survives a restart. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { TestServer } from './support/test-server.ts'

test(
  'a token, a meeting and a join over PostgreSQL, also after a restart',
  { skip: withoutPostgres },
  async (t) => {
    const database = await makeDatabase()
    const server = await TestServer.start({ databaseUrl: database.url, sessionGraceSeconds: 1 })
    t.after(async () => {
      await server.stop()
      await database.drop()
    })
    const made = await server.rest('POST', '/v2/rooms', { customRoomId: 'over-postgres' })
    assert.equal(made.status, 200)
    const { roomId } = made.body
    const token = server.token(['allow_join', 'allow_mod'])
    const ann = server.connect({ token, meetingId: roomId, participantId: 'ann', name: 'Ann' })
    await ann.join()
    const bob = server.connect({ token, meetingId: 'over-postgres', participantId: 'bob', name: 'Bob' })
    await bob.join()
    await ann.hears('newPeer')
    const said = { topic: 'CHAT', message: 'kept', persist: true, senderName: 'x' }
    assert.equal((await server.rest('POST', `/v2/rooms/${roomId}/messages`, said)).status, 200)
    const ended = server.sessionEnded(roomId)
    assert.equal((await server.rest('POST', '/v2/sessions/end', { roomId })).status, 200)
    await ended
    assert.equal(existsSync(join(server.config.dataDir, 'anteroom.db')), false)

    await server.restart()
    const { body } = await server.rest('GET', `/v2/sessions?roomId=${roomId}`)
    assert.equal(body.data.length, 1)
    assert.deepEqual(
      body.data[0].participants.map(({ name }: { name: string }) => name),
      ['Ann', 'Bob'],
    )
    assert.equal((await server.rest('GET', `/v2/rooms/over-postgres`)).body.roomId, roomId)
    assert.equal((await fetch(`${server.url}/health`)).status, 200)
  },
)

for (const [kind, skip] of [
  ['SQLite', false],
  ['PostgreSQL', withoutPostgres],
] as const)
  test(`U+0000 is refused at every door, and cleaned out of a name (${kind})`, { skip }, async (t) => {
    const database = kind === 'PostgreSQL' ? await makeDatabase() : undefined
    const server = await TestServer.start(database ? { databaseUrl: database.url } : {})
    t.after(async () => {
      await server.stop()
      await database?.drop()
    })
    const roomId = await server.createMeeting()
    const token = server.token(['allow_join'])
    const ann = server.connect({ token, meetingId: roomId, participantId: 'ann', name: 'A\0nn' })
    const { self } = await ann.join()
    assert.equal(self.displayName, 'A nn')
    const message = { topic: 'CHAT', message: 'a\0b', persist: true, senderName: 'x' }
    for (const [path, body] of [
      ['/v2/rooms', { customRoomId: 'a\0b' }],
      [`/v2/rooms/${roomId}/messages`, message],
      [`/v2/rooms/${roomId}/messages`, { ...message, message: 'a', topic: '\0' }],
    ] as const) {
      const { status } = await server.rest('POST', path, body)
      assert.equal(status, 400, path)
    }
    const { status } = await server.rest('GET', `/v2/rooms/a%00b`)
    assert.equal(status, 400)
    const marked = server.token(['allow_join'], { jti: 'a\0b' })
    const refused = server.connect({ token: marked, meetingId: roomId, participantId: 'p' })
    assert.equal((await refused.hears('error')).code, 4002)
  })
