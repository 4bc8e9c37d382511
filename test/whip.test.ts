/** WHIP and WHEP over HTTP: who may open a session, what is answered, and how sessions end. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { VideoSDK } from '@videosdk.live/server-sdk'
import { audio, ffmpeg, obs, offerOf, video } from './support/offers.ts'
import { eventually } from './support/sizes.ts'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({
    sessionGraceSeconds: 0,
    turnUrls: ['turn:turn.example.org'],
    turnSecret: 's',
  })
})
after(() => server.stop())

const management = (): string => server.token([], { roles: ['crawler'] })
const sends = offerOf(audio('sendonly'), video('sendonly', ['96 VP8']))
const watches = offerOf(audio('recvonly'), video('recvonly', ['96 VP8']))

interface Sent {
  token?: string
  type?: string
  headers?: Record<string, string>
}

async function call(
  method: string,
  url: string,
  body: string | Buffer<ArrayBuffer> | undefined,
  { token = management(), type = 'application/sdp', headers = {} }: Sent = {},
) {
  const answer = await fetch(url.startsWith('http') ? url : server.url + url, {
    method,
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && type !== '' && { 'content-type': type }),
      ...headers,
    },
    ...(body !== undefined && { body: type === '' ? Buffer.from(body) : body }),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    code: isJson ? JSON.parse(text).code : undefined,
    message: isJson ? String(JSON.parse(text).message) : '',
  }
}
const post = (path: string, offer: string | Buffer<ArrayBuffer>, sent?: Sent) =>
  call('POST', path, offer, sent)

/** Opened transports that are not closed. */
const transports = (): number => {
  const { calls } = server.sfu
  const count = (name: string): number => calls.filter(({ method }) => method === name).length
  return count('createTransport') - count('closeTransport')
}

async function joined(meetingId: string, participantId = 'ann') {
  const ann = server.connect({
    meetingId,
    token: server.token(['allow_join', 'allow_mod']),
    participantId,
    name: participantId,
  })
  const { self } = await ann.join()
  return { ann, sessionId: self.sessionId }
}

const inside = async (meetingId: string): Promise<string[]> =>
  (await server.rest('GET', `/v2/rooms/${meetingId}/live`)).body.participants.map(
    (one: { participantId: string }) => one.participantId,
  )

afterEach(() => assert.ok(transports() >= 0))

test('refuses every token that does not let its holder in at once', async () => {
  const roomId = await server.createMeeting()
  const other = await server.createMeeting()
  const expired = server.token(['allow_join'])
  for (const [token, status, code] of [
    ['', 401, 'INVALID_TOKEN'],
    ['nonsense', 401, 'INVALID_TOKEN'],
    [server.token(['allow_join'], { secret: 'another-secret-of-enough-length' }), 401, 'INVALID_TOKEN'],
    [server.token(['ask_join']), 403, 'INVALID_PERMISSIONS'],
    [server.token(['allow_join'], { roles: ['rtc'] }), 403, 'UNAUTHORIZED_ROLE'],
    [server.token(['allow_join'], { roomId: other }), 403, 'UNAUTHORIZED_MEETING_ID'],
    [server.token(['allow_join'], { participantId: 'bob' }), 403, 'UNAUTHORIZED_PARTCIPANT_ID'],
  ] as const)
    for (const path of [`/v2/whip?roomId=${roomId}&participantId=cam`, `/whip/${roomId}?participantId=cam`]) {
      const answer = await post(path, sends, { token })
      assert.deepEqual([answer.status, answer.code], [status, code], path)
    }
  assert.match((await post(`/whip/${roomId}`, sends, { token: server.token(['ask_join']) })).message, /ask/)
  server.aheadMs += 2 * 3600 * 1000
  assert.equal((await post(`/whip/${roomId}`, sends, { token: expired })).status, 401)
  server.aheadMs = 0
  assert.equal((await post('/whip/none-none-none', sends)).status, 404)
  assert.deepEqual(await inside(roomId), [])
})

test('refuses what is no offer, and leaves nothing behind', async () => {
  const roomId = await server.createMeeting()
  const at = `/v2/whip?roomId=${roomId}`
  for (const [body, type, status] of [
    ['garbage', 'application/sdp', 400],
    [sends, 'text/plain', 415],
    ['{"sdp":"x"}', 'application/json', 415],
    [sends.replaceAll('VP8', 'H265'), 'application/sdp', 406],
    [`${sends}${'a=x\r\n'.repeat(20_000)}`, 'application/sdp', 413],
    [watches, 'application/sdp', 406],
    [Buffer.from(`${sends}a=x:\xff\r\n`, 'latin1'), 'application/sdp', 400],
  ] as const) {
    const before = transports()
    assert.equal((await post(at, body, { type })).status, status, type)
    assert.equal(transports(), before)
  }
  assert.deepEqual(await inside(roomId), [])
})

