/**
 * Compares the document of the REST API with the server: it is complete, describes nothing else, and every answer
 * matches it.
 */
import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { after, describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Compile } from 'typebox/compile'
import { bodyOf, bodyTypeOf, calls, Stage } from '../../../test/support/rest-calls.ts'
import { ADMIN_KEY, API_KEY, SECRET, TestServer } from '../../../test/support/test-server.ts'

/** Pages and their assets, which are not part of the API. */
const pages = [
  '/',
  '/m/*',
  '/assets/*',
  '/dashboard',
  '/recorder',
  '/dashboard/*',
  '/outputs/:outputId/:secret/*',
  '/check',
  '/embed.js',
  '/whiteboard',
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/yaml',
  '/docs/static/*',
  '/docs/static/index.html',
  '/docs/static/swagger-initializer.js',
  '/docs/static/theme/anteroom.css',
]

const registered: { method: string; url: string }[] = []
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: any }
  fastify.addHook('onRoute', ({ method, url }: { method: string | string[]; url: string }) => {
    for (const one of [method].flat()) registered.push({ method: one, url })
  })
})

const server = await TestServer.start({ webhookAllowPrivate: true })
const stage = new Stage(server)
const document: any = await (await fetch(`${server.url}/openapi.json`)).json()
after(() => server.stop())

interface Operation {
  key: string
  method: string
  path: string
  spec: any
}
const operations: Operation[] = Object.entries<Record<string, any>>(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([verb, spec]) => {
    const method = verb.toUpperCase()
    return { key: `${method} ${path}`, method, path, spec }
  }),
)

test('every route is in the document or is a page', () => {
  const described = new Set(operations.map(({ key }) => key))
  const missing = registered
    .filter(({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !pages.includes(url))
    .map(({ method, url }) => `${method} ${url.replace(/:([^/]+)/g, '{$1}')}`)
    .filter((key) => !described.has(key))
  assert.deepEqual([...new Set(missing)], [])
  assert.ok(registered.length > operations.length)
})

test('every operation has a call in the table, and every call has an operation', () => {
  assert.deepEqual(Object.keys(calls).sort(), operations.map(({ key }) => key).sort())
})

test('the document is valid OpenAPI 3.1 and complete', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/)
  assert.ok(document.info.title && document.info.version)
  const { schemas, securitySchemes } = document.components
  const groups = new Map<string, string>(document.tags.map((tag: any) => [tag.name, tag.description]))
  const ids = new Set<string>()
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const wrong: string[] = []
  const say = (key: string, what: string): void => void wrong.push(`${key}: ${what}`)
  const checkSchema = (key: string, schema: unknown): void => {
    if (schema === undefined) say(key, 'has no schema')
    else if (!ajv.validateSchema(schema as object)) say(key, JSON.stringify(ajv.errors))
  }
  for (const { key, path, spec } of operations) {
    if (!spec.summary) say(key, 'has no summary')
    if (spec.summary?.endsWith('.')) say(key, 'its summary is a line and ends without a full stop')
    if (spec.tags?.length !== 1 || !groups.get(spec.tags[0])) say(key, 'stands in no group with a sentence')
    if (ids.has(spec.operationId)) say(key, `shares its id ${spec.operationId}`)
    ids.add(spec.operationId)
    for (const way of spec.security ?? [{ none: [] }])
      for (const name of Object.keys(way)) if (!securitySchemes[name]) say(key, `is secured by ${name}`)
    const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name!)
    const parameters: any[] = spec.parameters ?? []
    const inPath = parameters.filter((one) => one.in === 'path')
    if (JSON.stringify(inPath.map(({ name }) => name).sort()) !== JSON.stringify([...named].sort()))
      say(key, 'does not describe what is in its address')
    if (inPath.some(({ required }) => required !== true)) say(key, 'leaves its address open')
    for (const { schema } of parameters) checkSchema(key, schema)
    for (const { schema } of Object.values<any>(spec.requestBody?.content ?? {})) checkSchema(key, schema)
    const responses = Object.entries<any>(spec.responses)
    if (responses.length === 0) say(key, 'answers nothing')
    for (const [status, response] of responses) {
      if (!/^[1-5]\d\d$/.test(status) || !response.description) say(key, `answers ${status} without a word`)
      for (const { schema } of Object.values<any>(response.content ?? {})) checkSchema(key, schema)
    }
  }
  for (const [name, schema] of Object.entries(schemas)) checkSchema(name, schema)
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    if (!schemas[name!]) say(name!, 'is referred to and not there')
  assert.deepEqual(wrong, [])
})

