/** The rare messages of the wire, through the socket, because a browser would show less than the messages do. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { absentServices } from '../src/protocol/requests.ts'
import type { LocalHome } from '../src/meeting/home.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({ maxStoreKeys: 12, maxRequestsPerSecond: 1000 })
})
after(() => server.stop())

async function join(
  meetingId: string,
  participantId: string,
  permissions = ['allow_join'],
  data: Record<string, unknown> = {},
): Promise<WireClient> {
  const client = server.connect({
    token: server.token(permissions),
    meetingId,
    participantId,
    name: participantId,
  })
  await client.join(data)
  return client
}

const produce = async (client: WireClient, kind: 'audio' | 'video', appData = {}): Promise<string> => {
  const { id } = await client.request('produce', {
    transportId: client.transports.send,
    kind,
    rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
    appData,
  })
  return id
}

const refused = (code: number) => (error: unknown) => error instanceof WireError && error.code === code

test('streams: paused, resumed, given a priority', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const producerId = await produce(ann, 'audio')
  const consumer = await bob.hears('request:newConsumer')
  assert.deepEqual([consumer.peerId, consumer.producerId], ['ann', producerId])
  const consumerId = consumer.id
  for (const method of ['pauseConsumer', 'resumeConsumer', 'requestConsumerKeyFrame']) {
    await bob.request(method, { consumerId })
    await assert.rejects(ann.request(method, { consumerId }), refused(404), method)
  }
  await bob.request('setConsumerPriority', { consumerId, priority: 200 })
  await assert.rejects(bob.request('setConsumerPriority', { consumerId, priority: 0 }), refused(5000))
  await ann.request('pauseProducer', { producerId })
  await bob.hears('consumerPaused')
  await bob.hears('participantMediaStateChanged', ({ newState }) => newState === false)
  await ann.request('resumeProducer', { producerId })
  await bob.hears('consumerResumed')
  await assert.rejects(bob.request('pauseProducer', { producerId }), refused(404))
  await ann.request('produceError', { mediaType: 'video', message: 'no camera' })
  const stats = await bob.request('getTransportStats', { peerId: 'ann' })
  assert.equal(typeof stats.send.stats.sendBitrate, 'number')
  await bob.request('stopConsumingAudioStreams', { peerId: 'ann' })
  await bob.hears('consumerClosed', (heard) => heard.consumerId === consumerId)
  await bob.request('consumeAudioStreams', { peerId: 'ann' })
  await bob.hears('request:newConsumer', ({ id }) => id !== consumerId)
  await assert.rejects(bob.request('consumeAudioStreams', { peerId: 'nobody' }), refused(404))
})

test('transports: ICE is restarted', async () => {
  const ann = await join(await server.createMeeting(), 'ann')
  const transportId = ann.transports.send
  const first = await ann.request('restartIce', { transportId })
  const second = await ann.request('restartIce', { transportId })
  assert.notEqual(first.usernameFragment, second.usernameFragment)
  await ann.request('iceRestarted', { transportId })
  await assert.rejects(ann.request('restartIce', { transportId: 'none' }), refused(404))
})

test('data streams: announced, counted, closed', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const asked = {
    transportId: ann.transports.send,
    sctpStreamParameters: { streamId: 0, ordered: true },
    label: 'reliable_data_producer',
    appData: { own: true },
  }
  const { id } = await ann.request('produceData', asked)
  const heard = await bob.hears('request:newDataConsumer')
  assert.deepEqual(
    [heard.peerId, heard.dataProducerId, heard.label, heard.appData],
    ['ann', id, 'reliable_data_producer', { own: true }],
  )
  // A participant who joins later gets it too.
  const carl = await join(meetingId, 'carl')
  await carl.hears('request:newDataConsumer')
  assert.deepEqual(await ann.request('getDataProducerStats', { dataProducerId: id }), [])
  assert.deepEqual(await bob.request('getDataConsumerStats', { dataConsumerId: heard.id }), [])
  await assert.rejects(bob.request('getDataProducerStats', { dataProducerId: id }), refused(404))
  await bob.request('changeMode', { mode: 'RECV_ONLY' })
  await assert.rejects(
    bob.request('produceData', { ...asked, transportId: bob.transports.send }),
    refused(5000),
  )
  ann.close()
  await bob.hears('dataConsumerClosed', ({ dataConsumerId }) => dataConsumerId === heard.id)
})

test('a name is changed, another is asked to switch', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann', ['allow_join', 'allow_mod'])
  const bob = await join(meetingId, 'bob')
  await ann.request('changeDisplayName', { displayName: 'Anna' })
  const { peerId, displayName, oldDisplayName } = await bob.hears('peerDisplayNameChanged')
  assert.deepEqual([peerId, displayName, oldDisplayName], ['ann', 'Anna', 'ann'])
  const ask = { peerId: 'bob', roomId: 'aaaa-bbbb-cccc', token: 't', payload: { why: 'a talk' } }
  await ann.request('switchPeerRoom', ask)
  const heard = await bob.hears('request:switchRoom')
  assert.deepEqual([heard.roomId, heard.payload, heard.peerId], ['aaaa-bbbb-cccc', { why: 'a talk' }, 'ann'])
  await assert.rejects(bob.request('switchPeerRoom', { ...ask, peerId: 'ann' }), refused(4008))
})

test('a switch obeys the door of the other meeting, and a refused participant stays', async () => {
  const [first, second] = [await server.createMeeting(), await server.createMeeting()]
  const [ann, bob, host] = [await join(first, 'ann'), await join(first, 'bob'), await join(second, 'host')]
  for (const [code, secret, to] of [
    [4002, 'junk', second],
    [4003, server.token(['allow_join']), 'aaaa-bbbb-cccc'],
    [4008, server.token(['dance']), second],
    [4022, server.token(['allow_join'], { roomId: first }), second],
    [4023, server.token(['allow_join'], { participantId: 'bob' }), second],
    [4076, server.token(['allow_join']), first],
  ] as const) {
    await assert.rejects(
      ann.request('switchToMeeting', { meetingId: to, secret }),
      refused(code),
      String(code),
    )
  }
  // Nobody enters another meeting without a request.
  await assert.rejects(ann.request('join', { switchingRoom: true }), refused(5000))
  await ann.request('switchToMeeting', { meetingId: second, secret: server.token(['ask_join']) })
  await host.hears('entryRequested', ({ id }) => id === 'ann')
  await assert.rejects(ann.request('join', { switchingRoom: true }), refused(5000))
  await host.request('respondEntry', { id: 'ann', decision: 'denied' })
  await ann.hears('entryResponded', ({ decision }) => decision === 'denied')
  await ann.request('changeDisplayName', { displayName: 'still here' })
  await bob.hears('peerDisplayNameChanged')

  await ann.request('switchToMeeting', { meetingId: second, secret: server.token(['ask_join']) })
  await host.hears(
    'entryRequested',
    () => host.heard.filter(({ method }) => method === 'entryRequested').length === 2,
  )
  const before = host.heard.filter(({ method }) => method === 'entryRequested').length
  await host.request('respondEntry', { id: 'ann', decision: 'allowed' })
  const allowed = await ann.hears('entryResponded', ({ switchingRoomId }) => switchingRoomId === second)
  assert.equal(allowed.decision, 'allowed')
  const reply = await ann.request('join', { switchingRoom: true })
  assert.deepEqual(
    reply.peers.map(({ id }: { id: string }) => id),
    ['host'],
  )
  assert.equal(before, 2)
  await bob.hears('peerClosed', ({ peerId, reason }) => peerId === 'ann' && (reason as any).code === 1005)
  await host.hears('newPeer', ({ id }) => id === 'ann')
  // The permissions are those of the other token.
  await assert.rejects(ann.request('respondEntry', { id: 'x', decision: 'allowed' }), refused(4008))
  ann.close()
  await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')
})

test('the data an app attaches to people and streams is limited in bytes, and a refused join may be tried again', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  // Two bytes each: 2040 of them fit, 2050 do not.
  const [fits, tooMuch] = [2040, 2050].map((length) => ({ of: 'é'.repeat(length) }))
  const bob = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'bob' })
  await bob.enter()
  await bob.hears('entryResponded')
  for (const refusedJoin of [{ metaData: tooMuch }, { deviceInfo: tooMuch }])
    await assert.rejects(bob.finishJoin(refusedJoin), { code: 5000, errorName: 'PAYLOAD_TOO_LARGE' })
  await bob.finishJoin({ metaData: fits, deviceInfo: fits })
  assert.deepEqual((await ann.hears('newPeer')).metaData, fits)
  const rtpParameters = {
    codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} }],
    encodings: [{ ssrc: 1111 }],
    rtcp: { cname: 'bob' },
  }
  const sctpStreamParameters = { streamId: 0, ordered: true }
  const transportId = bob.transports.send
  const streams = [
    ['produce', { transportId, kind: 'audio', rtpParameters }],
    ['produceData', { transportId, sctpStreamParameters }],
  ] as const
  for (const [method, data] of streams) {
    await assert.rejects(bob.request(method, { ...data, appData: tooMuch }), {
      errorName: 'PAYLOAD_TOO_LARGE',
    })
    await bob.request(method, { ...data, appData: fits })
  }
})

test('data streams requested at once have the same limit as those requested one by one', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, streamId) =>
      ann.request('produceData', {
        transportId: ann.transports.send,
        sctpStreamParameters: { streamId, ordered: true },
      }),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, server.config.maxProducers)
})

test('realtime store: limits, deletion, and the end of observing', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  assert.deepEqual(await ann.request('realtimeStoreGet', { key: 'a' }), { status: 'ok', value: null })
  await bob.request('realtimeStoreObserve', { key: 'a' })
  await ann.request('realtimeStoreSet', { key: 'a', value: '1' })
  const { value, updatedBy } = await bob.hears('realtimeStoreValueChanged')
  assert.deepEqual([value, updatedBy], ['1', 'ann'])
  await bob.request('realtimeStoreStopObserve', { key: 'a' })
  await ann.request('realtimeStoreSet', { key: 'a', value: '2' })
  await assert.rejects(ann.request('realtimeStoreSet', { key: 'a', value: 'é'.repeat(600) }), refused(4045))
  await assert.rejects(ann.request('realtimeStoreSet', { key: 'a', value: 'x'.repeat(2000) }), refused(4045))
  await assert.rejects(ann.request('realtimeStoreSet', { key: '', value: '1' }), refused(5000))
  for (const key of ['b', 'c']) await ann.request('realtimeStoreSet', { key, value: '1' })
  // One participant may set a quarter of the keys, and observe as many.
  await assert.rejects(ann.request('realtimeStoreSet', { key: 'd', value: '1' }), refused(4045))
  await bob.request('realtimeStoreSet', { key: 'of bob', value: '1' })
  for (const key of ['b', 'c', 'd']) await ann.request('realtimeStoreObserve', { key })
  await assert.rejects(ann.request('realtimeStoreObserve', { key: 'e' }), refused(4085))
  await ann.request('realtimeStoreStopObserve', { key: 'b' })
  await ann.request('realtimeStoreObserve', { key: 'e' })
  await ann.request('realtimeStoreSet', { key: 'a', value: null })
  await ann.request('realtimeStoreSet', { key: 'd', value: '1' })
  assert.deepEqual(await bob.request('realtimeStoreGet', { key: 'a' }), { status: 'ok', value: null })
  assert.equal(bob.heard.filter(({ method }) => method === 'realtimeStoreValueChanged').length, 1)
})

test('media relay: kinds can be switched, and nobody consents twice', async () => {
  const [first, second] = [await server.createMeeting(), await server.createMeeting()]
  const ann = await join(first, 'ann')
  const request = { meetingId: second, secret: server.token(['allow_join']) }
  await assert.rejects(ann.request('mediaRelayRequestSent', request), refused(4078), 'nobody could consent')
  const [host, guest] = [await join(second, 'host'), await join(second, 'guest')]
  await produce(ann, 'audio')
  await produce(ann, 'video')
  await assert.rejects(ann.request('mediaRelayRequestSent', { ...request, secret: 'junk' }), refused(4002))
  await ann.request('mediaRelayRequestSent', { ...request, kinds: ['audio', 'share_audio'] })
  await host.hears(
    'mediaRelayRequestReceived',
    ({ peerId, meetingId }) => peerId === 'ann' && meetingId === first,
  )
  const answer = { peerId: 'ann', meetingId: first, decision: 'allowed' }
  await host.request('respondToMediaRelayRequest', answer)
  await assert.rejects(guest.request('respondToMediaRelayRequest', answer), refused(404))
  await ann.hears('mediaRelayStarted')
  await host.hears('newPeer', ({ id }) => id === 'ann')
  await host.hears('request:newConsumer', ({ kind }) => kind === 'audio')
  await ann.request('enableRelayMedia', { meetingId: second, kind: 'video' })
  const video = await host.hears('request:newConsumer', ({ kind }) => kind === 'video')
  await ann.request('disableRelayMedia', { meetingId: second, kind: 'video' })
  await host.hears('consumerClosed', ({ consumerId }) => consumerId === video.id)
  await assert.rejects(ann.request('mediaRelayRequestStop', { meetingId: first }), refused(404))
  await ann.request('mediaRelayRequestStop', { meetingId: second })
  await ann.hears('mediaRelayStopped')
  await host.hears('peerClosed', ({ peerId, reason }) => peerId === 'ann' && (reason as any).code === 1004)
})

test('adaptive subscription: the cameras of recent speakers', async () => {
  const meetingId = await server.createMeeting()
  const viewer = await join(meetingId, 'viewer')
  const speakers = await Promise.all(Array.from({ length: 8 }, (_, at) => join(meetingId, `p${at}`)))
  const producers = []
  for (const speaker of speakers) {
    const audio = await produce(speaker, 'audio')
    await produce(speaker, 'video')
    producers.push(audio)
  }
  await viewer.hears(
    'request:newConsumer',
    () =>
      viewer.heard.filter(({ method, kind }) => method === 'request:newConsumer' && kind === 'video')
        .length === 8,
  )
  await viewer.request('enableAdaptiveSubscription')
  const paused = (): unknown[] =>
    viewer.heard.filter(({ method }) => method === 'consumerPausedSubManager').map(({ peerId }) => peerId)
  await viewer.hears('consumerPausedSubManager', () => paused().length === 2)
  const [still] = paused() as string[]
  server.sfu.routers.at(-1)!.speak(producers[Number(still!.slice(1))]!)
  await viewer.hears('consumerResumedSubManager', ({ peerId }) => peerId === still)
  await viewer.hears('consumerPausedSubManager', () => paused().length === 3)
  await viewer.request('disableAdaptiveSubscription')
  await viewer.hears(
    'consumerResumedSubManager',
    () => viewer.heard.filter(({ method }) => method === 'consumerResumedSubManager').length === 3,
  )
})

test('everybody is told of a codec that a participant cannot decode', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const { rtpCapabilities } = { rtpCapabilities: await ann.request('getRouterRtpCapabilities') }
  const codecs = rtpCapabilities.codecs.filter(
    ({ mimeType }: { mimeType: string }) => !/H264|VP9|AV1/i.test(mimeType),
  )
  const old = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'old' })
  await old.join({ rtpCapabilities: { ...rtpCapabilities, codecs } })
  await ann.hears(
    'unsupportedCodecAdded',
    ({ codec, consumerPeerId }) => codec === 'video/H264' && consumerPeerId === 'old',
  )
  await ann.hears('unsupportedCodecAdded', ({ codec }) => codec === 'video/VP9')
  const later = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'later' })
  const { unsupportedCodecs } = await later.join()
  assert.ok(unsupportedCodecs.includes('video/H264') && unsupportedCodecs.includes('video/VP9'))
  assert.equal(unsupportedCodecs.includes('video/VP8'), false)
})

test('services that do not exist here are refused immediately, each with 4021', async () => {
  const ann = await join(await server.createMeeting(), 'ann', ['allow_join', 'allow_mod'])
  for (const method of absentServices) {
    await assert.rejects(ann.request(method, { config: {} }), refused(4021), method)
  }
})

test('everybody is told who speaks, latecomers included, and of silence too', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const voice = await produce(ann, 'audio')
  server.sfu.routers.at(-1)!.speak(voice)
  for (const one of [ann, bob]) await one.hears('activeSpeaker', ({ peerId }) => peerId === 'ann')
  const carl = await join(meetingId, 'carl')
  await carl.hears('activeSpeaker', ({ peerId }) => peerId === 'ann')
  server.sfu.routers.at(-1)!.speak(null)
  for (const one of [ann, bob, carl]) await one.hears('activeSpeaker', ({ peerId }) => peerId === null)
})

test('a receiver sends nothing, whatever it asks for and however it became one', async () => {
  const [meetingId, second] = [await server.createMeeting(), await server.createMeeting()]
  const bob = await join(meetingId, 'bob')
  const viewer = await join(meetingId, 'viewer', ['allow_join'], { mode: 'RECV_ONLY' })
  const data = { sctpStreamParameters: { streamId: 0, ordered: true }, label: 'reliable_data_producer' }
  const tries = async (client: WireClient): Promise<void> => {
    // A transport is allowed, because a client creates one before it changes its mode.
    const { id } = await client.request('createWebRtcTransport', {
      producing: true,
      consuming: false,
      sctpCapabilities: { numStreams: { OS: 1024, MIS: 1024 } },
    })
    client.transports = { ...client.transports, send: id }
    await assert.rejects(produce(client, 'audio'), refused(5000))
    await assert.rejects(client.request('produceData', { transportId: id, ...data }), refused(5000))
  }
  await tries(viewer)
  const ann = await join(meetingId, 'ann')
  await produce(ann, 'audio')
  const heard = await bob.hears('request:newConsumer', ({ peerId }) => peerId === 'ann')
  await ann.request('changeMode', { mode: 'RECV_ONLY' })
  await bob.hears('consumerClosed', ({ consumerId }) => consumerId === heard.id)
  await bob.hears('participantMediaStateChanged', ({ newState }) => newState === false)
  await tries(ann)

  // Nor during a switch to another meeting.
  const host = await join(second, 'host')
  await ann.request('changeMode', { mode: 'SEND_AND_RECV' })
  await produce(ann, 'audio')
  await ann.request('switchToMeeting', { meetingId: second, secret: server.token(['allow_join']) })
  await ann.hears('entryResponded', ({ switchingRoomId }) => switchingRoomId === second)
  await ann.request('join', { switchingRoom: true, mode: 'RECV_ONLY' })
  await host.hears('newPeer', ({ id }) => id === 'ann')
  const states = await ann.request('getTransportStats', { peerId: 'host' })
  assert.equal(typeof states.recv.stats.recvBytes, 'number')
  await tries(ann)
  const late = await join(second, 'late')
  await late.hears('connectionSuccess')
  for (const one of [host, late]) {
    assert.deepEqual(
      one.requested.filter(({ event }) => event === 'newConsumer'),
      [],
    )
    assert.equal(
      one.heard.some(
        ({ method, newState }) => method === 'participantMediaStateChanged' && newState === true,
      ),
      false,
    )
  }
  await assert.rejects(ann.request('changeMode', { mode: 'SHOUT' }), refused(4065))
})

test('a codec that a participant cannot decode is reported when it begins to receive', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const rtpCapabilities = await ann.request('getRouterRtpCapabilities')
  const codecs = rtpCapabilities.codecs.filter(({ mimeType }: { mimeType: string }) => !/VP9/i.test(mimeType))
  const viewer = await join(meetingId, 'viewer', ['allow_join'], {
    mode: 'SIGNALLING_ONLY',
    rtpCapabilities: { ...rtpCapabilities, codecs },
  })
  assert.equal(
    ann.heard.some(({ method }) => method === 'unsupportedCodecAdded'),
    false,
  )
  await viewer.request('changeMode', { mode: 'RECV_ONLY' })
  await ann.hears(
    'unsupportedCodecAdded',
    ({ codec, consumerPeerId }) => codec === 'video/VP9' && consumerPeerId === 'viewer',
  )
})

test('media relay: a relayed participant removed there is no longer received, and stays in its own meeting', async () => {
  const [first, second] = [await server.createMeeting(), await server.createMeeting()]
  const [ann, bob] = [await join(first, 'ann'), await join(first, 'bob')]
  const host = await join(second, 'host', ['allow_join', 'allow_mod'])
  await produce(ann, 'audio')
  await ann.request('mediaRelayRequestSent', { meetingId: second, secret: server.token(['allow_join']) })
  await host.hears('mediaRelayRequestReceived')
  await host.request('respondToMediaRelayRequest', { peerId: 'ann', meetingId: first, decision: 'allowed' })
  const heard = await host.hears('request:newConsumer')
  await host.request('removePeer', { peerId: 'ann' })
  await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')
  await ann.hears('mediaRelayStopped', ({ meetingId }) => meetingId === second)
  await host.hears('consumerClosed', ({ consumerId }) => consumerId === heard.id)
  await produce(ann, 'video')
  await bob.hears('request:newConsumer', ({ kind }) => kind === 'video')
  assert.equal(host.requested.filter(({ event }) => event === 'newConsumer').length, 1)
})

test('a device that does not keep up is told to the server, and named by the diagnosis', async (t) => {
  // Measures only when told to.
  const server = await TestServer.start({ statsIntervalSeconds: 0 })
  t.after(() => server.stop())
  const meetingId = await server.createMeeting()
  const enter = async (participantId: string) => {
    const client = server.connect({ meetingId, participantId, token: server.token(['allow_join']) })
    await client.join()
    return client
  }
  const [ann] = [await enter('ann'), await enter('bob')]
  await assert.rejects(ann.request('reportDevice', { framesPercentDropped: 101, encodesTooSlowly: false }))
  await ann.request('reportDevice', { framesPercentDropped: 40, encodesTooSlowly: false })
  await ann.request('reportDevice', { framesPercentDropped: 12, encodesTooSlowly: true })
  await (server.meetings as LocalHome).measure(0)
  await (server.meetings as LocalHome).measure(0)
  const { body: sessions } = await server.rest('GET', `/v2/sessions?roomId=${meetingId}`)
  const of = (id: string) => `/v2/sessions/${sessions.data[0].id}/participants/${id}`
  const { body: diagnosis } = await server.rest('GET', `${of('ann')}/diagnosis`)
  assert.deepEqual(
    diagnosis.stretches.map(({ cause, participantId, figures }: any) => [cause, participantId, figures]),
    [['device', 'ann', { framesPercentDropped: 40, encodesTooSlowly: 1, receivePercentLost: 0 }]],
  )
  assert.match(diagnosis.stretches[0].sentence, /device of .* did not show up to 40 %/)
  const { body: media } = await server.rest('GET', `${of('ann')}/media`)
  assert.deepEqual(
    media.samples.map(({ device }: any) => device),
    [
      { framesPercentDropped: 40, encodesTooSlowly: true },
      { framesPercentDropped: null, encodesTooSlowly: null },
    ],
  )
  assert.deepEqual((await server.rest('GET', `${of('bob')}/diagnosis`)).body.stretches, [])
})

test('stats: of a participant, of one transport, and none of nobody', async () => {
  const meetingId = await server.createMeeting()
  const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
  const of = await ann.request('getTransportStats', { peerId: 'bob' })
  assert.deepEqual(Object.keys(of), ['send', 'recv'])
  const one = await ann.request('getTransportStats', { transportId: ann.transports.send })
  assert.equal(typeof one.send.stats.sendBytes, 'number')
  await assert.rejects(ann.request('getTransportStats', { peerId: 'nobody' }), refused(404))
  await assert.rejects(ann.request('getTransportStats', { transportId: bob.transports.send }), refused(404))
})
