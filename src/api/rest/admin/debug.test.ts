/** The operator can see the state of a meeting's media, and nobody else can. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sampleDtlsParameters, sampleRtpParameters } from '../../../../test/support/rtp-samples.ts'
import type { MeetingInspection } from '../../../protocol/rest/debug.ts'
import { TestServer } from '../../../../test/support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

async function inspect(meetingId: string): Promise<MeetingInspection> {
  const { status, body } = await server.admin('GET', `/v2/admin/debug/meetings/${meetingId}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

test('no token opens the debug view, and an unknown meeting is refused', async () => {
  const meetingId = await server.createMeeting()
  const path = `/v2/admin/debug/meetings/${meetingId}`
  for (const token of [
    '',
    server.token(['allow_join', 'allow_mod']),
    server.token(['allow_mod'], { roles: ['crawler'] }),
    `Bearer ${server.token(['allow_mod'], { roomId: meetingId })}`,
  ])
    assert.equal((await server.rest('GET', path, undefined, token)).status, 401)
  const { status, body } = await server.admin('GET', '/v2/admin/debug/meetings/aaaa-bbbb-cccc')
  assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
})

test('an empty meeting has no members', async () => {
  const meetingId = await server.createMeeting()
  assert.deepEqual(await inspect(meetingId), { meetingId, sessionId: null, members: [] })
})

test('shows each member with its connection, what it sends and receives, and no secret', async () => {
  const meetingId = await server.createMeeting()
  const connect = (participantId: string) =>
    server.connect({ token: server.token(['allow_join']), meetingId, participantId, name: participantId })
  const [ann, bob, eve] = [connect('ann'), connect('bob'), connect('eve')]
  await ann.join()
  await bob.join()
  // Eve is admitted, but has not sent `join`.
  await eve.enter()
  await eve.hears('entryResponded')
  await ann.request('connectWebRtcTransport', {
    transportId: ann.transports.send,
    dtlsParameters: sampleDtlsParameters(),
  })
  const { id: producerId } = await ann.request('produce', {
    transportId: ann.transports.send,
    kind: 'video',
    rtpParameters: sampleRtpParameters('video', { layers: 3 }),
    appData: { share: true },
  })
  const { id: consumerId } = await bob.hears('request:newConsumer')
  await bob.request('pauseConsumer', { consumerId })

  const { members, sessionId } = await inspect(meetingId)
  assert.equal(typeof sessionId, 'string')
  assert.deepEqual(
    members.map(({ memberId, kind, joined }) => [memberId, kind, joined]),
    [
      ['ann', 'person', true],
      ['bob', 'person', true],
      ['eve', 'person', false],
    ],
  )
  const [ofAnn, ofBob] = members
  assert.deepEqual(
    ofAnn!.transports.map(({ direction, ice, dtls, selectedPair }) => [
      direction,
      ice,
      dtls,
      selectedPair?.remoteAddress,
    ]),
    [
      ['send', 'completed', 'connected', '127.0.0.1'],
      ['receive', 'new', 'new', undefined],
    ],
  )
  assert.deepEqual(
    ofAnn!.producers.map((one) => [one.producerId, one.kind, one.paused]),
    [[producerId, 'share', false]],
  )
  assert.deepEqual(
    ofBob!.consumers.map((one) => [one.consumerId, one.producerId, one.ownerId, one.kind, one.paused]),
    [[consumerId, producerId, 'ann', 'share', { byProducer: false, byClient: true, byServer: false }]],
  )
  assert.doesNotMatch(JSON.stringify(members), /eyJ|password|fingerprint|usernameFragment|ticket/)
})
