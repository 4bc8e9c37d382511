/** Meetings that accept only end-to-end encrypted media. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { TestServer } from './support/test-server.ts'
import type { WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

async function join(meetingId: string, participantId: string): Promise<WireClient> {
  const client = server.connect({ token: server.token(['allow_join']), meetingId, participantId })
  await client.join()
  return client
}

const produce = (client: WireClient, appData?: object): Promise<{ id: string }> =>
  client.request('produce', {
    transportId: client.transports.send,
    kind: 'video',
    rtpParameters: sampleRtpParameters('video'),
    ...(appData && { appData }),
  })

test('a meeting has the encryption it was created with', async () => {
  const created = await server.rest('POST', '/v2/rooms', { encryption: 'required' })
  assert.equal(created.body.encryption, 'required')
  const { roomId } = created.body
  assert.equal((await server.rest('GET', `/v2/rooms/${roomId}`)).body.encryption, 'required')
  assert.equal((await server.rest('POST', '/v2/rooms', {})).body.encryption, 'optional')
  assert.equal((await server.rest('POST', '/v2/rooms', { encryption: 'sometimes' })).status, 400)
  const { body } = await server.rest('POST', '/infra/v1/meetings/init-config', { roomId })
  assert.equal(body.data.encryption, 'required')
})

for (const [name, appData] of [
  ['without a mark', undefined],
  ['with a mark that is no boolean', { isEncrypted: 'true' }],
] as const)
  test(`a client that sends ${name} is told why, and is out`, async () => {
    const meetingId = await server.createMeeting({ encryption: 'required' })
    const [ann, ben] = [await join(meetingId, 'ann'), await join(meetingId, 'ben')]
    await assert.rejects(produce(ben, appData), /encrypt/)
    assert.match(String((await ben.hears('error')).message), /encrypt/)
    await ben.hears('close')
    await ann.hears('peerClosed', ({ peerId }) => peerId === 'ben')
    assert.deepEqual(ann.requested, [], 'nobody is offered the stream')
  })

test('marked streams are delivered with their mark', async () => {
  const meetingId = await server.createMeeting({ encryption: 'required' })
  const [ann, ben] = [await join(meetingId, 'ann'), await join(meetingId, 'ben')]
  await produce(ben, { isEncrypted: true })
  const { appData } = await ann.hears('request:newConsumer')
  assert.deepEqual(appData, { isEncrypted: true })
})

test('somebody who comes from another meeting brings no plain stream', async () => {
  const from = await server.createMeeting()
  const meetingId = await server.createMeeting({ encryption: 'required' })
  const ann = await join(meetingId, 'ann')
  const ben = await join(from, 'ben')
  await produce(ben)
  await produce(ben, { isEncrypted: true, share: true })
  await ben.request('switchToMeeting', { meetingId, secret: server.token(['allow_join']) })
  await ben.hears('entryResponded', ({ switchingRoomId }) => switchingRoomId === meetingId)
  await ben.request('join', { switchingRoom: true })
  const { appData } = await ann.hears('request:newConsumer')
  assert.deepEqual(appData, { isEncrypted: true, share: true })
  await ann.request('getRouterRtpCapabilities')
  assert.equal(ann.requested.filter(({ event }) => event === 'newConsumer').length, 1)
})
