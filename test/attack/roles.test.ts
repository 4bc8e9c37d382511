/**
 * Calls every operation of the REST API as an operator of every role, by sign-in. What each role may do is a separate table,
 * so that it does not follow from the program.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { OperatorRole } from '../../src/store/store.ts'
import { bodyOf, bodyTypeOf, calls, Stage, type Call } from '../support/rest-calls.ts'
import { TestServer } from '../support/test-server.ts'

const ROLES = ['viewer', 'operator', 'owner'] as const

/** The least role for each operation of operators. */
const policy: Record<string, OperatorRole> = {
  'GET /v2/admin/status': 'viewer',
  'GET /v2/admin/history': 'viewer',
  'GET /v2/admin/usage': 'viewer',
  'GET /v2/admin/usage.csv': 'viewer',
  'GET /v2/admin/debug/meetings/{id}': 'viewer',
  'GET /v2/admin/settings': 'viewer',
  'GET /v2/admin/projects': 'viewer',
  'GET /v2/admin/keys': 'viewer',
  'POST /v2/admin/token/inspect': 'viewer',
  'GET /v2/admin/sign-ins': 'viewer',
  'POST /v2/admin/sign-ins/{signInId}/end': 'viewer',
  'POST /v2/admin/password': 'viewer',
  'POST /v2/admin/sign-out': 'viewer',
  'GET /v2/admin/second-factor': 'viewer',
  'POST /v2/admin/second-factor/begin': 'viewer',
  'POST /v2/admin/second-factor/confirm': 'viewer',
  'POST /v2/admin/second-factor/recovery-codes': 'viewer',
  'POST /v2/admin/second-factor/disable': 'viewer',
  'PUT /v2/admin/second-factor/required': 'owner',
  'POST /v2/admin/operators/{operatorId}/second-factor-reset': 'owner',
  'POST /v2/admin/projects': 'operator',
  'PATCH /v2/admin/projects/{projectId}': 'operator',
  'POST /v2/admin/projects/{projectId}/token': 'operator',
  'POST /v2/admin/nodes/{nodeId}/drain': 'operator',
  'DELETE /v2/admin/nodes/{nodeId}/drain': 'operator',
  'POST /v2/admin/keys': 'operator',
  'PATCH /v2/admin/keys/{apiKey}': 'operator',
  'POST /v2/admin/keys/{apiKey}/rotate': 'operator',
  'POST /v2/admin/keys/{apiKey}/revoke': 'operator',
  'GET /v2/admin/operators': 'owner',
  'PATCH /v2/admin/operators/{operatorId}': 'owner',
  'DELETE /v2/admin/operators/{operatorId}': 'owner',
  'POST /v2/admin/operators/{operatorId}/password-link': 'owner',
  'GET /v2/admin/operator-invites': 'owner',
  'POST /v2/admin/projects/{projectId}/people/export': 'owner',
  'POST /v2/admin/projects/{projectId}/people/erase': 'owner',
  'GET /v2/admin/audit': 'owner',
  'GET /v2/admin/audit/export': 'owner',
  'POST /v2/admin/operator-invites': 'owner',
  'POST /v2/admin/operator-invites/{inviteId}/revoke': 'owner',
}

/** Calls whose objects belong to the caller, so that each role calls its own. */
const OWN = new Set([
  'GET /v2/admin/sign-ins',
  'POST /v2/admin/sign-ins/{signInId}/end',
  'POST /v2/admin/password',
  'POST /v2/admin/sign-out',
  'POST /v2/admin/second-factor/begin',
  'POST /v2/admin/second-factor/confirm',
])
/** Open to all, or answered to who is inside a meeting with this token: no role helps. */
const OPEN = new Set([
  'GET /v2/admin/sign-in',
  'POST /v2/admin/sign-in',
  'GET /v2/admin/oidc/start',
  'GET /v2/admin/oidc/callback',
])
/** These take no token, so no sign-in stands for one. */
const WITHOUT_TOKEN = new Set([
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'GET /ping',
  'GET /metrics',
  'GET /openapi.json',
  'GET /asyncapi.json',
  'GET /get-token',
  'POST /v1/prebuilt/token',
  'POST /invites/exchange',
  'POST /page/start',
  'POST /page/knock',
  'GET /v2/public/rsa-public-key',
  'POST /v2/admin/operator-invites/look',
  'POST /v2/admin/operator-invites/accept',
])
const FOR_PARTICIPANTS: Record<string, string> = {
  'POST /infra/v1/meetings/init-config': 'UNAUTHORIZED_ROLE',
  'POST /base64-upload': 'UNAUTHORIZED_REQUEST',
  'GET /files/{meetingId}/{fileId}/{name}': 'UNAUTHORIZED_REQUEST',
}

