import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLess, mayAct, roleForMethod } from './roles.ts'

const ROLES = ['viewer', 'operator', 'owner'] as const

test('each role may do what the roles below it may, and nothing else', () => {
  const allowed = ROLES.map((role) => ROLES.filter((needed) => mayAct(role, needed)))
  assert.deepEqual(allowed, [['viewer'], ['viewer', 'operator'], ['viewer', 'operator', 'owner']])
})

test('only a lower role is less', () => {
  const less = ROLES.flatMap((from) => ROLES.filter((to) => isLess(to, from)).map((to) => `${from} → ${to}`))
  assert.deepEqual(less, ['operator → viewer', 'owner → viewer', 'owner → operator'])
})

test('a viewer only reads', () => {
  for (const method of ['GET', 'HEAD']) assert.equal(roleForMethod(method), 'viewer')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get'])
    assert.equal(roleForMethod(method), 'operator', method)
})
