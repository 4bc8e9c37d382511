import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pausedOwners, priorityOf } from './adaptive.ts'

test('within the limit all cameras are live; beyond it recent speakers come first, then those who came first', () => {
  const owners = ['ann', 'bob', 'cem', 'dan']
  for (const [limit, speakers, paused] of [
    [4, [], []],
    [9, ['dan'], []],
    [2, [], ['cem', 'dan']],
    [2, ['dan'], ['bob', 'cem']],
    [2, ['cem', 'dan', 'ann'], ['ann', 'bob']],
    [1, ['gone', 'bob'], ['ann', 'cem', 'dan']],
    [0, ['ann'], ['ann', 'bob', 'cem', 'dan']],
  ] as const)
    assert.deepEqual([...pausedOwners(owners, speakers, limit)].sort(), paused, `${limit} ${speakers.join()}`)
})

test('a screen share comes before the speaker, and the speaker before the rest', () => {
  const [share, speaker, other] = [
    priorityOf('share', false),
    priorityOf('video', true),
    priorityOf('video', false),
  ]
  assert.ok(share > speaker && speaker > other)
  assert.ok([share, speaker, other].every((priority) => priority >= 1 && priority <= 255))
})
