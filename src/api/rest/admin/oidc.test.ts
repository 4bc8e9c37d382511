/** Signing in by OpenID Connect, with a real provider: roles by a claim, and every way in which it can fail. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { CLIENT_ID, CLIENT_SECRET, TestProvider, Visitor } from '../../../../test/support/oidc.ts'
import { TestServer } from '../../../../test/support/test-server.ts'
import { highestRole } from './oidc.ts'

const ROLES = new Map([
  ['company-admins', 'owner'],
  ['staff', 'operator'],
  ['all', 'viewer'],
] as const)

let provider: TestProvider
let server: TestServer
before(async () => {
  provider = await TestProvider.start()
  server = await TestServer.start({
    oidcIssuer: provider.issuer,
    oidcClientId: CLIENT_ID,
    oidcClientSecret: CLIENT_SECRET,
    oidcScopes: 'openid profile roles',
    oidcRoleClaim: 'realm.roles',
    oidcRoles: ROLES,
    oidcName: 'The Company',
  })
  provider.serve(server.url)
})
after(async () => {
  await server.stop()
  await provider.stop()
})
/** Attempts to sign in are limited per minute. */
beforeEach(() => {
  server.aheadMs += 200_000
})

const start = (): string => `${server.url}/v2/admin/oidc/start`
const isCallback = (address: string): boolean => address.startsWith(`${server.url}/v2/admin/oidc/callback`)
/** What a visitor is told at the end. */
async function signIn(login: string, visitor = new Visitor()): Promise<string> {
  const landed = await visitor.go(start(), login, (address) => address.includes('/dashboard'))
  return landed.slice(landed.indexOf('/dashboard'))
}
const who = async (visitor: Visitor): Promise<any> =>
  (
    await (
      await fetch(`${server.url}/v2/admin/sign-in`, { headers: { cookie: visitor.cookies(server.url) } })
    ).json()
  ).self

test('the highest role that the claim gives counts; any other value gives none', () => {
  assert.equal(highestRole(['all', 'company-admins', 'staff', 7], ROLES), 'owner')
  assert.equal(highestRole('staff', ROLES), 'operator')
  for (const value of [undefined, null, [], {}, 'nobody', ['owner']])
    assert.equal(highestRole(value, ROLES), undefined)
})

test('a person with a role becomes an operator, and is the same one the next time, with the present role', async () => {
  assert.equal((await server.admin('GET', '/v2/admin/sign-in')).body.provider, 'The Company')
  provider.roles.set('ada', ['staff', 'other'])
  const ada = new Visitor()
  assert.equal(await signIn('ada', ada), '/dashboard')
  const self = await who(ada)
  assert.deepEqual([self.name, self.role, self.external], ['ada of the company', 'operator', true])
  provider.roles.set('ada', ['company-admins'])
  const again = new Visitor()
  await signIn('ada', again)
  const then = await who(again)
  assert.deepEqual([then.operatorId, then.role], [self.operatorId, 'owner'])

  provider.roles.set('ada', ['all'])
  await signIn('ada', new Visitor())
  assert.equal((await who(again)).role, 'viewer', 'also where it was signed in before')
  const { body } = await server.admin('GET', '/v2/admin/audit?action=sign-in.enter&outcome=done')
  assert.deepEqual([body.data[0].actorId, body.data[0].facts], [self.operatorId, { by: 'OpenID Connect' }])
})

test('who has no role is refused; and loses what there was before', async () => {
  assert.equal(await signIn('eve'), '/dashboard#sign-in-problem=role')
  const { body } = await server.admin('GET', '/v2/admin/operators')
  assert.ok(!body.data.some(({ name }: any) => name.startsWith('eve')))
  const [entry] = (await server.admin('GET', '/v2/admin/audit?action=sign-in.enter&outcome=refused')).body
    .data
  assert.deepEqual([entry.actor, entry.code], ['nobody', 'OIDC_ROLE'])

  provider.roles.set('bob', ['company-admins'])
  const bob = new Visitor()
  await signIn('bob', bob)
  assert.ok(await who(bob))
  provider.roles.delete('bob')
  assert.equal(await signIn('bob'), '/dashboard#sign-in-problem=role')
  assert.equal(await who(bob), null)
})

