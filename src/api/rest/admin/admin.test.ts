/** The operator's credentials: the admin key, the first link, the password, the cookie; and callers without them. */
import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { ADMIN_KEY, TestServer } from '../../../../test/support/test-server.ts'

const PASSWORD = 'correct horse battery staple'
const WITH_JSON = { 'content-type': 'application/json' }
const OWN_COOKIE = /^anteroom_sign_in=([\w-]+); Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())
/** Attempts to sign in are limited per minute, so each test starts in a later minute. */
beforeEach(() => {
  server.aheadMs += 300_000
})

interface Answered {
  status: number
  body: any
  headers: Headers
  cookie: string | undefined
}

async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answered> {
  const answer = await fetch(server.url + path, {
    method,
    headers: { ...(body !== undefined && WITH_JSON), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const cookie = OWN_COOKIE.exec(answer.headers.get('set-cookie') ?? '')?.[1]
  return { status: answer.status, body: await answer.json(), headers: answer.headers, cookie }
}

const signInWith = (body: object): Promise<Answered> => ask('POST', '/v2/admin/sign-in', {}, body)
/** Sends the headers that the dashboard's page sends. */
const asPage = (cookie: string, origin = server.url): Record<string, string> => ({
  cookie: `anteroom_sign_in=${cookie}`,
  origin,
})
const codeIn = (text: string): string => /\/dashboard#sign-in=([\w-]{24})$/m.exec(text)![1]!
const isSignedIn = async (cookie: string): Promise<boolean> =>
  (await ask('GET', '/v2/admin/sign-in', { cookie: `anteroom_sign_in=${cookie}` })).body.signedIn

async function signedIn(): Promise<string> {
  await server.admin('POST', '/v2/admin/password', { password: PASSWORD })
  const { cookie } = await signInWith({ password: PASSWORD })
  return cookie!
}

test('without the admin key, with a wrong one, or with a token, no management call is answered', async () => {
  for (const authorization of [
    undefined,
    ADMIN_KEY,
    `Bearer ${ADMIN_KEY}x`,
    `Bearer ${ADMIN_KEY.slice(1)}`,
    `Basic ${Buffer.from(`admin:${ADMIN_KEY}`).toString('base64')}`,
    server.token(['allow_join', 'allow_mod']),
    `Bearer ${server.token(['allow_join'], { roles: ['crawler'] })}`,
  ]) {
    const { status, body, headers } = await ask(
      'POST',
      '/v2/admin/password',
      authorization === undefined ? {} : { authorization },
      // Refused before the password is read.
      { password: 1 },
    )
    assert.equal(status, 401, authorization)
    assert.equal(body.code, 'UNAUTHORIZED')
    assert.equal(JSON.stringify(body).includes(ADMIN_KEY), false)
    // "Basic" would make a browser ask for a password by itself.
    assert.match(headers.get('www-authenticate')!, /^Bearer /)
    assert.equal(headers.get('cache-control'), 'no-store')
  }
})

test('refuses a token in the body instead of the admin key, and a cookie that it did not issue', async () => {
  const inBody = await ask('POST', '/v2/admin/sign-out', {}, { token: ADMIN_KEY })
  assert.equal(inBody.status, 401)
  const invented = await ask('POST', '/v2/admin/sign-out', asPage('A'.repeat(24)), {})
  assert.equal(invented.status, 401)
})

test('the first link signs in once, and the server issues another until a password is set', async () => {
  const fresh = await TestServer.start()
  const [before] = [server]
  server = fresh
  try {
    const code = codeIn(fresh.ready.text)
    assert.equal((await signInWith({ code: 'x'.repeat(24) })).status, 401)
    assert.deepEqual((await ask('GET', '/v2/admin/sign-in')).body, {
      signedIn: false,
      needs: null,
      passwordSet: false,
      provider: null,
      self: null,
      asksName: false,
      atThisMachine: true,
    })
    // Without a stored password, no password is valid.
    assert.equal((await signInWith({ password: PASSWORD })).status, 401)

    const twice = await Promise.all([signInWith({ code }), signInWith({ code })])
    assert.deepEqual(twice.map(({ status }) => status).sort(), [200, 401])
    const { cookie, body } = twice.find(({ status }) => status === 200)!
    const { self, ...state } = body
    assert.deepEqual(state, { signedIn: true, needs: null, passwordSet: false })
    assert.deepEqual([self.name, self.role], ['owner', 'owner'])
    assert.equal((await signInWith({ code })).status, 401)
    assert.ok(await isSignedIn(cookie!))

    await fresh.restart()
    assert.ok(await isSignedIn(cookie!), 'a restart signs nobody out')
    const second = codeIn(fresh.ready.text)
    assert.notEqual(second, code)

    assert.equal(
      (await ask('POST', '/v2/admin/password', asPage(cookie!), { password: 'short' })).status,
      400,
    )
    const set = await ask('POST', '/v2/admin/password', asPage(cookie!), { password: PASSWORD })
    assert.equal(set.status, 200)
    assert.equal((await signInWith({ code: second })).status, 401, 'with the password the link is void')
    await fresh.restart()
    assert.doesNotMatch(fresh.ready.text, /sign-in=/)
    assert.match(fresh.ready.text, /\/dashboard$/m)
  } finally {
    server = before
    await fresh.stop()
  }
})

test('refuses a wrong password, and calls with neither or both credentials', async () => {
  await signedIn()
  const wrong = await signInWith({ password: `${PASSWORD}!` })
  assert.equal(wrong.status, 401)
  assert.equal(wrong.headers.get('set-cookie'), null)
  assert.equal((await signInWith({})).status, 400)
  assert.equal((await signInWith({ password: PASSWORD, code: 'x'.repeat(24) })).status, 400)
  assert.equal((await signInWith({ password: { $ne: '' } })).status, 400)
})

test('after too many attempts even the right password is refused until time has passed', async () => {
  await signedIn()
  const statuses: number[] = []
  for (let tried = 0; tried < 12; tried++) {
    const { status } = await signInWith(tried === 11 ? { password: PASSWORD } : { code: 'x'.repeat(24) })
    statuses.push(status)
  }
  assert.ok(
    statuses.slice(0, 8).every((status) => status === 401),
    String(statuses),
  )
  assert.equal(statuses.at(-1), 429)
  server.aheadMs += 60_000
  assert.equal((await signInWith({ password: PASSWORD })).status, 200)
})

test('refuses calls of a signed-in browser that come from a page of another address', async () => {
  const cookie = await signedIn()
  const { port } = new URL(server.url)
  const foreign = [
    'https://evil.example',
    'null',
    `http://localhost:${Number(port) + 1}`,
    `https://localhost:${port}`,
    `http://127.0.0.1:${port}`,
  ]
  for (const origin of foreign) {
    const posted = await ask('POST', '/v2/admin/sign-out', asPage(cookie, origin), {})
    assert.equal(posted.status, 403, origin)
    assert.equal(posted.body.code, 'UNAUTHORIZED_REQUEST')
    const started = await ask('POST', '/v2/admin/sign-in', { origin }, { password: PASSWORD })
    assert.equal(started.status, 403, origin)
  }
  const bare = { cookie: `anteroom_sign_in=${cookie}` }
  assert.equal((await ask('POST', '/v2/admin/sign-out', bare, {})).status, 403, 'no origin at all')
  for (const site of ['cross-site', 'same-site', 'none']) {
    const posted = await ask('POST', '/v2/admin/sign-out', { ...bare, 'sec-fetch-site': site }, {})
    assert.equal(posted.status, 403, site)
  }
  const form = await ask(
    'POST',
    '/v2/admin/sign-out',
    { ...asPage(cookie), 'content-type': 'text/plain' },
    {},
  )
  assert.equal(form.status, 415, 'a form')
  assert.ok(await isSignedIn(cookie), 'none of that signed it out')

  const withHeader = { ...bare, 'sec-fetch-site': 'same-origin', 'x-requested-with': 'page' }
  assert.equal((await ask('POST', '/v2/admin/sign-out', withHeader)).status, 200)
  assert.equal(await isSignedIn(cookie), false, 'signed out')
})

test('no other page can read the answers to a signed-in browser', async () => {
  const cookie = await signedIn()
  const answer = await ask('GET', '/v2/admin/sign-in', asPage(cookie, 'https://evil.example'))
  assert.equal(answer.body.signedIn, false)
  assert.equal(answer.headers.get('access-control-allow-credentials'), null)
})

test('changing the password needs the old one, and signs out everybody else', async () => {
  const [one, other] = [await signedIn(), (await signInWith({ password: PASSWORD })).cookie!]
  for (const current of [undefined, 'wrong password']) {
    const refused = await ask('POST', '/v2/admin/password', asPage(one), {
      password: 'a new password',
      ...(current !== undefined && { current }),
    })
    assert.equal(refused.status, 403)
    assert.equal(refused.body.code, 'UNAUTHORIZED_REQUEST')
  }
  assert.ok(await isSignedIn(other))
  const changed = await ask('POST', '/v2/admin/password', asPage(one), {
    password: 'a new password',
    current: PASSWORD,
  })
  assert.equal(changed.status, 200)
  assert.equal(await isSignedIn(other), false)
  assert.equal(await isSignedIn(one), false, 'its cookie is another now')
  assert.ok(await isSignedIn(changed.cookie!))
  assert.equal((await signInWith({ password: PASSWORD })).status, 401)
  assert.equal((await signInWith({ password: 'a new password' })).status, 200)
})

test('a sign-in ends after 30 days', async () => {
  const cookie = await signedIn()
  server.aheadMs += 29 * 86_400_000
  assert.ok(await isSignedIn(cookie))
  server.aheadMs += 2 * 86_400_000
  assert.equal(await isSignedIn(cookie), false)
  assert.equal((await ask('POST', '/v2/admin/sign-out', asPage(cookie), {})).status, 401)
})

test('behind HTTPS the cookie is marked as secure', async () => {
  const behind = await TestServer.start({ publicUrl: 'https://meet.example' })
  try {
    const answer = await fetch(`${behind.url}/v2/admin/sign-in`, {
      method: 'POST',
      headers: { ...WITH_JSON, origin: 'https://meet.example' },
      body: JSON.stringify({ code: codeIn(behind.ready.text) }),
    })
    assert.equal(answer.status, 200)
    const set = answer.headers.get('set-cookie')!
    assert.match(set, /^__Host-anteroom_sign_in=[\w-]+; .*Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    const start = (cookie?: string): Promise<Response> =>
      fetch(`${behind.url}/page/start`, {
        method: 'POST',
        headers: { ...WITH_JSON, origin: 'https://meet.example', ...(cookie && { cookie }) },
        body: '{}',
      })
    assert.equal((await start()).status, 401, 'whoever is not signed in starts no meeting')
    const started = await start(set.split(';')[0])
    assert.equal(started.status, 200)
    assert.match((await started.json()).meetingId, /^[a-z0-9-]{14}$/)
  } finally {
    await behind.stop()
  }
})

test('the data folder contains no password, code or cookie in plain text', async () => {
  const cookie = await signedIn()
  for (const file of ['anteroom.db', 'anteroom.db-wal']) {
    const bytes = await readFile(join(server.config.dataDir, file)).catch(() => Buffer.alloc(0))
    for (const secret of [cookie, PASSWORD, ADMIN_KEY]) assert.equal(bytes.includes(secret), false, file)
  }
})

test('the first start creates an admin key that only its owner can read; a key that others can read stops the start', async () => {
  const own = await TestServer.start({ adminKey: undefined })
  try {
    const file = join(own.config.dataDir, 'admin.key')
    const key = (await readFile(file, 'utf8')).trim()
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal(own.ready.text.includes(key), false)
    const accepted = await own.rest('POST', '/v2/admin/sign-out', {}, `Bearer ${key}`)
    assert.equal(accepted.status, 200)
    assert.equal((await own.admin('POST', '/v2/admin/sign-out', {})).status, 401)
    await own.restart()
    assert.equal((await own.rest('POST', '/v2/admin/sign-out', {}, `Bearer ${key}`)).status, 200)
    await chmod(file, 0o644)
    await assert.rejects(own.restart(), /Other users can read the admin key .*admin\.key: run "chmod 600/)
    await chmod(file, 0o600)
    await writeFile(file, 'short\n')
    await assert.rejects(own.restart(), /admin\.key is too short/)
  } finally {
    await own.stop()
  }
})
