/** Recorded sessions, and live meetings as a backend uses them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RealServer } from './support/real-server.ts'
import { signAnything, TestServer } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

let server: TestServer
let management: string
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 0 })
  management = server.token(['allow_join'], { roles: ['crawler'] })
})
after(() => server.stop())

const join = async (meetingId: string, participantId: string, permissions = ['allow_join']) => {
  const client = server.connect({
    meetingId,
    token: server.token(permissions),
    participantId,
    name: participantId.toUpperCase(),
  })
  await client.join()
  return client
}
const get = (path: string, token = management) => server.rest('GET', path, undefined, token)
const post = (path: string, body: unknown, token = management) => server.rest('POST', path, body, token)

const audio = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1111 }],
  rtcp: { cname: 'x' },
}

test('a token that must ask to join reads nothing of a meeting over REST, and admits nobody, itself included', async () => {
  const meetingId = await server.createMeeting()
  await join(meetingId, 'ann')
  const guestToken = server.token(['ask_join'])
  const guest = server.connect({ meetingId, token: guestToken, participantId: 'guest' })
  await guest.enter()
  for (const [method, path, body] of [
    ['GET', `/v2/rooms/${meetingId}/live`],
    ['GET', `/v2/sessions?roomId=${meetingId}`],
    ['GET', `/v2/rooms/${meetingId}/messages`],
    ['GET', `/v2/rooms/${meetingId}/removals`],
    [
      'POST',
      `/v2/rooms/${meetingId}/entry-requests/respond`,
      { participantId: 'guest', decision: 'allowed' },
    ],
    ['POST', '/v2/sessions/end', { roomId: meetingId }],
    ['POST', '/v2/sessions/participants/remove', { roomId: meetingId, participantId: 'ann' }],
    ['POST', '/v2/sessions/participants/mute', { roomId: meetingId, participantId: 'ann', kind: 'audio' }],
    ['POST', '/v2/rooms/deactivate', { roomId: meetingId }],
    ['POST', '/v2/tokens/revoke', { jti: 'of-somebody' }],
    ['GET', '/v2/webhooks/deliveries'],
    ['POST', `/v2/rooms/${meetingId}/messages`, { topic: 'CHAT', message: 'let me in' }],
    ['PUT', `/v2/rooms/${meetingId}/values/key`, { value: 'x' }],
  ] as const) {
    const { status, body: answer } = await server.rest(method, path, body, guestToken)
    assert.deepEqual([status, answer.code], [403, 'INVALID_PERMISSIONS'], path)
  }
})

test('a token that joins without moderating does not moderate over REST', async () => {
  const meetingId = await server.createMeeting()
  await join(meetingId, 'ann')
  const token = server.token(['allow_join'])
  for (const [path, body] of [
    ['/v2/sessions/end', { roomId: meetingId }],
    ['/v2/sessions/participants/remove', { roomId: meetingId, participantId: 'ann' }],
    ['/v2/sessions/participants/mute', { roomId: meetingId, participantId: 'ann', kind: 'video' }],
    ['/v2/sessions/participants/ask', { roomId: meetingId, participantId: 'ann', kind: 'video' }],
  ] as const) {
    assert.equal((await post(path, body, token)).body.code, 'INVALID_PERMISSIONS', path)
  }
  assert.equal((await get(`/v2/rooms/${meetingId}/live`, token)).status, 200)
  const moderator = server.token(['allow_join', 'allow_mod'])
  assert.equal((await post('/v2/sessions/end', { roomId: meetingId }, moderator)).status, 200)
})

test('a session of another project, or outside the scope of a token, is not found', async () => {
  const [meetingId, otherId] = [await server.createMeeting(), await server.createMeeting()]
  await join(meetingId, 'ann')
  const { sessionId } = (await get(`/v2/rooms/${meetingId}/live`)).body
  const scoped = server.token(['allow_join'], { roles: ['crawler'], roomId: otherId })
  assert.equal((await get(`/v2/sessions/${sessionId}`, scoped)).body.code, 'UNAUTHORIZED_MEETING_ID')
  assert.equal((await get('/v2/sessions', scoped)).body.code, 'UNAUTHORIZED_MEETING_ID')
  assert.equal((await get(`/v2/sessions/${'f'.repeat(24)}`)).status, 404)
  const rtc = server.token(['allow_join'], { roles: ['rtc'] })
  assert.equal((await get('/v2/sessions', rtc)).body.code, 'UNAUTHORIZED_ROLE')
  assert.equal((await get('/v2/sessions?status=open')).status, 400)
  assert.equal((await get('/v2/sessions?perPage=1000')).status, 400)
  const unknown = signAnything({ apikey: 'nobody', permissions: ['allow_join'] })
  assert.equal((await get('/v2/sessions', unknown)).status, 401)
})

test('a backend sees who waits and admits them, and admitting the first one starts the session', async () => {
  const meetingId = await server.createMeeting()
  const respond = (participantId: string, decision: string) =>
    post(`/v2/rooms/${meetingId}/entry-requests/respond`, { participantId, decision })
  assert.equal((await respond('nobody', 'allowed')).body.code, 'RESPOND_ENTRY_FAILED')
  const guests = ['g1', 'g2'].map((participantId) =>
    server.connect({ meetingId, token: server.token(['ask_join']), participantId, name: 'Guest' }),
  )
  for (const guest of guests) await guest.enter()
  const { body } = await get(`/v2/rooms/${meetingId}/live`)
  assert.equal(body.sessionId, null)
  assert.deepEqual(
    body.entryRequests.map(({ participantId }: { participantId: string }) => participantId),
    ['g1', 'g2'],
  )
  assert.equal((await respond('g1', 'allowed')).status, 200)
  await guests[0]!.hears('entryResponded', ({ decision }) => decision === 'allowed')
  await guests[0]!.finishJoin()
  assert.equal((await respond('g2', 'denied')).status, 200)
  await guests[1]!.hears('close')
  const live = (await get(`/v2/rooms/${meetingId}/live`)).body
  assert.deepEqual([live.participants.length, live.entryRequests.length], [1, 0])
})

test('streams are switched off and requested, and the record shows when each was on', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  await ann.request('produce', { transportId: ann.transports.send, kind: 'audio', rtpParameters: audio })
  await ann.hears('participantMediaStateChanged', ({ newState }) => newState === true)
  const { body: live } = await get(`/v2/rooms/${meetingId}/live`)
  assert.deepEqual(live.participants[0].streams, ['audio'])
  assert.equal(
    (await post('/v2/sessions/participants/mute', { roomId: meetingId, participantId: 'bob', kind: 'audio' }))
      .status,
    404,
  )
  const muted = { roomId: meetingId, participantId: 'ann', kind: 'audio' }
  assert.equal((await post('/v2/sessions/participants/mute', muted)).status, 200)
  await ann.hears('request:disableMic')
  await ann.hears('participantMediaStateChanged', ({ newState }) => newState === false)
  assert.equal((await post('/v2/sessions/participants/ask', muted)).status, 200)
  await ann.hears('request:enableMic')
  // The connection is lost; nobody leaves.
  ann.socket.io.engine.close()
  await server.sessionEnded(meetingId)
  const { body } = await get(`/v2/sessions/${live.sessionId}/participants/ann`)
  assert.equal(body.events.mic.length, 1)
  assert.ok(body.events.mic[0].end)
  assert.equal(body.leaveReason, 'WEBSOCKET_DISCONNECTED')
})

test('messages: sent by a backend, received inside, kept, and in the chat log as text that no spreadsheet runs', async () => {
  const meetingId = await server.createMeeting()
  const path = `/v2/rooms/${meetingId}/messages`
  assert.equal((await post(path, { topic: 'CHAT', message: 'nobody hears' })).status, 404)
  await join(meetingId, 'ann')
  assert.equal((await post(path, { topic: '', message: 'x' })).status, 400)
  assert.equal((await post(path, { topic: 'CHAT', message: 'x'.repeat(70_000) })).status, 413)
  const said = await post(path, {
    topic: 'CHAT',
    message: '=HYPERLINK("x")',
    persist: true,
    payload: { from: 'backend' },
  })
  assert.match(said.body.id, /^[\w-]{8,}$/)
  await post(path, { topic: 'OTHER', message: 'else', persist: true })
  const { body } = await get(`${path}?topic=CHAT`)
  assert.equal(body.pageInfo.total, 1)
  assert.deepEqual(body.data[0].payload, { from: 'backend' })
  assert.equal(body.data[0].senderId, 'server')
  const { sessionId } = (await get(`/v2/rooms/${meetingId}/live`)).body
  const session = (await get(`/v2/sessions/${sessionId}`)).body
  const log = await fetch(session.chatLink, { headers: { authorization: management } })
  assert.match(log.headers.get('content-type')!, /text\/csv/)
  const bytes = Buffer.from(await log.arrayBuffer())
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'Excel needs the byte-order mark')
  const text = bytes.toString('utf8')
  assert.equal(text.split('\r\n').length, 4)
  assert.ok(text.includes(`"'=HYPERLINK(""x"")"`), text)
  assert.equal((await fetch(session.chatLink)).status, 401)
})

test('private messages over REST: read by moderators and managers, and by the participant that a token is bound to', async () => {
  const meetingId = await server.createMeeting()
  await join(meetingId, 'ann')
  const path = `/v2/rooms/${meetingId}/messages`
  const all = { public: [], 'for bob': ['bob'], 'for cy': ['cy'], 'for both': ['bob', 'cy'] }
  for (const [message, sendOnly] of Object.entries(all))
    assert.equal((await post(path, { topic: 'CHAT', message, sendOnly, persist: true })).status, 200)
  const { sessionId } = (await get(`/v2/rooms/${meetingId}/live`)).body
  const everything = Object.keys(all)
  const bob = { participantId: 'bob' }
  const rows: [permissions: string[], claims: object, expected: string[]][] = [
    [['allow_join'], {}, ['public']],
    [['allow_join'], { roomId: meetingId }, ['public']],
    [['allow_join'], bob, ['public', 'for bob', 'for both']],
    [['allow_join'], { participantId: 'cy' }, ['public', 'for cy', 'for both']],
    [['allow_join'], { participantId: 'eve' }, ['public']],
    [['allow_join', 'allow_mod'], {}, everything],
    [['allow_mod'], bob, everything],
    [['allow_join'], { roles: ['crawler'] }, everything],
    [['ask_join'], { roles: ['crawler'], ...bob }, everything],
  ]
  for (const [permissions, claims, expected] of rows) {
    const token = server.token(permissions, claims)
    const what = JSON.stringify([permissions, claims])
    for (const query of ['?', '?topic=CHAT&']) {
      const { body } = await get(`${path}${query}perPage=100`, token)
      assert.deepEqual(
        body.data.map(({ message }: { message: string }) => message),
        expected,
        what,
      )
      assert.equal(body.pageInfo.total, expected.length, what)
      const last = (await get(`${path}${query}perPage=1&page=${expected.length}`, token)).body
      assert.deepEqual([last.data.length, last.data[0].message], [1, expected.at(-1)], what)
      assert.deepEqual(
        (await get(`${path}${query}perPage=1&page=${expected.length + 1}`, token)).body.data,
        [],
      )
    }
    const log = await fetch(`${server.url}/v2/sessions/${sessionId}/chat-log`, {
      headers: { authorization: token },
    })
    const lines = (await log.text()).trimEnd().split('\r\n').slice(1)
    assert.deepEqual(
      lines.map((line) => line.split('","')[4]),
      expected,
      what,
    )
  }
})

test('chat over REST has the rate limit of one participant per token, and the same size limit', async () => {
  const slow = await TestServer.start({ maxChatMessagesPerSecond: 2, maxRequestsPerSecond: 3 })
  slow.stillAt = Date.now()
  try {
    const [meetingId, other] = [await slow.createMeeting(), await slow.createMeeting()]
    for (const id of [meetingId, other]) {
      const ann = slow.connect({ meetingId: id, token: slow.token(['allow_join']), participantId: 'ann' })
      await ann.join()
    }
    const token = slow.token(['allow_join'])
    const say = (id: string, its = token) =>
      slow.rest('POST', `/v2/rooms/${id}/messages`, { topic: 'CHAT', message: 'x' }, its)
    const set = (id: string, its = token) =>
      slow.rest('PUT', `/v2/rooms/${id}/values/key`, { value: 'x' }, its)
    for (const [call, burst] of [
      [say, 8],
      [set, 12],
    ] as const) {
      for (let at = 0; at < burst; at++) assert.equal((await call(meetingId)).status, 200)
      const refused = await call(meetingId)
      assert.deepEqual([refused.status, refused.body.code], [429, 'RATE_LIMITED'])
      assert.equal((await call(other)).status, 200, 'another meeting')
      assert.equal((await call(meetingId, slow.token(['allow_join']))).status, 200, 'another token')
    }
    slow.aheadMs += 1000
    assert.equal((await say(meetingId)).status, 200)
  } finally {
    await slow.stop()
  }
})

test('values and removals can be read and changed from outside', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  await ann.request('realtimeStoreObserve', { key: 'topic' })
  const path = `/v2/rooms/${meetingId}/values/topic`
  assert.equal((await server.rest('PUT', path, { value: 7 }, management)).status, 400)
  assert.equal(
    (await server.rest('PUT', path, { value: 'y'.repeat(2000) }, management)).body.code,
    'STORE_SET_FAILED',
  )
  assert.equal((await server.rest('PUT', path, { value: 'on air' }, management)).status, 200)
  await ann.hears(
    'realtimeStoreValueChanged',
    ({ value, updatedBy }) => value === 'on air' && updatedBy === 'server',
  )
  assert.equal((await get(path)).body.value, 'on air')

  await join(meetingId, 'bob')
  await post('/v2/sessions/participants/remove', { roomId: meetingId, participantId: 'bob' })
  const removals = `/v2/rooms/${meetingId}/removals`
  const [bob, ...others] = (await get(removals)).body.data
  assert.deepEqual([bob.participantId, bob.tokenShared, others], ['bob', false, []])
  assert.equal((await post(`${removals}/lift`, { participantId: 'eve' })).status, 404)
  assert.equal((await post(`${removals}/lift`, { participantId: 'bob' })).status, 200)
  await join(meetingId, 'bob')
})

test('the first generation of the contract: meeting-sessions', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const list = (await get(`/v1/meeting-sessions?meetingId=${meetingId}`)).body
  assert.equal(list.pageInfo.total, 1)
  const { id } = list.data[0]
  const removed = await post(`/v1/meeting-sessions/${id}/remove-participant`, { participantId: 'ann' })
  assert.equal(removed.body.participants[0].participantId, 'ann')
  await ann.gone()
  await join(meetingId, 'bob')
  const current = (await get(`/v1/meeting-sessions?meetingId=${meetingId}`)).body.data[0].id
  const ended = await post(`/v1/meeting-sessions/${current}/end`, {})
  assert.equal(ended.body.status, 'ended')
})

test('a crash leaves no session ongoing: it ends at the last known instant', async () => {
  const real = await RealServer.start({ SESSION_GRACE_SECONDS: '0' })
  try {
    const token = signAnything({ permissions: ['allow_join'], apikey: 'test-key' })
    const crawler = signAnything({ permissions: ['allow_join'], apikey: 'test-key', roles: ['crawler'] })
    const call = async (path: string, method = 'GET', body?: unknown) => {
      const answer = await fetch(real.url + path, {
        method,
        headers: { authorization: crawler, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return await answer.json()
    }
    const { roomId } = await call('/v2/rooms', 'POST', {})
    const client = new WireClient({ url: real.url, token, meetingId: roomId, participantId: 'ann' })
    await client.join()
    const killedAt = Date.now()
    await real.end('SIGKILL')
    await real.run()
    const startedAt = Date.now()
    let session: any
    do {
      session = (await call(`/v2/sessions?roomId=${roomId}`)).data[0]
    } while (session.end === null)
    assert.equal(session.status, 'ended')
    const [{ timelog }] = session.participants
    assert.ok(
      Date.parse(session.end) <= killedAt,
      `${session.end} is not after ${new Date(killedAt).toISOString()}`,
    )
    assert.ok(Date.parse(timelog[0].end) <= startedAt)
    assert.equal(
      (await call(`/v2/sessions/${session.id}/participants/ann`)).leaveReason,
      'WEBSOCKET_DISCONNECTED',
    )
    client.close()
  } finally {
    await real.stop()
  }
})
