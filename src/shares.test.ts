/** The one rule by which a cap is shared. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beyond, SharedAmount, SharedThings, sharesOf, type Shares } from './shares.ts'

test('a share is a part of the limit, and never less than the minimum', () => {
  for (const [cap, least, token, participant] of [
    [1000, 1, 500, 250],
    [7, 1, 3, 1],
    [1, 1, 1, 1],
    [100, 64, 64, 64],
  ] as const) {
    assert.deepEqual(sharesOf(cap, least), { session: cap, token, participant })
  }
})

test('reports the first limit that is reached', () => {
  const limits = sharesOf(8)
  const held = (session: number, token: number, participant: number): Shares => ({
    session,
    token,
    participant,
  })
  for (const [taken, more, expected] of [
    [held(0, 0, 0), held(2, 2, 2), undefined],
    [held(0, 0, 0), held(3, 3, 3), 'participant'],
    [held(2, 2, 2), held(1, 1, 1), 'participant'],
    [held(4, 4, 0), held(1, 1, 1), 'token'],
    [held(8, 0, 0), held(1, 1, 1), 'session'],
    // Nothing new for the session or for the token.
    [held(8, 4, 0), held(0, 0, 1), undefined],
  ] as const) {
    assert.equal(beyond(limits, taken, more), expected, JSON.stringify([taken, more]))
  }
})

const one = { tokenId: 't', participantId: 'p' }
const alike = { tokenId: 't', participantId: 'q' }
const other = { tokenId: 'u', participantId: 'r' }

test('counts an amount per participant, per token and in total, and gives it back', () => {
  const amount = new SharedAmount(sharesOf(8))
  assert.equal(amount.take(one, 2), undefined)
  assert.equal(amount.take(one), 'participant')
  assert.equal(amount.take(alike, 2), undefined)
  assert.equal(amount.take({ tokenId: 't' }), 'token')
  assert.equal(
    amount.take({ tokenId: 'u' }, 4),
    undefined,
    'who is no participant has the share of its token',
  )
  assert.equal(amount.take({ tokenId: 'v' }), 'session')
  amount.add(one, -1)
  assert.equal(amount.take(one), undefined)
  amount.add({ tokenId: 'u' }, -4)
  assert.equal(amount.take(other, 2), undefined)
})

test('counts something with several holders once for the session and once for each token', () => {
  const things = new SharedThings(sharesOf(8))
  for (const holder of [one, alike, other]) {
    assert.equal(things.take('a', holder), undefined)
    assert.equal(things.take('a', holder), undefined, 'again')
  }
  assert.equal(things.take('b', one), undefined)
  assert.equal(things.take('c', one), 'participant')
  assert.equal(things.take('c', alike), undefined)
  const third = { tokenId: 't', participantId: 's' }
  assert.equal(things.take('d', third), undefined)
  assert.equal(things.take('e', third), 'token')
  assert.equal(things.take('c', third), undefined)
  things.give('c', third)
  things.give('c', third)
  things.give('c', alike)
  assert.equal(things.take('e', third), undefined, 'nobody of this token holds c any more')
  for (const holder of [one, alike, third]) for (const thing of 'abcde') things.give(thing, holder)
  for (const [at, thing] of ['b', 'c', 'd', 'e', 'f', 'g', 'h'].entries())
    assert.equal(things.take(thing, { tokenId: `x${at}`, participantId: `x${at}` }), undefined)
  assert.equal(things.take('i', one), 'session')
  assert.equal(things.take('h', one), undefined)
})
