import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import jsonwebtoken from 'jsonwebtoken'
import { explainToken } from './explain.ts'
import { mintToken } from './mint.ts'
import type { SigningKey } from './verify.ts'

const now = 1_750_000_000_000
const secret = 'the secret of key-1'
const key: SigningKey = { apiKey: 'key-1', projectId: 'p', secret, revoked: false }
const findKey = (name: string) => (name === key.apiKey ? key : undefined)

function explain(token: unknown, keys: typeof findKey | undefined = findKey) {
  const explanation = explainToken(token, { findKey: keys, now })
  const claim = (name: string) => explanation.claims.find((one) => one.name === name)
  return { ...explanation, claim }
}

const sign = (claims: Record<string, unknown>, signer = secret) =>
  jsonwebtoken.sign(JSON.stringify({ apikey: 'key-1', ...claims }), signer)

test('a valid token has no problem', () => {
  const explanation = explain(mintToken({ apiKey: 'key-1', secret, now }))
  assert.equal(explanation.signature, 'good')
  assert.equal(explanation.problem, undefined)
  assert.equal(explanation.joinRefusal, undefined)
  assert.equal(explanation.restRefusal, undefined)
  assert.deepEqual(
    explanation.claims.filter((claim) => claim.problem),
    [],
  )
  assert.equal(explanation.claim('exp')?.meaning, 'Expires 2025-06-16T15:06:40.000Z (24 h from now).')
  assert.equal(explanation.claim('permissions')?.value?.toString(), 'allow_join')
  assert.match(explanation.claim('roomId')!.meaning, /any meeting/)
})

suite('says what is wrong, and where', () => {
  const good = { permissions: ['allow_join'], exp: now / 1000 + 60 }
  const cases: [string, string, claim: string, door: string, rest: string | undefined, problem: RegExp][] = [
    ['expired', sign({ ...good, exp: 1 }), 'exp', 'INVALID_TOKEN', 'INVALID_TOKEN', /expired/],
    ['no exp', sign({ permissions: ['allow_join'] }), 'exp', 'INVALID_TOKEN', 'INVALID_TOKEN', /must expire/],
    ['nbf', sign({ ...good, nbf: now }), 'nbf', 'INVALID_TOKEN', 'INVALID_TOKEN', /nbf must be/],
    ['signature', sign(good, 'another'), 'signature', 'INVALID_TOKEN', 'INVALID_TOKEN', /another secret/],
    ['key', sign({ ...good, apikey: 'x' }), 'apikey', 'INVALID_API_KEY', 'INVALID_API_KEY', /not known/],
    ['roomId', sign({ ...good, roomId: '' }), 'roomId', 'INVALID_TOKEN', 'INVALID_TOKEN', /roomId must be/],
    ['roles', sign({ ...good, roles: 'x' }), 'roles', 'INVALID_TOKEN', 'INVALID_TOKEN', /Roles must be/],
    [
      'no role of use',
      sign({ ...good, roles: ['x'] }),
      ...(['roles', 'UNAUTHORIZED_ROLE', 'UNAUTHORIZED_ROLE', /do not include rtc/] as const),
    ],
    [
      'no permissions',
      sign({ exp: good.exp }),
      'permissions',
      'INVALID_PERMISSIONS',
      undefined,
      /cannot join/,
    ],
    [
      'a mixture',
      sign({ ...good, permissions: ['ask_join', 'allow_mod'] }),
      ...(['permissions', 'INVALID_PERMISSIONS', undefined, /cannot join/] as const),
    ],
  ]
  for (const [name, token, claim, door, rest, problem] of cases) {
    test(name, () => {
      const explanation = explain(token)
      assert.ok(explanation.claim(claim)?.problem, inspect(explanation.claims))
      assert.equal(explanation.joinRefusal?.code, door)
      assert.equal(explanation.restRefusal?.code, rest)
      assert.match(explanation.problem!, problem)
    })
  }

  test('the algorithm', () => {
    const token = jsonwebtoken.sign({ apikey: 'key-1', ...good }, secret, { algorithm: 'HS512' })
    const explanation = explain(token)
    assert.equal(explanation.claim('alg')?.problem, 'Only HS256 is accepted.')
    assert.equal(explanation.signature, 'unchecked')
  })

  test('reports every wrong claim, not only the first', () => {
    const explanation = explain(
      sign({ permissions: [], roles: [], roomId: 1, participantId: null, exp: 1, iat: -1 }),
    )
    const wrong = explanation.claims.filter((claim) => claim.problem).map((claim) => claim.name)
    assert.deepEqual(wrong.sort(), ['exp', 'iat', 'participantId', 'permissions', 'roles', 'roomId'])
  })
})

test('a role for one use is refused for the other', () => {
  const rtc = explain(mintToken({ apiKey: 'key-1', secret, now, roomId: 'r' }))
  assert.equal(rtc.joinRefusal, undefined)
  assert.equal(rtc.restRefusal?.code, 'UNAUTHORIZED_ROLE')
  assert.equal(rtc.problem, undefined)
  const crawler = explain(mintToken({ apiKey: 'key-1', secret, now, roles: ['crawler'] }))
  assert.equal(crawler.joinRefusal?.code, 'UNAUTHORIZED_ROLE')
  assert.equal(crawler.restRefusal, undefined)
  assert.match(crawler.problem!, /do not include rtc/)
  assert.ok(crawler.claim('roles')?.meaning.includes('REST'))
})

test('without keys it leaves the signature open and judges the rest', () => {
  const explanation = explainToken(sign({ permissions: ['allow_join'], exp: 1 }, 'whatever'), { now })
  assert.equal(explanation.signature, 'unchecked')
  assert.match(explanation.problem!, /expired/)
})

test('never throws, and never repeats the token', () => {
  const token = mintToken({ apiKey: 'key-1', secret, now })
  const odd = {
    constructor: 1,
    toString: 2,
    hasOwnProperty: 3,
    exp: 1e300,
    iat: {},
    permissions: { a: 1 },
    roles: 'x',
  }
  const all: unknown[] = [
    undefined,
    null,
    1,
    {},
    '',
    'x',
    'a.b.c',
    '..',
    '€',
    token,
    `${token}x`,
    `Bearer ${token}`,
    sign(odd),
  ]
  for (const one of all) {
    for (const keys of [findKey, undefined]) {
      const said = inspect(explainToken(one, { findKey: keys, now }), { depth: 9 })
      for (const part of token.split('.')) assert.ok(!said.includes(part))
      assert.ok(!said.includes(secret))
    }
  }
})
