/** Admission, the lobby and permissions inside, through the socket. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { API_KEY, signAnything, TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer

before(async () => {
  server = await TestServer.start({ lobbyTimeoutSeconds: 2, sessionGraceSeconds: 1 })
})
after(() => server.stop())

const refused = (code: number, name?: string) => (error: unknown) =>
  error instanceof WireError && error.code === code && (name === undefined || error.errorName === name)

test('a problem with a token or a meeting is reported with its code, then the connection ends', async () => {
  const meetingId = await server.createMeeting()
  const disabled = await server.createMeeting()
  await server.rest('POST', '/v2/rooms/deactivate', { roomId: disabled })
  const pinned = await server.createMeeting({ allowedParticipantIds: ['ann'] })
  const joins = { apikey: API_KEY, permissions: ['allow_join'] }

  const cases: [what: string, code: number, token: string, meetingId: string, participantId: string][] = [
    ['no token', 4002, '', meetingId, 'p'],
    ['junk', 4002, 'junk', meetingId, 'p'],
    ['forged', 4002, `${server.token(['allow_join']).slice(0, -4)}AAAA`, meetingId, 'p'],
    ['unknown key', 4001, server.token(['allow_join'], { apiKey: 'unknown' }), meetingId, 'p'],
    ['unknown meeting', 4003, server.token(['allow_join']), 'aaaa-bbbb-cccc', 'p'],
    ['malformed meeting', 4003, server.token(['allow_join']), '../etc', 'p'],
    ['white space in the id', 4004, server.token(['allow_join']), meetingId, 'p q'],
    ['ask with mod', 4008, server.token(['ask_join', 'allow_mod']), meetingId, 'p'],
    ['ask with join', 4008, server.token(['ask_join', 'allow_join']), meetingId, 'p'],
    ['another meeting', 4022, server.token(['allow_join'], { roomId: 'aaaa-bbbb-cccc' }), meetingId, 'p'],
    ['another participant', 4023, server.token(['allow_join'], { participantId: 'ann' }), meetingId, 'bob'],
    ['not on the list', 4023, server.token(['allow_join']), pinned, 'bob'],
    ['no permissions', 4008, server.token([]), meetingId, 'p'],
    ['unknown permissions', 4008, server.token(['allow_all']), meetingId, 'p'],
    ['unknown beside known', 4008, server.token(['allow_join', 'allow_all']), meetingId, 'p'],
    ['no role', 4024, server.token(['allow_join'], { roles: [] }), meetingId, 'p'],
    ['unknown roles', 4024, signAnything({ ...joins, roles: ['viewer'] }), meetingId, 'p'],
    [
      'no role and no permission',
      4024,
      signAnything({ ...joins, permissions: [], roles: [] }),
      meetingId,
      'p',
    ],
    ['a role that is no name', 4002, signAnything({ ...joins, roles: ['rtc', 7] }), meetingId, 'p'],
    ['roles that are no list', 4002, signAnything({ ...joins, roles: 'rtc' }), meetingId, 'p'],
    ['permissions that are no list', 4002, signAnything({ ...joins, permissions: 'x' }), meetingId, 'p'],
    ['REST only', 4024, server.token(['allow_join'], { roles: ['crawler'] }), meetingId, 'p'],
    ['disabled', 4052, server.token(['allow_join']), disabled, 'p'],
  ]
  for (const [what, code, token, id, participantId] of cases) {
    const guest = server.connect({ token, meetingId: id, participantId })
    const error = await guest.hears('error')
    assert.equal(error.code, code, what)
    assert.equal(typeof error.message, 'string', what)
    await guest.hears('close')
    await guest.gone()
    assert.ok(!guest.heard.some((heard) => heard.method === 'connectionSuccess'), what)
    // init-config does not know the participant id, so it cannot refuse these.
    if (code === 4004 || code === 4023) continue
    const { status, body } = await server.rest(
      'POST',
      '/infra/v1/meetings/init-config',
      { roomId: id },
      token,
    )
    assert.deepEqual([body.code, status >= 400], [code, true], what)
    assertPointsHere(body, what)
  }
})

/** Clients up to 0.2.10 ignore the status, and connect to the hosted service unless they get another address. */
function assertPointsHere({ data }: any, what: string): void {
  const { host } = new URL(server.url)
  assert.equal(data.baseUrl, host, what)
  assert.equal(new URL(data.signalingUrl).host, host, what)
  assert.deepEqual(data.iceServersPlain, [], what)
}

