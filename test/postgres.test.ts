/** The whole server over PostgreSQL: what it keeps survives a restart. */
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
