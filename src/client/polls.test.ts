import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Polls, type Poll } from './polls.ts'

const poll: Poll = {
  pollId: 'p',
  question: 'Tea?',
  options: ['Yes', 'No'],
  multiple: false,
  anonymous: false,
  askerName: 'Host',
  createdAt: 1,
  endedAt: null,
  counts: [0, 0],
  voters: 0,
  votes: [],
}
const ann = { voterId: '1', name: 'Ann', choices: [0] }

test('a vote replaces the former one of the same voter, and our own choice survives what others do', async () => {
  let changes = 0
  const polls = new Polls(
    () => Promise.resolve({ choices: [1] }),
    () => {
      changes++
    },
  )
  polls.heardVote({ pollId: 'p', counts: [1, 0], voters: 1 })
  assert.equal(changes, 0, 'a vote in a poll that is not known is nothing')
  polls.heard(poll)
  polls.heardVote({ pollId: 'p', counts: [1, 0], voters: 1, vote: ann })
  polls.heardVote({ pollId: 'p', counts: [0, 1], voters: 1, vote: { ...ann, choices: [1] } })
  await polls.vote('p', [1])
  polls.heard({ ...poll, endedAt: 5, counts: [0, 1], voters: 1, votes: [] })
  const { own, votes, endedAt } = polls.all.get('p')!
  assert.deepEqual([own, votes, endedAt, changes], [[1], [], 5, 5])
})

test('an anonymous poll stays without names', () => {
  const polls = new Polls(
    () => Promise.resolve({}),
    () => undefined,
  )
  const { votes: _, ...anonymous } = poll
  polls.heard({ ...anonymous, anonymous: true })
  polls.heardVote({ pollId: 'p', counts: [1, 0], voters: 1 })
  assert.equal('votes' in polls.all.get('p')!, false)
  polls.reset()
  assert.equal(polls.all.size, 0)
})
