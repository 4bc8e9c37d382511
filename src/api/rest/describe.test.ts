/** A route must declare who may call it, and the API document tells what each route needs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify, type RouteShorthandOptions } from 'fastify'
import { assertDeclared, describe as described, undescribed } from './describe.ts'

const about = { summary: 'A route', tag: 'Rooms' } as const

function register(options: RouteShorthandOptions): void {
  const app = fastify()
  app.addHook('onRoute', assertDeclared)
  app.get('/route', options, () => 'answer')
}

test('a route that does not declare its access, and with a token its action and subject, cannot be registered', () => {
  const undeclared: RouteShorthandOptions[] = [
    {},
    { schema: { summary: 'A route' } },
    { config: { access: 'token' } },
    { config: { access: 'token', action: 'watch' } },
    { config: { access: 'token', about: 'project' } },
  ]
  for (const options of undeclared) assert.throws(() => register(options), /GET \/route does not declare/)
  register(undescribed)
  register(described({ ...about, access: 'open' }))
  register(described({ ...about, access: 'token', action: 'list', about: 'project' }))
})

test('the document of a route names the permissions that its token needs', () => {
  const schemaOf = (action: 'list' | 'watch' | 'remove' | 'invite'): any =>
    described({ ...about, access: 'token', action, about: { meeting: () => 'x' } }).schema
  assert.deepEqual(schemaOf('list').security, [{ token: [] }])
  assert.deepEqual(schemaOf('watch').security, [{ token: ['allow_join'] }, { token: ['allow_mod'] }])
  assert.deepEqual(schemaOf('remove').security, [{ token: ['allow_mod'] }])
  assert.equal(schemaOf('remove').description, 'Needs `allow_mod`, or a token with the role `crawler`.')
  assert.equal(schemaOf('invite').description, 'Needs `allow_join` or `allow_mod`.')
  assert.match(schemaOf('watch').response[403].description, /REMOVED_FROM_SESSION/)
})
