/** The second factor of operators: enrolled with a confirmation, asked for, used once, limited, reset and required. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { TOTP } from 'otpauth'
import { Stage } from '../../../../test/support/rest-calls.ts'
import { ADMIN_KEY, TestServer } from '../../../../test/support/test-server.ts'

const PASSWORD = 'a password of enough length'

let server: TestServer
let stage: Stage
before(async () => {
  server = await TestServer.start()
  stage = new Stage(server)
})
after(() => server.stop())
/** Attempts are limited, and each code works once, so each test starts in a later period. */
beforeEach(() => {
  server.aheadMs += 600_000
})

async function ask(
  method: string,
  path: string,
  { cookie = '', body }: { cookie?: string; body?: unknown } = {},
) {
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      cookie,
      origin: server.url,
      'x-requested-with': 'test',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const given = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  return { status: answer.status, body: JSON.parse(await answer.text()), cookie: given }
}

const codeOf = (secret: string, aheadSeconds = 0): string =>
  new TOTP({ secret }).generate({ timestamp: Date.now() + server.aheadMs + aheadSeconds * 1000 })
const wrong = (secret: string): string => String((Number(codeOf(secret)) + 1) % 1_000_000).padStart(6, '0')
const signIn = (name: string, secondFactor?: string, password = PASSWORD) =>
  ask('POST', '/v2/admin/sign-in', {
    body: { name, password, ...(secondFactor !== undefined && { secondFactor }) },
  })
const isIn = async (cookie: string): Promise<boolean> =>
  (await ask('GET', '/v2/admin/sign-in', { cookie })).body.signedIn

async function enrol(cookie: string) {
  const begun = await ask('POST', '/v2/admin/second-factor/begin', { cookie, body: { password: PASSWORD } })
  assert.equal(begun.status, 200, JSON.stringify(begun.body))
  const { secret } = begun.body as { secret: string }
  const confirmed = await ask('POST', '/v2/admin/second-factor/confirm', {
    cookie,
    body: { code: codeOf(secret) },
  })
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body))
  // The code of the confirmation is used up.
  server.aheadMs += 60_000
  return { secret, cookie: confirmed.cookie, recoveryCodes: confirmed.body.recoveryCodes as string[] }
}

test('enrolling takes the password and a right code; before that, nobody is asked for one', async () => {
  const { cookie, name } = await stage.operator('viewer')
  const path = '/v2/admin/second-factor/begin'
  assert.equal((await ask('POST', path, { cookie, body: { password: 'wrong' } })).status, 403)
  const early = await ask('POST', '/v2/admin/second-factor/confirm', { cookie, body: { code: '123456' } })
  assert.equal(early.status, 403, 'nothing to confirm')
  const { body } = await ask('POST', path, { cookie, body: { password: PASSWORD } })
  assert.match(body.address, /^otpauth:\/\/totp\/.*secret=/)
  const mistaken = await ask('POST', '/v2/admin/second-factor/confirm', {
    cookie,
    body: { code: wrong(body.secret) },
  })
  assert.deepEqual([mistaken.status, mistaken.body.code], [403, 'UNAUTHORIZED_REQUEST'])
  assert.equal((await signIn(name)).body.signedIn, true, 'not in force')

  const other = (await signIn(name)).cookie
  const confirmed = await ask('POST', '/v2/admin/second-factor/confirm', {
    cookie,
    body: { code: codeOf(body.secret) },
  })
  assert.equal(confirmed.body.recoveryCodes.length, 10)
  assert.deepEqual(
    [await isIn(cookie), await isIn(other), await isIn(confirmed.cookie)],
    [false, false, true],
  )
  const again = await ask('POST', path, { cookie: confirmed.cookie, body: { password: PASSWORD } })
  assert.deepEqual([again.status, again.body.code], [409, 'INVALID_STATE'])
  const state = await ask('GET', '/v2/admin/second-factor', { cookie: confirmed.cookie })
  assert.deepEqual([state.body.on, state.body.recoveryCodesLeft], [true, 10])
})

test('signing in takes a code too: the right one, once, and only after the password', async () => {
  const { cookie, name } = await stage.operator()
  const { secret } = await enrol(cookie)
  const first = await signIn(name)
  assert.deepEqual(
    [first.status, first.body.signedIn, first.body.needs, first.cookie],
    [200, false, 'second-factor', ''],
  )
  assert.equal(
    (await signIn(name, codeOf(secret), 'a wrong password!')).body.message,
    'The name or the password is wrong.',
  )
  const mistaken = await signIn(name, wrong(secret))
  assert.deepEqual([mistaken.status, mistaken.cookie], [401, ''])
  const code = codeOf(secret)
  const both = await Promise.all([signIn(name, code), signIn(name, code)])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401], 'of two at once, one gets in')
  assert.equal((await signIn(name, code)).status, 401, 'replayed')
  assert.ok(await isIn(both.find(({ status }) => status === 200)!.cookie))
})

test('a code of the period before the one that was used is refused too', async () => {
  const { cookie, name } = await stage.operator()
  const { secret } = await enrol(cookie)
  assert.equal((await signIn(name, codeOf(secret, 30))).status, 200)
  assert.equal((await signIn(name, codeOf(secret))).status, 401)
})