test('two people with one name are two operators; a local operator is nobody’s by its name', async () => {
  await server.admin('POST', '/v2/admin/operator-invites', { name: 'cem of the company', role: 'owner' })
  provider.roles.set('cem', ['all'])
  const cem = new Visitor()
  await signIn('cem', cem)
  const [first] = (await server.admin('GET', '/v2/admin/operators')).body.data
  await server.admin('PATCH', `/v2/admin/operators/${first.operatorId}`, { name: 'dan of the company' })
  provider.roles.set('dan', ['all'])
  const dan = new Visitor()
  await signIn('dan', dan)
  assert.deepEqual([(await who(dan)).name, (await who(dan)).role], ['dan of the company 2', 'viewer'])
})

test('an answer without its beginning, of another browser, or used twice, signs nobody in', async () => {
  provider.roles.set('fay', ['all'])
  const fay = new Visitor()
  const callback = await fay.go(start(), 'fay', isCallback)
  const thief = new Visitor()
  const stolen = await thief.ask(callback)
  assert.match(stolen.headers.get('location')!, /#sign-in-problem=state$/)
  await thief.ask(start())
  assert.match(
    (await thief.ask(callback)).headers.get('location')!,
    /#sign-in-problem=state$/,
    'with another state',
  )
  const forged = callback.replace(/code=[^&]+/, 'code=forged')
  const other = new Visitor()
  const theirs = await other.go(start(), 'fay', isCallback)
  const swapped = theirs.replace(/code=[^&]+/, /code=[^&]+/.exec(callback)![0])
  assert.match((await other.ask(swapped)).headers.get('location')!, /#sign-in-problem=invalid$/, 'PKCE')
  assert.match((await fay.ask(forged)).headers.get('location')!, /#sign-in-problem=invalid$/)
  assert.equal(await who(fay), null)
})

test('who declines at the provider is not let in; its wrong clock and its absence have sentences of their own', async () => {
  provider.roles.set('gus', ['all'])
  const gus = new Visitor()
  const callback = await gus.go(start(), 'gus', isCallback)
  const declined = `${callback.split('?')[0]}?error=access_denied&state=${new URL(callback).searchParams.get('state')}&iss=${encodeURIComponent(provider.issuer)}`
  assert.match((await gus.ask(declined)).headers.get('location')!, /#sign-in-problem=refused$/)
  server.aheadMs += 2 * 3_600_000
  assert.equal(await signIn('gus'), '/dashboard#sign-in-problem=clock')
  server.aheadMs -= 2 * 3_600_000
  const wrong = await TestServer.start({ oidcIssuer: 'http://localhost:9', oidcClientId: 'x' })
  try {
    const answer = await fetch(`${wrong.url}/v2/admin/oidc/start`, { redirect: 'manual' })
    assert.match(answer.headers.get('location')!, /#sign-in-problem=away$/)
  } finally {
    await wrong.stop()
  }
})

test('the provider refuses an address that is not registered there', async () => {
  const visitor = new Visitor({ 'x-forwarded-host': 'ignored' })
  const there = (await visitor.ask(start())).headers.get('location')!
  const elsewhere = new URL(there)
  elsewhere.searchParams.set('redirect_uri', 'https://evil.example/v2/admin/oidc/callback')
  const answer = await visitor.ask(elsewhere.href)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /redirect_uri/)
})

test('signing out leads out of the provider; there is no password to set', async () => {
  provider.roles.set('hal', ['all'])
  const hal = new Visitor()
  await signIn('hal', hal)
  const headers = {
    cookie: hal.cookies(server.url),
    origin: server.url,
    'x-requested-with': 'test',
    'content-type': 'application/json',
  }
  const post = async (path: string, body: object) => {
    const answer = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, body: await answer.json() }
  }
  assert.equal((await post('/v2/admin/password', { password: 'a password of enough length' })).status, 409)
  assert.equal((await post('/v2/admin/second-factor/begin', { password: 'x' })).status, 409)
  const { body } = await post('/v2/admin/sign-out', {})
  assert.ok(body.leaveAt.startsWith(`${provider.issuer}/session/end?`), body.leaveAt)
  assert.equal((await hal.ask(body.leaveAt)).status, 200)
  assert.equal(await who(hal), null)
})
