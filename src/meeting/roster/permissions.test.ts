/** What a grant allows inside a meeting and over REST. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry, Role } from '../../token/token.ts'
import {
  authorityOf,
  can,
  managesFromOutside,
  refusalFromOutside,
  type Moderation,
  type OutsideAction,
} from './permissions.ts'

test('what each kind of entry permits', () => {
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

test('MODERATION=open does not make anybody a moderator whose removals only moderators lift', () => {
  assert.equal(managesFromOutside({ entry: 'direct' }), false)
  assert.equal(managesFromOutside({ entry: 'ask', roles: ['rtc'] }), false)
  assert.equal(managesFromOutside({ entry: 'moderator' }), true)
  assert.equal(managesFromOutside({ entry: undefined, roles: ['crawler'] }), true)
})

const ROLE = 'UNAUTHORIZED_ROLE'
const PERMISSION = 'INVALID_PERMISSIONS'
type Row = [entry: Entry, roles: Role[] | undefined, moderation: Moderation, code: string | undefined]

const table: Partial<Record<OutsideAction, Row[]>> = {
  watch: [
    ['ask', undefined, 'grant', PERMISSION],
    ['ask', undefined, 'open', PERMISSION],
    [undefined, undefined, 'grant', PERMISSION],
    ['direct', undefined, 'grant', undefined],
    ['moderator', undefined, 'grant', undefined],
    ['moderator', ['rtc'], 'grant', ROLE],
    ['ask', ['crawler'], 'grant', undefined],
    [undefined, ['rtc', 'crawler'], 'grant', undefined],
  ],
  remove: [
    ['direct', undefined, 'grant', PERMISSION],
    ['direct', undefined, 'open', undefined],
    ['ask', undefined, 'open', PERMISSION],
    ['moderator', undefined, 'grant', undefined],
    ['direct', ['crawler'], 'grant', undefined],
  ],
  manage: [
    ['direct', undefined, 'grant', PERMISSION],
    ['direct', undefined, 'open', PERMISSION],
    ['moderator', undefined, 'open', undefined],
    ['moderator', ['rtc'], 'open', ROLE],
    ['direct', ['crawler'], 'grant', undefined],
  ],
  invite: [
    ['ask', undefined, 'open', PERMISSION],
    ['ask', ['crawler'], 'grant', PERMISSION],
    ['direct', ['rtc'], 'grant', undefined],
    ['direct', ['crawler'], 'grant', undefined],
  ],
  enter: [
    ['ask', undefined, 'grant', undefined],
    ['ask', ['crawler'], 'grant', ROLE],
    [undefined, undefined, 'grant', PERMISSION],
    ['direct', ['rtc'], 'grant', undefined],
  ],
  create: [
    ['ask', undefined, 'grant', undefined],
    ['direct', ['rtc'], 'grant', ROLE],
  ],
  shareFiles: [['ask', ['rtc'], 'grant', undefined]],
}

for (const [action, rows] of Object.entries(table)) {
  test(`over REST: ${action}`, () => {
    for (const [entry, roles, moderation, code] of rows) {
      const refusal = refusalFromOutside(
        { entry, ...(roles && { roles }) },
        action as OutsideAction,
        moderation,
      )
      assert.equal(refusal?.code, code, `${entry} ${roles?.join()} ${moderation}`)
    }
  })
}
