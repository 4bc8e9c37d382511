/** The operator manages projects, keys and tokens, and admission follows at once. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signAnything, TestServer } from '../../../../test/support/test-server.ts'
import type { WireClient } from '../../../../test/support/wire-client.ts'

let server: TestServer
let projectId: string
before(async () => {
  // Everybody may get a token of a key, so that only its origins decide.
  server = await TestServer.start({ openGetToken: true })
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
})
after(() => server.stop())

interface Key {
  apiKey: string
  secret: string
  [field: string]: unknown
}

async function newKey(body: Record<string, unknown> = {}): Promise<Key> {
  const { status, body: key } = await server.admin('POST', '/v2/admin/keys', { projectId, ...body })
  assert.equal(status, 200, JSON.stringify(key))
  return key
}

const tokenBy = ({ apiKey, secret }: Key, permissions = ['allow_join']): string =>
  server.token(permissions, { apiKey, secret })
const revoke = (apiKey: string, connections: string) =>
  server.admin('POST', `/v2/admin/keys/${apiKey}/revoke`, { connections })
const initConfig = async (token: string, meetingId: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${server.url}/infra/v1/meetings/init-config`, {
    method: 'POST',
    headers: { authorization: token, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ roomId: meetingId }),
  })
  return { status: answer.status, body: await answer.json() }
}

async function refusedAtDoor(options: Parameters<TestServer['connect']>[0], code: number): Promise<void> {
  const client = server.connect(options)
  assert.equal((await client.hears('error')).code, code)
  await client.gone()
}

/** Waits until the client is told the reason and disconnected. */
async function isRemoved(client: WireClient, code: number): Promise<void> {
  assert.equal((await client.hears('error')).code, code)
  assert.equal((await client.hears('close')).code, 1010)
  await client.gone()
}

