/** Operators: invited by a link, bounded by a role; and what ends when an operator is deleted or gets a lower role. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import Database from 'better-sqlite3'
import { DATABASE_FILE } from '../../../store/sqlite/sqlite.ts'
import { openStore } from '../../../store/open.ts'
import { runSql } from '../../../../test/support/postgres.ts'
import { Stage } from '../../../../test/support/rest-calls.ts'
import { TestServer } from '../../../../test/support/test-server.ts'
import { operatorTokenId } from '../../../token/token.ts'
import { keepPassword } from './password.ts'

const PASSWORD = 'a password of enough length'

let server: TestServer
let stage: Stage
let projectId: string
before(async () => {
  server = await TestServer.start()
  stage = new Stage(server)
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
  await server.admin('POST', '/v2/admin/password', { password: PASSWORD })
})
after(() => server.stop())
/** Attempts to sign in are limited per minute, so each test starts in a later minute. */
beforeEach(() => {
  server.aheadMs += 300_000
})

async function ask(
  method: string,
  path: string,
  { cookie = '', body, project }: { cookie?: string; body?: unknown; project?: string } = {},
  to = server,
) {
  const answer = await fetch(to.url + path, {
    method,
    headers: {
      cookie,
      origin: to.url,
      'x-requested-with': 'test',
      ...(project !== undefined && { 'x-anteroom-project': project }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const given = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  return { status: answer.status, body: JSON.parse(text), cookie: given }
}

const accept = (code: string, password = PASSWORD) =>
  ask('POST', '/v2/admin/operator-invites/accept', { body: { code, password } })
const signIn = (name: string | undefined, password = PASSWORD) =>
  ask('POST', '/v2/admin/sign-in', { body: { ...(name !== undefined && { name }), password } })
const isIn = async (cookie: string) => (await ask('GET', '/v2/admin/sign-in', { cookie })).body.signedIn

test('a link makes one operator, once, and only until it expires or is revoked', async () => {
  const { code, name } = await stage.operatorInvite('viewer')
  assert.equal((await accept('x'.repeat(24))).status, 401)
  assert.equal((await accept(code, 'short')).status, 400)
  const seen = await ask('POST', '/v2/admin/operator-invites/look', { body: { code } })
  assert.deepEqual([seen.body.name, seen.body.role], [name, 'viewer'])
  const both = await Promise.all([accept(code), accept(code)])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401])
  const { body, cookie } = both.find(({ status }) => status === 200)!
  assert.deepEqual([body.self.name, body.self.role, body.passwordSet], [name, 'viewer', true])
  assert.ok(await isIn(cookie))
  assert.equal((await accept(code)).status, 401, 'used')

  const late = await stage.operatorInvite()
  server.aheadMs += 4 * 86_400_000
  assert.equal((await accept(late.code)).status, 401, 'expired')
  const revoked = await stage.operatorInvite()
  const path = `/v2/admin/operator-invites/${revoked.inviteId}/revoke`
  assert.equal((await server.admin('POST', path)).status, 200)
  assert.equal((await server.admin('POST', path)).status, 404)
  assert.equal((await accept(revoked.code)).status, 401, 'revoked')
})

test('signing in takes the name once there are several operators, in any case of its letters', async () => {
  const { name } = await stage.operator()
  assert.equal((await ask('GET', '/v2/admin/sign-in')).body.asksName, true)
  assert.equal((await signIn(undefined)).status, 400)
  assert.equal((await signIn('nobody')).status, 401)
  assert.equal((await signIn(name, `${PASSWORD}!`)).status, 401)
  const entered = await signIn(` ${name.toUpperCase()}`)
  assert.equal(entered.status, 200)
  assert.equal(entered.body.self.name, name)
})

test('two operators have no name in common', async () => {
  const { name, operatorId } = await stage.operator()
  const invited = await server.admin('POST', '/v2/admin/operator-invites', {
    name: name.toUpperCase(),
    role: 'viewer',
  })
  assert.deepEqual([invited.status, invited.body.code], [409, 'INVALID_STATE'])
  const renamed = await server.admin('PATCH', `/v2/admin/operators/${operatorId}`, { name: 'OWNER' })
  assert.deepEqual([renamed.status, renamed.body.message], [409, 'Another operator has this name.'])
  const [one, other] = [await stage.operatorInvite(), await stage.operatorInvite()]
  await accept(one.code)
  const taken = await server.admin('PATCH', `/v2/admin/operators/${operatorId}`, { name: other.name })
  assert.equal(taken.status, 200)
  const refused = await accept(other.code)
  assert.deepEqual([refused.status, refused.body.code], [409, 'INVALID_STATE'])
  await server.admin('PATCH', `/v2/admin/operators/${operatorId}`, { name: 'somebody else' })
  assert.equal((await accept(other.code)).status, 200, 'the refused link still works')
})

test('the last owner is neither deleted nor demoted, also by two at once', async () => {
  const owners = async (): Promise<any[]> =>
    (await server.admin('GET', '/v2/admin/operators')).body.data.filter(
      ({ role }: { role: string }) => role === 'owner',
    )
  const second = await stage.operator('owner')
  const [first] = (await owners()).filter(({ operatorId }) => operatorId !== second.operatorId)
  const away = await Promise.all([
    server.admin('PATCH', `/v2/admin/operators/${first.operatorId}`, { role: 'viewer' }),
    server.admin('DELETE', `/v2/admin/operators/${second.operatorId}`),
  ])
  assert.deepEqual(away.map(({ status }) => status).toSorted(), [200, 409])
  const left = await owners()
  assert.equal(left.length, 1)
  const path = `/v2/admin/operators/${left[0].operatorId}`
  for (const refused of [
    await server.admin('PATCH', path, { role: 'operator' }),
    await server.admin('DELETE', path),
  ]) {
    assert.deepEqual([refused.status, refused.body.code], [409, 'INVALID_STATE'])
    assert.match(refused.body.message, /needs an owner who can sign in/)
  }
  assert.equal((await owners()).length, 1)
})

test('what an operator made ends with the operator, or with the role', async () => {
  for (const [what, end] of [
    ['deleted', (id: string) => server.admin('DELETE', `/v2/admin/operators/${id}`)],
    ['a lower role', (id: string) => server.admin('PATCH', `/v2/admin/operators/${id}`, { role: 'viewer' })],
  ] as const) {
    server.aheadMs += 300_000
    const { operatorId, cookie } = await stage.operator('owner')
    const { body: minted } = await ask('POST', `/v2/admin/projects/${projectId}/token`, {
      cookie,
      body: { permissions: ['allow_join', 'allow_mod'] },
    })
    const meetingId = await server.createMeeting()
    const invite = await ask('POST', '/v2/invites', {
      cookie,
      project: projectId,
      body: { roomId: meetingId, entry: 'direct' },
    })
    assert.equal(invite.status, 200)
    const link = await ask('POST', '/v2/admin/operator-invites', {
      cookie,
      body: { name: `invited: ${what}`, role: 'owner' },
    })
    const inside = server.connect({ meetingId, token: minted.token, participantId: 'op', name: 'Op' })
    await inside.join()
    const list = () => server.rest('GET', '/v2/rooms', undefined, minted.token)
    assert.equal((await list()).status, 200)

    assert.equal((await end(operatorId)).status, 200)

    const refused = await list()
    assert.deepEqual([refused.status, refused.body.code], [401, 'INVALID_TOKEN'], what)
    await inside.hears('close')
    const exchanged = await ask('POST', '/invites/exchange', { body: { code: invite.body.code } })
    assert.equal(exchanged.status, 404, `${what}: the invite to the meeting`)
    assert.equal((await accept(link.body.link.split('#invite=')[1])).status, 401, `${what}: the link`)
    assert.equal(await isIn(cookie), what !== 'deleted')
    const created = await ask('POST', '/v2/rooms', { cookie, project: projectId, body: {} })
    assert.equal(created.status, what === 'deleted' ? 401 : 403)
  }
})

test('a higher role ends nothing', async () => {
  const { operatorId, cookie } = await stage.operator()
  const { body } = await ask('POST', `/v2/admin/projects/${projectId}/token`, { cookie, body: {} })
  await server.admin('PATCH', `/v2/admin/operators/${operatorId}`, { role: 'owner' })
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, body.token)).status, 200)
  assert.equal((await ask('GET', '/v2/admin/operators', { cookie })).status, 200)
})

