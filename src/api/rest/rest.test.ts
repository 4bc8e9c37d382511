/** Meetings over real HTTP, in every spelling of the contract (rest-and-tokens §2, §3.1, §3.2); refusals first. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signAnything, TestServer } from '../../../test/support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

async function call(path: string, { method = 'POST', headers = {}, body }: Asked = {}) {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body)
  const answer = await fetch(server.url + path, { method, headers, ...(bytes && { body: bytes }) })
  return { status: answer.status, body: await answer.json() }
}

const direct = (): string => server.token(['allow_join'])
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

test('without a valid token nothing is created, and no meeting is named', async () => {
  const meetingId = await server.createMeeting()
  const tokens: [what: string, token: string, status: number, code: string][] = [
    ['none', '', 401, 'INVALID_TOKEN'],
    ['junk', 'junk', 401, 'INVALID_TOKEN'],
    ['forged', `${direct().slice(0, -3)}AAA`, 401, 'INVALID_TOKEN'],
    [
      'expired',
      signAnything({ apikey: 'test-key', permissions: ['allow_join'], exp: 1 }),
      401,
      'INVALID_TOKEN',
    ],
    ['an unknown key', server.token(['allow_join'], { apiKey: 'nobody' }), 401, 'INVALID_API_KEY'],
    ['for joining only', server.token(['allow_join'], { roles: ['rtc'] }), 403, 'UNAUTHORIZED_ROLE'],
  ]
  for (const [what, token, status, code] of tokens) {
    for (const path of ['/create-meeting', '/create-room', '/v2/rooms', `/validate-meeting/${meetingId}`]) {
      const answer = await call(path, { headers: json, body: JSON.stringify({ token }) })
      assert.equal(answer.status, status, `${what} ${path}`)
      assert.equal(answer.body.code, code, `${what} ${path}`)
      assert.equal(answer.body.statusCode, status)
      assert.equal(typeof answer.body.error, 'string')
      assert.equal('meetingId' in answer.body || 'roomId' in answer.body, false)
    }
  }
})

test('create and validate accept the token wherever the samples put it', async () => {
  const spellings: [what: string, asked: (token: string) => Asked, path?: string][] = [
    ['JSON', (token) => ({ headers: json, body: JSON.stringify({ token, region: 'us001' }) })],
    ['a form', (token) => ({ headers: form, body: new URLSearchParams({ token }).toString() })],
    ['JSON without a content type', (token) => ({ headers: {}, body: JSON.stringify({ token }) })],
    ['Authorization', (token) => ({ headers: { authorization: token } })],
    ['Bearer', (token) => ({ headers: { authorization: `Bearer ${token}` } })],
    ['bearer', (token) => ({ headers: { authorization: `bearer ${token}` } })],
  ]
  for (const [what, asked] of spellings) {
    for (const path of ['/create-meeting', '/create-meeting/', '/create-room', '/create-room/']) {
      const made = await call(path, asked(direct()))
      assert.equal(made.status, 200, `${what} ${path}: ${JSON.stringify(made.body)}`)
      assert.match(made.body.meetingId, /^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$/)
      assert.equal(made.body.roomId, made.body.meetingId)
      for (const door of ['validate-meeting', 'validate-room']) {
        const valid = await call(`/${door}/${made.body.meetingId}`, asked(direct()))
        assert.equal(valid.status, 200, `${what} ${door}`)
        assert.equal(valid.body.roomId, made.body.meetingId)
      }
    }
  }
  const meetingId = await server.createMeeting()
  const got = await call(`/validate-meeting/${meetingId}`, {
    method: 'GET',
    headers: { authorization: direct() },
  })
  assert.equal(got.status, 200)
})

test('refuses unknown meetings with the statuses and texts that clients look for', async () => {
  const disabled = await server.createMeeting()
  assert.equal((await server.rest('POST', '/v2/rooms/deactivate', { roomId: disabled })).body.disabled, true)
  const cases: [id: string, status: number, text: string][] = [
    ['aaaa-bbbb-cccc', 400, 'Room not found.'],
    ['aaa-bbb-ccc', 400, 'RoomId is invalid.'],
    ['nothing-known', 400, 'Room not found.'],
    [disabled, 400, 'Room is disabled'],
  ]
  for (const [id, status, text] of cases) {
    for (const [method, path] of [
      ['POST', `/validate-meeting/${id}`],
      ['GET', `/v2/rooms/validate/${id}`],
      ['POST', `/api/meetings/${id}`],
      ['POST', `/v1/meetings/${id}`],
    ] as const) {
      const answer = await call(path, { method, headers: { authorization: direct() } })
      assert.equal(answer.status, status, `${method} ${path}`)
      assert.equal(answer.body.error, text)
      assert.equal('meetingId' in answer.body || 'roomId' in answer.body, false)
    }
  }
})

test('one custom id gives one meeting, also with fifty simultaneous calls', async () => {
  const customRoomId = `team-${Date.now()}`
  const made = await Promise.all(
    Array.from({ length: 50 }, () => server.rest('POST', '/v2/rooms', { customRoomId })),
  )
  assert.deepEqual([...new Set(made.map(({ status }) => status))], [200])
  assert.equal(new Set(made.map(({ body }) => body.roomId)).size, 1)
  const meetingId: string = made[0]!.body.roomId
  for (const id of [customRoomId, meetingId, made[0]!.body.id]) {
    const found = await server.rest('GET', `/v2/rooms/${id}`)
    assert.equal(found.body.roomId, meetingId)
    assert.equal(found.body.user.id, made[0]!.body.userId)
  }
  assert.equal((await server.rest('GET', `/v2/rooms/validate/${customRoomId}`)).body.roomId, meetingId)
  // v1 uses the old field names; the doubled prefix leads to the same meeting.
  const old = await server.rest('POST', '/v1/meetings', { userMeetingId: customRoomId })
  assert.equal(old.body.meetingId, meetingId)
  assert.equal(old.body.userMeetingId, customRoomId)
  assert.equal((await server.rest('GET', `/v2/v2/rooms/${meetingId}`)).body.roomId, meetingId)
  // Deactivation does not accept a custom id.
  assert.equal((await server.rest('POST', '/v2/rooms/deactivate', { roomId: customRoomId })).status, 402)
})

test('returns the settings of a meeting as they were set, and refuses wrong ones by name', async () => {
  const set = {
    webhook: { endPoint: 'https://app.example/hook', events: ['session-*'] },
    autoCloseConfig: { type: 'session-end-and-deactivate', duration: 30 },
    geoFence: 'eu001',
    multiComposition: { recording: true },
    allowedParticipantIds: ['ann', 'bob'],
  }
  const { status, body } = await server.rest('POST', '/v2/rooms', { ...set, unknown: 1, region: 'us001' })
  assert.equal(status, 200)
  for (const [name, value] of Object.entries(set)) assert.deepEqual(body[name], value)
  assert.equal(body.disabled, false)
  assert.match(body.links.get_room, /\/v2\/rooms\//)
  assert.equal((await server.rest('POST', '/v2/rooms')).body.autoCloseConfig.duration, 480)

  const wrong: [field: string, value: unknown][] = [
    ['customRoomId', 7],
    ['customRoomId', ''],
    ['customRoomId', 'x'.repeat(300)],
    ['webhook', 'https://app.example'],
    ['webhook', { endPoint: 'https://a.example', events: 'all' }],
    ['autoCloseConfig', { type: 'never', duration: 1 }],
    ['autoCloseConfig', { type: 'session-ends', duration: -1 }],
    ['allowedParticipantIds', 'ann'],
    ['allowedParticipantIds', [1]],
  ]
  for (const [field, value] of wrong) {
    const refused = await server.rest('POST', '/v2/rooms', { [field]: value })
    assert.equal(refused.status, 400, `${field}: ${JSON.stringify(value)}`)
    assert.equal(refused.body.code, 'INVALID_REQUEST')
    assert.match(refused.body.message, new RegExp(field))
  }
})

test('lists are paged, newest first', async () => {
  const made = []
  for (let at = 0; at < 5; at++) made.push(await server.createMeeting())
  const all = await server.rest('GET', '/v2/rooms?perPage=2&page=1')
  assert.equal(all.body.data.length, 2)
  assert.equal(all.body.pageInfo.perPage, 2)
  assert.equal(all.body.pageInfo.lastPage, Math.ceil(all.body.pageInfo.total / 2))
  const seen = []
  for (let page = 1; page <= all.body.pageInfo.lastPage; page++) {
    const { body } = await server.rest('GET', `/v1/meetings?perPage=2&page=${page}`)
    seen.push(...body.data.map((room: any) => room.meetingId))
  }
  assert.deepEqual(seen.slice(0, 5).sort(), [...made].sort())
  assert.equal(new Set(seen).size, all.body.pageInfo.total)
  const one = await server.rest('GET', `/v2/rooms?query=${made[2]!}`)
  assert.deepEqual(
    one.body.data.map((room: any) => room.roomId),
    [made[2]],
  )
  for (const query of ['page=0', 'page=x', 'perPage=0', 'perPage=100000', 'page=1.5']) {
    assert.equal((await server.rest('GET', `/v2/rooms?${query}`)).status, 400, query)
  }
})

test('a token for one meeting is refused for every other', async () => {
  const customRoomId = `scoped-${Date.now()}`
  const [own, other] = [await server.createMeeting({ customRoomId }), await server.createMeeting()]
  for (const roomId of [own, customRoomId]) {
    const token = server.token(['allow_join'], { roomId })
    assert.equal((await server.rest('GET', `/v2/rooms/${own}`, undefined, token)).status, 200)
    for (const [method, path, body] of [
      ['GET', `/v2/rooms/${other}`],
      ['POST', `/validate-meeting/${other}`],
      ['GET', '/v2/rooms/aaaa-bbbb-cccc'],
      ['GET', '/v2/rooms'],
      ['POST', '/v2/rooms'],
      ['POST', '/v2/rooms/deactivate', { roomId: other }],
    ] as const) {
      const refused = await server.rest(method, path, body, token)
      assert.equal(refused.status, 403, `${method} ${path}`)
      assert.equal(refused.body.code, 'UNAUTHORIZED_MEETING_ID')
    }
  }
  const crawler = server.token(['allow_join'], { roles: ['crawler'] })
  assert.equal((await server.rest('GET', `/v2/rooms/${own}`, undefined, crawler)).status, 200)
})

test('init-config answers each refusal with its number', async () => {
  const meetingId = await server.createMeeting()
  const disabled = await server.createMeeting()
  await server.rest('POST', '/v2/rooms/deactivate', { roomId: disabled })
  const cases: [code: number, token: string, roomId: unknown][] = [
    [4001, server.token(['allow_join'], { apiKey: 'nobody' }), meetingId],
    [4002, '', meetingId],
    [4002, 'junk', meetingId],
    [4003, direct(), 'aaaa-bbbb-cccc'],
    [4003, direct(), 7],
    [4003, direct(), undefined],
    [4008, server.token(['ask_join', 'allow_join']), meetingId],
    [4008, server.token(['dance']), meetingId],
    [4022, server.token(['allow_join'], { roomId: 'aaaa-bbbb-cccc' }), meetingId],
    [4024, server.token(['allow_join'], { roles: ['crawler'] }), meetingId],
    [4052, direct(), disabled],
  ]
  for (const [code, token, roomId] of cases) {
    const { status, body } = await server.rest('POST', '/infra/v1/meetings/init-config', { roomId }, token)
    assert.notEqual(status, 200)
    assert.equal(body.code, code)
    assert.equal(typeof body.error, 'string')
    // A client that ignores the status connects to this address, so its token goes nowhere else.
    assert.equal(body.data.baseUrl, server.url.replace('http://', ''))
    assert.equal(typeof body.data.observability, 'object')
  }
  for (const broken of ['{', '{"roomId":"x","__proto__":{}}', 'x'.repeat(300_000)]) {
    const answer = await fetch(`${server.url}/infra/v1/meetings/init-config`, {
      method: 'POST',
      headers: { authorization: direct(), 'content-type': 'application/json' },
      body: broken,
    })
    assert.ok(answer.status >= 400, broken.slice(0, 40))
    const { data } = (await answer.json()) as { data: { baseUrl: string } }
    assert.equal(data.baseUrl, server.url.replace('http://', ''), broken.slice(0, 40))
  }
  const { body } = await server.rest('POST', '/infra/v1/meetings/init-config', { roomId: meetingId })
  assert.equal(body.data.baseUrl, server.url.replace('http://', ''))
  assert.deepEqual(body.data.observability.traces, { enabled: false })
  assert.deepEqual(body.data.observability.logs, { enabled: false })
  assert.equal(body.data.signalingUrl, `${server.url.replace('http', 'ws')}/protoo`)
})

test('TURN credentials last for the lobby and an hour for those who must ask, and a day for others', async () => {
  const relayed = await TestServer.start({
    turnUrls: ['turn:turn.example.org'],
    turnSecret: 'a-secret-of-turn-for-tests',
    lobbyTimeoutSeconds: 600,
  })
  try {
    const roomId = await relayed.createMeeting()
    for (const [permission, seconds] of [
      ['ask_join', 4200],
      ['allow_join', 86_400],
      ['allow_mod', 86_400],
    ] as const) {
      const token = relayed.token([permission])
      const { body } = await relayed.rest('POST', '/infra/v1/meetings/init-config', { roomId }, token)
      const expiresAt = Number(body.data.iceServersPlain[0].username.split(':')[0])
      const left = expiresAt - Math.floor(Date.now() / 1000)
      assert.ok(left <= seconds && left > seconds - 300, `${permission}: ${left} s`)
    }
  } finally {
    await relayed.stop()
  }
})

test('invites are no wider than their maker, counted and revocable', async () => {
  const roomId = await server.createMeeting()
  const guest = server.token(['ask_join'])
  assert.equal(
    (await server.rest('POST', '/v2/invites', { roomId, entry: 'ask' }, guest)).body.code,
    'INVALID_PERMISSIONS',
  )
  const scoped = server.token(['allow_join'], { roomId: 'aaaa-bbbb-cccc' })
  assert.equal((await server.rest('POST', '/v2/invites', { roomId, entry: 'ask' }, scoped)).status, 403)

  const { body: invite } = await server.rest('POST', '/v2/invites', { roomId, entry: 'ask', maxUses: 2 })
  assert.match(invite.link, new RegExp(`/m/${roomId}#invite=`))
  const exchange = (code: string) => server.rest('POST', '/invites/exchange', { code })
  const both = await Promise.all([exchange(invite.code), exchange(invite.code), exchange(invite.code)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 200, 404])
  const token = both.find(({ status }) => status === 200)!.body.token as string
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  assert.deepEqual(claims.permissions, ['ask_join'])
  assert.equal(claims.roomId, roomId)
  assert.deepEqual(claims.roles, ['rtc'])

  const { body: second } = await server.rest('POST', '/v2/invites', { roomId, entry: 'direct' })
  const listed = await server.rest('GET', `/v2/invites?roomId=${roomId}`)
  assert.deepEqual(
    listed.body.data.map((one: any) => [one.inviteId, one.uses]).sort(),
    [
      [invite.inviteId, 2],
      [second.inviteId, 0],
    ].sort(),
  )
  assert.equal(JSON.stringify(listed.body).includes(second.code), false)
  await server.rest('POST', `/v2/invites/${second.inviteId}/revoke`, { roomId })
  assert.equal((await exchange(second.code)).status, 404)
  assert.equal((await exchange('A'.repeat(24))).status, 404)
})

test('the prebuilt page gets a token for a key, and a meeting for any id', async () => {
  const { status, body } = await call('/v1/prebuilt/token', {
    headers: json,
    body: JSON.stringify({ apiKey: 'test-key', permissions: ['ask_join', 'allow_mod'] }),
  })
  assert.equal(status, 200)
  const claims = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url').toString())
  assert.deepEqual(claims.permissions, ['ask_join'])
  const refused = await call('/v1/prebuilt/token', { headers: json, body: '{"apiKey":"nobody"}' })
  assert.equal(refused.status, 401)
  const first = await server.rest('POST', '/v1/prebuilt/meetings/any%20name', {})
  const again = await server.rest('POST', '/v1/prebuilt/meetings/any%20name', {})
  assert.equal(first.status, 200)
  assert.equal(first.body.meetingId, again.body.meetingId)
})
