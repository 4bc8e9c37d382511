/** Behaviour for clients before 1.0 only, on the wire. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { ProtooClient } from './support/protoo-client.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
const protoo: ProtooClient[] = []
before(async () => {
  server = await TestServer.start({ maxRequestsPerSecond: 1000 })
})
after(async () => {
  for (const client of protoo) client.close()
  await server.stop()
})

const code = (expected: number) => (error: unknown) => error instanceof WireError && error.code === expected

function connect(
  meetingId: string,
  participantId: string,
  {
    permissions = ['allow_join'],
    ...options
  }: {
    permissions?: readonly string[]
    mode?: string
    path?: string
    token?: string
    headers?: Record<string, string>
  } = {},
): ProtooClient {
  const token = server.token([...permissions])
  const client = new ProtooClient({ url: server.url, token, meetingId, participantId, ...options })
  protoo.push(client)
  return client
}

async function inside(meetingId: string, name: string, permissions?: string[]): Promise<ProtooClient> {
  const client = connect(meetingId, name, permissions ? { permissions } : {})
  await client.join(name)
  return client
}

/** A socket.io client; with `bundles` like those from 0.11 on. */
async function modern(
  meetingId: string,
  name: string,
  data = {},
  permissions = ['allow_join'],
): Promise<WireClient> {
  const client = server.connect({ token: server.token(permissions), meetingId, participantId: name, name })
  await client.join(data)
  return client
}

const produce = (client: ProtooClient | WireClient, kind: 'audio' | 'video'): Promise<{ id: string }> =>
  client.request('produce', {
    transportId: client.transports.send,
    kind,
    rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
    appData: {},
  })

test('protoo: a refusal is a notification and the final close, never an answer to the upgrade', async () => {
  const meetingId = await server.createMeeting()
  for (const [number, options] of [
    [4002, { token: 'no.token.atall' }],
    [4008, { permissions: ['allow_join', 'ask_join'] }],
  ] as const) {
    const client = connect(meetingId, 'ann', options)
    const error = await client.hears('error')
    assert.equal(error.code, number)
    await client.hears('request:close')
    await client.hears('disconnect')
    assert.equal(client.closedWith, 4000)
  }
  const nowhere = connect('aaaa-bbbb-cccc', 'ann')
  assert.equal((await nowhere.hears('error')).code, 4003)
})

test('protoo: ping is answered in every state, other early messages are refused', async () => {
  const meetingId = await server.createMeeting()
  const host = await inside(meetingId, 'host')
  const guest = connect(meetingId, 'guest', { permissions: ['ask_join'] })
  assert.deepEqual(await guest.request('ping'), {})
  await assert.rejects(guest.request('join', {}), code(5000))
  await guest.request('requestEntry', { name: 'Guest' })
  assert.deepEqual(await guest.request('ping'), {})
  await assert.rejects(guest.request('getRouterRtpCapabilities'), code(5000))
  // A method that these clients do not know, and ignore.
  assert.deepEqual(
    guest.heard.map(({ method }) => method),
    ['entryQueued'],
  )
  await host.hears('entryRequested', ({ id, name }) => id === 'guest' && name === 'Guest')
  await host.request('respondEntry', { id: 'guest', decision: 'denied' })
  await guest.hears('entryResponded', ({ decision }) => decision === 'denied')
  await guest.hears('error')
  await guest.hears('request:close')
  await guest.hears('disconnect')
  assert.equal(guest.closedWith, 4000)
})

