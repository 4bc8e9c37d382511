import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorityOf, can, managesFromOutside, type Moderation } from './permissions.ts'

test('what each way in allows', () => {
  const cases: [entry: 'direct' | 'moderator' | 'ask', Moderation, admits: boolean, moderates: boolean][] = [
    ['direct', 'grant', true, false],
    ['moderator', 'grant', true, true],
    ['ask', 'grant', false, false],
    ['direct', 'open', true, true],
    ['moderator', 'open', true, true],
    ['ask', 'open', false, true],
  ]
  for (const [entry, moderation, canAdmit, canModerate] of cases) {
    const authority = authorityOf(entry, moderation)
    assert.deepEqual(authority, { canAdmit, canModerate }, `${entry}, ${moderation}`)
    assert.equal(can(authority, 'respondEntry'), canAdmit)
    assert.equal(can(authority, 'remove'), canModerate)
  }
})

test('MODERATION=open makes nobody a moderator whose removals only moderators lift', () => {
  assert.equal(managesFromOutside({ entry: 'direct' }), false)
  assert.equal(managesFromOutside({ entry: 'ask', roles: ['rtc'] }), false)
  assert.equal(managesFromOutside({ entry: 'moderator' }), true)
  assert.equal(managesFromOutside({ entry: undefined, roles: ['crawler'] }), true)
})
