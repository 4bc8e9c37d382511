/** How requests are read and refused over real HTTP: every answer is JSON in one shape, whatever went wrong. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { TestServer } from '../../../test/support/test-server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

/** Sends one request as text on a bare connection, because no client library would send it. */
async function raw(text: string): Promise<{ status: number; headers: string; body: any }> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.end(text)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk as string
  const [headers = '', body = ''] = answer.split(/\r\n\r\n(.*)/s)
  return { status: Number(headers.split(' ')[1]), headers: headers.toLowerCase(), body: JSON.parse(body) }
}

function assertErrorBody(body: any, status: number, code: string, what: string): void {
  assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'message', 'statusCode'], what)
  assert.equal(body.statusCode, status, what)
  assert.equal(body.code, code, what)
  assert.equal(body.error, body.message, what)
  assert.match(body.message, /\w/, what)
}

const json = { 'content-type': 'application/json' }
const refusals: [what: string, method: string, path: string, RequestInit, status: number, code: string][] = [
  ['unknown address', 'GET', '/nowhere', {}, 404, 'NOT_FOUND'],
  ['unknown address with a body', 'POST', '/nowhere', { body: '{"a":1}', headers: json }, 404, 'NOT_FOUND'],
  [
    'unknown address with a bad body',
    'POST',
    '/nowhere',
    { body: '{', headers: json },
    400,
    'INVALID_REQUEST',
  ],
  ['an address that differs by a dot', 'GET', '/openapi-json', {}, 404, 'NOT_FOUND'],
  ['another method', 'DELETE', '/v2/rooms', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['another method, trailing slash', 'PUT', '/get-token/', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['a method for an address with an id', 'PATCH', '/v2/rooms/abc', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['another method under the doubled prefix', 'DELETE', '/v2/v2/rooms', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['malformed JSON', 'POST', '/v2/rooms', { body: '{"a":', headers: json }, 400, 'INVALID_REQUEST'],
  [
    'malformed JSON, no type',
    'POST',
    '/v2/rooms',
    { body: new TextEncoder().encode('{"a"') },
    400,
    'INVALID_REQUEST',
  ],
  ['a JSON list', 'POST', '/v2/rooms', { body: '[1]', headers: json }, 400, 'INVALID_REQUEST'],
  [
    'a JSON list, no type',
    'POST',
    '/v2/rooms',
    { body: new TextEncoder().encode('[1]') },
    400,
    'INVALID_REQUEST',
  ],
  ['a JSON list with an = in it', 'POST', '/v2/rooms', { body: '["a=b"]' }, 400, 'INVALID_REQUEST'],
  ['a JSON text', 'POST', '/v2/rooms', { body: '"a"', headers: json }, 400, 'INVALID_REQUEST'],
  ['JSON null', 'POST', '/v2/rooms', { body: 'null', headers: json }, 400, 'INVALID_REQUEST'],
  ['a broken escape in a form', 'POST', '/v2/rooms', { body: 'a=%zz' }, 400, 'INVALID_REQUEST'],
  ['a broken escape in the path', 'GET', '/v2/rooms/%zz', {}, 400, 'INVALID_REQUEST'],
  ['a broken escape in the query', 'GET', '/get-token?roomId=%zz', {}, 400, 'INVALID_REQUEST'],
  ['invalid UTF-8 in the path', 'GET', '/v2/rooms/%ff', {}, 400, 'INVALID_REQUEST'],
  ['invalid UTF-8 in the query', 'GET', '/get-token?roomId=%ff', {}, 400, 'INVALID_REQUEST'],
  ['a long id', 'GET', `/v2/rooms/${'a'.repeat(5000)}`, {}, 400, 'INVALID_REQUEST'],
  [
    'a large body',
    'POST',
    '/v2/rooms',
    { body: `{"a":"${'x'.repeat(300_000)}"}`, headers: json },
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'deeply nested JSON',
    'POST',
    '/v2/rooms',
    { body: `{"autoStartConfig":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, headers: json },
    400,
    'INVALID_REQUEST',
  ],
  [
    'a nested list',
    'POST',
    '/v2/rooms',
    { body: `{"autoStartConfig":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}`, headers: json },
    400,
    'INVALID_REQUEST',
  ],
  [
    'a list 50 deep',
    'POST',
    '/v2/rooms',
    { body: `{"autoStartConfig":{"a":${'['.repeat(50)}${']'.repeat(50)}}}`, headers: json },
    400,
    'INVALID_REQUEST',
  ],
  ['a file upload', 'POST', '/v2/rooms', { body: formData() }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a picture',
    'POST',
    '/v2/rooms',
    { body: 'x', headers: { 'content-type': 'image/png' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'bytes',
    'POST',
    '/v2/rooms',
    { body: 'x', headers: { 'content-type': 'application/octet-stream' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'XML',
    'POST',
    '/v2/rooms',
    { body: '<a/>', headers: { 'content-type': 'application/xml' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'compressed',
    'POST',
    '/v2/rooms',
    { body: 'x', headers: { 'content-type': 'application/gzip' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a type that is none',
    'POST',
    '/v2/rooms',
    { body: '{}', headers: { 'content-type': 'nonsense' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
]

function formData(): FormData {
  const form = new FormData()
  form.set('token', 'x')
  return form
}

for (const [what, method, path, init, status, code] of refusals) {
  test(`refused: ${what}`, async () => {
    const headers = new Headers(init.headers)
    if (!path.startsWith('/get-token')) headers.set('authorization', server.token(['allow_join']))
    const answer = await fetch(server.url + path, { method, ...init, headers })
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    assertErrorBody(await answer.json(), status, code, what)
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.match(answer.headers.get('x-request-id') ?? '', /^[\w-]+$/)
  })
}

test('a refused method names the allowed methods', async () => {
  for (const [method, path, allow] of [
    ['DELETE', '/v2/rooms', ['GET', 'POST']],
    ['POST', '/get-token', ['GET']],
    ['GET', '/create-meeting', ['POST']],
    ['DELETE', '/validate-meeting/abcd-efgh-ijkl', ['GET', 'POST']],
    ['PROPFIND', '/get-token', ['GET']],
  ] as const) {
    const answer = await fetch(server.url + path, { method })
    assert.equal(answer.status, 405, path)
    const named = answer.headers.get('allow')!.split(', ')
    assert.deepEqual(
      allow.filter((one) => !named.includes(one)),
      [],
      path,
    )
    await answer.text()
  }
})

test('refuses in JSON what is not HTTP or is too large', async () => {
  const garbage = await raw('HELLO\r\n\r\n')
  assertErrorBody(garbage.body, 400, 'INVALID_REQUEST', 'garbage')
  const large = await raw(
    `GET /get-token HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`,
  )
  assert.equal(large.status, large.body.statusCode)
  assert.ok(large.status === 431 || large.status === 413)
  assert.equal(large.body.code, 'PAYLOAD_TOO_LARGE')
  for (const { headers } of [garbage, large]) {
    assert.match(headers, /access-control-allow-origin: \*/)
    assert.match(headers, /x-request-id: /)
    assert.match(headers, /content-type: application\/json/)
  }
})

test('ignores names that would change a prototype', async () => {
  const bodies = [
    '{"__proto__":{"customRoomId":"stolen"}}',
    '{"\\u005f_proto__":{"customRoomId":"stolen"}}',
    '{"constructor":{"prototype":{"customRoomId":"stolen"}}}',
    '{"autoStartConfig":{"__proto__":{"polluted":true}}}',
    '__proto__=1&constructor=2',
  ]
  for (const body of bodies) {
    const answer = await fetch(`${server.url}/v2/rooms`, {
      method: 'POST',
      body,
      headers: { authorization: server.token(['allow_join']) },
    })
    const room: any = await answer.json()
    assert.ok(answer.status === 200 || answer.status === 400, body)
    assert.equal(room.customRoomId, undefined, body)
    assert.equal(({} as any).polluted, undefined, body)
  }
})

test('allows calls from any origin, and preflights with any header', async () => {
  for (const [path, method] of [
    ['/get-token', 'GET'],
    ['/v2/rooms', 'POST'],
    ['/infra/v1/meetings/init-config', 'POST'],
    ['/nowhere', 'GET'],
  ] as const) {
    const answer = await fetch(server.url + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    assert.equal(answer.status, 204, path)
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.match(answer.headers.get('access-control-allow-methods')!, new RegExp(method))
    assert.match(
      answer.headers.get('access-control-allow-headers')!.toLowerCase(),
      /authorization,\s*content-type/,
    )
    assert.equal(answer.headers.get('vary'), 'Access-Control-Request-Headers')
    assert.ok(Number(answer.headers.get('access-control-max-age')) > 0)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.ok(answer.headers.get('x-request-id'))
    assert.equal(await answer.text(), '')
  }
  // Like cors() in the samples, answers an OPTIONS request that is not a preflight too.
  const bare = await fetch(`${server.url}/get-token`, { method: 'OPTIONS' })
  assert.ok(bare.status < 300, String(bare.status))
  assert.equal(bare.headers.get('access-control-allow-headers'), null)
})

test('any origin can read every answer and its request id, except the metrics', async () => {
  for (const path of ['/get-token', '/v2/rooms', '/nowhere', '/%zz']) {
    const answer = await fetch(server.url + path, { headers: { origin: 'https://app.example' } })
    await answer.body?.cancel()
    assert.equal(answer.headers.get('access-control-allow-origin'), '*', path)
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /x-request-id/, path)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
    assert.ok(answer.headers.get('x-request-id'), path)
  }
  const metrics = await fetch(`${server.url}/metrics`, { headers: { origin: 'https://app.example' } })
  await metrics.body?.cancel()
  assert.equal(metrics.headers.get('access-control-allow-origin'), null)
  assert.ok(metrics.headers.get('x-request-id'))
})

test('one connection serves several requests in turn, including a GET with a body', async () => {
  const port = Number(new URL(server.url).port)
  const socket = connect(port, '127.0.0.1')
  const get = (path: string, body = '', last = false): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}${last ? 'Connection: close\r\n' : ''}\r\n${body}`
  socket.end(
    get('/get-token', '{"roomId":"abcd-efgh-ijkl"}') +
      get('/ping') +
      get('/ping', 'a=b') +
      get('/nowhere', '{"a":1}') +
      get('/ping', '', true),
  )
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += chunk as string
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '200', '200', '404', '200'],
  )
})