test('protoo and socket.io clients in one meeting exchange people, streams and states', async () => {
  const meetingId = await server.createMeeting()
  const old = connect(meetingId, 'old', { path: '/protoo/' })
  const reply = await old.join('Old')
  assert.deepEqual([reply.peers, reply.messages], [[], []])
  const [single, bundled] = [
    await modern(meetingId, 'single'),
    await modern(meetingId, 'bundled', { batchingEnabled: true }),
  ]
  for (const id of ['single', 'bundled']) {
    const { mode } = await old.hears('newPeer', (heard) => heard.id === id)
    assert.equal(mode, 'CONFERENCE')
  }
  const { id: producerId } = await produce(old, 'video')
  for (const client of [single, bundled]) {
    await client.hears(
      'request:newConsumer',
      (heard) => heard.producerId === producerId && heard.peerId === 'old',
    )
    await client.hears(
      'participantMediaStateChanged',
      (heard) => heard.peerId === 'old' && heard.newState === true,
    )
  }
  const { id: audio } = await produce(single, 'audio')
  await old.hears('request:newConsumer', (heard) => heard.producerId === audio)
  await single.request('changeMode', { mode: 'SIGNALLING_ONLY' })
  await old.hears('peerModeChanged', (heard) => heard.peerId === 'single' && heard.mode === 'VIEWER')
  // A participant who joins with the old name of a mode gets old names for the others too, and receives no media.
  const viewer = connect(meetingId, 'viewer', { mode: 'VIEWER' })
  const { peers } = await viewer.join('Viewer')
  assert.deepEqual(peers.map(({ id, mode }: any) => `${id} ${mode}`).sort(), [
    'bundled CONFERENCE',
    'old CONFERENCE',
    'single VIEWER',
  ])
  const { mode } = await single.hears('newPeer', ({ id }) => id === 'viewer')
  assert.equal(mode, 'SIGNALLING_ONLY')
  await viewer.request('ping')
  assert.ok(!viewer.heard.some((heard) => heard.method === 'request:newConsumer'))
})

const CHROMIUM = {
  'user-agent': 'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
}

/** The header extensions that a client is told to send. */
const asked = ({ headerExtensions }: any): string[] =>
  headerExtensions
    .filter(({ direction }: any) => ['sendrecv', 'recvonly'].includes(direction))
    .map(({ kind, uri }: any) => `${kind} ${uri.split(/[:/]/).at(-1)}`)
const toldOtherwise = (capabilities: any): boolean =>
  String(asked(capabilities)) === 'video abs-send-time' &&
  capabilities.codecs.every(
    ({ mimeType, parameters }: any) => mimeType.endsWith('/rtx') || /extmap/.test(parameters['x-lines']),
  )

test('protoo: a browser that refuses the numbers of header extensions gets others', async () => {
  const meetingId = await server.createMeeting()
  const told = connect(meetingId, 'chromium', { headers: CHROMIUM })
  await told.join('Chromium')
  assert.ok(toldOtherwise(await told.request('getRouterRtpCapabilities')))
  const other = connect(meetingId, 'firefox')
  await other.join('Firefox')
  assert.ok(asked(await other.request('getRouterRtpCapabilities')).includes('video mid'))
})

test('socket.io: a client that shows at join that it needs other capabilities starts over, and joins once', async () => {
  const meetingId = await server.createMeeting()
  const watcher = await modern(meetingId, 'watcher')
  const rtpCapabilities = {
    codecs: [{ mimeType: 'audio/opus', kind: 'audio', clockRate: 48_000, channels: 2 }],
  }
  const of = (participantId: string, extraHeaders = {}): WireClient =>
    server.connect({
      token: server.token(['allow_join']),
      meetingId,
      participantId,
      name: participantId,
      from: { extraHeaders },
    })
  const old = of('old', CHROMIUM)
  await old.enter()
  await old.hears('entryResponded')
  assert.ok(asked(await old.request('getRouterRtpCapabilities')).includes('video mid'))
  let answered = false
  void old.request('join', { rtpCapabilities }).then(
    () => (answered = true),
    () => undefined,
  )
  const admissions = (): unknown[] => old.heard.filter(({ method }) => method === 'entryResponded')
  while (admissions().length < 2) await old.request('ping')
  assert.deepEqual(admissions()[1], { ...(admissions()[1] as object), id: 'old', decision: 'allowed' })
  assert.ok(toldOtherwise(await old.request('getRouterRtpCapabilities')))
  assert.ok(!watcher.heard.some(({ method, id }) => method === 'newPeer' && id === 'old'))
  const { peers } = await old.finishJoin({ rtpCapabilities })
  assert.deepEqual(
    peers.map(({ id }: any) => id),
    ['watcher'],
  )
  await watcher.hears('newPeer', ({ id }) => id === 'old')
  // With the right capabilities from the start, it joins at the first attempt, and no other browser must start over.
  const elsewhere = of('elsewhere')
  await elsewhere.join({ rtpCapabilities })
  assert.equal(elsewhere.heard.filter(({ method }) => method === 'entryResponded').length, 1)
  assert.equal(admissions().length, 2)
  assert.equal(watcher.heard.filter(({ method, id }) => method === 'newPeer' && id === 'old').length, 1)
  assert.equal(answered, false)
})

