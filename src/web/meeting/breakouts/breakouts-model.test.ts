import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedBy, emptyDraft, evenly, peopleOf, withAssigned, withCount } from './breakouts-model.ts'

const name = (number: number): string => `Room ${number}`

test('people are divided evenly, and by chance', () => {
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const [count, sizes] of [
    [1, [5]],
    [2, [3, 2]],
    [3, [2, 2, 1]],
    [6, [1, 1, 1, 1, 1, 0]],
  ] as const) {
    const divided = evenly(ids, count, () => 0.5)
    assert.equal(divided.size, ids.length)
    const found = Array.from(
      { length: count },
      (_, at) => [...divided.values()].filter((room) => room === at).length,
    )
    assert.deepEqual(found, sizes)
  }
  assert.notDeepEqual([...evenly(ids, 5, () => 0).keys()], [...evenly(ids, 5, () => 0.99).keys()])
})

test('a draft keeps who is where, and forgets rooms that are gone', () => {
  const draft = withAssigned(withAssigned(withCount(emptyDraft, 3), 'a', 0), 'b', 2)
  assert.deepEqual(askedBy(draft, name), {
    rooms: [
      { name: 'Room 1', peerIds: ['a'] },
      { name: 'Room 2', peerIds: [] },
      { name: 'Room 3', peerIds: ['b'] },
    ],
    seconds: null,
  })
  assert.deepEqual([...withCount(draft, 2).assigned], [['a', 0]])
  assert.equal(withAssigned(draft, 'a', undefined).assigned.has('a'), false)
})

test('the time is in minutes, and none is no end', () => {
  for (const [minutes, seconds] of [
    ['', null],
    [' ', null],
    ['10', 600],
    ['0,5', 30],
  ] as const)
    assert.equal(askedBy({ ...emptyDraft, minutes }, name)?.seconds, seconds)
  for (const minutes of ['x', '0', '-1', '0.1', '9999'])
    assert.equal(askedBy({ ...emptyDraft, minutes }, name), undefined, minutes)
})

test('a room shows who is there, then who is on the way', () => {
  const [ann, bob, host] = ['ann', 'bob', 'host'].map((id) => ({ id, name: id })) as [never, never, never]
  assert.deepEqual(
    peopleOf({ roomId: 'r', name: 'Red', assigned: [ann, bob], people: [host, bob] }).map(
      ({ id, isThere }) => [id, isThere],
    ),
    [
      ['host', true],
      ['bob', true],
      ['ann', false],
    ],
  )
})