test('an accepted offer: the whole exchange, as clients read it', async () => {
  const roomId = await server.createMeeting()
  const { ann, sessionId } = await joined(roomId)
  const token = server.token(['allow_join'], { roomId })
  const opened = await post(`/v2/whip?roomId=${roomId}&participantId=cam&displayName=Camera`, sends, {
    token,
  })
  assert.equal(opened.status, 201, opened.text)
  assert.equal(opened.headers.get('content-type'), 'application/sdp')
  const location = opened.headers.get('location')!
  assert.match(location, /^http:\/\/[^?]+\/v2\/whip\/sessions\/(\w{4}-){3}[\w-]{24}$/)
  const etag = opened.headers.get('etag')!
  assert.match(etag, /^"[\w-]{24}"$/)
  assert.match(
    opened.headers.get('link')!,
    /^<turn:turn\.example\.org>; rel="ice-server"; username=".+"; credential=".+"; credential-type="password"$/,
  )
  for (const name of ['Location', 'ETag', 'Link'])
    assert.ok(opened.headers.get('access-control-expose-headers')!.includes(name))
  assert.match(opened.text, /^v=0\r\n/)
  await ann.hears('newPeer', (one) => one.id === 'cam')
  const { body: listed } = await server.rest('GET', `/v2/sessions/${sessionId}`)
  assert.ok(listed.participants.some((one: { participantId: string }) => one.participantId === 'cam'))

  const fragment = (ufrag: string): string => `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${'p'.repeat(24)}\r\n`
  const type = 'application/trickle-ice-sdpfrag'
  const patch = (body: string, sent: Sent = {}) => call('PATCH', location, body, { token, type, ...sent })
  assert.equal(
    (await patch(fragment('4ZcD'), { type: 'application/sdp', headers: { 'if-match': etag } })).status,
    415,
  )
  assert.equal((await patch(fragment('4ZcD'))).status, 428)
  assert.equal((await patch(fragment('4ZcD'), { headers: { 'if-match': '"old"' } })).status, 412)
  assert.equal((await patch('a=ice-ufrag:new4\r\n', { headers: { 'if-match': '*' } })).status, 422)
  assert.equal((await patch(fragment('4ZcD'), { headers: { 'if-match': etag } })).status, 204)
  const restarted = await patch(fragment('new4'), { headers: { 'if-match': '*' } })
  assert.equal(restarted.status, 200)
  assert.match(restarted.text, /^a=ice-ufrag:\S+\r\na=ice-pwd:/m)
  assert.notEqual(restarted.headers.get('etag'), etag)
  assert.equal((await patch(fragment('4ZcD'), { headers: { 'if-match': etag } })).status, 412)

  assert.equal((await call('DELETE', location, undefined, { token: 'x' })).status, 401)
  const stranger = await call('DELETE', location, undefined, { token: server.token(['allow_join']) })
  assert.deepEqual([stranger.status, stranger.code], [403, 'UNAUTHORIZED_REQUEST'])
  assert.equal((await call('DELETE', location.replace('whip', 'whep'), undefined, { token })).status, 404)
  assert.deepEqual((await inside(roomId)).sort(), ['ann', 'cam'])
  const ended = await call('DELETE', location, undefined, { token })
  assert.deepEqual([ended.status, ended.text], [200, ''])
  assert.equal((await call('DELETE', location, undefined, { token })).status, 404)
  assert.equal((await patch(fragment('4ZcD'), { headers: { 'if-match': '*' } })).status, 404)
  assert.deepEqual(await inside(roomId), ['ann'])
})

test('a meeting that must be encrypted has neither', async () => {
  const roomId = await server.createMeeting({ encryption: 'required' })
  await joined(roomId)
  for (const [path, offer] of [
    [`/whip/${roomId}`, sends],
    [`/whep/${roomId}/ann`, watches],
  ] as const) {
    const { status, message } = await post(path, offer)
    assert.equal(status, 403)
    assert.match(message, /encrypt/)
  }
  assert.deepEqual(await inside(roomId), ['ann'])
})

