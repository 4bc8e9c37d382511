import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  mayLift,
  removerOf,
  Removals,
  sharesToken,
  type Holder,
  type Removal,
  type Remover,
} from './removals.ts'

const removal = (changes: Partial<Removal> = {}): Removal => ({
  participantId: 'bad',
  tokenId: 'jti:t',
  name: 'Bad',
  at: 1,
  by: 'mod',
  byName: 'Mod',
  byModerator: true,
  tokenShared: false,
  ...changes,
})

test('a removal keeps out an id, and a token unless it is shared', () => {
  const own = removal()
  const shared = removal({ tokenShared: true })
  const last = removal({ participantId: 'worse', at: 2 })
  const cases: [what: string, removals: Removal[], id: string | undefined, token: string, out: boolean][] = [
    ['nobody was removed', [], 'bad', 'jti:t', false],
    ['same id, same token', [own], 'bad', 'jti:t', true],
    ['same id, other token', [own], 'bad', 'jti:u', true],
    ['other id, same token', [own], 'eve', 'jti:t', true],
    ['no id, same token', [own], undefined, 'jti:t', true],
    ['other id, other token', [own], 'eve', 'jti:u', false],
    ['no id, other token', [own], undefined, 'jti:u', false],
    ['shared: same id, same token', [shared], 'bad', 'jti:t', true],
    ['shared: same id, other token', [shared], 'bad', 'jti:u', true],
    ['shared: other id, same token', [shared], 'eve', 'jti:t', false],
    ['shared: no id, same token', [shared], undefined, 'jti:t', false],
    ['the last holder too: other id, same token', [shared, last], 'eve', 'jti:t', true],
    ['the last holder too: first id', [shared, last], 'bad', 'jti:u', true],
  ]
  for (const [what, list, participantId, tokenId, out] of cases)
    assert.equal(new Removals(list).keepOut({ participantId, tokenId }), out, what)
})

test('keeps ids and tokens apart that look alike', () => {
  const removals = new Removals([removal({ participantId: 'a:jti:t', tokenId: 'jti:x y' })])
  for (const [participantId, tokenId] of [
    ['a', 'jti:t:jti:x y'],
    ['a:jti:t:jti:x', 'y'],
    ['jti:x y', 'a:jti:t'],
    ['__proto__', 'constructor'],
  ] as const)
    assert.equal(removals.keepOut({ participantId, tokenId }), false, participantId)
})

test('two tokens that held one seat are both kept out, shown as one removal, and lifted together', () => {
  const removals = new Removals([removal(), removal({ tokenId: 'jti:u', name: 'Bad again', at: 2 })])
  for (const tokenId of ['jti:t', 'jti:u']) assert.equal(removals.keepOut({ tokenId }), true, tokenId)
  assert.deepEqual(
    removals.list().map(({ participantId, name, at }) => [participantId, name, at]),
    [['bad', 'Bad again', 2]],
  )
  removals.add(removal({ tokenShared: true }))
  assert.deepEqual(
    removals.list().map(({ tokenShared }) => tokenShared),
    [true],
  )
  removals.lift('bad')
  for (const tokenId of ['jti:t', 'jti:u']) assert.equal(removals.keepOut({ tokenId }), false, tokenId)
})

test('a lifted removal keeps nobody out, and leaves the others in force', () => {
  const removals = new Removals([
    removal({ tokenShared: true }),
    removal({ participantId: 'worse' }),
    removal({ participantId: 'else', tokenId: 'jti:u' }),
  ])
  removals.lift('bad')
  // The removal of the other one keeps the token out.
  assert.equal(removals.keepOut({ participantId: 'bad', tokenId: 'jti:t' }), true)
  assert.equal(removals.keepOut({ participantId: 'bad', tokenId: 'jti:v' }), false)
  removals.lift('worse')
  assert.equal(removals.keepOut({ participantId: 'bad', tokenId: 'jti:t' }), false)
  assert.equal(removals.keepOut({ participantId: 'else', tokenId: 'jti:t' }), true)
})