test('a refusal of init-config still points to this server, and hands out no relay', async () => {
  const path = '/infra/v1/meetings/init-config'
  const roomId = await server.createMeeting()
  const good = server.token(['allow_join'])
  const post = async (body: string, headers: Record<string, string>) => {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
    assert.ok(answer.status >= 400)
    return (await answer.json()) as unknown
  }
  for (const [what, body, token] of [
    ['no token', JSON.stringify({ roomId }), ''],
    ['no token at all', JSON.stringify({ roomId }), undefined],
    ['no body', '', good],
    ['a broken body', '{"roomId":', good],
    ['a body of another kind', '[]', good],
    ['no meeting', '{}', good],
    ['a meeting that is no text', '{"roomId":7}', good],
    ['a meeting that is not there', '{"roomId":"aaaa-bbbb-cccc"}', good],
    ['a body that is too large', JSON.stringify({ roomId, more: 'x'.repeat(2_000_000) }), good],
  ] as const)
    assertPointsHere(await post(body, token === undefined ? {} : { authorization: token }), what)
})

test('unknown role names neither grant nor restrict', async () => {
  const meetingId = await server.createMeeting()
  const token = signAnything({
    apikey: API_KEY,
    permissions: ['allow_join'],
    roles: ['rtc', 'CRAWLER', 'viewer'],
  })
  const guest = server.connect({ token, meetingId, participantId: 'p' })
  await guest.join()
  assert.equal((await server.rest('GET', `/v2/rooms/${meetingId}/live`, undefined, token)).status, 200)
  guest.close()
})

test('a client whose token names the participant need not repeat the id', async () => {
  const meetingId = await server.createMeeting()
  const guest = server.connect({ token: server.token(['allow_join'], { participantId: 'ann' }), meetingId })
  const reply = await guest.join()
  assert.equal(reply.self.participantId, 'ann')
  guest.close()
})

test('the custom id of a meeting opens it too', async () => {
  const customRoomId = `custom-${Date.now()}`
  const meetingId = await server.createMeeting({ customRoomId })
  const guest = server.connect({
    token: server.token(['allow_join']),
    meetingId: customRoomId,
    participantId: 'ann',
  })
  const reply = await guest.join()
  assert.equal(reply.meetingId, meetingId)
  guest.close()
})

test('direct join: both are told of each other by name, and of the leave with its reason', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'ann',
    name: 'Ann',
  })
  const first = await ann.join({ metaData: { team: 'red', enableAgentEvents: true } })
  assert.deepEqual(first.peers, [])
  assert.deepEqual(first.messages, [])
  const bob = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'bob',
    name: 'Bob',
  })
  const second = await bob.join()
  assert.deepEqual(second.peers, [
    { id: 'ann', displayName: 'Ann', mode: 'SEND_AND_RECV', metaData: { team: 'red' } },
  ])
  assert.equal((await ann.hears('newPeer')).displayName, 'Bob')
  assert.equal(second.self.sessionId, first.self.sessionId)

  await bob.request('leave')
  const left = await ann.hears('peerClosed')
  assert.deepEqual(left.reason, { code: 1101, message: 'MANUAL_LEAVE_CALLED' })
  ann.close()
})

test('before admission nothing of the meeting reaches a guest, and nothing it sends reaches the meeting', async () => {
  const meetingId = await server.createMeeting()
  const host = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'host',
    name: 'Host',
  })
  await host.join()
  const guest = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'guest',
    name: 'Guest',
  })
  await guest.enter()
  assert.equal((await host.hears('entryRequested')).name, 'Guest')

  const others = [
    'getRouterRtpCapabilities',
    'createWebRtcTransport',
    'join',
    'produce',
    'respondEntry',
    'removePeer',
    'closeRoom',
    'changeMode',
    'rejoinMedia',
    'requestEntry',
  ]
  for (const method of others) {
    await assert.rejects(guest.request(method, {}), refused(5000, 'INVALID_STATE'), method)
  }
  const third = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'third',
    name: 'Third',
  })
  await third.join()
  await third.request('leave')
  await host.hears('peerClosed')
  // It learns its place in the lobby, which is not the meeting's.
  assert.deepEqual(
    guest.heard.map((heard) => heard.method),
    ['connectionSuccess', 'entryQueued'],
  )
  host.close()
  guest.close()
})