test('a link for a new password ends the sign-ins of its operator when it is used, not before', async () => {
  const { operatorId, cookie, name } = await stage.operator()
  const { body } = await server.admin('POST', `/v2/admin/operators/${operatorId}/password-link`, {})
  assert.ok(await isIn(cookie))
  const chosen = await accept(body.link.split('#invite=')[1], 'another password')
  assert.deepEqual([chosen.status, chosen.body.self.operatorId], [200, operatorId])
  assert.equal(await isIn(cookie), false)
  assert.equal((await signIn(name)).status, 401)
  assert.equal((await signIn(name, 'another password')).status, 200)
})

test('everybody sees and ends the own sign-ins; an owner those of all', async () => {
  const [owner, one, other] = [await stage.operator('owner'), await stage.operator(), await stage.operator()]
  const list = async (cookie: string, of = 'self'): Promise<any> =>
    (await ask('GET', `/v2/admin/sign-ins?of=${of}`, { cookie })).body
  const { data } = await list(one.cookie)
  assert.deepEqual(
    data.map(({ operatorId, current, name, address }: any) => [operatorId, current, name, address]),
    [[one.operatorId, true, one.name, '127.0.0.1']],
  )
  assert.ok(!JSON.stringify(data).includes(one.cookie.split('=')[1]!), 'no cookie is shown')
  assert.equal((await list(one.cookie, 'all')).code, 'UNAUTHORIZED_REQUEST')
  const end = (cookie: string, signInId: string) =>
    ask('POST', `/v2/admin/sign-ins/${signInId}/end`, { cookie })
  assert.equal((await end(one.cookie, other.signInId)).status, 404, 'another’s')
  assert.ok(await isIn(other.cookie))
  assert.equal((await end(owner.cookie, other.signInId)).status, 200)
  assert.equal(await isIn(other.cookie), false)
  assert.equal((await end(one.cookie, one.signInId)).status, 200)
  assert.equal(await isIn(one.cookie), false)
})