test('a locked meeting lets in neither, unless a moderator sends the token, and keeps those who are there', async () => {
  const roomId = await server.createMeeting()
  const { ann } = await joined(roomId)
  const early = (await post(`/whep/${roomId}/ann`, watches)).headers.get('location')!
  await ann.request('setRules', { locked: true })
  const before = transports()
  for (const [path, offer] of [
    [`/whip/${roomId}`, sends],
    [`/whep/${roomId}/ann`, watches],
  ] as const) {
    const refused = await post(path, offer, { token: server.token(['allow_join']) })
    assert.deepEqual([refused.status, refused.code], [403, 'MEETING_LOCKED'], path)
    assert.equal(transports(), before)
    const { status, headers } = await post(path, offer, { token: server.token(['allow_join', 'allow_mod']) })
    assert.equal(status, 201, path)
    assert.equal((await call('DELETE', headers.get('location')!, undefined)).status, 200)
  }
  assert.equal((await call('DELETE', early, undefined)).status, 200)
})

test('answers preflights and discovery, and names what each address takes', async () => {
  for (const path of ['/v2/whip', '/v2/whep', '/whip/abc', '/v2/whip/sessions/abc']) {
    const { status, headers } = await call('OPTIONS', path, undefined, {
      token: '',
      headers: { 'access-control-request-headers': 'authorization,if-match' },
    })
    assert.equal(status, 200)
    assert.equal(headers.get('accept-post'), 'application/sdp')
    assert.match(headers.get('access-control-allow-methods')!, /POST.*DELETE|DELETE.*POST/)
    assert.equal(headers.get('access-control-allow-headers'), 'authorization,if-match')
  }
})

test('takes the offers of OBS, with and without simulcast, of ffmpeg, and SDP declared as JSON or not at all', async () => {
  const roomId = await server.createMeeting()
  for (const [offer, type] of [
    [obs(), 'application/sdp'],
    [obs({ layers: 3 }), 'application/sdp'],
    [ffmpeg(), 'application/sdp'],
    [sends, 'application/json'],
    [sends, ''],
  ] as const) {
    const { status, text, headers } = await post(`/v2/whip?roomId=${roomId}`, offer, { type })
    assert.equal(status, 201, text)
    await call('DELETE', headers.get('location')!, undefined)
  }
})