test('lobby: allowed', async () => {
  const meetingId = await server.createMeeting()
  const guest = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'guest',
    name: 'Guest',
  })
  await guest.hears('connectionSuccess')
  await guest.request('requestEntry', { name: 'Guest', message: ' It is\n\u202eme ' })
  // A request made before anybody was inside is replayed to the first participant who may answer.
  const host = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'host' })
  await host.join()
  const asked = await host.hears('entryRequested')
  assert.deepEqual([asked.id, asked.name, asked.message], ['guest', 'Guest', 'It is me'])
  await host.request('respondEntry', { id: 'guest', decision: 'allowed' })
  const allowed = await guest.hears('entryResponded')
  assert.equal(allowed.decision, 'allowed')
  assert.equal(allowed.canAdmit, false)
  await guest.finishJoin()
  assert.equal((await host.hears('newPeer')).displayName, 'Guest')

  // The first answer counts.
  await assert.rejects(host.request('respondEntry', { id: 'guest', decision: 'denied' }), refused(4059))
  // An admitted guest may not admit others.
  const other = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'other' })
  await other.enter()
  assert.equal((await host.hears('entryRequested', (heard) => heard.id === 'other')).message, undefined)
  await assert.rejects(guest.request('respondEntry', { id: 'other', decision: 'allowed' }), refused(4008))
  assert.ok(!guest.heard.some((heard) => heard.method === 'entryRequested'))

  // Within the session, an admitted guest returns without asking; a client with another token under the same id does
  // not.
  guest.close()
  await host.hears('peerClosed', (heard) => heard.peerId === 'guest')
  const thief = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'guest',
    name: 'Thief',
  })
  await thief.enter()
  await host.hears('entryRequested', (heard) => heard.name === 'Thief')
  for (const client of [host, other, thief]) client.close()
})

test('lobby: an admitted guest comes back in the same session without asking', async () => {
  const meetingId = await server.createMeeting()
  const host = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'host' })
  await host.join()
  const token = server.token(['ask_join'])
  const guest = server.connect({ token, meetingId, participantId: 'guest' })
  await guest.enter()
  await host.hears('entryRequested')
  await host.request('respondEntry', { id: 'guest', decision: 'allowed' })
  await guest.hears('entryResponded')
  await guest.finishJoin()
  guest.close()
  await host.hears('peerClosed')
  const again = server.connect({ token, meetingId, participantId: 'guest' })
  await again.join()
  host.close()
  again.close()
})

test('lobby: denied, withdrawn, and denied when nobody answers', async () => {
  const meetingId = await server.createMeeting()
  const host = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'host' })
  await host.join()

  const denied = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'denied' })
  await denied.enter()
  await host.hears('entryRequested')
  await host.request('respondEntry', { id: 'denied', decision: 'denied' })
  assert.equal((await denied.hears('entryResponded')).decision, 'denied')
  await denied.hears('close')
  await denied.gone()

  const withdrawn = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'withdrawn',
  })
  await withdrawn.enter()
  await host.hears('entryRequested', (heard) => heard.id === 'withdrawn')
  withdrawn.close()
  await host.hears('entryWithdrawn', (heard) => heard.id === 'withdrawn')
  await assert.rejects(host.request('respondEntry', { id: 'withdrawn', decision: 'allowed' }), refused(4059))

  const forgotten = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'forgotten',
  })
  await forgotten.enter()
  assert.equal((await forgotten.hears('entryResponded')).decision, 'denied')
  await host.hears('entryResponded', (heard) => heard.id === 'forgotten')
  host.close()
})

test('moderating needs allow_mod', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  await ann.join()
  const mod = server.connect({
    token: server.token(['allow_join', 'allow_mod']),
    meetingId,
    participantId: 'mod',
  })
  await mod.join()
  const acts: [method: string, data: Record<string, unknown>][] = [
    ['enablePeerMic', { peerId: 'mod' }],
    ['disablePeerMic', { peerId: 'mod' }],
    ['enablePeerWebcam', { peerId: 'mod' }],
    ['disablePeerWebcam', { peerId: 'mod' }],
    ['enablePeerShare', { peerId: 'mod' }],
    ['disablePeerShare', { peerId: 'mod' }],
    ['removePeer', { peerId: 'mod' }],
    ['pinStateChanged', { peerId: 'mod', state: { cam: true } }],
    ['closeRoom', {}],
  ]
  for (const [method, data] of acts) {
    await assert.rejects(ann.request(method, data), refused(4008, 'INVALID_PERMISSIONS'), method)
  }
  assert.deepEqual(mod.requested, [])

  await mod.request('enablePeerMic', { peerId: 'ann' })
  assert.equal((await ann.hears('request:enableMic')).peerId, 'mod')
  await mod.request('disablePeerWebcam', { peerId: 'ann' })
  assert.equal((await ann.hears('request:disableWebcam')).peerId, 'mod')
  await mod.request('pinStateChanged', { peerId: 'ann', state: { cam: true } })
  assert.equal((await ann.hears('request:pinStateChanged')).pinnedBy, 'mod')
  await mod.hears('request:pinStateChanged')
  await mod.request('closeRoom')
  assert.equal((await ann.hears('close')).code, 1008)
  assert.equal((await mod.hears('close')).code, 1008)
})

