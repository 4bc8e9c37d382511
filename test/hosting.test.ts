/** What hosts do, over a raw socket: each act is refused to those who do not moderate, then done. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HeldStore } from './support/held-store.ts'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

const store = new HeldStore()
let server: TestServer
before(async () => {
  server = await TestServer.start({}, { through: store.through })
})
after(() => server.stop())

const refused = (code: number, name: string) => (error: unknown) =>
  error instanceof WireError && error.code === code && error.errorName === name

async function enter(meetingId: string, participantId: string, permissions: string[]): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId })
  await client.join()
  return client
}

function produce(client: WireClient, kind: 'audio' | 'video', share = false): Promise<unknown> {
  return client.request('produce', {
    transportId: client.transports.send,
    kind,
    rtpParameters: sampleRtpParameters(kind, { layers: 1 }),
    appData: { share },
  })
}

test('hosts: every act is refused to those who do not moderate', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const ann = await enter(meetingId, 'ann', ['allow_join'])
  const acts: [string, object][] = [
    ['stopAll', { kind: 'audio' }],
    ['setRules', { locked: true }],
    ['setCoHost', { peerId: 'ann', coHost: true }],
    ['renamePeer', { peerId: 'host', displayName: 'Nobody' }],
    ['lowerHands', { peerIds: ['host'] }],
    ['setTimer', { seconds: 60 }],
    ['setTimer', { seconds: null }],
    ['pauseTimer', { paused: true }],
    ['removePeer', { peerId: 'host', mayReturn: true }],
  ]
  for (const [method, data] of acts)
    await assert.rejects(ann.request(method, data), refused(4008, 'INVALID_PERMISSIONS'), method)
  assert.ok(!host.heard.some(({ method }) => method === 'rulesChanged'))
  for (const client of [host, ann]) client.close()
})

test('hosts: the rules are enforced by the server, and hold for those who come later', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const ann = await enter(meetingId, 'ann', ['allow_join'])
  await produce(ann, 'audio')
  await produce(ann, 'video', true)
  await host.request('setRules', { mic: false, share: false, chat: false })
  const told = await ann.hears('rulesChanged')
  assert.deepEqual(
    [told.mic, told.share, told.chat, told.camera, told.locked],
    [false, false, false, true, false],
  )
  // What is on ends at once.
  await ann.hears('request:disableMic')
  await ann.hears('request:disableShare')
  const later = await enter(meetingId, 'later', ['allow_join'])
  assert.equal((await later.hears('rulesChanged')).mic, false)
  for (const client of [ann, later]) {
    await assert.rejects(produce(client, 'audio'), refused(4008, 'INVALID_PERMISSIONS'))
    await assert.rejects(produce(client, 'video', true), refused(4008, 'INVALID_PERMISSIONS'))
    await assert.rejects(
      client.request('pubsubPublish', { topic: 'CHAT', message: 'hello' }),
      refused(4008, 'INVALID_PERMISSIONS'),
    )
    await client.request('pubsubPublish', { topic: 'RAISE_HAND', message: 'Raise hand' })
  }
  await produce(later, 'video')
  // A host who asks for a microphone allows it.
  await host.request('enablePeerMic', { peerId: 'later' })
  await produce(later, 'audio')
  await host.request('stopAll', { kind: 'audio' })
  await later.hears('request:disableMic')
  await assert.rejects(produce(later, 'audio'), refused(4008, 'INVALID_PERMISSIONS'))
  await host.request('pubsubPublish', { topic: 'CHAT', message: 'hello' })
  for (const client of [host, ann, later]) client.close()
})

test('hosts: what the rules forbid ends although the host who decided left meanwhile', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const ann = await enter(meetingId, 'ann', ['allow_join'])
  await produce(ann, 'audio')
  store.hold()
  // Nobody hears the answer.
  host.socket.emit('request', { method: 'setRules', data: { mic: false } }, () => undefined)
  await store.more(0)
  host.close()
  await ann.hears('peerClosed', ({ peerId }) => peerId === 'host')
  store.release()
  await ann.hears('request:disableMic')
  ann.close()
})

test('hosts: who comes back while the decision is written is a co-host too', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const token = server.token(['allow_join'])
  const ann = server.connect({ token, meetingId, participantId: 'ann' })
  await ann.join()
  store.hold()
  const decided = host.request('setCoHost', { peerId: 'ann', coHost: true })
  await store.more(0)
  const back = server.connect({ token, meetingId, participantId: 'ann' })
  const joining = back.join()
  await ann.gone()
  store.release()
  await decided
  assert.equal((await joining).self.canModerate, true)
  await back.request('renamePeer', { peerId: 'host', displayName: 'Hostess' })
  for (const client of [host, back]) client.close()
})

test('hosts: a locked meeting lets nobody new in, turns away who waits, and takes back who was inside', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const token = server.token(['allow_join'])
  const ann = server.connect({ token, meetingId, participantId: 'ann' })
  await ann.join()
  const waits = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'waits' })
  await waits.enter()
  await host.hears('entryRequested')
  await host.request('setRules', { locked: true })
  assert.equal((await waits.hears('error')).name, 'MEETING_LOCKED')
  await host.hears('entryWithdrawn', ({ id }) => id === 'waits')
  for (const permission of ['allow_join', 'ask_join']) {
    const other = server.connect({ token: server.token([permission]), meetingId, participantId: 'new' })
    await other.hears('connectionSuccess')
    await assert.rejects(other.request('requestEntry', {}), refused(4025, 'MEETING_LOCKED'))
    await other.gone()
  }
  ann.close()
  const back = server.connect({ token, meetingId, participantId: 'ann' })
  await back.join()
  const second = await enter(meetingId, 'second', ['allow_mod'])
  await second.request('setRules', { locked: false })
  const late = await enter(meetingId, 'late', ['allow_join'])
  for (const client of [host, back, second, late]) client.close()
})

test('hosts: a co-host moderates for this session, by id and token, within limits', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const token = server.token(['allow_join'])
  const ann = server.connect({ token, meetingId, participantId: 'ann' })
  await ann.join()
  const bob = await enter(meetingId, 'bob', ['allow_join'])
  await host.request('setCoHost', { peerId: 'ann', coHost: true })
  assert.equal((await ann.hears('authorityChanged')).canModerate, true)
  assert.deepEqual((await bob.hears('rulesChanged')).coHosts, ['ann'])
  await ann.request('renamePeer', { peerId: 'bob', displayName: 'Robert' })
  await bob.hears('peerDisplayNameChanged', ({ displayName }) => displayName === 'Robert')
  for (const [method, data] of [
    ['setCoHost', { peerId: 'bob', coHost: true }],
    ['removePeer', { peerId: 'host' }],
    ['removePeer', { peerId: 'host', mayReturn: true }],
    ['closeRoom', {}],
  ] as const)
    await assert.rejects(ann.request(method, data), refused(4008, 'INVALID_PERMISSIONS'), method)
  ann.close()
  await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')
  const impostor = await enter(meetingId, 'ann', ['allow_join'])
  await assert.rejects(
    impostor.request('renamePeer', { peerId: 'bob', displayName: 'No' }),
    refused(4008, 'INVALID_PERMISSIONS'),
  )
  impostor.close()
  await impostor.gone()
  const back = server.connect({ token, meetingId, participantId: 'ann' })
  assert.equal((await back.join()).self.canModerate, true)
  await host.request('setCoHost', { peerId: 'ann', coHost: false })
  assert.equal((await back.hears('authorityChanged')).canModerate, false)
  await assert.rejects(
    back.request('renamePeer', { peerId: 'bob', displayName: 'No' }),
    refused(4008, 'INVALID_PERMISSIONS'),
  )
  for (const client of [host, back, bob]) client.close()
})

test('hosts: hands are lowered, and who is removed for now may come back', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', ['allow_mod'])
  const token = server.token(['allow_join'])
  const ann = server.connect({ token, meetingId, participantId: 'ann' })
  await ann.join()
  await host.request('pubsubSubscribe', { topic: 'RAISE_HAND' })
  await ann.request('pubsubPublish', {
    topic: 'RAISE_HAND',
    message: 'Raise hand',
    payload: { raised: true },
  })
  await host.request('lowerHands', { peerIds: ['ann', 'gone'] })
  const lowered = await host.hears('pubsubMessage', ({ message }) => message === 'Lower hand')
  assert.equal(lowered.senderId, 'ann')
  assert.deepEqual(lowered.payload, { raised: false, by: 'host' })
  await host.request('removePeer', { peerId: 'ann', mayReturn: true })
  assert.equal((await ann.hears('close')).code, 1002)
  const back = server.connect({ token, meetingId, participantId: 'ann' })
  await back.join()
  for (const client of [host, back]) client.close()
})

test('hosts: a switch brings no stream that the rules of the other meeting forbid', async () => {
  const [first, second] = [await server.createMeeting(), await server.createMeeting()]
  const host = await enter(second, 'host', ['allow_mod'])
  await host.request('setRules', { mic: false })
  const ann = await enter(first, 'ann', ['allow_join'])
  await produce(ann, 'audio')
  await produce(ann, 'video')
  await ann.request('switchToMeeting', { meetingId: second, secret: server.token(['allow_join']) })
  await ann.hears('entryResponded', ({ switchingRoomId }) => switchingRoomId === second)
  await ann.request('join', { switchingRoom: true })
  await ann.hears('request:disableMic')
  await host.hears('request:newConsumer', ({ kind }) => kind === 'video')
  assert.ok(!host.heard.some(({ method, kind }) => method === 'request:newConsumer' && kind === 'audio'))
  // Until its requests are answered, the server waits a minute for the answers, although the clients are gone.
  await Promise.all([host, ann].map((client) => client.request('pubsubSubscribe', { topic: 'CHAT' })))
  for (const client of [host, ann]) client.close()
})

test('hosts: a timer is for all, also for who comes later and after a restart, until it is stopped or over', async () => {
  const meetingId = await server.createMeeting()
  const tokens = { host: server.token(['allow_mod']), ann: server.token(['allow_join']) }
  const host = server.connect({ token: tokens.host, meetingId, participantId: 'host' })
  await host.join()
  for (const seconds of [0, -1, 1.5, 86_401, '60', undefined])
    await assert.rejects(host.request('setTimer', { seconds }), refused(5000, 'INVALID_REQUEST'))
  assert.ok(!host.heard.some(({ method }) => method === 'timerChanged'))
  interface Told {
    totalMs: number
    leftMs: number
    paused: boolean
  }
  const timerOf = async (client: WireClient): Promise<Told | null> =>
    (await client.hears('timerChanged')).timer as Told | null
  await host.request('setTimer', { seconds: 600 })
  assert.ok((await timerOf(host))!.leftMs > 500_000)
  const ann = server.connect({ token: tokens.ann, meetingId, participantId: 'ann' })
  await ann.join()
  assert.equal((await timerOf(ann))?.totalMs, 600_000)
  await host.request('pauseTimer', { paused: true })
  const paused = (await ann.hears('timerChanged', ({ timer }) => (timer as Told).paused)).timer as Told
  const later = server.connect({ token: tokens.ann, meetingId, participantId: 'later' })
  await later.join()
  // It stands still, also for who comes later.
  assert.deepEqual(await timerOf(later), paused)
  await host.request('pauseTimer', { paused: false })
  await later.hears('timerChanged', ({ timer }) => !(timer as Told).paused)
  later.close()
  for (const client of [host, ann]) client.close()
  await server.restart()
  const back = server.connect({ token: tokens.ann, meetingId, participantId: 'ann' })
  await back.join()
  const left = (await timerOf(back))!.leftMs
  assert.ok(left > 0 && left < 600_000, String(left))
  const hostAgain = server.connect({ token: tokens.host, meetingId, participantId: 'host' })
  await hostAgain.join()
  await hostAgain.request('setTimer', { seconds: null })
  await back.hears('timerChanged', ({ timer }) => timer === null)
  for (const client of [back, hostAgain]) client.close()
})