test('protoo: closing the socket is a leave, losing it is not', async () => {
  const meetingId = await server.createMeeting()
  const watcher = await modern(meetingId, 'watcher')
  const leaving = await inside(meetingId, 'leaving')
  leaving.close()
  const left: any = await watcher.hears('peerClosed', ({ peerId }) => peerId === 'leaving')
  assert.equal(left.reason.message, 'MANUAL_LEAVE_CALLED')
  const lost = await inside(meetingId, 'lost')
  lost.socket.terminate()
  const gone: any = await watcher.hears('peerClosed', ({ peerId }) => peerId === 'lost')
  assert.equal(gone.reason.message, 'WEBSOCKET_DISCONNECTED')
})

test('protoo: an eviction ends with the code that stops reconnecting', async () => {
  const meetingId = await server.createMeeting()
  const host = await modern(meetingId, 'host', {}, ['allow_mod'])
  const carl = await inside(meetingId, 'carl')
  await host.request('removePeer', { peerId: 'carl' })
  await carl.hears('request:close')
  await carl.hears('disconnect')
  assert.equal(carl.closedWith, 4000)
  await host.hears('peerClosed', ({ peerId }) => peerId === 'carl')
})

test('protoo: invalid messages are ignored, and a binary frame ends the connection', async () => {
  const meetingId = await server.createMeeting()
  const ann = await inside(meetingId, 'ann')
  for (const text of [
    'null',
    '[]',
    '7',
    '{',
    '{"request":true}',
    '{"request":true,"id":"x","method":"ping"}',
    '{"response":true,"id":99,"ok":true}',
  ])
    ann.socket.send(text)
  assert.deepEqual(await ann.request('ping'), {})
  ann.socket.send(Buffer.from([1, 2, 3]))
  await ann.hears('disconnect')
})

test('notifications are bundled only for a client that said in join that it understands bundles', async () => {
  const meetingId = await server.createMeeting()
  const seen: Record<string, Set<string>> = { single: new Set(), bundled: new Set() }
  const [single, bundled] = [
    await modern(meetingId, 'single'),
    await modern(meetingId, 'bundled', { batchingEnabled: true }),
  ]
  for (const [name, client] of [
    ['single', single],
    ['bundled', bundled],
  ] as const)
    client.socket.onAny((event: string) => seen[name]!.add(event))
  const joiners = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => modern(meetingId, name)))
  await Promise.all(joiners.map((joiner) => produce(joiner, 'audio')))
  for (const client of [single, bundled])
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await client.hears('participantMediaStateChanged', ({ peerId }) => peerId === name)
  assert.ok(!seen.single!.has('batchNotification'))
  assert.ok(seen.bundled!.has('batchNotification'))
})

test('a refusal is preceded by an error until the client shows that it reads the status', async () => {
  const meetingId = await server.createMeeting()
  const ask = async (client: WireClient, method = 'startTranslation', data = {}): Promise<any> =>
    client.socket.timeout(30_000).emitWithAck('request', { method, request: true, data })
  const [old, recent] = [
    await modern(meetingId, 'old'),
    await modern(meetingId, 'recent', { batchingEnabled: true }),
  ]
  const refusal = await ask(old)
  assert.equal(typeof refusal.error, 'string')
  assert.deepEqual(
    [refusal.data.status, refusal.data.errorCode, refusal.data.message],
    ['error', 4021, refusal.error],
  )
  const plain = await ask(recent)
  assert.equal(plain.error, undefined)
  assert.equal(plain.data.errorCode, 4021)
  // In chat over this socket, no version reads the status, including 0.11.5.
  for (const method of ['pubsubSubscribe', 'pubsubPublish']) {
    const unsaid = await ask(recent, method, { topic: 'x'.repeat(300), message: 'said to nobody' })
    assert.equal(typeof unsaid.error, 'string', method)
    assert.equal(unsaid.data.errorCode, 5000, method)
  }
})