test('a removed participant stays out, by id and by token, until an admitter lifts the removal', async () => {
  const meetingId = await server.createMeeting()
  const mod = server.connect({ token: server.token(['allow_mod']), meetingId, participantId: 'mod' })
  await mod.join()
  const token = server.token(['allow_join'])
  const bad = server.connect({ token, meetingId, participantId: 'bad' })
  await bad.join()
  await mod.request('removePeer', { peerId: 'bad' })
  assert.equal((await bad.hears('close')).code, 1002)
  assert.deepEqual((await mod.hears('peerClosed')).reason, { code: 1002, message: 'REMOVE_PEER' })

  for (const [by, participantId] of [
    [token, 'other'],
    [server.token(['allow_join']), 'bad'],
  ] as const) {
    const back = server.connect({ token: by, meetingId, participantId })
    await back.hears('connectionSuccess')
    await assert.rejects(back.request('requestEntry', {}), refused(4025, 'REMOVED_FROM_SESSION'))
    await back.gone()
  }
  await mod.request('liftRemoval', { peerId: 'bad' })
  const forgiven = server.connect({ token, meetingId, participantId: 'bad' })
  await forgiven.join()
  mod.close()
  forgiven.close()
})

test('ten reloads in a row leave one participant', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  await ann.join()
  const token = server.token(['allow_join'])
  let last = server.connect({ token, meetingId, participantId: 'bob' })
  await last.join()
  for (let reload = 0; reload < 10; reload++) {
    // The older socket is still open: the newcomer displaces it, and it is told so.
    const next = server.connect({ token, meetingId, participantId: 'bob' })
    await next.join()
    assert.equal((await last.hears('error')).code, 4005)
    assert.equal((await last.hears('close')).code, 1011)
    last = next
  }
  const eve = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'eve' })
  const reply = await eve.join()
  assert.deepEqual(reply.peers.map((peer: { id: string }) => peer.id).sort(), ['ann', 'bob'])
  for (const client of [ann, last, eve]) client.close()
})

test('a session outlives its last participant by exactly the grace period', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  const first = server.connect({ token, meetingId, participantId: 'ann' })
  const { self } = await first.join()
  first.close()
  const soon = server.connect({ token, meetingId, participantId: 'ann' })
  assert.equal((await soon.join()).self.sessionId, self.sessionId)
  const ended = server.sessionEnded(meetingId)
  soon.close()
  await ended
  const later = server.connect({ token, meetingId, participantId: 'ann' })
  assert.notEqual((await later.join()).self.sessionId, self.sessionId)
  later.close()
})

test('deactivating a meeting ends its session and keeps everybody out', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  await ann.join()
  await server.rest('POST', '/v2/rooms/deactivate', { roomId: meetingId })
  await ann.hears('close')
  const back = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  assert.equal((await back.hears('error')).code, 4052)
})

test('every message is answered: unknown methods, wrong shapes, absent services', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  await ann.join()
  for (const message of [
    null,
    42,
    'text',
    [],
    {},
    { method: 7 },
    { method: 'nonsense' },
    { method: '__proto__' },
    { method: 'constructor' },
  ]) {
    await assert.rejects(ann.send(message), refused(5000, 'INVALID_REQUEST'), JSON.stringify(message))
  }
  for (const data of [
    null,
    1,
    {},
    { transportId: 7 },
    { transportId: 'x', kind: 'smell', rtpParameters: {} },
  ]) {
    await assert.rejects(ann.request('produce', data), refused(5000, 'INVALID_REQUEST'), JSON.stringify(data))
  }
  await assert.rejects(ann.request('startTranslation', {}), refused(4021))
  await assert.rejects(ann.request('pauseProducer', { producerId: 'none' }), refused(404))
  // An object that does not exist counts as closed, because clients clean up streams that the server has closed.
  assert.deepEqual(await ann.request('closeProducer', { producerId: 'none' }), {})
  await assert.rejects(ann.request('removePeer', { peerId: 'ann' }), refused(4008))
  ann.close()
})

