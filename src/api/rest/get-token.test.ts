/** `GET /get-token` over real HTTP: who and what is refused, and the content of the token. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import type { Config } from '../../config/read.ts'
import { API_KEY, SECRET, TestServer } from '../../../test/support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

interface Asked {
  query?: string
  body?: string
  headers?: Record<string, string>
  from?: TestServer
}

/** `node:http`, because `fetch` sends no body with a GET. */
function getToken({ query = '', body, headers = {}, from = server }: Asked = {}): Promise<{
  status: number
  headers: any
  body: any
}> {
  return new Promise((resolve, reject) => {
    const asking = request(
      `${from.url}/get-token${query}`,
      { headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) } },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: JSON.parse(text) }),
        )
      },
    )
    asking.on('error', reject).end(body)
  })
}

const basic = (apiKey: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${apiKey}:${secret}`).toString('base64')}`,
})
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function claimsOf(token: string): Promise<Record<string, unknown>> {
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), { algorithms: ['HS256'] })
  return payload
}

const wrongCredentials: [what: string, headers: Record<string, string>][] = [
  ['a wrong secret', basic(API_KEY, 'wrong')],
  ['an empty secret', basic(API_KEY, '')],
  ['the beginning of the secret', basic(API_KEY, SECRET.slice(0, -1))],
  ['an unknown key', basic('unknown', SECRET)],
  ['an unknown key with no secret', basic('unknown', '')],
  ['no key', basic('', SECRET)],
  ['no colon', { authorization: `Basic ${Buffer.from(API_KEY).toString('base64')}` }],
  ['no Base64', { authorization: 'Basic !!!' }],
  ['nothing after Basic', { authorization: 'Basic' }],
]
for (const [what, headers] of wrongCredentials) {
  test(`refused on loopback as well: ${what}`, async () => {
    const answer = await getToken({ headers })
    assert.equal(answer.status, 401)
    assert.equal(answer.body.code, 'UNAUTHORIZED')
    assert.match(answer.headers['www-authenticate'], /^Basic realm=/)
    assert.equal(JSON.stringify(answer.body).includes(SECRET), false)
  })
}