test('moderators see who was removed, when, by whom, and whether the token still works', () => {
  const removals = new Removals([
    removal({ tokenShared: true }),
    removal({ participantId: 'old', name: null, by: null, byName: null, tokenId: 'jti:old' }),
  ])
  assert.deepEqual(removals.list(), [
    { participantId: 'bad', name: 'Bad', at: 1, by: 'mod', byName: 'Mod', tokenShared: true },
    { participantId: 'old', name: 'old', at: 1, by: null, byName: null, tokenShared: false },
  ])
  removals.add(removal({ participantId: 'worse', name: 'Worse', at: 2 }))
  assert.deepEqual(
    removals.list().map(({ participantId, tokenShared }) => [participantId, tokenShared]),
    [
      ['bad', false],
      ['old', false],
      ['worse', false],
    ],
  )
})

test('a token is shared if another participant has joined with it', () => {
  const one = (changes: Partial<Holder>): Holder => ({
    id: 'other',
    tokenId: 't',
    joined: true,
    relayed: undefined,
    ...changes,
  })
  const removed = one({ id: 'bad' })
  const cases: [what: string, present: Holder[], shared: boolean][] = [
    ['nobody', [], false],
    ['only itself', [removed], false],
    ['another who joined', [removed, one({})], true],
    ['a seat that has not joined', [removed, one({ joined: false })], false],
    ['another token', [removed, one({ tokenId: 'u' })], false],
    ['a relay guest', [removed, one({ relayed: {} })], false],
    ['itself, on its way back', [one({ id: 'bad' })], false],
  ]
  for (const [what, present, shared] of cases) assert.equal(sharesToken(removed, present), shared, what)
})

test('decides who may lift a removal', () => {
  const byModerator = removal()
  const byOther = removal({ byModerator: false })
  const inside = (participantId: string, isModerator: boolean): Remover => ({ participantId, isModerator })
  const outside = (tokenId: string, isModerator: boolean, participantId?: string): Remover => ({
    ...(participantId !== undefined && { participantId }),
    tokenId,
    isModerator,
  })
  const cases: [what: string, removal: Removal, by: Remover, may: boolean][] = [
    ['a moderator, of a moderator', byModerator, inside('mod', true), true],
    ['an admitter, of a moderator', byModerator, inside('ann', false), false],
    ['an admitter, of an admitter', byOther, inside('ann', false), true],
    ['oneself', byOther, inside('bad', false), false],
    ['oneself, a moderator', byModerator, inside('bad', true), false],
    ['from outside, a moderator', byModerator, outside('jti:m', true), true],
    ['from outside, an admitter, of a moderator', byModerator, outside('jti:u', false), false],
    ['from outside, an admitter, of an admitter', byOther, outside('jti:u', false), true],
    ['from outside, with the token of the removed', byOther, outside('jti:t', true), false],
    ['from outside, bound to the removed', byOther, outside('jti:u', true, 'bad'), false],
  ]
  for (const [what, one, by, may] of cases) assert.equal(mayLift([one], by), may, what)
  const second = removal({ byModerator: false, tokenId: 'jti:v' })
  assert.equal(
    mayLift([byOther, second], outside('jti:v', false)),
    false,
    'with the second token of the removed',
  )
  assert.equal(
    mayLift([byModerator, second], outside('jti:u', false)),
    false,
    'an admitter, one by a moderator',
  )
})

test('describes callers from outside: bound to a participant or not, moderator by permission or by role', () => {
  const grant = { apiKey: 'k', projectId: 'p', permissions: [], tokenId: 't' }
  assert.deepEqual(removerOf({ ...grant, entry: 'direct' }), {
    tokenId: 't',
    isModerator: false,
  })
  assert.deepEqual(removerOf({ ...grant, entry: 'moderator', participantId: 'mod' }), {
    participantId: 'mod',
    tokenId: 't',
    isModerator: true,
  })
  assert.equal(removerOf({ ...grant, entry: undefined, roles: ['crawler'] }).isModerator, true)
  assert.equal(removerOf({ ...grant, entry: 'direct', roles: ['rtc'] }).isModerator, false)
})