test('a full meeting refuses one more, and a returning participant keeps its place', async () => {
  const small = await TestServer.start({ maxParticipants: 2 })
  try {
    const meetingId = await small.createMeeting()
    const token = small.token(['allow_join'])
    await small.connect({ token: small.token(['allow_join']), meetingId, participantId: 'ann' }).join()
    await small.connect({ token, meetingId, participantId: 'bob' }).join()
    const third = small.connect({ token: small.token(['allow_join']), meetingId, participantId: 'eve' })
    await third.hears('connectionSuccess')
    await assert.rejects(third.request('requestEntry', {}), refused(4009))
    await small.connect({ token, meetingId, participantId: 'bob' }).join()
  } finally {
    await small.stop()
  }
})

test('a message that is too large is refused; one far too large ends its connection; nobody else is affected', async () => {
  const small = await TestServer.start({ maxMessageBytes: 16_384 })
  try {
    const meetingId = await small.createMeeting()
    const [ann, bob] = ['ann', 'bob'].map((participantId) =>
      small.connect({ token: small.token(['allow_join']), meetingId, participantId }),
    ) as [WireClient, WireClient]
    await ann.join()
    await bob.join()
    const tooLarge = refused(5000, 'PAYLOAD_TOO_LARGE')
    await assert.rejects(bob.request('produceError', { message: 'x'.repeat(17_000) }), tooLarge)
    await assert.rejects(bob.request('produceError', { message: Buffer.alloc(17_000) }), tooLarge)
    await bob.request('produceError', { message: 'x'.repeat(16_000) })
    bob.socket.emit('request', { method: 'produceError', data: { message: 'x'.repeat(70_000) } })
    await bob.gone()
    await ann.hears('peerClosed', (heard) => heard.peerId === 'bob')
    await ann.request('produceError', {})
  } finally {
    await small.stop()
  }
})

test('counts connections of one address that wait for admission, and not those inside', async () => {
  const small = await TestServer.start({ maxWaitingPerAddress: 2 })
  try {
    const meetingId = await small.createMeeting()
    const guest = (participantId: string): WireClient =>
      small.connect({ token: small.token(['ask_join']), meetingId, participantId })
    const host = small.connect({ token: small.token(['allow_join']), meetingId, participantId: 'host' })
    await host.join()
    const [first, second] = [await guest('first').enter(), await guest('second').enter()]
    const third = guest('third')
    const error = await third.hears('error')
    assert.deepEqual([error.code, error.name], [5000, 'RATE_LIMITED'])
    await third.gone()
    await host.request('respondEntry', { id: 'first', decision: 'allowed' })
    await first.hears('entryResponded')
    const fourth = await guest('fourth').enter()
    second.close()
    await host.hears('entryWithdrawn', (heard) => heard.id === 'second')
    await guest('fifth').enter()
    assert.ok(fourth.socket.connected)
  } finally {
    await small.stop()
  }
})

test('limits how many wait for one meeting, and those who wait keep their place', async () => {
  const small = await TestServer.start({ maxEntryRequests: 1 })
  try {
    const [meetingId, elsewhere] = [await small.createMeeting(), await small.createMeeting()]
    const guest = (participantId: string, at = meetingId): WireClient =>
      small.connect({ token: small.token(['ask_join']), meetingId: at, participantId })
    const first = await guest('first').enter()
    await assert.rejects(guest('second').enter(), refused(5000, 'RATE_LIMITED'))
    await guest('third', elsewhere).enter()
    const host = small.connect({ token: small.token(['allow_join']), meetingId, participantId: 'host' })
    await host.join()
    await host.request('respondEntry', { id: 'first', decision: 'allowed' })
    assert.equal((await first.hears('entryResponded')).decision, 'allowed')
  } finally {
    await small.stop()
  }
})

