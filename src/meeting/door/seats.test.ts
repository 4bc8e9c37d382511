import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Participant } from '../roster/participant.ts'
import { Seats } from './seats.ts'

function participant(participantId: string, tokenId: string): Participant {
  return new Participant({
    participantId,
    grant: { apiKey: 'key', projectId: 'project', entry: 'direct', permissions: [], tokenId },
    name: participantId,
    authority: { canAdmit: true, canModerate: false },
    link: undefined as never,
  })
}

test('a seat is given up after its time, unless somebody joined with it or the join is being saved', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const over: string[] = []
  const seats = new Seats({ timeoutMs: 100, now: () => 7, onTimeout: ({ id }) => over.push(id) })
  const [ann, bob, eve] = [participant('ann', 't'), participant('bob', 't'), participant('eve', 'u')]
  for (const one of [ann, bob, eve]) seats.take(one)
  assert.deepEqual([seats.size, seats.countOf('t'), seats.countOf('u')], [3, 2, 1])
  assert.deepEqual(
    seats.entries().map(({ participant: { id }, admittedAt }) => [id, admittedAt]),
    [
      ['ann', 7],
      ['bob', 7],
      ['eve', 7],
    ],
  )
  seats.release(bob)
  eve.enrolled = true
  t.mock.timers.tick(100)
  assert.deepEqual(over, ['ann'])
  eve.enrolled = false
  t.mock.timers.tick(100)
  assert.deepEqual(over, ['ann', 'eve'])
})
