/** Streams offered to a client that answers slowly, and what the others are told about a paused stream. */
import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { TestServer } from './support/test-server.ts'
import type { WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

async function join(
  meetingId: string,
  participantId: string,
  permissions = ['allow_join'],
): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId })
  await client.join()
  return client
}

const produce = async (client: WireClient, kind: 'audio' | 'video'): Promise<string> => {
  const { id } = await client.request('produce', {
    transportId: client.transports.send,
    kind,
    rtpParameters: sampleRtpParameters(kind),
  })
  return id
}

/** Delays the answers to this event until the returned function is called. */
function holds(client: WireClient, event: string): (answer?: unknown) => void {
  let give: (answer?: unknown) => void = () => undefined
  const held = new Promise<unknown>((resolve) => (give = resolve))
  client.answers.set(event, () => held)
  return (answer) => {
    client.answers.delete(event)
    give(answer)
  }
}

/** Waits until all messages in both directions so far have arrived. */
const caughtUp = (client: WireClient): Promise<unknown> => client.request('getRouterRtpCapabilities')

const count = (client: WireClient, method: string): number =>
  client.heard.filter((heard) => heard.method === method).length

const resumed = (consumerId: unknown): boolean =>
  server.sfu.calls.some(({ method, id }) => method === 'resumeConsumer' && id === consumerId)

test('a client that answers an offer after twelve seconds receives the stream', async (t) => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newConsumer')
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  await produce(ann, 'video')
  const { id } = await bob.hears('request:newConsumer')
  mock.timers.tick(12_000)
  await caughtUp(bob)
  assert.equal(count(bob, 'consumerClosed'), 0)
  assert.equal(resumed(id), false)
  wake()
  await caughtUp(bob)
  assert.equal(count(bob, 'consumerClosed'), 0)
  assert.equal(resumed(id), true)
})

test('changes of an offered stream are reported when the client has accepted it', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newConsumer')
  const [audio, video] = [await produce(ann, 'audio'), await produce(ann, 'video')]
  const [heard, seen] = [
    await bob.hears('request:newConsumer', ({ kind }) => kind === 'audio'),
    await bob.hears('request:newConsumer', ({ kind }) => kind === 'video'),
  ]
  await ann.request('pauseProducer', { producerId: audio })
  await ann.request('closeProducer', { producerId: video })
  await bob.hears('participantMediaStateChanged', ({ kind, newState }) => kind === 'video' && !newState)
  await caughtUp(bob)
  assert.deepEqual([count(bob, 'consumerPaused'), count(bob, 'consumerClosed')], [0, 0])
  wake()
  await bob.hears('consumerPaused', ({ consumerId }) => consumerId === heard.id)
  await bob.hears('consumerClosed', ({ consumerId }) => consumerId === seen.id)
  await ann.request('resumeProducer', { producerId: audio })
  await bob.hears('consumerResumed', ({ consumerId }) => consumerId === heard.id)
  assert.equal(resumed(seen.id), false)
})

test('a participant leaves while an offer is open: the stream is closed when the client has answered', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newConsumer')
  await produce(ann, 'video')
  const { id } = await bob.hears('request:newConsumer')
  ann.close()
  await bob.hears('peerClosed', ({ peerId }) => peerId === 'ann')
  await caughtUp(bob)
  assert.equal(count(bob, 'consumerClosed'), 0)
  wake()
  await bob.hears('consumerClosed', ({ consumerId }) => consumerId === id)
})

test('pausing all and resuming one before the answer apply after it', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newConsumer')
  await produce(ann, 'audio')
  await produce(ann, 'video')
  const [heard, seen] = [
    await bob.hears('request:newConsumer', ({ kind }) => kind === 'audio'),
    await bob.hears('request:newConsumer', ({ kind }) => kind === 'video'),
  ]
  await bob.request('pauseAllConsumers', { kind: 'all' })
  await bob.request('resumeConsumer', { consumerId: seen.id })
  assert.equal(resumed(seen.id), false, 'the client has not taken it yet')
  wake()
  await caughtUp(bob)
  assert.deepEqual([resumed(heard.id), resumed(seen.id)], [false, true])
})

