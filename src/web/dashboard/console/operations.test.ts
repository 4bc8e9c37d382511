import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, curlOf, exampleOf, operationsOf, problemOf } from './operations.ts'

const json = (schema: object) => ({ content: { 'application/json': { schema } } })

test('offers calls with a token, and neither those of older clients nor of the operator', () => {
  const found = operationsOf({
    paths: {
      '/v2/rooms/{id}': {
        get: {
          summary: 'Get a room',
          tags: ['Rooms'],
          security: [{ token: ['allow_join'] }, { token: ['allow_mod'] }],
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { description: 'Any id.' } },
            { name: 'x-id', in: 'header' },
          ],
        },
      },
      '/v1/rooms': { get: { security: [{ token: [] }], deprecated: true } },
      '/v2/admin/status': { get: { security: [{ admin: [] }, { signIn: [] }] } },
      '/health': { get: { security: [] } },
      '/v2/whip': {
        post: { security: [{ token: [] }], requestBody: { content: { 'application/sdp': {} } } },
      },
      '/v2/rooms': {
        post: { security: [{ token: [] }], requestBody: json({ type: 'object', properties: {} }) },
      },
    },
  })
  assert.deepEqual(
    found.map(({ id, permissions, body }) => [id, permissions, body]),
    [
      ['GET /v2/rooms/{id}', ['allow_join', 'allow_mod'], undefined],
      ['POST /v2/rooms', [], '{}'],
    ],
  )
  assert.deepEqual(found[0]!.parameters, [{ name: 'id', in: 'path', required: true, hint: 'Any id.' }])
})

test('a body begins with the required fields', () => {
  const properties = {
    roomId: { type: 'string', examples: ['abcd-efgh-ijkl'] },
    kind: { anyOf: [{ const: 'audio' }, { const: 'video' }] },
    persist: { type: 'boolean', default: true },
    sizes: { type: 'array' },
    count: { type: 'integer' },
    note: { type: 'string' },
    other: { type: 'string' },
  }
  const required = ['roomId', 'kind', 'persist', 'sizes', 'count', 'note']
  assert.deepEqual(exampleOf({ type: 'object', required, properties }), {
    roomId: 'abcd-efgh-ijkl',
    kind: 'audio',
    persist: true,
    sizes: [],
    count: 0,
    note: '',
  })
})

test('an address has its parameters escaped, and no empty ones', () => {
  const parameters = [
    { name: 'id', in: 'path', required: true, hint: '' },
    { name: 'page', in: 'query', required: false, hint: '' },
    { name: 'find', in: 'query', required: false, hint: '' },
  ] as const
  const call = { path: '/v2/rooms/{id}/x', parameters: [...parameters], body: '{}' }
  assert.equal(addressOf(call, { id: '../a?b', find: 'a&b' }), '/v2/rooms/..%2Fa%3Fb/x?find=a%26b')
  assert.equal(problemOf(call, {}, '{}'), 'Fill in id.')
  assert.equal(problemOf(call, { id: 'a' }, '{'), 'The body is not JSON.')
  assert.equal(problemOf(call, { id: 'a' }, '{}'), undefined)
  assert.equal(
    curlOf('POST', 'https://a.example/x', `{"a":"it's"}`),
    `curl -X POST \\\n  -H "Authorization: $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"a":"it'\\''s"}' \\\n  'https://a.example/x'`,
  )
})