test('the password of an operator signs out no other operator', async () => {
  const [one, other] = [await stage.operator(), await stage.operator()]
  const body = { password: 'another password', current: PASSWORD }
  assert.equal((await ask('POST', '/v2/admin/password', { cookie: one.cookie, body })).status, 200)
  assert.equal(await isIn(one.cookie), false)
  assert.ok(await isIn(other.cookie))
})

test('an installation that knew one operator keeps its password and its sign-ins', async () => {
  const old = await TestServer.start()
  try {
    const code = /#sign-in=([\w-]+)$/m.exec(old.ready.text)![1]!
    const { cookie } = await ask('POST', '/v2/admin/sign-in', { body: { code } }, old)
    const store = await openStore({ folder: old.config.dataDir, url: old.config.databaseUrl })
    // As the version before left it.
    const [{ operatorId } = { operatorId: '' }] = await store.operators.list()
    await store.secrets.set('sign-in-password', await keepPassword(PASSWORD, randomBytes))
    await store.close()
    await forgetOperators(old)
    await old.restart()
    assert.doesNotMatch(old.ready.text, /#sign-in=/)
    const state = await ask('GET', '/v2/admin/sign-in', { cookie }, old)
    assert.deepEqual([state.body.signedIn, state.body.passwordSet], [true, true])
    assert.deepEqual([state.body.self.name, state.body.self.role], ['owner', 'owner'])
    assert.notEqual(state.body.self.operatorId, operatorId)
    const entered = await ask('POST', '/v2/admin/sign-in', { body: { password: PASSWORD } }, old)
    assert.equal(entered.status, 200)
  } finally {
    await old.stop()
  }
})

async function forgetOperators({ config }: TestServer): Promise<void> {
  const forget = 'delete from operators; update sign_ins set operator_id = null, last_seen_at = null'
  if (config.databaseUrl !== undefined) {
    await runSql(config.databaseUrl, forget)
    return
  }
  const db = new Database(join(config.dataDir, DATABASE_FILE))
  db.exec(forget)
  db.close()
}

test('a crash right after an operator was deleted leaves no token of theirs in force', async () => {
  const { operatorId, cookie } = await stage.operator('operator')
  const { body } = await ask('POST', `/v2/admin/projects/${projectId}/token`, {
    cookie,
    body: { permissions: ['allow_join', 'allow_mod'] },
  })
  const reads = async (): Promise<number> =>
    (await fetch(`${server.url}/v2/rooms`, { headers: { authorization: body.token } })).status
  assert.equal(await reads(), 200)
  // Another process deletes the operator, and ends before it does anything else.
  const store = await openStore({ folder: server.config.dataDir, url: server.config.databaseUrl })
  try {
    await store.operators.delete(operatorId, { tokenIdOf: operatorTokenId, at: Date.now() })
  } finally {
    await store.close()
  }
  while ((await reads()) !== 401) await new Promise((next) => setTimeout(next, 50))
})

test('who was removed is listed with the name of who did it: a participant, an app, or an operator; of past sessions too', async () => {
  const meetingId = await server.createMeeting()
  const inside = async (participantId: string, name: string, permission = 'allow_join') => {
    const client = server.connect({ meetingId, participantId, name, token: server.token([permission]) })
    await client.join()
    return client
  }
  const mod = await inside('mod', 'Mona', 'allow_mod')
  for (const id of ['a', 'b', 'c']) await inside(id, id.toUpperCase())
  await mod.request('removePeer', { peerId: 'a' })
  const path = '/v2/sessions/participants/remove'
  const body = { roomId: meetingId, participantId: 'b' }
  assert.equal((await server.rest('POST', path, body)).status, 200)
  const { cookie, name } = await stage.operator('operator')
  const removed = await ask('POST', path, {
    cookie,
    project: projectId,
    body: { ...body, participantId: 'c' },
  })
  assert.equal(removed.status, 200, JSON.stringify(removed.body))

  const list = (query = '') =>
    ask('GET', `/v2/rooms/${meetingId}/removals${query}`, { cookie, project: projectId })
  const shown = async (query?: string) =>
    (await list(query)).body.data.map((one: any) => [one.name, one.removedBy, one.removedByName])
  const expected = [
    ['A', 'mod', 'Mona'],
    ['B', 'server', null],
    ['C', 'server', name],
  ]
  assert.deepEqual(await shown(), expected)
  const { id: sessionId } = (await server.rest('POST', '/v2/sessions/end', { roomId: meetingId })).body
  assert.deepEqual(await shown(), [])
  assert.deepEqual(await shown(`?sessionId=${sessionId}`), expected)
  const other = await server.createMeeting()
  const foreign = await ask('GET', `/v2/rooms/${other}/removals?sessionId=${sessionId}`, {
    cookie,
    project: projectId,
  })
  assert.equal(foreign.status, 404)
})