test('a refusal that an old SDK swallows reaches the app as an error', async () => {
  const meetingId = await server.createMeeting()
  const carl = await modern(meetingId, 'carl', {
    batchingEnabled: true,
    deviceInfo: { sdkType: 'web', sdkVersion: '1.1.1' },
  })
  const [old, ancient] = [await modern(meetingId, 'old'), await inside(meetingId, 'ancient')]
  await assert.rejects(old.request('removePeer', { peerId: 'carl' }), code(4008))
  assert.equal((await old.hears('error')).code, 4008)
  await assert.rejects(ancient.request('disablePeerMic', { peerId: 'carl' }), code(4008))
  assert.equal((await ancient.hears('error')).code, 4008)
  await assert.rejects(ancient.request('startHls', {}), code(4008))
  assert.equal((await ancient.hears('error', (heard) => heard.code === 4008)).method, 'error')
  const eleven = await modern(meetingId, 'eleven', {
    batchingEnabled: true,
    deviceInfo: { sdkType: 'react-web', sdkVersion: '0.13.5' },
  })
  await assert.rejects(eleven.request('removePeer', { peerId: 'old' }), code(4008))
  await eleven.hears('error')
  // A current client reports the refusal itself; one without a version is recognised by its chat.
  await assert.rejects(carl.request('removePeer', { peerId: 'old' }), code(4008))
  await carl.request('pubsubSubscribe', { topic: 'CHAT' })
  assert.ok(!carl.heard.some(({ method }) => method === 'error'))
  await assert.rejects(carl.request('removePeer', { peerId: 'old' }), code(4008))
  await carl.hears('error')
})

test('cleanup requests of clients always succeed, in every state, whoever has left', async () => {
  const meetingId = await server.createMeeting()
  const early = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'early' })
  await early.hears('connectionSuccess')
  const ann = await modern(meetingId, 'ann', { batchingEnabled: true })
  for (const client of [early, ann])
    for (const [method, data] of [
      ['definePeerLeftReason', { leaveReason: 7 }],
      ['closeProducer', { producerId: 'gone' }],
      ['stopConsumingAudioStreams', { peerId: 'gone' }],
      ['stopConsumingVideoStreams', { peerId: 'gone' }],
      ['pubsubUnsubscribe', { topic: 'never' }],
    ] as const)
      assert.deepEqual(await client.request(method, data), {}, method)
})

test('pubsub: one chat with the socket of 1.x, history oldest first, live messages once', async () => {
  const meetingId = await server.createMeeting()
  const [old, ancient] = [await modern(meetingId, 'old'), await inside(meetingId, 'ancient')]
  await assert.rejects(old.request('pubsubPublish', { topic: 'x'.repeat(300), message: 'hi' }), code(5000))
  assert.deepEqual(await old.request('pubsubSubscribe', { topic: 'CHAT' }), { messages: [] })
  assert.deepEqual(await ancient.request('pubsubSubscribe', { topic: 'CHAT' }), { messages: [] })
  for (const [n, from] of [old, ancient, old].entries())
    await from.request('pubsubPublish', {
      topic: 'CHAT',
      message: `m${n}`,
      options: { persist: n !== 1 },
      payload: { n },
    })
  for (const client of [old, ancient])
    for (const n of [0, 1, 2]) {
      const heard = await client.hears('pubsubMessage', ({ message }) => message === `m${n}`)
      assert.deepEqual([heard.senderId, heard.payload], [n === 1 ? 'ancient' : 'old', { n }])
      assert.ok(heard.id && Date.parse(heard.timestamp as string) > 0)
    }
  // A second listener of the same topic gets the history again, and each new message once.
  const again = await old.request('pubsubSubscribe', { topic: 'CHAT' })
  assert.deepEqual(
    again.messages.map(({ message }: any) => message),
    ['m0', 'm2'],
  )
  await ancient.request('pubsubPublish', { topic: 'CHAT', message: '', payload: { only: 'payload' } })
  const blank = await old.hears('pubsubMessage', ({ payload }: any) => payload?.only === 'payload')
  assert.equal(blank.message, ' ')
  assert.equal(old.heard.filter(({ payload }: any) => payload?.only === 'payload').length, 1)
  // A private message.
  const third = await modern(meetingId, 'third')
  await third.request('pubsubSubscribe', { topic: 'CHAT' })
  await old.request('pubsubPublish', { topic: 'CHAT', message: 'secret', options: { sendOnly: ['ancient'] } })
  await ancient.hears('pubsubMessage', ({ message }) => message === 'secret')
  await old.request('pubsubPublish', { topic: 'CHAT', message: 'after', options: null })
  await third.hears('pubsubMessage', ({ message }) => message === 'after')
  assert.ok(!third.heard.some(({ message }) => message === 'secret'))
  await old.request('pubsubUnsubscribe', { topic: 'CHAT' })
  await third.request('pubsubPublish', { topic: 'CHAT', message: 'unheard' })
  await ancient.hears('pubsubMessage', ({ message }) => message === 'unheard')
  assert.ok(!old.heard.some(({ message }) => message === 'unheard'))
})