test('a stream that the client refuses is closed, and offered again on request', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const refuse = holds(bob, 'newConsumer')
  await produce(ann, 'video')
  const { id } = await bob.hears('request:newConsumer')
  refuse({ errorCode: 403, message: 'I do not want to consume' })
  await bob.hears('consumerClosed', ({ consumerId }) => consumerId === id)
  await bob.request('consumeVideoStreams', { peerId: 'ann' })
  const again = await bob.hears('request:newConsumer', (offer) => offer.id !== id)
  await caughtUp(bob)
  assert.equal(resumed(again.id), true)
})

test('the end of offered data is reported when the client has answered', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newDataConsumer')
  await ann.request('produceData', {
    transportId: ann.transports.send,
    sctpStreamParameters: { streamId: 0, ordered: true },
  })
  const { id } = await bob.hears('request:newDataConsumer')
  ann.close()
  await bob.hears('peerClosed')
  await caughtUp(bob)
  assert.equal(count(bob, 'dataConsumerClosed'), 0)
  wake()
  await bob.hears('dataConsumerClosed', ({ dataConsumerId }) => dataConsumerId === id)
})

test('a new receiving transport while an offer is open: one stream, over the new one', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const wake = holds(bob, 'newConsumer')
  await produce(ann, 'video')
  const first = await bob.hears('request:newConsumer')
  await bob.request('createWebRtcTransport', { producing: false, consuming: true })
  await bob.request('rejoinMedia', { rtpCapabilities: await bob.request('getRouterRtpCapabilities') })
  const second = await bob.hears('request:newConsumer', ({ id }) => id !== first.id)
  wake()
  await bob.hears('consumerClosed', ({ consumerId }) => consumerId === first.id)
  await caughtUp(bob)
  assert.deepEqual([resumed(first.id), resumed(second.id)], [false, true])
  assert.equal(count(bob, 'request:newConsumer'), 2)
})

test('a stream switched off by a moderator is reported immediately, and stays on if switched on meanwhile', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann', ['allow_join', 'allow_mod']), await join(meetingId, 'bob')]
  const wake = holds(bob, 'disableMic')
  const first = await produce(bob, 'audio')
  await ann.hears('participantMediaStateChanged', ({ newState }) => newState === true)
  const stopping = ann.request('disablePeerMic', { peerId: 'bob' })
  await ann.hears('participantMediaStateChanged', ({ peerId, newState }) => peerId === 'bob' && !newState)
  await ann.hears('consumerPaused')
  const second = await produce(bob, 'audio')
  wake()
  await stopping
  const closed = (producerId: string): boolean =>
    server.sfu.calls.some(({ method, id }) => method === 'closeProducer' && id === producerId)
  assert.deepEqual([closed(first), closed(second)], [true, false])
  const late = await join(meetingId, 'late')
  await late.hears(
    'participantMediaStateChanged',
    ({ peerId, newState }) => peerId === 'bob' && newState === true,
  )
  const states = ann.heard.filter(({ method }) => method === 'participantMediaStateChanged')
  assert.deepEqual(
    states.map(({ newState }) => newState),
    [true, false, true],
  )
})

test('pausing a relayed stream at its source is reported in the other meeting', async () => {
  const [first, second] = [await server.createMeeting(), await server.createMeeting()]
  const [ann, host] = [await join(first, 'ann'), await join(second, 'host')]
  const producerId = await produce(ann, 'audio')
  await ann.request('mediaRelayRequestSent', { meetingId: second, secret: server.token(['allow_join']) })
  await host.hears('mediaRelayRequestReceived')
  await host.request('respondToMediaRelayRequest', { peerId: 'ann', meetingId: first, decision: 'allowed' })
  await host.hears('request:newConsumer')
  const state = (wanted: boolean) =>
    host.hears('participantMediaStateChanged', ({ newState }) => newState === wanted)
  await state(true)
  await ann.request('pauseProducer', { producerId })
  await state(false)
  await host.hears('consumerPaused')
})