test('limits how many streams one participant sends, and another is free to send', async () => {
  const small = await TestServer.start({ maxProducers: 2 })
  try {
    const meetingId = await small.createMeeting()
    const [ann, bob] = ['ann', 'bob'].map((participantId) =>
      small.connect({ token: small.token(['allow_join']), meetingId, participantId }),
    ) as [WireClient, WireClient]
    await ann.join()
    await bob.join()
    const produce = (client: WireClient): Promise<{ id: string }> =>
      client.request('produce', {
        transportId: client.transports.send,
        kind: 'audio',
        rtpParameters: sampleRtpParameters('audio', { layers: 1 }),
      })
    const answers = await Promise.allSettled([produce(ann), produce(ann), produce(ann)])
    const [taken, over] = [
      answers.filter((answer) => answer.status === 'fulfilled'),
      answers.filter((answer) => answer.status === 'rejected'),
    ]
    assert.equal(taken.length, 2)
    assert.ok(over.every(({ reason }) => refused(4010)(reason)))
    await produce(bob)
    await ann.request('closeProducer', { producerId: taken[0]!.value.id })
    await produce(ann)
  } finally {
    await small.stop()
  }
})

test('MODERATION=open: everybody inside moderates, an admitted guest as well', async () => {
  const open = await TestServer.start({ moderation: 'open' })
  try {
    const meetingId = await open.createMeeting()
    const [ann, bob] = ['ann', 'bob'].map((participantId) =>
      open.connect({ token: open.token(['allow_join']), meetingId, participantId }),
    ) as [WireClient, WireClient]
    await ann.join()
    await bob.join()
    const guest = open.connect({ token: open.token(['ask_join']), meetingId, participantId: 'guest' })
    await guest.enter()
    await ann.request('respondEntry', { id: 'guest', decision: 'allowed' })
    await guest.hears('entryResponded')
    await guest.finishJoin()
    await ann.request('disablePeerMic', { peerId: 'bob' })
    assert.equal((await bob.hears('request:disableMic')).peerId, 'ann')
    await guest.request('removePeer', { peerId: 'bob' })
    assert.equal((await bob.hears('close')).code, 1002)
    // A moderator who asked to join may not admit.
    await assert.rejects(guest.request('respondEntry', { id: 'x', decision: 'allowed' }), refused(4008))
  } finally {
    await open.stop()
  }
})

for (const [type, disabled] of [
  ['session-ends', false],
  ['session-end-and-deactivate', true],
] as const) {
  test(
    `autoCloseConfig ${type}: a session ends the configured number of minutes after it began`,
    { timeout: 90_000 },
    async (t) => {
      const meetingId = await server.createMeeting({ autoCloseConfig: { type, duration: 2 } })
      const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
      await ann.hears('connectionSuccess')
      const ended = server.sessionEnded(meetingId)
      t.mock.timers.enable({ apis: ['setTimeout'] })
      await ann.request('requestEntry', {})
      await ann.hears('entryResponded')
      await ann.finishJoin()
      t.mock.timers.tick(119_000)
      assert.equal((await server.rest('GET', `/v2/rooms/${meetingId}`)).body.disabled, false)
      await ann.request('produceError', {}).catch(() => undefined)
      assert.equal(ann.closed, undefined)
      t.mock.timers.tick(1000)
      t.mock.timers.reset()
      await ended
      assert.equal((await ann.hears('close')).code, 1006)
      assert.equal((await server.rest('GET', `/v2/rooms/${meetingId}`)).body.disabled, disabled)
      const again = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
      if (disabled) assert.equal((await again.hears('error')).code, 4052)
      else await again.join()
      again.close()
    },
  )
}

test('too many requests of one connection are refused, and it stays open', async () => {
  const meetingId = await server.createMeeting()
  const ann = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'ann' })
  await ann.join()
  const answers = await Promise.allSettled(Array.from({ length: 400 }, () => ann.request('produceError', {})))
  const limited = answers.filter(
    (answer) => answer.status === 'rejected' && refused(5000, 'RATE_LIMITED')(answer.reason),
  )
  assert.ok(limited.length > 0 && limited.length < 400)
  assert.ok(ann.socket.connected)
  ann.close()
})

test('a connection that requests nothing is closed, and one that waits is not', async () => {
  const quick = await TestServer.start({ headersTimeoutSeconds: 1 })
  try {
    const meetingId = await quick.createMeeting()
    const guest = quick.connect({ meetingId, token: quick.token(['ask_join']), participantId: 'guest' })
    await guest.enter()
    const silent = quick.connect({ meetingId, token: quick.token(['allow_join']), participantId: 'silent' })
    const { message } = await silent.hears('error')
    assert.equal(message, 'The client sent no request in time.')
    await silent.gone()
    assert.equal(guest.closed, undefined)
    await guest.request('leave')
  } finally {
    await quick.stop()
  }
})
