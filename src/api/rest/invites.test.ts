/** An invite ends with its maker's credentials, and its guests cannot invite beyond its own limits. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { openStore } from '../../store/open.ts'
import { TestServer } from '../../../test/support/test-server.ts'

let server: TestServer
let roomId: string
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())
beforeEach(async () => {
  // Exchanges from one address are rate-limited.
  server.aheadMs += 15_000
  roomId = await server.createMeeting()
})

interface Answer {
  status: number
  body: any
}

const invite = (token: string, changes: object = {}): Promise<Answer> =>
  server.rest('POST', '/v2/invites', { roomId, entry: 'direct', ...changes }, token)
const exchange = (code: string): Promise<Answer> => server.rest('POST', '/invites/exchange', { code })
const revoke = (token: string, inviteId: string): Promise<Answer> =>
  server.rest('POST', `/v2/invites/${inviteId}/revoke`, { roomId }, token)

async function made(token: string, changes: object = {}): Promise<any> {
  const { status, body } = await invite(token, changes)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

/** Exchanges an invite and returns the guest's token. */
async function invited(code: string): Promise<string> {
  const { status, body } = await exchange(code)
  assert.equal(status, 200, JSON.stringify(body))
  return body.token
}

test('an invite ends with the token that made it, and so do invites made by its guests', async () => {
  const maker = server.token(['allow_join'], { jti: 'maker-of-invites' })
  const first = await made(maker)
  const child = await made(await invited(first.code))
  const another = await made(server.token(['allow_join']))
  const moderator = server.token(['allow_mod'])
  const { status } = await server.rest('POST', '/v2/tokens/revoke', { jti: 'maker-of-invites' }, moderator)
  assert.equal(status, 200)
  for (const { code } of [first, child]) assert.equal((await exchange(code)).status, 404)
  assert.equal((await exchange(another.code)).status, 200)
})

test('an invite made with a removed token admits nobody until the removal is lifted, nor do invites made by its guests', async () => {
  const host = server.connect({
    token: server.token(['allow_mod']),
    meetingId: roomId,
    participantId: 'host',
  })
  await host.join()
  const maker = server.token(['allow_join'])
  await server.connect({ token: maker, meetingId: roomId, participantId: 'bad' }).join()
  const first = await made(maker)
  const child = await made(await invited(first.code))
  const another = await made(server.token(['allow_join']))
  await host.request('removePeer', { peerId: 'bad' })
  for (const { code } of [first, child]) assert.equal((await exchange(code)).status, 404)
  assert.equal((await exchange(another.code)).status, 200)
  await host.request('liftRemoval', { peerId: 'bad' })
  for (const { code } of [first, child]) assert.equal((await exchange(code)).status, 200)
})

test('an invite of a removed participant admits nobody, whichever of its tokens made it', async () => {
  const host = server.connect({
    token: server.token(['allow_mod']),
    meetingId: roomId,
    participantId: 'host',
  })
  await host.join()
  const token = (): string => server.token(['allow_join'], { participantId: 'bad' })
  const first = await made(token())
  const child = await made(await invited(first.code))
  await server.connect({ token: token(), meetingId: roomId, participantId: 'bad' }).join()
  await host.request('removePeer', { peerId: 'bad' })
  for (const { code } of [first, child]) assert.equal((await exchange(code)).status, 404)
  await host.request('liftRemoval', { peerId: 'bad' })
  for (const { code } of [first, child]) assert.equal((await exchange(code)).status, 200)
})

test('a refused exchange does not use up the invite or its parents', async () => {
  const parent = await made(server.token(['allow_mod']), { maxUses: 3 })
  const guest = await invited(parent.code)
  const child = await made(guest)
  const { jti } = JSON.parse(Buffer.from(guest.split('.')[1]!, 'base64url').toString())
  await server.rest('POST', '/v2/tokens/revoke', { jti }, server.token(['allow_mod']))
  for (let tries = 0; tries < 5; tries++) assert.equal((await exchange(child.code)).status, 404)
  for (let uses = 0; uses < 2; uses++) assert.equal((await exchange(parent.code)).status, 200)
  assert.equal((await exchange(parent.code)).status, 404)
})

test('an invite ends with the key that made it, and its holders get tokens of that key', async () => {
  const { data: projects } = (await server.admin('GET', '/v2/admin/projects')).body
  const { projectId } = projects[0]
  const { body: key } = await server.admin('POST', '/v2/admin/keys', { projectId })
  const maker = server.token(['allow_join'], { apiKey: key.apiKey, secret: key.secret })
  const { code } = await made(maker)
  const token = await invited(code)
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  assert.equal(claims.apikey, key.apiKey)
  await server.admin('POST', `/v2/admin/keys/${key.apiKey}/revoke`, { connections: 'keep' })
  assert.equal((await exchange(code)).status, 404)
})

test('a guest of an invite cannot make one that lasts longer, has more uses, or survives it', async () => {
  const moderator = server.token(['allow_mod'])
  const parent = await made(moderator, { expiresInSeconds: 60, maxUses: 3 })
  const guest = await invited(parent.code)
  const child = await made(guest, { expiresInSeconds: 2_592_000 })
  assert.ok(child.expiresAt <= parent.expiresAt)
  assert.equal(child.maxUses, 2)
  const grandchild = await made(await invited(child.code), { maxUses: 1_000_000 })
  assert.ok(grandchild.expiresAt <= parent.expiresAt)
  assert.equal(grandchild.maxUses, 1)
  // Each use of an invite counts as a use of all invites that it descends from.
  const last = await invited(grandchild.code)
  for (const { code } of [parent, child, grandchild]) assert.equal((await exchange(code)).status, 404)
  for (const token of [guest, last]) assert.equal((await invite(token)).body.code, 'INVALID_PERMISSIONS')
})

