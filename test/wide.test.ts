/** One meeting on several media workers, and what its participants are told. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createFakeSfu } from '../src/media/fake/sfu.ts'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { TestServer } from './support/test-server.ts'
import type { WireClient } from './support/wire-client.ts'

const sfu = createFakeSfu({ workers: 3, placement: 'spread' })
let server: TestServer

before(async () => {
  server = await TestServer.start({}, { sfu })
})
after(() => server.stop())

const produce = async (client: WireClient): Promise<string> => {
  const { id } = await client.request('produce', {
    transportId: client.transports.send,
    kind: 'audio',
    rtpParameters: sampleRtpParameters('audio'),
  })
  return id
}

test('when a media worker dies, its members rebuild their media, and the others only lose those streams', async () => {
  const meetingId = await server.createMeeting()
  const people: WireClient[] = []
  for (const participantId of ['ann', 'bob', 'cat']) {
    const client = server.connect({
      token: server.token(['allow_join']),
      meetingId,
      participantId,
      own: true,
    })
    await client.join()
    people.push(client)
  }
  const [ann, bob, cat] = people as [WireClient, WireClient, WireClient]
  // They joined one after the other, so each is on the worker of its number.
  const [voice] = [await produce(bob), await produce(ann)]
  const consumers = await Promise.all(
    [ann, cat].map((client) => client.hears('request:newConsumer', ({ peerId }) => peerId === 'bob')),
  )
  sfu.kill(1)
  await bob.hears('mediaReset')
  await Promise.all(
    [ann, cat].map((client, at) =>
      client.hears('consumerClosed', ({ consumerId }) => consumerId === consumers[at]!.id),
    ),
  )
  await ann.hears(
    'participantMediaStateChanged',
    ({ peerId, newState }) => peerId === 'bob' && newState === false,
  )

  // Bob returns by himself, and the others receive his streams as before.
  for (const producing of [true, false]) {
    const { id } = await bob.request('createWebRtcTransport', { producing, consuming: !producing })
    bob.transports[producing ? 'send' : 'receive'] = id
  }
  await bob.request('rejoinMedia', { rtpCapabilities: await bob.request('getRouterRtpCapabilities') })
  await bob.hears('request:newConsumer', ({ peerId }) => peerId === 'ann')
  const again = await produce(bob)
  assert.notEqual(again, voice)
  for (const client of [ann, cat]) {
    await client.hears('request:newConsumer', ({ producerId }) => producerId === again)
    assert.ok(!client.heard.some(({ method }) => method === 'mediaReset'))
    assert.equal(client.closed, undefined)
  }
})
