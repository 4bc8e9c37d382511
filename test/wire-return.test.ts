/** Coming back with an expired token: clients send the same token as long as they run. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './support/test-server.ts'
import type { WireClient } from './support/wire-client.ts'

const HOUR_MS = 3_600_000

let server: TestServer
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 600 })
})
after(() => server.stop())

async function refusedAtDoor(options: Parameters<TestServer['connect']>[0]): Promise<void> {
  const stranger = server.connect(options)
  assert.equal((await stranger.hears('error')).code, 4002)
  await stranger.gone()
}

test('an expired token brings back who was in the session with it, and nobody else', async () => {
  const meetingId = await server.createMeeting()
  const other = await server.createMeeting()
  const direct = { token: server.token(['allow_join']), meetingId, participantId: 'ann' }
  const asks = { token: server.token(['ask_join']), meetingId, participantId: 'guest' }
  const unused = server.token(['allow_join'])

  const ann = server.connect(direct)
  await ann.join()
  const guest = server.connect(asks)
  await guest.enter()
  await ann.hears('entryRequested')
  await ann.request('respondEntry', { id: 'guest', decision: 'allowed' })
  await guest.hears('entryResponded')
  await guest.finishJoin()

  server.aheadMs = 2 * HOUR_MS
  // A participant who is inside stays.
  await ann.request('changeDisplayName', { displayName: 'Ann' })
  await guest.hears('peerDisplayNameChanged')
  await refusedAtDoor({ ...direct, token: unused, participantId: 'eve' })
  await refusedAtDoor({ ...direct, token: unused })
  await refusedAtDoor({ ...direct, participantId: 'eve' })
  await refusedAtDoor({ ...direct, meetingId: other })
  await refusedAtDoor({ ...direct, token: `${direct.token.slice(0, -4)}AAAA` })

  const back: WireClient[] = []
  const comeBack = async (): Promise<void> => {
    for (const options of [direct, asks]) {
      const again = server.connect(options)
      await again.join()
      back.push(again)
    }
  }
  await comeBack()
  await server.restart()
  await comeBack()
  for (const client of back) client.close()
  assert.equal((await server.rest('POST', '/v2/sessions/end', { roomId: meetingId })).status, 200)
  await refusedAtDoor(direct)
})