let server: TestServer
let stage: Stage
let projectId: string
const cookies: Partial<Record<OperatorRole, string>> = {}
let security: Record<string, Record<string, unknown>[]>
const deprecated = new Set<string>()
before(async () => {
  server = await TestServer.start({ webhookAllowPrivate: true })
  stage = new Stage(server)
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
  for (const role of ROLES) cookies[role] = (await stage.operator(role)).cookie
  const { paths } = await (await fetch(`${server.url}/openapi.json`)).json()
  security = Object.fromEntries(
    Object.entries<any>(paths).flatMap(([path, item]) =>
      Object.entries<any>(item).map(([verb, spec]) => {
        const key = `${verb.toUpperCase()} ${path}`
        if (spec.deprecated) deprecated.add(key)
        return [key, spec.security ?? []]
      }),
    ),
  )
})
after(() => server.stop())

async function send(key: string, call: Call, headers: Record<string, string>) {
  const [method = '', path = ''] = key.split(' ')
  const address = path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(call.path![name]!))
  const query = call.query ? `?${new URLSearchParams(call.query)}` : ''
  const answer = await fetch(server.url + address + query, {
    method,
    headers: {
      ...bodyTypeOf(call),
      ...call.headers,
      origin: server.url,
      'x-requested-with': 'test',
      ...headers,
    },
    ...bodyOf(call),
  })
  const text = await answer.text()
  return { status: answer.status, code: answer.ok ? undefined : codeIn(text), text }
}

function codeIn(text: string): string {
  const body = JSON.parse(text) as { code: string | number; name?: string }
  return body.name ?? String(body.code)
}

test('every operation for operators has a row in the table', () => {
  const forOperators = Object.keys(security).filter((key) => security[key]!.some((way) => 'admin' in way))
  assert.deepEqual(forOperators.toSorted(), Object.keys(policy).toSorted())
})

test('every other operation takes a token, or stands in the list of those that take none', () => {
  const others = Object.keys(calls).filter((key) => !(key in policy) && !OPEN.has(key))
  const without = others.filter((key) => !security[key]!.some((way) => 'token' in way))
  assert.deepEqual(without.toSorted(), [...WITHOUT_TOKEN].toSorted())
})

describe('operations of operators by role', () => {
  for (const [key, needed] of Object.entries(policy)) {
    test(key, async () => {
      for (const role of ROLES) {
        let cookie = cookies[role]!
        let call = await calls[key]!(stage)
        if (OWN.has(key)) {
          const own = await stage.operator(role)
          cookie = own.cookie
          if (key.endsWith('/end')) call = { path: { signInId: own.signInId } }
          if (key.endsWith('/sign-ins')) call = {}
          if (key.endsWith('/begin')) call = { body: call.body }
          if (key.endsWith('/confirm')) call = { body: call.body, status: 403 }
          if (key.endsWith('/password'))
            call = { body: { password: 'another password', current: 'a password of enough length' } }
        }
        const { status, code, text } = await send(key, call, { cookie })
        if (ROLES.indexOf(role) >= ROLES.indexOf(needed))
          assert.equal(status, call.status ?? 200, `${role}: ${text}`)
        else {
          assert.deepEqual([status, code], [403, 'UNAUTHORIZED_REQUEST'], role)
          assert.match(text, new RegExp(`needs the role ${needed}`))
        }
      }
    })
  }
})