test('one use admits one person, however many exchange child invites at once', async () => {
  const parent = await made(server.token(['allow_mod']), { maxUses: 3 })
  const guest = await invited(parent.code)
  const children = await Promise.all(Array.from({ length: 4 }, () => made(guest)))
  const answers = await Promise.all([...children, ...children].map(({ code }) => exchange(code)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 2)
})

test('a child of a revoked invite admits nobody, and its maker cannot make another', async () => {
  const moderator = server.token(['allow_mod'])
  const parent = await made(moderator)
  const guest = await invited(parent.code)
  const child = await made(guest)
  assert.equal((await revoke(moderator, parent.inviteId)).status, 200)
  assert.equal((await exchange(child.code)).status, 404)
  assert.equal((await invite(guest)).body.code, 'INVALID_PERMISSIONS')
})

test('only moderators revoke invites of others, whatever MODERATION says', async () => {
  const open = await TestServer.start({ moderation: 'open' })
  try {
    for (const on of [server, open]) {
      const meeting = await on.createMeeting()
      const make = async (token: string): Promise<string> =>
        (await on.rest('POST', '/v2/invites', { roomId: meeting, entry: 'ask' }, token)).body.inviteId
      const take = async (token: string, inviteId: string): Promise<number> =>
        (await on.rest('POST', `/v2/invites/${inviteId}/revoke`, { roomId: meeting }, token)).status
      const [plain, moderator] = [on.token(['allow_join'], { jti: 'plain' }), on.token(['allow_mod'])]
      const theirs = await make(moderator)
      assert.equal(await take(plain, theirs), 403)
      assert.equal(await take(on.token(['allow_join'], { jti: 'another' }), await make(plain)), 403)
      assert.equal(await take(plain, await make(plain)), 200, 'its own')
      assert.equal(await take(on.token(['allow_mod'], { jti: 'another moderator' }), theirs), 200)
    }
  } finally {
    await open.stop()
  }
})

test('an invite from before makers were recorded still admits people', async () => {
  const own = await TestServer.start()
  try {
    const meetingId = await own.createMeeting()
    const body = { roomId: meetingId, entry: 'ask' }
    await own.rest('POST', '/v2/invites', body, own.token(['allow_join']))
    const code = 'an-older-code-of-an-invite'
    const { dataDir, masterKey, databaseUrl: url } = own.config
    const store = await openStore({ folder: dataDir, masterKey, url })
    const [record] = (await store.invites.list(meetingId, { page: 1, perPage: 1 })).items
    await store.invites.create({
      ...record!,
      codeHash: hash('sha256', code),
      inviteId: 'older',
      apiKey: null,
      tokenId: null,
      parentId: null,
      participantId: null,
    })
    await store.close()
    assert.equal((await own.rest('POST', '/invites/exchange', { code })).status, 200)
  } finally {
    await own.stop()
  }
})

test('used-up invites make room for new ones, but only when the limit is reached', async () => {
  const own = await TestServer.start({ maxInvites: 8 })
  try {
    const meetingId = await own.createMeeting()
    const token = own.token(['allow_mod'])
    const make = (changes: object = {}): Promise<Answer> =>
      own.rest('POST', '/v2/invites', { roomId: meetingId, entry: 'direct', ...changes }, token)
    const listed = async (): Promise<string[]> =>
      (await own.rest('GET', `/v2/invites?roomId=${meetingId}`)).body.data.map((one: any) => one.inviteId)

    const used = (await make({ maxUses: 1 })).body
    const revoked = (await make()).body
    const expiring = (await make({ expiresInSeconds: 60 })).body
    const kept = (await make()).body
    const refused = await make()
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.message],
      [429, 'RATE_LIMITED', "This token has its share of the meeting's invites."],
    )
    // An invite made by a guest of the revoked one is revoked too.
    const guest = (await own.rest('POST', '/invites/exchange', { code: revoked.code })).body.token
    const ofGuest = (await own.rest('POST', '/v2/invites', { roomId: meetingId, entry: 'ask' }, guest)).body
    assert.equal((await own.rest('POST', '/invites/exchange', { code: used.code })).status, 200)
    await own.rest('POST', `/v2/invites/${revoked.inviteId}/revoke`, { roomId: meetingId }, token)
    own.aheadMs += 61_000
    assert.equal((await listed()).length, 5)

    const next = (await make()).body
    assert.deepEqual((await listed()).sort(), [kept.inviteId, next.inviteId].sort())
    for (const { code } of [used, revoked, expiring, ofGuest])
      assert.equal((await own.rest('POST', '/invites/exchange', { code })).status, 404)
    assert.equal((await own.rest('POST', '/invites/exchange', { code: kept.code })).status, 200)
  } finally {
    await own.stop()
  }
})

test('lists the invites of a meeting in pages, newest first', async () => {
  const moderator = server.token(['allow_mod'])
  const ids: string[] = []
  for (let nth = 0; nth < 5; nth++) {
    server.aheadMs += 1000
    ids.unshift((await made(moderator)).inviteId)
  }
  const page = async (at: number): Promise<Answer> =>
    server.rest('GET', `/v2/invites?roomId=${roomId}&perPage=2&page=${at}`, undefined, moderator)
  for (const [at, expected] of [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4), []].entries()) {
    const { body } = await page(at + 1)
    assert.deepEqual([body.pageInfo.total, body.pageInfo.lastPage], [5, 3])
    assert.deepEqual(
      body.data.map((one: any) => one.inviteId),
      expected,
    )
  }
})