test('refuses unknown projects and keys, and malformed calls', async () => {
  for (const [method, path, body, status] of [
    ['POST', '/v2/admin/projects', { name: ' ' }, 400],
    ['PATCH', '/v2/admin/projects/nowhere', { name: 'x' }, 404],
    [
      'PATCH',
      `/v2/admin/projects/${projectId}`,
      { webhook: { endPoint: 'http://127.0.0.1/hook', events: ['*'] } },
      400,
    ],
    ['POST', '/v2/admin/keys', { projectId: 'nowhere' }, 404],
    ['POST', '/v2/admin/keys', { projectId, name: '' }, 400],
    ['POST', '/v2/admin/keys', { projectId, origins: ['app.example'] }, 400],
    ['POST', '/v2/admin/keys', { projectId, origins: [] }, 400],
    ['PATCH', '/v2/admin/keys/nobody', { name: 'x' }, 404],
    ['PATCH', '/v2/admin/keys/test-key', { origins: ['*'] }, 400],
    ['POST', '/v2/admin/keys/nobody/rotate', { overlapSeconds: 1 }, 404],
    ['POST', '/v2/admin/keys/test-key/rotate', {}, 400],
    ['POST', '/v2/admin/keys/test-key/rotate', { overlapSeconds: -1 }, 400],
    ['POST', '/v2/admin/keys/nobody/revoke', { connections: 'keep' }, 404],
    ['POST', '/v2/admin/keys/test-key/revoke', { connections: 'some' }, 400],
    ['POST', '/v2/admin/projects/nowhere/token', {}, 404],
    ['POST', `/v2/admin/projects/${projectId}/token`, { apiKey: 'nobody' }, 404],
    ['POST', `/v2/admin/projects/${projectId}/token`, { permissions: ['ask_join', 'allow_join'] }, 400],
    ['POST', `/v2/admin/projects/${projectId}/token`, { roomId: ' ' }, 400],
  ] as const) {
    const answer = await server.admin(method, path, body)
    assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}`)
  }
  for (const path of ['projects', 'keys', 'settings'])
    assert.equal((await server.rest('GET', `/v2/admin/${path}`)).status, 401, path)
})

test('shows the secret of a new key once; a token of another project finds nothing', async () => {
  const made = await server.admin('POST', '/v2/admin/projects', { name: 'other' })
  assert.equal(made.body.name, 'other')
  const changed = await server.admin('PATCH', `/v2/admin/projects/${made.body.projectId}`, {
    name: 'renamed',
    webhook: { endPoint: 'https://app.example/hook', events: ['*'] },
  })
  assert.equal(changed.body.name, 'renamed')
  assert.deepEqual(changed.body.webhook, { endPoint: 'https://app.example/hook', events: ['*'] })
  const key = await newKey({ projectId: made.body.projectId, name: 'app' })
  const listed = await server.admin('GET', `/v2/admin/keys?projectId=${made.body.projectId}`)
  assert.deepEqual(
    listed.body.data.map(({ apiKey, name }: Key) => [apiKey, name]),
    [[key.apiKey, 'app']],
  )
  assert.equal(JSON.stringify(listed.body).includes(key.secret), false)
  const meetingId = await server.createMeeting()
  assert.equal((await server.rest('GET', `/v2/rooms/${meetingId}`, undefined, tokenBy(key))).status, 404)
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, tokenBy(key))).body.pageInfo.total, 0)
})

test('shows when a key was last used, also after a restart', async () => {
  const key = await newKey()
  const lastUsed = async (): Promise<number | null> =>
    (await server.admin('GET', '/v2/admin/keys')).body.data.find(({ apiKey }: Key) => apiKey === key.apiKey)
      .lastUsedAt
  assert.equal(await lastUsed(), null)
  await server.rest('GET', '/v2/rooms', undefined, tokenBy({ ...key, secret: 'wrong' }))
  assert.equal(await lastUsed(), null, 'a forged token is no use of it')
  await server.rest('GET', '/v2/rooms', undefined, tokenBy(key))
  const at = await lastUsed()
  assert.ok(at !== null && at >= (key.createdAt as number))
  await server.restart()
  assert.equal(await lastUsed(), at)
})

test('a rotated key works beside its successor until the end of the overlap', async () => {
  const before = await newKey({ name: 'app', origins: ['https://app.example'] })
  const meetingId = await server.createMeeting()
  const { body: successor } = await server.admin('POST', `/v2/admin/keys/${before.apiKey}/rotate`, {
    overlapSeconds: 3600,
  })
  assert.deepEqual([successor.name, successor.origins], ['app', ['https://app.example']])
  const again = await server.admin('POST', `/v2/admin/keys/${before.apiKey}/rotate`, { overlapSeconds: 1 })
  assert.equal(again.status, 409)

  const old = tokenBy(before)
  assert.equal((await initConfig(old, meetingId)).status, 200)
  assert.equal((await initConfig(tokenBy(successor), meetingId)).status, 200)
  server.aheadMs += 3_601_000
  const late = await initConfig(
    signAnything({ apikey: before.apiKey, permissions: ['allow_join'], exp: 9_999_999_999 }, before.secret),
    meetingId,
  )
  assert.equal(late.body.code, 4053)
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, old)).body.code, 'APIKEY_DEACTIVATED')
  server.aheadMs -= 3_601_000
  // After the clock went back, the key is valid again: decisions are not cached.
  assert.equal((await initConfig(old, meetingId)).status, 200)
  await revoke(before.apiKey, 'keep')
  assert.equal((await initConfig(old, meetingId)).body.code, 4053, 'revoked before its overlap is over')
})

test('a revoked key admits nobody; participants stay or are removed, as the call says', async () => {
  const key = await newKey()
  const meetingId = await server.createMeeting()
  const other = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'other' })
  await other.join()
  const kept = server.connect({ token: tokenBy(key), meetingId, participantId: 'kept' })
  await kept.join()
  const arrived = server.connect({ token: tokenBy(key), meetingId, participantId: 'arrived' })
  await arrived.hears('connectionSuccess')
  const waiting = server.connect({ token: tokenBy(key, ['ask_join']), meetingId, participantId: 'waiting' })
  await waiting.enter()

  assert.equal((await revoke(key.apiKey, 'keep')).body.ended, 0)
  await refusedAtDoor({ token: tokenBy(key), meetingId }, 4053)
  assert.equal((await initConfig(tokenBy(key), meetingId)).body.code, 4053)
  await assert.rejects(arrived.request('requestEntry', {}), { errorName: 'APIKEY_DEACTIVATED' })
  await kept.request('changeDisplayName', { displayName: 'Still here' })
  await other.hears('peerDisplayNameChanged')

  assert.equal((await revoke(key.apiKey, 'end')).body.ended, 2)
  await Promise.all([isRemoved(kept, 4053), isRemoved(waiting, 4053)])
  await other.hears('peerClosed', ({ peerId }) => peerId === 'kept')
  await other.hears('entryWithdrawn', ({ id }) => id === 'waiting')
  await other.request('changeDisplayName', { displayName: 'Not concerned' })
  other.close()
})

test('a key with origins refuses pages of other origins everywhere, and serves other programs', async () => {
  const key = await newKey({ origins: ['https://app.example', 'https://*.example.org'] })
  const meetingId = await server.createMeeting()
  const token = tokenBy(key)
  const basic = `Basic ${Buffer.from(`${key.apiKey}:${key.secret}`).toString('base64')}`
  const from = async (origin: string | undefined) => {
    const headers: Record<string, string> = { ...(origin !== undefined && { origin }) }
    const [config, rooms, minted, prebuilt] = await Promise.all([
      initConfig(token, meetingId, headers),
      fetch(`${server.url}/v2/rooms`, { headers: { ...headers, authorization: token } }),
      fetch(`${server.url}/get-token`, { headers: { ...headers, authorization: basic } }),
      fetch(`${server.url}/v1/prebuilt/token`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ apiKey: key.apiKey }),
      }),
    ])
    return [config.status, rooms.status, minted.status, prebuilt.status]
  }
  for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
    assert.deepEqual(await from(origin), [403, 403, 403, 403], origin)
    assert.equal((await initConfig(token, meetingId, { origin })).body.code, 4025)
    await refusedAtDoor({ token, meetingId, origin }, 4025)
  }
  for (const origin of ['https://app.example', 'https://eu.example.org', server.url, undefined]) {
    assert.deepEqual(await from(origin), [200, 200, 200, 200], origin)
    const client = server.connect({ token, meetingId, ...(origin !== undefined && { origin }) })
    await client.join()
    client.close()
  }
  // A switch from another meeting is refused too.
  const guest = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    origin: 'https://evil.example',
  })
  await guest.join()
  const elsewhere = await server.createMeeting()
  await assert.rejects(guest.request('switchToMeeting', { meetingId: elsewhere, secret: token }), {
    code: 4025,
  })
  guest.close()

  const lifted = await server.admin('PATCH', `/v2/admin/keys/${key.apiKey}`, { origins: null, name: 'open' })
  assert.deepEqual([lifted.body.origins, lifted.body.name], [null, 'open'])
  assert.deepEqual(await from('https://evil.example'), [200, 200, 200, 200])
})

test('a revoked token is refused with 4002 everywhere, and its holder is removed', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'], { jti: 'lost-phone' })
  const holder = server.connect({ token, meetingId, participantId: 'holder' })
  await holder.join()
  const other = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'other' })
  await other.join()
  for (const [body, by] of [
    [{ jti: 'lost-phone' }, server.token(['allow_join'], { roomId: meetingId, roles: ['crawler'] })],
    [{ jti: 'lost-phone' }, server.token(['allow_join'], { roles: ['rtc'] })],
    [{ jti: '' }, server.token(['allow_join'])],
    [{}, server.token(['allow_join'])],
  ] as const)
    assert.ok((await server.rest('POST', '/v2/tokens/revoke', body, by)).status >= 400)

  const revoked = await server.rest('POST', '/v2/tokens/revoke', { jti: 'lost-phone' })
  assert.equal(revoked.body.jti, 'lost-phone')
  await isRemoved(holder, 4002)
  await other.hears('peerClosed', ({ peerId }) => peerId === 'holder')
  await refusedAtDoor({ token, meetingId, participantId: 'holder' }, 4002)
  assert.equal((await initConfig(token, meetingId)).body.code, 4002)
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, token)).body.code, 'INVALID_TOKEN')
  // Time does not lift it, unlike a removal.
  server.aheadMs += 2 * 3_600_000
  await refusedAtDoor({ token, meetingId, participantId: 'holder' }, 4002)
  server.aheadMs -= 2 * 3_600_000
  other.close()

  const again = await server.rest('POST', '/v2/tokens/revoke', { jti: 'lost-phone' })
  assert.equal(again.body.revokedAt, revoked.body.revokedAt)
  await server.rest('POST', '/v2/tokens/revoke', { jti: 'another' })
  const { body } = await server.rest('GET', '/v2/tokens/revoked?perPage=1')
  assert.deepEqual(body.pageInfo, { currentPage: 1, perPage: 1, lastPage: 2, total: 2 })
  assert.equal(body.data[0].jti, 'another')
  await server.restart()
  await refusedAtDoor({ token, meetingId, participantId: 'holder' }, 4002)
  const inspected = await server.admin('POST', '/v2/admin/token/inspect', { token })
  assert.deepEqual(inspected.body.join, {
    allowed: false,
    code: 4002,
    name: 'INVALID_TOKEN',
    problem: 'This one token was revoked.',
  })
})

test('generates a token as requested, and explains it', async () => {
  const meetingId = await server.createMeeting()
  const { body } = await server.admin('POST', `/v2/admin/projects/${projectId}/token`, {
    permissions: ['allow_join', 'allow_mod'],
    roomId: meetingId,
    participantId: 'ann',
    expiresInSeconds: 60,
  })
  const ann = server.connect({ token: body.token, meetingId })
  const { self } = await ann.join()
  assert.deepEqual([self.participantId, self.canModerate], ['ann', true])
  ann.close()
  const { body: said } = await server.admin('POST', '/v2/admin/token/inspect', { token: body.token })
  assert.equal(said.signature, 'good')
  assert.deepEqual([said.join.allowed, said.rest.allowed], [true, false])
  const { body: managed } = await server.admin('POST', `/v2/admin/projects/${projectId}/token`, {
    roles: ['crawler'],
  })
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, managed.token)).status, 200)
  const junk = await server.admin('POST', '/v2/admin/token/inspect', { token: 'junk' })
  assert.equal(junk.status, 200)
  assert.equal(junk.body.join.allowed, false)
})

test('settings show where each value came from, and never a secret', async () => {
  const { body } = await server.admin('GET', '/v2/admin/settings')
  const found = new Map(body.data.map((one: any) => [one.variable, one]))
  const of = (variable: string): any => found.get(variable)
  assert.deepEqual([of('LOG_LEVEL').value, of('LOG_LEVEL').source], ['error', 'environment'])
  assert.deepEqual(
    [of('LOBBY_TIMEOUT_SECONDS').value, of('LOBBY_TIMEOUT_SECONDS').source],
    ['600', 'default'],
  )
  assert.deepEqual([of('VIDEOSDK_SECRET_KEY').value, of('VIDEOSDK_SECRET_KEY').source], [null, 'environment'])
  assert.deepEqual([of('MASTER_KEY').value, of('MASTER_KEY').source], [null, 'default'])
  assert.equal(of('VIDEOSDK_API_KEY').value, 'test-key')
  assert.doesNotMatch(JSON.stringify(body), /for-tests-only/)
  assert.match(of('PORT').help, /port/)
})