test('pubsub: a long history is cut to the newest half megabyte, and a return repeats no more of many topics', async () => {
  const meetingId = await server.createMeeting()
  const [ann, other] = [await modern(meetingId, 'ann'), await modern(meetingId, 'other')]
  const token = server.token(['allow_join'])
  const come = async (): Promise<WireClient> => {
    const client = server.connect({ token, meetingId, participantId: 'old', name: 'old' })
    await client.join()
    return client
  }
  const old = await come()
  // In JSON, a control character takes six bytes.
  const text = '\u0001'.repeat(30_000)
  const say = (by: WireClient, topic: string, n: number) =>
    by.request('pubsubPublish', { topic, message: `${n}${text}`, options: { persist: true } })
  for (let n = 0; n < 24; n++) await say(ann, 'long', n)
  const { messages } = await old.request('pubsubSubscribe', { topic: 'long' })
  assert.deepEqual(
    messages.map(({ message }: any) => Number.parseInt(message)),
    Array.from({ length: 18 }, (_, at) => at + 6),
  )
  for (const topic of ['a', 'b', 'c']) await old.request('pubsubSubscribe', { topic })
  await other.request('pubsubSubscribe', { topic: 'c' })
  old.socket.io.engine.close()
  await other.hears('peerClosed', ({ peerId }) => peerId === 'old')
  for (const topic of ['a', 'b', 'c']) for (let n = 0; n < 6; n++) await say(other, topic, n)
  const back = await come()
  await back.hears('pubsubMessage', ({ topic, message }: any) => topic === 'a' && message.startsWith('5'))
  await back.request('pubsubPublish', { topic: 'c', message: 'now' })
  await back.hears('pubsubMessage', ({ message }) => message === 'now')
  const missed = back.heard.filter(
    ({ method, message }: any) => method === 'pubsubMessage' && message !== 'now',
  )
  assert.deepEqual(
    missed.map(({ topic, message }: any) => `${topic}${Number.parseInt(message)}`),
    ['a1', 'a2', 'a3', 'a4', 'a5'],
  )
})

test('pubsub: topics continue after a lost connection, with the messages kept meanwhile', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  const come = async (): Promise<WireClient> => {
    const client = server.connect({ token, meetingId, participantId: 'old', name: 'old' })
    await client.join()
    return client
  }
  const [first, other] = [await come(), await modern(meetingId, 'other')]
  await other.request('pubsubSubscribe', { topic: 'CHAT' })
  await other.request('pubsubPublish', { topic: 'CHAT', message: 'before', options: { persist: true } })
  await first.request('pubsubSubscribe', { topic: 'CHAT' })
  first.socket.io.engine.close()
  await other.hears('peerClosed', ({ peerId }) => peerId === 'old')
  await other.request('pubsubPublish', { topic: 'CHAT', message: 'meanwhile', options: { persist: true } })
  const second = await come()
  await second.hears('pubsubMessage', ({ message }) => message === 'meanwhile')
  await other.request('pubsubPublish', { topic: 'CHAT', message: 'now' })
  await second.hears('pubsubMessage', ({ message }) => message === 'now')
  assert.ok(!second.heard.some(({ message }) => message === 'before'))
})
