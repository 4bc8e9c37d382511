import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../../test/support/fake-meeting.ts'
import type { Poll } from '../../../client/client.ts'
import {
  askedBy,
  emptyDraft,
  pollsAsText,
  pollsView,
  resultsOf,
  showsResults,
  unanswered,
} from './polls-model.ts'

const poll = (changes: Partial<Poll> = {}): Poll => ({
  pollId: 'p',
  question: 'Tea?',
  options: ['Yes', 'No'],
  multiple: true,
  anonymous: false,
  askerName: 'Host',
  createdAt: 1000,
  endedAt: null,
  counts: [2, 1],
  voters: 2,
  votes: [
    { voterId: '1', name: 'Ann', choices: [0, 1] },
    { voterId: '2', name: 'Bob', choices: [0] },
  ],
  ...changes,
})

test('a question is asked with two answers that differ; empty ones are left out', () => {
  const rows: [string, string[], string[] | undefined][] = [
    ['', ['Yes', 'No'], undefined],
    ['Tea?', ['Yes', ' '], undefined],
    ['Tea?', ['Yes', 'yes '], undefined],
    ['Tea?', ['Yes', '', ' No '], ['Yes', 'No']],
  ]
  for (const [question, options, expected] of rows)
    assert.deepEqual(askedBy({ ...emptyDraft, question, options })?.options, expected, question)
})

test('a share is of those who voted, and an anonymous poll has no names', () => {
  const [yes, no] = resultsOf(poll({ own: [1] }))
  assert.deepEqual(yes, { option: 'Yes', count: 2, share: 1, isOwn: false, names: ['Ann', 'Bob'] })
  assert.deepEqual([no!.share, no!.isOwn, no!.names], [0.5, true, ['Ann']])
  const { votes: _, ...anonymous } = poll({ counts: [0, 0], voters: 0 })
  assert.deepEqual(resultsOf(anonymous)[0], { option: 'Yes', count: 0, share: 0, isOwn: false, names: [] })
})

test('results are shown after our vote, after the end, and to moderators', () => {
  assert.equal(showsResults(poll(), false), false)
  assert.equal(showsResults(poll(), true), true)
  assert.equal(showsResults(poll({ own: [0] }), false), true)
  assert.equal(showsResults(poll({ endedAt: 5 }), false), true)
})

test('the newest poll is first, and those that wait for us are known', () => {
  const meeting = new FakeMeeting()
  const view = pollsView(meeting.asMeeting)
  let changes = 0
  view.subscribe(() => changes++)
  meeting.polls.heard(poll())
  meeting.polls.heard(poll({ pollId: 'q', own: [0] }))
  meeting.polls.heard(poll({ pollId: 'r', endedAt: 5 }))
  const ids = (polls: Poll[]): string[] => polls.map(({ pollId }) => pollId)
  assert.deepEqual([ids(view.get()), ids(unanswered(view.get())), changes], [['r', 'q', 'p'], ['p'], 3])
})

test('the file of the chat has the polls, with names where they are no secret', () => {
  assert.equal(
    pollsAsText([poll({ endedAt: 2000 })]),
    '1970-01-01T00:00:01.000Z Host: Tea?\n    2 Yes (Ann, Bob)\n    1 No (Ann)\n' +
      '    (2 people have voted, ended 1970-01-01T00:00:02.000Z)\n',
  )
})