/** Resolves references and forbids fields that the schema does not describe. */
function strict(schema: any): any {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  if (typeof schema.$ref === 'string')
    return strict(document.components.schemas[schema.$ref.split('/').at(-1)])
  const copy = Object.fromEntries(
    Object.entries<any>(schema).map(([name, inner]) => [
      name,
      name === 'properties'
        ? Object.fromEntries(Object.entries(inner).map(([field, own]) => [field, strict(own)]))
        : /^(examples?|default|enum|const|required)$/.test(name)
          ? inner
          : strict(inner),
    ]),
  )
  const named = copy.properties !== undefined && Object.keys(copy.properties).length > 0
  return named && copy.additionalProperties === undefined && copy.patternProperties === undefined
    ? { ...copy, additionalProperties: false }
    : copy
}

async function assertAnswer({ key, spec }: Operation, answer: Response): Promise<void> {
  const text = await answer.text()
  const described = spec.responses[answer.status]
  assert.ok(described, `${key} answered ${answer.status}, which its description does not have: ${text}`)
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]!
  const content = described.content?.[type]
  assert.ok(
    content,
    `${key} answered ${answer.status} as ${type}: ${Object.keys(described.content ?? {}).join()}`,
  )
  const validator = Compile(strict(content.schema))
  const value: unknown = type === 'application/json' ? JSON.parse(text) : text
  const errors = validator.Check(value) ? [] : validator.Errors(value)
  assert.deepEqual(errors, [], `${key}: ${text.slice(0, 2000)}`)
}

const credentials: Record<string, () => string> = {
  token: () => server.token(['allow_join', 'allow_mod']),
  admin: () => `Bearer ${ADMIN_KEY}`,
  basic: () => `Basic ${Buffer.from(`${API_KEY}:${SECRET}`).toString('base64')}`,
}

function credentialsFor({ spec }: Operation): string | undefined {
  const [way] = Object.keys(spec.security?.[0] ?? {})
  return way === undefined ? undefined : credentials[way]?.()
}

describe('operations that need credentials refuse calls without them, and with foreign ones, as documented', () => {
  for (const operation of operations) {
    const { key, method, path, spec } = operation
    const needed = (spec.security ?? []).every((way: object) => Object.keys(way).length > 0)
    if (!needed || (spec.security ?? []).length === 0) continue
    test(key, async () => {
      const url = server.url + path.replace(/\{[^}]+\}/g, 'x')
      for (const authorization of ['', 'junk', `Bearer ${ADMIN_KEY.slice(1)}`]) {
        const answer = await fetch(url, { method, headers: { authorization } })
        assert.ok([401, 403].includes(answer.status), `${answer.status}`)
        await assertAnswer(operation, answer)
      }
    })
  }
})

describe('malformed calls are refused as documented', () => {
  for (const operation of operations) {
    const { key, method, path, spec } = operation
    if (!spec.requestBody?.content['application/json']) continue
    test(key, async () => {
      const answer = await fetch(server.url + path.replace(/\{[^}]+\}/g, 'x'), {
        method,
        headers: { 'content-type': 'application/json', authorization: credentialsFor(operation) ?? '' },
        body: '[1]',
      })
      assert.equal(answer.status, 400)
      await assertAnswer(operation, answer)
    })
  }
})

describe('valid calls are answered as documented', () => {
  for (const operation of operations) {
    const { key, method, path } = operation
    test(key, async () => {
      const call = await calls[key]!(stage)
      const address = path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(call.path![name]!))
      const query = call.query ? `?${new URLSearchParams(call.query)}` : ''
      const authorization = call.authorization ?? credentialsFor(operation)
      const answer = await fetch(server.url + address + query, {
        method,
        headers: {
          ...(authorization !== undefined && { authorization }),
          ...bodyTypeOf(call),
          ...call.headers,
        },
        ...bodyOf(call),
      })
      assert.equal(answer.status, call.status ?? 200, await answer.clone().text())
      await assertAnswer(operation, answer)
    })
  }
})

test('the page of the document loads nothing from other sites and runs nothing inline', async () => {
  const answer = await fetch(`${server.url}/docs`)
  assert.equal(answer.status, 200)
  const policy = answer.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|https:|\*/)
  const html = await answer.text()
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|(src|href)="(https?:)?\/\//)
})