test('the dashboard is told what each role may not do, and asks about operations that exist', async () => {
  const inProject = Object.keys(security).filter(
    (key) => !key.startsWith('GET ') && security[key]!.some((way) => 'token' in way) && !deprecated.has(key),
  )
  for (const [index, role] of ROLES.entries()) {
    const answer = await fetch(`${server.url}/v2/admin/sign-in`, { headers: { cookie: cookies[role]! } })
    const { self } = (await answer.json()) as { self: { mayNot: string[] } }
    const higher = Object.keys(policy).filter((key) => ROLES.indexOf(policy[key]!) > index)
    assert.deepEqual(
      self.mayNot.toSorted(),
      [...higher, ...(role === 'viewer' ? inProject : [])].toSorted(),
      role,
    )
  }
  const folder = join(import.meta.dirname, '../../src/web/dashboard')
  const asked = new Set<string>()
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith('.tsx'))
      for (const [operation] of (await readFile(join(folder, name), 'utf8')).matchAll(
        /(?<=['`])(POST|PUT|PATCH|DELETE|GET) \/[^'`$]+(?=['`])/g,
      ))
        asked.add(operation)
  assert.ok(asked.size > 15, 'they are found')
  assert.deepEqual(
    [...asked].filter((operation) => !(operation in security)),
    [],
  )
})

describe('operations inside a project by role: a viewer only reads', () => {
  for (const key of Object.keys(calls).filter(
    (one) => !(one in policy) && !OPEN.has(one) && !WITHOUT_TOKEN.has(one),
  )) {
    test(key, async () => {
      // What is refused to the viewer is there for the operator; an owner may what an operator may.
      const call = await calls[key]!(stage)
      for (const role of ['viewer', 'operator'] as const) {
        const headers = { cookie: cookies[role]!, 'x-anteroom-project': projectId }
        const { status, code, text } = await send(key, call, headers)
        if (role === 'viewer' && !key.startsWith('GET ')) {
          assert.deepEqual([status, code], [403, 'UNAUTHORIZED_REQUEST'], text)
          assert.match(text, /needs the role operator/)
        } else if (FOR_PARTICIPANTS[key] !== undefined)
          assert.deepEqual([status, code], [403, FOR_PARTICIPANTS[key]], role)
        else assert.equal(status, call.status ?? 200, `${role}: ${text}`)
      }
    })
  }
})

test('a sign-in is nothing inside another project’s key, without a project, or beside a token', async () => {
  const cookie = cookies.owner!
  const list = (headers: Record<string, string>) => send('GET /v2/rooms', {}, { cookie, ...headers })
  assert.equal((await list({})).status, 401, 'no project')
  assert.equal((await list({ 'x-anteroom-project': 'f'.repeat(24) })).code, 'NOT_FOUND')
  const beside = await list({ 'x-anteroom-project': projectId, authorization: 'junk' })
  assert.deepEqual([beside.status, beside.code], [401, 'INVALID_TOKEN'], 'the token decides')
  const foreign = await list({ 'x-anteroom-project': projectId, origin: 'https://evil.example' })
  assert.deepEqual([foreign.status, foreign.code], [403, 'UNAUTHORIZED_REQUEST'])
  const without = await list({ 'x-anteroom-project': projectId, cookie: '' })
  assert.deepEqual([without.status, without.code], [401, 'UNAUTHORIZED'])
})

test('a viewer starts no meeting from the page, where a sign-in is needed', async () => {
  const behind = await TestServer.start({ publicUrl: 'https://meet.example' })
  try {
    const there = new Stage(behind)
    for (const [role, status] of [
      ['viewer', 403],
      ['operator', 200],
    ] as const) {
      const { cookie } = await there.operator(role)
      const answer = await fetch(`${behind.url}/page/start`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'https://meet.example', cookie },
        body: '{}',
      })
      assert.equal(answer.status, status, role)
    }
  } finally {
    await behind.stop()
  }
})
