/** An orderly stop: everybody is told the reason, nobody is removed, and all return to the same session. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from '../support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

test('a stop tells everybody inside and in the lobby why, and makes them come back', async () => {
  const meetingId = await server.createMeeting()
  const [token, asks] = [server.token(['allow_join']), server.token(['ask_join'])]
  const at = (participantId: string, its = token) => server.connect({ token: its, meetingId, participantId })
  const [ann, bob, gone, guest] = [at('ann'), at('bob'), at('gone'), at('guest', asks)]
  const { self } = await ann.join()
  await bob.join()
  await gone.join()
  await guest.enter()
  await ann.hears('entryRequested')

  await server.restart()
  for (const client of [ann, bob, gone, guest]) {
    const { code, name, message } = await client.hears('error')
    assert.deepEqual([code, name], [5000, 'SERVER_STOPPING'])
    assert.match(String(message), /is restarting/)
    // Like a lost connection, because a client does not reconnect after `close` or after a disconnect by the server.
    assert.equal((await client.hears('disconnect')).reason, 'transport close')
    assert.equal(client.closed, undefined)
    assert.ok(!client.heard.some(({ method }) => method === 'peerClosed'))
  }

  const [annAgain, bobAgain] = [at('ann'), at('bob')]
  assert.equal((await annAgain.join()).self.sessionId, self.sessionId)
  await bobAgain.join()
  await at('guest', asks).enter()
  await annAgain.hears('entryRequested', ({ id }) => id === 'guest')
  // Clients that keep their list of participants are told who did not return; returned participants stay in the list.
  const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
  assert.deepEqual(body.participants.map(({ participantId }: any) => participantId).sort(), ['ann', 'bob'])
  await bobAgain.hears('peerClosed', ({ peerId }) => peerId === 'gone')
  assert.ok(!bobAgain.heard.some(({ method, peerId }) => method === 'peerClosed' && peerId !== 'gone'))
})