const elsewhere: [what: string, headers: Record<string, string>][] = [
  ['a name that is not loopback', { host: 'rebound.example:9000' }],
  ['a name that begins like loopback', { host: 'localhost.example' }],
  ['an address that begins like loopback', { host: '127.0.0.1.example' }],
  ['a page of another origin', { origin: 'https://elsewhere.example' }],
  ['a page whose origin begins like ours', { origin: 'http://localhost.elsewhere.example' }],
  ['a page without an origin of its own', { origin: 'null' }],
  ['a proxy, by the address', { 'x-forwarded-for': '203.0.113.7' }],
  ['a proxy, by the last address', { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' }],
  ['a proxy, by the real address', { 'x-real-ip': '203.0.113.7' }],
  ['a proxy, by the name', { 'x-forwarded-host': 'meet.example' }],
  ['a proxy, by its own mark', { via: '1.1 proxy' }],
]
for (const [what, headers] of elsewhere) {
  test(`refused without credentials: ${what}`, async () => {
    const answer = await getToken({ headers })
    assert.equal(answer.status, 401)
    assert.equal(answer.body.code, 'UNAUTHORIZED')
    assert.equal((await getToken({ headers: { ...headers, ...basic(API_KEY, SECRET) } })).status, 200)
  })
}

const wrongParameters: [query: string, body: string | undefined, names: string][] = [
  ['?roomId=', undefined, 'roomId'],
  ['?roomId=%20', undefined, 'roomId'],
  [`?roomId=${'a'.repeat(129)}`, undefined, 'roomId'],
  ['?roomId=a&roomId=b', undefined, 'roomId'],
  ['?roomId=a', '{"roomId":"b"}', 'roomId'],
  ['', 'roomId=a&roomId=b', 'roomId'],
  ['', 'permissions=ask_join&permissions=allow_join', 'permissions'],
  ['', 'expiresIn=60&expiresIn=30d', 'duration'],
  ['', '{"roomId":1}', 'roomId'],
  ['', '{"roomId":null}', 'roomId'],
  ['', '{"roomId":{}}', 'roomId'],
  ['', '{"roomId":["a"]}', 'roomId'],
  ['', '{"roomId":""}', 'roomId'],
  ['?roomId=a', '{"roomId":["a"]}', 'roomId'],
  ['?roomId=', '{"roomId":"a"}', 'roomId'],
  ['?participantId=', undefined, 'participantId'],
  ['?participantId=a%20b', undefined, 'participantId'],
  ['?peerId=', undefined, 'peerId'],
  ['', '{"peerId":5}', 'peerId'],
  ['?participantId=a&peerId=b', undefined, 'peerId'],
  ['?permissions=', undefined, 'permissions'],
  ['?permissions=,', undefined, 'permissions'],
  ['?permissions=allow_everything', undefined, 'permissions'],
  ['?permissions=allow_join,', undefined, 'permissions'],
  ['?permissions=allow_join,ask_join', undefined, 'permissions'],
  ['?permissions=ALLOW_JOIN', undefined, 'permissions'],
  ['', '{"permissions":[]}', 'permissions'],
  ['', '{"permissions":[1]}', 'permissions'],
  ['', '{"permissions":null}', 'permissions'],
  ['', '{"permissions":{"allow_join":true}}', 'permissions'],
  ['?permissions=ask_join', '{"permissions":["allow_mod"]}', 'permissions'],
  ['?expiresIn=', undefined, 'duration'],
  ['?expiresIn=0', undefined, 'duration'],
  ['?expiresIn=-1', undefined, 'duration'],
  ['?expiresIn=1.5', undefined, 'duration'],
  ['?expiresIn=1e3', undefined, 'duration'],
  ['?expiresIn=soon', undefined, 'duration'],
  ['?expiresIn=31d', undefined, 'duration'],
  ['?expiresIn=2592001', undefined, 'duration'],
  ['', '{"expiresIn":null}', 'duration'],
  ['', '{"expiresIn":[60]}', 'duration'],
]
for (const [query, body, names] of wrongParameters) {
  test(`refused: ${query}${body === undefined ? '' : ` with ${body}`}`, async () => {
    const headers = body?.startsWith('{') ? json : form
    const answer = await getToken({ query, ...(body !== undefined && { body, headers }) })
    assert.equal(answer.status, 400)
    assert.equal(answer.body.code, 'INVALID_REQUEST')
    assert.ok(answer.body.message.includes(names), answer.body.message)
    assert.equal(answer.body.token, undefined)
  })
}

test('the founding token: exactly these claims and this header', async () => {
  const { status, headers, body } = await getToken()
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body), ['token'])
  assert.match(headers['content-type'], /^application\/json/)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.deepEqual(decodeProtectedHeader(body.token), { alg: 'HS256', typ: 'JWT' })
  const { iat, exp, jti, ...rest } = await claimsOf(body.token)
  assert.deepEqual(rest, { apikey: API_KEY, permissions: ['allow_join'] })
  assert.equal((exp as number) - (iat as number), 86_400)
  assert.ok(Math.abs((iat as number) - Date.now() / 1000) < 5)
  assert.match(jti as string, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual((await claimsOf((await getToken()).body.token)).jti, jti)
})

const scoped = { version: 2, roles: ['rtc'] }
const accepted: [what: string, Asked, claims: Record<string, unknown>][] = [
  ['room in the query', { query: '?roomId=abcd-efgh-ijkl' }, { ...scoped, roomId: 'abcd-efgh-ijkl' }],
  ['custom id with a space', { query: '?roomId=our%20room' }, { ...scoped, roomId: 'our room' }],
  ['participant', { query: '?participantId=ann' }, { ...scoped, participantId: 'ann' }],
  ['peer', { query: '?roomId=a&peerId=ann' }, { ...scoped, roomId: 'a', participantId: 'ann' }],
  [
    'both names of one participant',
    { query: '?peerId=ann&participantId=ann' },
    { ...scoped, participantId: 'ann' },
  ],
  [
    'JSON body',
    { body: '{"roomId":"a","peerId":"ann"}', headers: json },
    { ...scoped, roomId: 'a', participantId: 'ann' },
  ],
  ['JSON without a type', { body: '{"roomId":"a"}' }, { ...scoped, roomId: 'a' }],
  ['JSON as a form', { body: '{"roomId":"a"}', headers: form }, { ...scoped, roomId: 'a' }],
  [
    'form body',
    { body: 'roomId=a&peerId=ann', headers: form },
    { ...scoped, roomId: 'a', participantId: 'ann' },
  ],
  ['form without a type', { body: 'roomId=a' }, { ...scoped, roomId: 'a' }],
  [
    'form as JSON',
    { body: 'roomId=a', headers: { 'content-type': 'text/plain' } },
    { ...scoped, roomId: 'a' },
  ],
  [
    'the same twice',
    { query: '?roomId=a', body: '{"roomId":"a"}', headers: json },
    { ...scoped, roomId: 'a' },
  ],
  [
    'one here, one there',
    { query: '?roomId=a', body: 'peerId=ann' },
    { ...scoped, roomId: 'a', participantId: 'ann' },
  ],
  ['an empty body', { body: '', headers: json }, {}],
  ['a type without a body', { headers: json }, {}],
  ['unknown parameters', { query: '?version=7&roles=crawler&x=y' }, {}],
  [
    'permissions with a comma',
    { query: '?permissions=allow_join,allow_mod' },
    { permissions: ['allow_join', 'allow_mod'] },
  ],
  [
    'permissions as a list',
    { body: '{"permissions":["ask_join"]}', headers: json },
    { permissions: ['ask_join'] },
  ],
  [
    'permissions repeated',
    { query: '?permissions=allow_join&permissions=allow_mod' },
    { permissions: ['allow_join', 'allow_mod'] },
  ],
  [
    'permissions repeated in a form',
    { body: 'permissions=allow_join&permissions=allow_mod', headers: form },
    { permissions: ['allow_join', 'allow_mod'] },
  ],
  [
    'asking wins over moderating',
    { query: '?permissions=ask_join,allow_mod' },
    { permissions: ['ask_join'] },
  ],
  ['trailing slash', { query: '/?roomId=a' }, { ...scoped, roomId: 'a' }],
  ['a page of this machine', { headers: { origin: 'http://localhost:3000' } }, {}],
  [
    'Basic in another case',
    { headers: { authorization: basic(API_KEY, SECRET).authorization!.replace('Basic', 'bASIC') } },
    {},
  ],
]
for (const [what, asked, claims] of accepted) {
  test(`accepted: ${what}`, async () => {
    const { status, body } = await getToken(asked)
    assert.equal(status, 200, JSON.stringify(body))
    const { iat: _iat, exp: _exp, jti: _jti, ...rest } = await claimsOf(body.token)
    assert.deepEqual(rest, { apikey: API_KEY, permissions: ['allow_join'], ...claims })
  })
}

test('expiresIn takes seconds or a span, at most 30 days', async () => {
  for (const [query, body, seconds] of [
    ['?expiresIn=60', undefined, 60],
    ['?expiresIn=15m', undefined, 900],
    ['?expiresIn=24h', undefined, 86_400],
    ['?expiresIn=30d', undefined, 2_592_000],
    ['', '{"expiresIn":3600}', 3600],
    ['', 'expiresIn=1h', 3600],
  ] as const) {
    const { iat, exp } = await claimsOf(
      (await getToken({ query, ...(body !== undefined && { body }) })).body.token,
    )
    assert.equal((exp as number) - (iat as number), seconds, query || body)
  }
})

/** Starts a server with the settings of a public one; it still listens on loopback, so the test can reach it. */
async function withServer(
  changes: Partial<Config>,
  use: (other: TestServer) => Promise<void>,
): Promise<void> {
  const other = await TestServer.start(changes)
  try {
    await use(other)
  } finally {
    await other.stop()
  }
}

test('not on loopback, get-token needs the key and its secret', async () => {
  for (const changes of [{ host: '0.0.0.0' }, { publicUrl: 'https://meet.example' }]) {
    await withServer(changes, async (from) => {
      const bare = await getToken({ from })
      assert.equal(bare.status, 401)
      assert.match(bare.headers['www-authenticate'], /^Basic/)
      assert.equal(
        (await getToken({ from, headers: { authorization: `Bearer ${from.token(['allow_join'])}` } })).status,
        401,
      )
      assert.equal((await getToken({ from, headers: basic(API_KEY, 'wrong') })).status, 401)
      assert.equal(
        (await claimsOf((await getToken({ from, headers: basic(API_KEY, SECRET) })).body.token)).apikey,
        API_KEY,
      )
    })
  }
})

test('OPEN_GET_TOKEN lets anybody get a token from anywhere, but not with wrong credentials', async () => {
  await withServer({ host: '0.0.0.0', openGetToken: true }, async (from) => {
    assert.equal(
      (await getToken({ from, headers: { host: 'meet.example', origin: 'https://app.example' } })).status,
      200,
    )
    assert.equal((await getToken({ from, headers: basic(API_KEY, 'wrong') })).status, 401)
  })
})

test('a token given out without credentials belongs to the first project, whatever keys other projects have', async () => {
  await withServer({ apiKey: undefined }, async (from) => {
    const minted = async (): Promise<string> => {
      const { body } = await getToken({ from })
      return JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url').toString()).apikey
    }
    const started = async (): Promise<string> => {
      const { token } = await (await fetch(`${from.url}/page/start`, { method: 'POST' })).json()
      return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).apikey
    }
    const { data: keys } = (await from.admin('GET', '/v2/admin/keys')).body
    const { body: project } = await from.admin('POST', '/v2/admin/projects', { name: 'Another' })
    await from.admin('POST', '/v2/admin/keys', { projectId: project.projectId })
    assert.deepEqual([await minted(), await started()], [keys[0].apiKey, keys[0].apiKey])
    const { projectId } = keys[0]
    const { body: newer } = await from.admin('POST', '/v2/admin/keys', { projectId })
    assert.deepEqual([await minted(), await started()], [newer.apiKey, newer.apiKey])
    for (const { apiKey } of [newer, keys[0]])
      await from.admin('POST', `/v2/admin/keys/${apiKey}/revoke`, { connections: 'keep' })
    assert.equal((await getToken({ from })).status, 401)
  })
})