test('a recovery code stands in for the app, once, and new ones replace the old', async () => {
  const { cookie, name } = await stage.operator()
  const enrolled = await enrol(cookie)
  const [first, second] = enrolled.recoveryCodes
  const both = await Promise.all([signIn(name, first), signIn(name, first!.toUpperCase())])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401])
  const { cookie: inside } = both.find(({ status }) => status === 200)!
  assert.equal((await ask('GET', '/v2/admin/second-factor', { cookie: inside })).body.recoveryCodesLeft, 9)
  const replaced = await ask('POST', '/v2/admin/second-factor/recovery-codes', {
    cookie: inside,
    body: { password: PASSWORD },
  })
  assert.equal(replaced.body.recoveryCodes.length, 10)
  server.aheadMs += 120_000
  assert.equal((await signIn(name, second)).status, 401, 'replaced')
  assert.equal((await signIn(name, replaced.body.recoveryCodes[0])).status, 200)
})

test('codes are limited for each operator, also from several addresses; who has no password uses none of it', async () => {
  const { cookie, name } = await stage.operator()
  const { secret } = await enrol(cookie)
  for (let tries = 0; tries < 10; tries++) await signIn(name, '000000', 'a wrong password!')
  server.aheadMs += 120_000
  const statuses: number[] = []
  for (let tries = 0; tries < 7; tries++) {
    statuses.push((await signIn(name, wrong(secret))).status)
    server.aheadMs += 1
  }
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429])
  server.aheadMs += 60_000
  assert.equal((await signIn(name, codeOf(secret))).status, 200)
})

test('switching it off takes the password; an owner resets another’s', async () => {
  const { cookie, name, operatorId } = await stage.operator()
  const enrolled = await enrol(cookie)
  const disable = (password: string) =>
    ask('POST', '/v2/admin/second-factor/disable', { cookie: enrolled.cookie, body: { password } })
  assert.equal((await disable('wrong')).status, 403)
  assert.equal((await disable(PASSWORD)).status, 200)
  assert.equal((await disable(PASSWORD)).status, 409, 'off')
  assert.equal((await signIn(name)).body.signedIn, true)

  const again = await enrol((await signIn(name)).cookie)
  const path = `/v2/admin/operators/${operatorId}/second-factor-reset`
  assert.equal((await ask('POST', path, { cookie: again.cookie })).status, 403, 'an operator may not')
  assert.deepEqual((await server.admin('POST', path)).body, { ended: true })
  assert.equal(await isIn(again.cookie), false)
  assert.equal((await signIn(name)).body.signedIn, true)
})

test('a link for a new password is no substitute for the second factor', async () => {
  const { cookie, name, operatorId } = await stage.operator()
  const { secret } = await enrol(cookie)
  const { body } = await server.admin('POST', `/v2/admin/operators/${operatorId}/password-link`, {})
  const accepted = await ask('POST', '/v2/admin/operator-invites/accept', {
    body: { code: body.link.split('#invite=')[1], password: `${PASSWORD} two` },
  })
  assert.deepEqual([accepted.status, accepted.body.needs, accepted.cookie], [200, 'second-factor', ''])
  assert.equal((await signIn(name, codeOf(secret), `${PASSWORD} two`)).status, 200)
})

test('where it is required, whoever has none sets one up before anything else', async () => {
  const { cookie, name } = await stage.operator('owner')
  const required = (value: boolean) =>
    server.admin('PUT', '/v2/admin/second-factor/required', { required: value })
  try {
    assert.equal((await required(true)).status, 200)
    const refused = await ask('GET', '/v2/admin/keys', { cookie })
    assert.deepEqual([refused.status, refused.body.code], [403, 'UNAUTHORIZED_REQUEST'])
    assert.match(refused.body.message, /Set up a second factor first/)
    const inProject = await fetch(`${server.url}/v2/rooms`, {
      headers: {
        cookie,
        'x-anteroom-project': (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId,
      },
    })
    assert.equal(inProject.status, 403)
    assert.equal((await ask('GET', '/v2/admin/sign-in', { cookie })).body.needs, 'enrolment')
    const entered = await signIn(name)
    assert.deepEqual([entered.body.signedIn, entered.body.needs], [true, 'enrolment'])
    const enrolled = await enrol(entered.cookie)
    assert.equal((await ask('GET', '/v2/admin/keys', { cookie: enrolled.cookie })).status, 200)
    assert.equal((await server.admin('GET', '/v2/admin/keys')).status, 200, 'the admin key is nobody’s')
  } finally {
    await required(false)
  }
})

test('the secret is sealed; neither it nor a code is in the audit log', async () => {
  const { cookie, name } = await stage.operator()
  const { secret, recoveryCodes } = await enrol(cookie)
  const code = codeOf(secret)
  await signIn(name, code)
  const answer = await fetch(`${server.url}/v2/admin/audit/export?format=jsonl`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  const log = await answer.text()
  for (const text of [secret, ...recoveryCodes, `"${code}"`]) assert.ok(!log.includes(text))
  assert.match(log, /"second-factor.enable"/)
  assert.match(log, /"by":"password and code"/)
})