test('a sender is muted and removed like a person, and a viewer is hidden', async () => {
  const roomId = await server.createMeeting()
  const { ann, sessionId } = await joined(roomId)
  const sender = (await post(`/v2/whip?roomId=${roomId}&participantId=cam`, sends)).headers.get('location')!
  const viewer = (
    await post(`/v2/whep?roomId=${roomId}&participantId=eye&remotePeerId=cam`, watches)
  ).headers.get('location')!
  assert.match(viewer, /\/v2\/whep\/sessions\//)
  assert.deepEqual((await inside(roomId)).sort(), ['ann', 'cam'])
  assert.ok(!ann.heard.some((one) => JSON.stringify(one).includes('eye')))

  assert.equal(
    (
      await server.rest('POST', '/v2/sessions/participants/mute', {
        roomId,
        participantId: 'cam',
        kind: 'audio',
      })
    ).status,
    200,
  )
  await ann.hears(
    'participantMediaStateChanged',
    (one) => one.peerId === 'cam' && one.kind === 'audio' && !one.newState,
  )
  assert.equal(
    (
      await server.rest('POST', '/v2/sessions/participants/remove', {
        roomId,
        participantId: 'cam',
        sessionId,
      })
    ).status,
    200,
  )
  assert.equal((await call('DELETE', sender, undefined)).status, 404)
  assert.equal(
    (await post(`/v2/whip?roomId=${roomId}&participantId=cam`, sends)).status,
    403,
    'it was removed',
  )
  assert.equal((await call('DELETE', viewer, undefined)).status, 200)
  assert.equal((await post(`/v2/whep?roomId=${roomId}&remotePeerId=nobody`, watches)).status, 404)
})

test('sessions end with the meeting, with their token, and without a session nobody watches', async () => {
  const roomId = await server.createMeeting()
  assert.equal((await post(`/v2/whep?roomId=${roomId}`, watches)).status, 404)
  await joined(roomId)
  const token = server.token([], { roles: ['crawler'], jti: 'of-the-streams' })
  const open = async (path: string, offer: string) =>
    (await post(path, offer, { token })).headers.get('location')!
  const both = [await open(`/whip/${roomId}`, sends), await open(`/whep/${roomId}/ann`, watches)]
  assert.equal((await server.rest('POST', '/v2/tokens/revoke', { jti: 'of-the-streams' })).status, 200)
  for (const location of both)
    await eventually('it ended', async () => (await call('DELETE', location, undefined)).status === 404)

  const others = [
    (await post(`/whip/${roomId}`, sends)).headers.get('location')!,
    (await post(`/whep/${roomId}/ann`, watches)).headers.get('location')!,
  ]
  assert.equal((await server.rest('POST', '/v2/sessions/end', { roomId })).status, 200)
  for (const location of others) assert.equal((await call('DELETE', location, undefined)).status, 404)
})

test('the same token takes its stream over, another one gets 409, and so does a stream under the name of a person', async () => {
  const roomId = await server.createMeeting()
  await joined(roomId)
  const at = `/v2/whip?roomId=${roomId}&participantId=cam`
  const token = server.token(['allow_join'])
  const first = (await post(at, sends, { token })).headers.get('location')!
  assert.equal((await post(at, sends, { token })).status, 201)
  assert.equal((await call('DELETE', first, undefined, { token })).status, 404)
  assert.equal(
    (await post(`/v2/whip?roomId=${roomId}&participantId=ann&useExistingPeer=true`, sends)).status,
    409,
  )
  assert.deepEqual((await inside(roomId)).sort(), ['ann', 'cam'])
})

test('the death of a media worker ends its sessions, and the client opens others', async () => {
  const roomId = await server.createMeeting()
  await joined(roomId)
  const all = [
    (await post(`/whip/${roomId}?participantId=cam`, sends)).headers.get('location')!,
    (await post(`/whep/${roomId}/ann`, watches)).headers.get('location')!,
  ]
  server.sfu.kill()
  for (const location of all)
    await eventually('it ended', async () => (await call('DELETE', location, undefined)).status === 404)
  assert.equal((await post(`/whip/${roomId}?participantId=cam`, sends)).status, 201)
})

test('fifty sessions opened and dropped leave nothing behind', async () => {
  const roomId = await server.createMeeting()
  await joined(roomId)
  const before = { transports: transports(), open: server.sfu.routers.filter(({ closed }) => !closed).length }
  const cycle = async (path: string, offer: string): Promise<void> => {
    const { status, headers, text } = await post(path, offer)
    assert.equal(status, 201, text)
    assert.equal((await call('DELETE', headers.get('location')!, undefined)).status, 200)
  }
  await Promise.all(
    Array.from({ length: 25 }, async () => {
      await cycle(`/whip/${roomId}`, sends)
      await cycle(`/whep/${roomId}/ann`, watches)
    }),
  )
  assert.deepEqual(await inside(roomId), ['ann'])
  assert.deepEqual(
    { transports: transports(), open: server.sfu.routers.filter(({ closed }) => !closed).length },
    before,
  )
})

test('viewers are limited in number, and sessions in rate', async () => {
  const limited = await TestServer.start({ maxWhepViewers: 1, maxEntryRequestsPerMinute: 4 })
  const roomId = await limited.createMeeting()
  const ann = limited.connect({
    meetingId: roomId,
    token: limited.token(['allow_join']),
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  const token = limited.token([], { roles: ['crawler'] })
  const at = `${limited.url}/whep/${roomId}/ann`
  assert.equal((await post(at, watches, { token })).status, 201)
  const full = await post(at, watches, { token })
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '10'])
  const more = await Promise.all(Array.from({ length: 4 }, () => post(at, watches, { token })))
  assert.ok(more.some(({ status }) => status === 429))
  await limited.stop()
})

test('the published server SDK makes addresses that work, and ends its streams', async () => {
  const sdk = new VideoSDK({ apiKey: API_KEY, secret: SECRET, apiEndpoint: server.url })
  const roomId = await server.createMeeting()
  await joined(roomId)
  const ingress = sdk.whip.create(roomId, { name: 'Studio' })
  assert.equal((await post(ingress.url, obs(), { token: ingress.streamKey })).status, 201)
  assert.ok((await inside(roomId)).includes(ingress.participantId))
  const playback = sdk.whep.create(roomId, { source: { participantId: ingress.participantId } })
  assert.equal((await post(playback.url, watches, { token: playback.token })).status, 201)
  await sdk.whep.delete(playback)
  await sdk.whip.delete(ingress)
  assert.deepEqual(await inside(roomId), ['ann'])
  await assert.rejects(() => sdk.whip.delete(ingress))
})
